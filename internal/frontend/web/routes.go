package web

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/zeebo/xxh3"

	"github.com/ourodb/ouro"
)

// ringPath is where clients learn where keys are.
const ringPath = "/ring"

// routes answers with where keys are and where clients reach the nodes. Its ETag
// lets those that ask again and again have nothing where nothing changed.
func (x *exchange) routes() {
	router, ok := x.store.(ouro.Router)
	if !ok {
		x.reject(ouro.Errorf(ouro.BadRequest, ouro.NotDone, "this store has no ring"))
		return
	}
	if !x.isRead() {
		x.w.Header().Set("Allow", "GET, HEAD")
		x.rejectAs(http.StatusMethodNotAllowed, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%.20q is no method of the ring: use GET", x.r.Method))
		return
	}
	body, err := json.Marshal(router.Routes())
	if err != nil {
		x.reject(ouro.Errorf(ouro.Internal, ouro.NotDone, "the ring: %v", err))
		return
	}
	tag := `"` + strconv.FormatUint(xxh3.Hash(body), 16) + `"`
	x.set("Etag", tag)
	if x.r.Header.Get("If-None-Match") == tag {
		x.writeHeader(http.StatusNotModified)
		return
	}
	x.set("Content-Type", "application/json")
	x.set("Content-Length", strconv.Itoa(len(body)))
	x.writeHeader(http.StatusOK)
	x.send(body)
}

// misdirected says that a request is meant for another cluster, or returns nil:
// the address of a node may have become that of one of another cluster.
func (x *exchange) misdirected() *ouro.Error {
	given := x.r.Header.Get(headerCluster)
	if given == "" || x.cfg.Cluster == "" || given == x.cfg.Cluster {
		return nil
	}
	return ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "this node is of the cluster with id %s, not of %.32q: look for the ring again", x.cfg.Cluster, given)
}

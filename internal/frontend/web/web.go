package web

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/keypath"
)

// The headers of the protocol, in their canonical form.
const (
	headerContext     = "Ouro-Context"
	headerRequestID   = "Ouro-Request-Id"
	headerAttempt     = "Ouro-Attempt"
	headerCoordinator = "Ouro-Coordinator"
	headerQuorum      = "Ouro-Quorum"
	headerModified    = "Ouro-Modified"
	headerExpires     = "Ouro-Expires"
	headerType        = "Ouro-Type"
	headerCluster     = "Ouro-Cluster"
	headerLocal       = "Ouro-Local"
)

const prefix = "/kv/"

// allowed are the methods of a key.
const allowed = "GET, HEAD, PUT, POST, DELETE"

type handler struct {
	cfg    Config
	store  ouro.Store
	bodies atomic.Int64 // bytes of bodies being read or stored
}

// New returns the front end of store.
func New(cfg Config, store ouro.Store) http.Handler {
	cfg.setDefaults()
	return &handler{cfg: cfg, store: store}
}

// exchange is one request with its answer.
type exchange struct {
	*handler
	w      http.ResponseWriter
	r      *http.Request
	opts   ouro.Options
	accept accept
	// local: a get is answered from this node's own copy; digest: by what is said of it,
	// without what it shows.
	local, digest bool
	// updated: the answer says how many elements an update changed.
	updated bool

	values [12]string // of headers, so that each needs no memory of its own
	used   int
}

// set sets a header; name is in canonical form.
func (x *exchange) set(name, value string) {
	if x.used == len(x.values) {
		x.w.Header()[name] = []string{value}
		return
	}
	v := x.values[x.used : x.used+1 : x.used+1]
	v[0] = value
	x.used++
	x.w.Header()[name] = v
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchange{handler: h, w: w, r: r}
	x.await()
	x.set("X-Content-Type-Options", "nosniff")
	x.set("Cache-Control", "no-store") // a cached answer is a stale context
	var err error
	x.opts.RequestID, x.opts.First, err = requestID(r.Header, h.cfg.MaxRequestID)
	x.set(headerRequestID, x.opts.RequestID)
	if err != nil {
		x.reject(err)
		return
	}
	if err := x.misdirected(); err != nil {
		x.rejectAs(http.StatusMisdirectedRequest, err)
		return
	}
	switch keypath.Raw(r) {
	case ringPath:
		x.routes()
	case manyPath:
		x.many()
	default:
		x.serve()
	}
}

func (x *exchange) serve() {
	raw, ok := strings.CutPrefix(keypath.Raw(x.r), prefix)
	if !ok {
		x.rejectAs(http.StatusNotFound, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "there is nothing here: keys are at /kv/{bucket}/{key}, where they are is at /ring, several at once go to /many"))
		return
	}
	if raw != "" && !strings.Contains(raw, "/") {
		x.list(raw)
		return
	}
	switch x.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete:
	default:
		x.w.Header().Set("Allow", allowed)
		x.rejectAs(http.StatusMethodNotAllowed, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%.20q is no method of a key: use one of %s", x.r.Method, allowed))
		return
	}
	key, err := keypath.Parse(raw)
	if err == nil {
		err = x.readOptions()
	}
	if err != nil {
		x.reject(err)
		return
	}
	switch x.r.Method {
	case http.MethodPut:
		x.put(key)
	case http.MethodPost:
		x.update(key)
	case http.MethodDelete:
		x.delete(key)
	default:
		x.get(key)
	}
}

// option hands all the options on at once.
func (x *exchange) option() ouro.Option {
	return func(o *ouro.Options) { *o = x.opts }
}

func (x *exchange) get(key ouro.Key) {
	x.accept = parseAccept(x.r.Header["Accept"])
	res, err := x.read(key)
	x.describe(&res, readForm)
	switch {
	case err != nil:
		x.fail(&res, err)
	case x.digest:
		x.set("Content-Length", "0")
		x.writeHeader(http.StatusOK)
	case x.opts.Explain:
		x.writeExplained(&res)
	case res.Typed != nil && len(res.Siblings) == 0:
		x.honestContext(res.Context)
		x.writeJSON(http.StatusOK, &res)
	case len(res.Siblings) == 1:
		x.writeOne(&res)
	default:
		x.writeSeveral(&res)
	}
}

// read has the store get a key, or what this node's own copy of it shows.
func (x *exchange) read(key ouro.Key) (ouro.Result, error) {
	if !x.local {
		return x.store.Get(x.r.Context(), key, x.option())
	}
	own, ok := x.store.(ouro.LocalReader)
	if !ok {
		return ouro.Result{}, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "this store has no copy of its own: leave out local")
	}
	res, by, err := own.GetLocal(x.r.Context(), key, x.option())
	if by != "" {
		x.set(headerLocal, by)
	}
	return res, err
}

func (x *exchange) put(key ouro.Key) {
	contentType, err := x.entity()
	if err != nil {
		x.reject(err)
		return
	}
	body, release, err := x.readBody()
	defer release()
	if err != nil {
		x.reject(err)
		return
	}
	res, err := x.store.Put(x.r.Context(), key, ouro.Value{Data: body, ContentType: contentType}, x.option())
	x.finish(&res, err)
}

func (x *exchange) delete(key ouro.Key) {
	if err := noConditions(x.r.Header); err != nil {
		x.reject(err)
		return
	}
	res, err := x.store.Delete(x.r.Context(), key, x.option())
	x.finish(&res, err)
}

// finish answers a write.
func (x *exchange) finish(res *ouro.Result, err error) {
	x.describe(res, writeForm)
	switch {
	case err != nil:
		x.fail(res, err)
	case x.opts.Explain:
		x.writeExplained(res)
	default:
		x.setContext(res.Context)
		x.writeHeader(http.StatusOK)
	}
}

// asError makes any error an [ouro.Error].
func (x *exchange) asError(err error) *ouro.Error {
	var e *ouro.Error
	if errors.As(err, &e) {
		return e
	}
	outcome := ouro.Unknown
	if x.r.Method == http.MethodGet || x.r.Method == http.MethodHead {
		outcome = ouro.NotDone
	}
	if x.r.Context().Err() != nil {
		return ouro.Errorf(ouro.TimedOut, outcome, "the request ended before it was decided: %v", err)
	}
	return ouro.Errorf(ouro.Internal, outcome, "%v", err)
}

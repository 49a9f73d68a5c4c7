package admin

import (
	"fmt"
	"net/http"

	"github.com/ourodb/ouro"
)

// alive answers as long as the process can answer anything.
func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok")
}

// ready says whether this node can serve. A peer that is gone does not make it
// unready: the others would lose this node too.
func (h *handler) ready(w http.ResponseWriter, r *http.Request) {
	err := h.cfg.Inspector.Ready()
	if err != nil {
		fail(w, http.StatusServiceUnavailable, ouro.Errorf(ouro.Overloaded, ouro.NotDone, "this node is not ready: %v", err))
		return
	}
	alive(w, r)
	if r.URL.Query().Has("verbose") {
		s := h.cfg.Inspector.Status()
		fmt.Fprintf(w, "node %s of cluster %s, version %s, started %s\n", s.Node, s.Cluster, s.Version, s.Started.UTC().Format("2006-01-02T15:04:05Z"))
		fmt.Fprintf(w, "ring epoch %d, %d partitions, %d members\n", s.Epoch, s.Q, len(s.Members))
		fmt.Fprintf(w, "engine %s, %d bytes on disk, %d free\n", s.Engine, s.DiskBytes, s.FreeBytes)
		for _, m := range s.Members {
			fmt.Fprintf(w, "member %s up=%t (informs only)\n", m.ID, m.Up)
		}
		for _, note := range s.Notes {
			fmt.Fprintf(w, "note: %s\n", note)
		}
	}
}

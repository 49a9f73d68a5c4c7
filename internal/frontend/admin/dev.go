package admin

import (
	"context"
	"net/http"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/dev"
)

// devCluster tells how the nodes of the dev cluster are.
func (h *handler) devCluster(w http.ResponseWriter, r *http.Request) {
	out, err := h.devCommand(r.Context(), dev.Command{Verb: dev.Look})
	answerWith(w, out, err)
}

// devCommand has the dev cluster carry out a command. Its refusals are for people,
// and nothing follows from them.
func (h *handler) devCommand(_ context.Context, c dev.Command) (dev.Outcome, error) {
	out, err := h.cfg.Dev(c)
	if err != nil {
		return out, ouro.Errorf(ouro.Conflict, ouro.NotDone, "%v", err)
	}
	return out, nil
}

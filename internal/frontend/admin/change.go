package admin

import (
	"bytes"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/jsonbody"
)

type logLevel struct {
	Level string `json:"level"`
}

func (h *handler) level(w http.ResponseWriter, _ *http.Request) {
	reply(w, logLevel{strings.ToLower(h.cfg.Level.Level().String())})
}

func (h *handler) setLevel(w http.ResponseWriter, r *http.Request) {
	var in logLevel
	if err := read(r, &in); err != nil {
		failWith(w, err)
		return
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(in.Level)); err != nil {
		failWith(w, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "level %.40q: it is debug, info, warn or error", in.Level))
		return
	}
	h.cfg.Level.Set(level)
	h.level(w, r)
}

// faults is the body of a fault call: what each named link shall suffer.
type faults struct {
	Peers map[string]struct {
		DropOut bool   `json:"drop_out"`
		DropIn  bool   `json:"drop_in"`
		Delay   string `json:"delay"`
	} `json:"peers"`
}

// maxDelay bounds how long a link may be told to hold messages back.
const maxDelay = time.Minute

func (h *handler) setFaults(w http.ResponseWriter, r *http.Request) {
	var in faults
	if err := read(r, &in); err != nil {
		failWith(w, err)
		return
	}
	known := map[string]bool{}
	for _, m := range h.cfg.Inspector.Status().Members {
		known[m.ID] = !m.Self
	}
	delays := map[string]time.Duration{}
	for peer, f := range in.Peers {
		if !known[peer] {
			failWith(w, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%.64q is no peer of this node: see /admin/v1/status for their ids", peer))
			return
		}
		if f.Delay == "" {
			continue
		}
		d, err := time.ParseDuration(f.Delay)
		if err != nil || d < 0 || d > maxDelay {
			failWith(w, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "delay %.40q: it is a duration such as 200ms, up to %v", f.Delay, maxDelay))
			return
		}
		delays[peer] = d
	}
	for peer, f := range in.Peers {
		h.cfg.Faults.SetFault(peer, f.DropOut, f.DropIn, delays[peer])
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h *handler) clearFaults(w http.ResponseWriter, _ *http.Request) {
	h.cfg.Faults.ClearFaults()
	w.WriteHeader(http.StatusNoContent)
}

// maxBody bounds the body of a call, in bytes.
const maxBody = 64 << 10

// read reads the JSON body of a call. It must be marked as JSON: a form in a
// browser cannot send that.
func read(r *http.Request, into any) error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the body has to be application/json, and Content-Type has to say so")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the body could not be read: %v", err)
	}
	if len(body) > maxBody {
		return ouro.Errorf(ouro.TooLarge, ouro.NotDone, "the body has more than %d bytes", maxBody)
	}
	if err := jsonbody.NewDecoder(bytes.NewReader(body)).Decode(into); err != nil {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the body cannot be understood: %s", jsonbody.Fault(err))
	}
	return nil
}

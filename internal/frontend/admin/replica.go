package admin

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/keypath"
)

// replica shows what a node holds of a key: this one, or the member that ?node=
// names. With ?most=N values are cut to so many bytes.
func (h *handler) replica(raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, err := keypath.Parse(raw)
		if err != nil {
			failWith(w, err)
			return
		}
		q := r.URL.Query()
		most, err := mostOf(q)
		if err != nil {
			failWith(w, err)
			return
		}
		var info ouro.ReplicaInfo
		if q.Has("node") {
			info, err = h.cfg.Inspector.ReplicaAt(r.Context(), q.Get("node"), key)
		} else {
			info, err = h.cfg.Inspector.Replica(r.Context(), key)
		}
		for i := range info.Versions {
			if v := &info.Versions[i]; most >= 0 && len(v.Value) > most {
				v.Value = v.Value[:most]
			}
		}
		answerWith(w, info, err)
	}
}

// mostOf returns how many bytes of a value are wanted, -1: all.
func mostOf(q url.Values) (int, error) {
	if !q.Has("most") {
		return -1, nil
	}
	n, err := strconv.Atoi(q.Get("most"))
	if err != nil || n < 0 {
		return 0, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "most=%.40s: it is a number of bytes", q.Get("most"))
	}
	return n, nil
}

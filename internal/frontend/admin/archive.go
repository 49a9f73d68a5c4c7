package admin

import (
	"net/http"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/jsonbody"
	"github.com/ourodb/ouro/internal/frontend/keypath"
)

// archiveRecord is the record of a key, as an archive has it.
type archiveRecord struct {
	Record []byte `json:"record"`
}

// heldBuckets are the buckets of which a node holds anything.
type heldBuckets struct {
	Buckets []string `json:"buckets"`
}

// maxArchiveBody bounds what is read of a record that is to be restored.
const maxArchiveBody = 1 << 30

func (h *handler) heldBuckets(w http.ResponseWriter, r *http.Request) {
	names, err := h.cfg.Archiver.HeldBuckets(r.Context())
	if names == nil {
		names = []string{}
	}
	answerWith(w, heldBuckets{names}, err)
}

// archived answers with the record of a key.
func (h *handler) archived(raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, err := keypath.Parse(raw)
		if err != nil {
			failWith(w, err)
			return
		}
		record, err := h.cfg.Archiver.Record(r.Context(), key)
		answerWith(w, archiveRecord{record}, err)
	}
}

// restore merges a record into that of a key.
func (h *handler) restore(raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, err := keypath.Parse(raw)
		if err != nil {
			failWith(w, err)
			return
		}
		var in archiveRecord
		if err := jsonbody.NewDecoder(http.MaxBytesReader(w, r.Body, maxArchiveBody)).Decode(&in); err != nil {
			failWith(w, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the body is not {\"record\": \"...\"}: %s", jsonbody.Fault(err)))
			return
		}
		if err := h.cfg.Archiver.Restore(r.Context(), key, in.Record); err != nil {
			failWith(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

package host

import (
	"fmt"
	"slices"
	"time"

	core "github.com/ourodb/ouro/internal/core/steward"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
)

// recall reads what an engine keeps for the steward.
func recall(e store.Engine) (core.Disk, error) {
	d := core.Disk{Notes: map[core.Note][]byte{}}
	for _, n := range core.Notes() {
		if _, err := e.Get(store.NoteKey(byte(n)), func(v []byte) { d.Notes[n] = slices.Clone(v) }); err != nil {
			return d, fmt.Errorf("host: read what is known of the cluster: %w", err)
		}
	}
	var err error
	d.Holds, err = disk.Holds(e)
	return d, err
}

// Forget takes from an engine what it knows of the cluster; where nodes were found
// stays. It returns when that is on disk.
func Forget(e store.Engine) error {
	var b store.Batch
	for _, n := range []core.Note{core.HistoryNote, core.PlaceNote, core.VoteNote} {
		b.Delete(store.NoteKey(byte(n)))
	}
	synced := make(chan error, 1)
	if err := e.Apply(&b, func(err error) { synced <- err }); err != nil {
		return fmt.Errorf("host: forget what is known of the cluster: %w", err)
	}
	return <-synced
}

// keep writes to the engine what the core wants kept. An engine that refuses it is
// asked again.
func (s *steward) keep(records []core.Record, seq uint64) {
	var b store.Batch
	for _, r := range records {
		b.Set(store.NoteKey(byte(r.Note)), r.Value)
	}
	err := s.host.engine.Apply(&b, func(err error) {
		if err != nil {
			s.host.fail(err)
			return
		}
		s.do(&core.Stored{Seq: seq})
	})
	if err != nil {
		s.host.cfg.Log.Warn("what is known of the cluster could not be stored; changes of it, and reaping, wait", "error", err)
		time.AfterFunc(time.Second, func() { s.keep(records, seq) })
	}
}

package pebble

import (
	"bytes"
	"fmt"
	"runtime/debug"

	cockroach "github.com/cockroachdb/pebble/v2"

	"github.com/ourodb/ouro/internal/store"
)

// unsynced is a batch that was applied and not synced.
type unsynced struct {
	batch  *cockroach.Batch
	synced func(error)
}

// Apply implements [store.Engine]. It waits while MaxUnsynced batches are
// unsynced or the library's write stall lasts.
func (e *Engine) Apply(b *store.Batch, synced func(error)) error {
	if err := e.enter(); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	defer e.gate.leave()
	e.apply.Lock()
	defer e.apply.Unlock()
	if err := e.deadErr(); err != nil { // it may have died while we waited
		return fmt.Errorf("apply: %w", err)
	}
	if !b.Admitted {
		if err := e.room.Take(b); err != nil {
			return fmt.Errorf("apply: %w", err)
		}
	}
	batch, err := e.translate(b)
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	if err := e.commit(batch); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	e.queue <- unsynced{batch, synced}
	return nil
}

// Admit implements buffer.Admitter.
func (e *Engine) Admit(b *store.Batch) error {
	e.apply.Lock()
	defer e.apply.Unlock()
	return e.room.Take(b)
}

// commit makes a batch visible and starts its sync; [Engine.await] waits for
// it. ApplyNoSyncWait is marked experimental by the library. Its documented
// alternative is to call Apply with Sync here and nothing but the callback in
// await, at the cost of one batch per fsync for each caller.
//
// After a failed sync the library panics, holding its locks, at the next
// commit. That panic ends here, and with it all use of the library.
func (e *Engine) commit(batch *cockroach.Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			cause, ok := p.(error)
			if !ok {
				cause = fmt.Errorf("%v\n%s", p, debug.Stack())
			}
			err = e.die(fmt.Errorf("commit to the log: %w", cause))
		}
	}()
	if err := e.db.ApplyNoSyncWait(batch, cockroach.Sync); err != nil {
		return mapError(err)
	}
	return nil
}

// await calls back in the order of the commits as they sync.
func (e *Engine) await() {
	defer e.waiter.Done()
	for u := range e.queue {
		if err := u.batch.SyncWait(); err != nil {
			u.synced(e.die(fmt.Errorf("sync of the log: %w", err)))
			continue
		}
		if err := e.deadErr(); err != nil {
			u.synced(err)
			continue
		}
		// The batch is done with; were its memory not given back, the next one
		// would only be slower.
		_ = u.batch.Close()
		u.synced(nil)
	}
}

// translate copies a batch into one of the library's.
func (e *Engine) translate(b *store.Batch) (*cockroach.Batch, error) {
	batch := e.db.NewBatch()
	for i := range b.Changes {
		var err error
		switch c := &b.Changes[i]; c.Op {
		case store.Set:
			err = batch.Set(c.Key, c.Value, nil)
		case store.Delete:
			err = batch.Delete(c.Key, nil)
		case store.DeleteRange:
			if bytes.Compare(c.Key, c.Value) < 0 {
				err = batch.DeleteRange(c.Key, c.Value, nil)
			}
		default:
			err = fmt.Errorf("change %d of the batch has the unknown operation %d", i, c.Op)
		}
		if err != nil {
			return nil, err
		}
	}
	if batch.Empty() {
		// It changes nothing but is to be synced in its turn.
		return batch, batch.LogData(nil, nil)
	}
	return batch, nil
}

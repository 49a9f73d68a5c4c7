package host

import (
	"cmp"
	"context"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/store"
)

var _ ouro.Archiver = (*Host)(nil)

// Record implements [ouro.Archiver].
func (h *Host) Record(ctx context.Context, key ouro.Key) ([]byte, error) {
	r, err := h.whole(ctx, key, &node.Request{Verb: node.Get, Whole: true})
	if err != nil {
		return nil, err
	}
	state, err := causal.DecodeState(r.Record)
	if err != nil {
		return nil, ouro.Errorf(ouro.Internal, ouro.NotDone, "the record of %v can't be read: %v", key, err)
	}
	state.Rekey(0)
	return state.Append(nil), nil
}

// Restore implements [ouro.Archiver].
func (h *Host) Restore(ctx context.Context, key ouro.Key, record []byte) error {
	state, err := causal.DecodeState(record)
	if err != nil || state.IsEmpty() {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "this is no record of an archive: %v", err)
	}
	for i := range state.Versions {
		if size := len(state.Versions[i].Value); size > h.cfg.MaxValue {
			return ouro.Errorf(ouro.TooLarge, ouro.NotDone, "a value of %v has %d bytes: this node takes up to %d (max-value)", key, size, h.cfg.MaxValue)
		}
	}
	state.Rekey(h.cfg.Replica.Seed)
	_, err = h.whole(ctx, key, &node.Request{Verb: node.Put, Record: state.Append(nil)})
	return err
}

// whole makes a request that this node coordinates itself.
func (h *Host) whole(ctx context.Context, key ouro.Key, req *node.Request) (node.Reply, error) {
	if err := cmp.Or(prepare(ctx, key, req, ouro.Options{}), h.stranger()); err != nil {
		return node.Reply{}, err
	}
	c := &call{request: req, reply: make(chan node.Reply, 1)}
	if err := h.submit(c); err != nil {
		return node.Reply{}, err
	}
	r, ok := h.wait(ctx, c, time.Now())
	switch {
	case !ok:
		return r, ctx.Err()
	case r.Err != nil:
		return r, r.Err
	}
	return r, nil
}

// HeldBuckets implements [ouro.Archiver].
func (h *Host) HeldBuckets(ctx context.Context) ([]string, error) {
	seen := map[string]bool{}
	var names []string
	r := h.view.Load().Ring
	for p := uint32(0); r != nil && int(p) < r.Q(); p++ {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		lo, hi := store.LeafRange(p, "")
		for more := true; more; {
			more = false
			err := h.engine.Range(lo, hi, func(key, _ []byte) bool {
				if _, bucket, _, ok := store.SplitLeafKey(key); ok {
					if !seen[string(bucket)] {
						seen[string(bucket)] = true
						names = append(names, string(bucket))
					}
					_, lo = store.LeafRange(p, string(bucket))
					more = true
				}
				return false
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return names, nil
}

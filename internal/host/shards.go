package host

import (
	"context"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
)

// lookTimeout bounds how long the shards may take to tell something.
const lookTimeout = 5 * time.Second

// askAll asks every shard for something, on its goroutine, and calls take with each
// answer. The outcome is that of a request for which one of them took too long.
func askAll[T any](ctx context.Context, h *Host, late ouro.Outcome, ask func(*shard) T, take func(T)) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	answers := make(chan T, len(h.shards))
	for _, s := range h.shards {
		s.in.force(item{do: func(s *shard) { answers <- ask(s) }, queued: time.Since(h.started)})
	}
	for range h.shards {
		select {
		case a := <-answers:
			take(a)
		case <-ctx.Done():
			return ouro.Errorf(ouro.TimedOut, late, "node %s did not find the time to look: %v", h.view.Load().Self, ctx.Err())
		}
	}
	return nil
}

// tellAll gives every shard an input of its own.
func (h *Host) tellAll(in func() node.Input) {
	for _, s := range h.shards {
		s.in.force(item{input: in(), queued: time.Since(h.started)})
	}
}

// share is a shard's part of a rate in bytes a second, of which 0 stays 0.
func (h *Host) share(bytes int) int {
	each := bytes / len(h.shards)
	if bytes > 0 {
		each = max(each, 1)
	}
	return each
}

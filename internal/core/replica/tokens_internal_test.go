package replica

import (
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/ring"
)

// TestTokensReuseMemory: the queue is bounded, not only what is in it.
func TestTokensReuseMemory(t *testing.T) {
	table := tokens{ttl: time.Hour, max: 10, dots: map[tokenKey]tokenDot{}}
	op := Op{Key: ring.NewKey("b", "k")}
	for i := range uint64(10_000) {
		table.add(i+1, &op, causal.Dot{}, time.Duration(i))
	}
	if len(table.dots) != 10 || cap(table.queue) > 64 {
		t.Errorf("%d tokens in memory for %d", len(table.dots), cap(table.queue))
	}
}

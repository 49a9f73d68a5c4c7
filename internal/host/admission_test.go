package host

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/admit"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store/fault"
	"github.com/ourodb/ouro/internal/store/memory"
)

// TestSlowEngineHoldsBackTheBackground: what reads of the engine for clients take is
// measured, and told to every shard.
func TestSlowEngineHoldsBackTheBackground(t *testing.T) {
	var slow atomic.Bool
	engine := fault.New(memory.New(memory.Options{}), func(op fault.Op, _ []byte) fault.Fault {
		if op == fault.Get && slow.Load() {
			return fault.Fault{Delay: 20 * time.Millisecond}
		}
		return fault.Fault{}
	})
	c := startCluster(t, []string{"z"}, nil) // another, of which nothing is asked
	nodes := []ring.Node{{ID: "a", Weight: 1}}
	tokens, err := ring.Assign(16, nodes)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ring.New(nodes, tokens)
	if err != nil {
		t.Fatal(err)
	}
	c.start("a", r, []Member{{Node: nodes[0], Peer: "a:0"}}, engine, func(cfg *Config) {
		cfg.Shards, cfg.Disk.CacheBytes = 2, -1
		cfg.Core.Admit = admit.Config{Threshold: 10 * time.Millisecond, Window: 5 * time.Second}
	})
	h := c.hosts["a"]
	most := 2 * int(admit.Kinds) * 16
	if a := h.Admission(); a.Slices != most || a.Most != most || len(a.Kinds) != int(admit.Kinds) {
		t.Fatalf("at first: %+v", a)
	}
	ask := func(until func(a ouro.AdmissionInfo) bool) {
		t.Helper()
		for i := range 1_000_000 {
			if _, err := h.Get(t.Context(), ouro.Key{Bucket: "b", Name: fmt.Sprint(i % 50)}); ouro.CodeOf(err) != ouro.NotFound {
				t.Fatal(err)
			}
			if until(h.Admission()) {
				return
			}
		}
	}
	slow.Store(true)
	ask(func(a ouro.AdmissionInfo) bool { return a.Slices == 2*int(admit.Kinds) && a.Over && a.ReadP99 >= 0.02 })
	slow.Store(false)
	ask(func(a ouro.AdmissionInfo) bool { return a.Slices > most/4 })
}

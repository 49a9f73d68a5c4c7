package gossip

import (
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/member"
)

// scale is what a cluster of some size costs.
type scale struct {
	nodes, q int
	rounds   float64 // seconds from a change at one node until all have it
	idle     float64 // bytes a second and node, while there is nothing to tell
	busy     float64 // while one change spreads
	history  int     // bytes of the history on disk
	settled  int     // of it after a checkpoint: members, and the owner of each partition
}

// measure forms a cluster as an operator does, one join after the other, and lets
// one more change spread.
func measure(t testing.TB, nodes, q int) scale {
	h := genesis(t, q, named(1)...)
	for i, m := range named(nodes)[1:] {
		next, err := h.Issue(int64(1000+i), "n000", member.Change{Kind: member.Add, Member: m})
		if err != nil {
			t.Fatal(err)
		}
		h = next
	}
	settled, ok := h.Checkpoint(h.Digest())
	if !ok {
		t.Fatal("no checkpoint")
	}
	w := newWorld(t, uint64(nodes))
	w.folds = false
	for _, m := range named(nodes) {
		n := w.start(m.ID, settled)
		n.Members(named(nodes), &n.out)
	}
	s := scale{nodes: nodes, q: q, history: len(h.Append(nil)), settled: len(settled.Append(nil))}
	const idle = 20
	w.run(idle*time.Second, nil)
	quiet := w.stats()
	if quiet.Pages > 0 {
		t.Fatalf("%d pages are sent while there is nothing to tell", quiet.Pages)
	}
	s.idle = float64(quiet.SentBytes) / idle / float64(nodes)
	w.issue("n000", member.Change{Kind: member.Reweigh, Member: of("n000")})
	w.run(2*w.latency, nil)
	took := w.run(5*time.Minute, w.agreed).Seconds()
	s.rounds = took
	s.busy = float64(w.stats().SentBytes-quiet.SentBytes) / max(took, 1) / float64(nodes)
	return s
}

// Section 4.8.1d and demo 22: a change reaches all nodes in a number of rounds
// that grows with the logarithm of their number, and a node that has nothing to
// tell sends some tens of bytes a second, whatever the size of the cluster.
//
// With OURO_SCALE=1 it prints what docs/benchmarks.md says of larger ones.
func TestScale(t *testing.T) {
	sizes := []int{10, 30}
	if os.Getenv("OURO_SCALE") != "" {
		sizes = []int{10, 30, 100, 300}
		fmt.Println("| nodes | Q | rounds until all have a change | bytes/s a node, idle | while a change spreads | history on disk, B | after a checkpoint, B |")
		fmt.Println("|---|---|---|---|---|---|---|")
	}
	for _, nodes := range sizes {
		q := 8192
		s := measure(t, nodes, q)
		if limit := 4 + 2*math.Log2(float64(nodes)); s.rounds > limit {
			t.Errorf("%d nodes: %.1f rounds, want at most %.1f", nodes, s.rounds, limit)
		}
		if s.idle > 150 {
			t.Errorf("%d nodes: %.0f bytes a second while there is nothing to tell", nodes, s.idle)
		}
		if s.busy > 1000 {
			t.Errorf("%d nodes: %.0f bytes a second while one change spreads", nodes, s.busy)
		}
		if len(sizes) > 2 {
			fmt.Printf("| %d | %d | %.1f | %.0f | %.0f | %d | %d |\n", s.nodes, s.q, s.rounds, s.idle, s.busy, s.history, s.settled)
		}
	}
}

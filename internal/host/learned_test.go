package host

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store/memory"
)

// viewFor is a view of a host in which a node holds all of four partitions, or none.
func viewFor(t *testing.T, self ring.NodeID, members ...ring.NodeID) *node.View {
	t.Helper()
	var nodes []ring.Node
	for _, id := range members {
		nodes = append(nodes, ring.Node{ID: id})
	}
	tokens, err := ring.Assign(4, nodes)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ring.New(nodes, tokens)
	if err != nil {
		t.Fatal(err)
	}
	return &node.View{Self: self, Ring: r, Place: place.Founded(place.Hash{7}, r, 3)}
}

// A node that lost all and learns what it holds begins again, as does one that learns
// that it holds what it does not know of. One that is joined for the first time goes on.
func TestWhoHasForgottenBeginsAgain(t *testing.T) {
	nothing := &node.View{Self: "a", Ring: &ring.Ring{}}
	for name, test := range map[string]struct {
		lost        bool
		before, now *node.View
		again       bool
	}{
		"it lost all":               {true, nothing, viewFor(t, "a", "a", "b"), true},
		"it lost all and knows it":  {true, viewFor(t, "a", "a", "b"), viewFor(t, "a", "a", "b"), false},
		"it is joined":              {false, nothing, viewFor(t, "a", "a", "b"), false},
		"it knows nothing yet":      {true, nothing, nothing, false},
		"it holds more than before": {false, viewFor(t, "a", "b"), viewFor(t, "a", "a", "b"), true},
	} {
		again := false
		h := &Host{engine: memory.New(memory.Options{}), cfg: Config{Lost: test.lost, Learned: func() { again = true }}}
		h.view.Store(test.before)
		if fits := h.fits(test.now); fits == test.again || again != test.again {
			t.Errorf("%s: it goes on: %v, it begins again: %v", name, fits, again)
		}
	}
}

// Links are judged again when other nodes are of the cluster, and only then.
func TestLinksAreJudgedWhenMembersAreOthers(t *testing.T) {
	asked := 0
	h := &Host{cfg: Config{Recheck: func() { asked++ }}}
	h.view.Store(&node.View{Self: "a", Ring: &ring.Ring{}})
	for want, v := range []*node.View{1: viewFor(t, "a", "a"), 2: viewFor(t, "a", "a", "b")} {
		if v == nil {
			continue
		}
		h.setView(v)
		h.setView(v)
		if asked != want {
			t.Errorf("asked %d times, not %d", asked, want)
		}
	}
}

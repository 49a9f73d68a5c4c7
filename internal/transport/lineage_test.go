package transport

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTwoProcessesOfOneNode: while one process of a node has a link, the check
// of another is told of it, and what the check says reaches the dialler. A
// process that died silently is forgotten after the link timeout.
func TestTwoProcessesOfOneNode(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		b := start(t, n, "b")
		b.recorder.judge(func(h Hello, live uint64) ([]uint64, error) {
			if live != 0 {
				return nil, refuse(Twin, "run %d is alive", live)
			}
			return []uint64{40 + h.run()}, nil
		})
		first := start(t, n, "a", func(c *Config) { c.Self.Runs = []uint64{1} })
		first.SetPeers(map[string]string{"b": "b"})
		settle(time.Second)
		second := start(t, n, "a", func(c *Config) { c.Self.Runs = []uint64{1, 2} })
		second.SetPeers(map[string]string{"b": "b"})
		settle(20 * time.Second)
		if got := second.told(); len(got) < 2 || got[0].Code != Twin || got[0].Message != "run 1 is alive" || second.turns("b") != "" {
			t.Errorf("the second process was refused with %v, its links %q", got, second.turns("b"))
		}
		if first.turns("b") != "up" || len(first.told()) != 0 {
			t.Errorf("the links of the first: %q, refused %v", first.turns("b"), first.told())
		}
		first.Close()
		settle(20 * time.Second)
		if second.turns("b") != "up" {
			t.Errorf("once the first has ended the second has links %q", second.turns("b"))
		}
	})
}

// TestWhatTheOtherKnows: an answer to a hello tells the dialler by which disk it
// was known.
func TestWhatTheOtherKnows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a, b := start(t, n, "a", func(c *Config) { c.Self.Disk = 5 }), start(t, n, "b")
		b.recorder.judge(func(h Hello, _ uint64) ([]uint64, error) { return []uint64{h.Disk - 2, h.Disk - 1}, nil })
		var knew []uint64
		a.recorder.up = func(h Hello) { knew = append(knew, h.Knows...) }
		a.SetPeers(map[string]string{"b": "b"})
		settle(time.Second)
		if !slices.Equal(knew, []uint64{3, 4}) {
			t.Errorf("the other knew %v", knew)
		}
	})
}

// TestExpelledNodesHaveNoLinks: the links that a removed node has here end, and stay
// ended, though they were made while it was none.
func TestExpelledNodesHaveNoLinks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a, b, c := start(t, n, "a"), start(t, n, "b"), start(t, n, "c")
		a.SetPeers(map[string]string{"b": "b"})
		c.SetPeers(map[string]string{"b": "b"})
		settle(time.Second)
		b.recorder.judge(func(h Hello, _ uint64) ([]uint64, error) {
			if h.Node == "a" {
				return nil, refuse(Removed, "for ever")
			}
			return nil, nil
		})
		b.Expel(func(node string) bool { return node == "a" })
		settle(10 * time.Second)
		if got := a.turns("b"); got != "up down" {
			t.Errorf("the links of the one that was removed: %q", got)
		}
		if got := a.told(); len(got) == 0 || got[0].Code != Removed {
			t.Errorf("it was told %v", got)
		}
		if got := c.turns("b"); got != "up" {
			t.Errorf("the links of another: %q", got)
		}
		b.recorder.judge(nil) // a handshake that began before
		settle(10 * time.Second)
		if got := a.turns("b"); !strings.HasSuffix(got, "down") {
			t.Errorf("a link is open to one that was removed: %q", got)
		}
	})
}

// TestLinksAreJudgedAgain: whoever is at the other end of an open link is judged anew
// when that is asked for, made or accepted, and a link that is refused ends.
func TestLinksAreJudgedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a, b, c := start(t, n, "a"), start(t, n, "b"), start(t, n, "c")
		a.SetPeers(map[string]string{"b": "b"})
		b.SetPeers(map[string]string{"a": "a", "c": "c"})
		c.SetPeers(map[string]string{"b": "b"})
		settle(time.Second)
		var mu sync.Mutex
		var asked []string
		b.recorder.judge(func(h Hello, _ uint64) ([]uint64, error) {
			mu.Lock()
			asked = append(asked, h.Node)
			mu.Unlock()
			if h.Node == "c" {
				return nil, refuse(ComeBack, "another disk")
			}
			return nil, nil
		})
		b.Recheck()
		mu.Lock()
		first := slices.Clone(asked)
		mu.Unlock()
		slices.Sort(first)
		if want := []string{"a", "a", "c", "c"}; !slices.Equal(first, want) {
			t.Errorf("asked about %q", first)
		}
		settle(10 * time.Second)
		if got := b.turns("a"); got != "up" {
			t.Errorf("the link to a: %q", got)
		}
		if got := b.turns("c"); got != "up down" {
			t.Errorf("the link to c: %q", got)
		}
		if got := c.told(); len(got) == 0 || got[0].Code != ComeBack {
			t.Errorf("c was told %v", got)
		}
	})
}

// TestBothSidesTellOfARefusal: whoever refuses a link says so, and of whom.
func TestBothSidesTellOfARefusal(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a, b := start(t, n, "a"), start(t, n, "b", func(c *Config) { c.Self.ClusterID = 99 })
		c := start(t, n, "c")
		a.SetPeers(map[string]string{"b": "b"})
		c.recorder.judge(func(h Hello, _ uint64) ([]uint64, error) { return nil, refuse(RefusedByHandler, "no") })
		c.SetPeers(map[string]string{"a": "a"})
		settle(time.Second)
		if got := b.recorder.denied; len(got) == 0 || got[0] != "a: foreign cluster" {
			t.Errorf("the one that was dialled tells of %q", got)
		}
		if got := c.recorder.denied; len(got) == 0 || got[0] != "a: refused" {
			t.Errorf("the one that dialled tells of %q", got)
		}
		if got := a.told(); len(got) == 0 || got[0].Code != ForeignCluster {
			t.Errorf("the one that was refused was told %v", got)
		}
	})
}

package sim

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// size is what whole nodes of a cluster of some size tell each other.
type size struct {
	nodes, q           int
	named              time.Duration // from their start until all know where everything is
	messages, bytes    float64       // a second and node, while nothing happens
	byKind             map[node.Kind]int
	spread, settled    time.Duration // of a node that joins: until all know, and until it has all
	links, moves       int
	chain, transfer    int // bytes of all nodes meanwhile
	placement, history int // bytes on each disk
}

// weighed counts the bytes of all links, by kind of message.
func (w *World) weighed() *tally {
	c := &tally{map[node.Kind]int{}, map[node.Kind]int{}}
	for _, l := range w.net.links {
		l.filter = func(body []byte) bool {
			kind := node.Kind(body[0])
			c.messages[kind]++
			c.bytes[kind] += len(body)
			return false
		}
	}
	return c
}

func (c *tally) total() (messages, bytes int) {
	for _, n := range c.messages {
		messages += n
	}
	for _, n := range c.bytes {
		bytes += n
	}
	return messages, bytes
}

// measured starts a cluster from one list, lets it rest, and lets one more node join.
func measured(t *testing.T, nodes, q int) size {
	t.Helper()
	cfg := Config{Q: q}
	for i := range nodes {
		cfg.Nodes = append(cfg.Nodes, ring.Node{ID: ring.NodeID(fmt.Sprintf("n%03d", i)), Weight: 1})
	}
	cfg.Epochs.Every, cfg.Epochs.Tell = 15*time.Second, time.Second // as real nodes have it
	began := time.Now()
	step := func(what string) {
		t.Logf("%d nodes: %s after %v", nodes, what, time.Since(began).Round(time.Millisecond))
	}
	w := newChangingWorld(t, cfg, "x")
	step("started")
	s := size{nodes: nodes, q: q}
	all := func(done func(m *machine) bool, within time.Duration) time.Duration {
		from := w.now
		for w.now-from < within {
			w.RunFor(100 * time.Millisecond)
			there := true
			for _, m := range w.nodes[:nodes] {
				there = there && done(m)
			}
			if there {
				return w.now - from
			}
		}
		t.Fatalf("%d nodes: not all are there in %v", nodes, within)
		return 0
	}
	s.named = all(func(m *machine) bool { p := m.steward.core.Place(); return p != nil && p.Number() == 2 }, 10*time.Minute)
	step("named")
	w.RunFor(30 * time.Second)
	c := w.weighed()
	const idle = 30
	w.RunFor(idle * time.Second)
	messages, bytes := c.total()
	s.messages, s.bytes = float64(messages)/idle/float64(nodes), float64(bytes)/idle/float64(nodes)
	s.byKind = c.bytes
	step("idle")
	c = w.weighed()
	before, links := w.stats.Ring, w.Place().Number()
	w.Issue("n000", member.Change{Kind: member.Add, Member: member.Member{Node: ring.Node{ID: "x", Weight: 1}, Addr: "x"}})
	w.RunFor(10 * time.Millisecond)
	want := w.mustID("n000").steward.core.Version()
	s.spread = all(func(m *machine) bool { return m.steward.core.Version() == want }, 10*time.Minute)
	step("spread")
	from := w.now
	for w.now-from < time.Hour && !w.Settled() {
		w.RunFor(time.Second)
	}
	if w.broken != nil || !w.Settled() || len(w.Place().Members()) != nodes+1 {
		t.Fatalf("%d nodes: it has not settled: %v", nodes, w.broken)
	}
	s.settled = s.spread + w.now - from
	step("settled")
	s.links, s.moves = int(w.Place().Number()-links), w.stats.Ring.Ended-before.Ended
	s.chain = c.bytes[node.KindChain]
	for kind := node.KindAsk; kind <= node.KindFound; kind++ {
		s.transfer += c.bytes[kind]
	}
	s.placement = len(w.Place().Append(nil))
	s.history = len(w.mustID("n000").steward.core.History().Append(nil))
	return s
}

// Demo 22: whole clusters come to rest, take one more node in, and tell each other
// little while nothing happens, whatever their size.
//
// With OURO_SCALE=10,30,100,300/8192 it prints what docs/benchmarks.md says of so many
// nodes with 8,192 partitions; 300 take some minutes. Much of it goes into the founding:
// each node works out by itself where it puts everything.
func TestScale(t *testing.T) {
	sizes, q := []int{10}, 256
	asked := os.Getenv("OURO_SCALE")
	if asked != "" {
		sizes = nil
		list, partitions, _ := strings.Cut(asked, "/")
		for _, n := range strings.Split(list, ",") {
			nodes, err := strconv.Atoi(n)
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, nodes)
		}
		var err error
		if q, err = strconv.Atoi(partitions); err != nil {
			t.Fatal(err)
		}
		fmt.Println("| nodes | Q | all named after, s | bytes/s a node, idle | messages/s a node | a join: all know after, s | all is there after, s | links | moves | kB of the chain a node | kB of transfer | placement, B | history, B |")
		fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	}
	for _, nodes := range sizes {
		s := measured(t, nodes, q)
		if s.bytes > 500 {
			t.Errorf("%d nodes: each sends %.0f bytes a second while nothing happens: %v", nodes, s.bytes, s.byKind)
		}
		if limit := 6 + 2*math.Log2(float64(nodes)); s.spread.Seconds() > limit {
			t.Errorf("%d nodes: all know of a change after %v, want at most %.1f s", nodes, s.spread, limit)
		}
		if asked != "" {
			fmt.Printf("| %d | %d | %.1f | %.0f | %.1f | %.1f | %.0f | %d | %d | %.1f | %.0f | %d | %d |\n", s.nodes, s.q, s.named.Seconds(), s.bytes, s.messages,
				s.spread.Seconds(), s.settled.Seconds(), s.links, s.moves, float64(s.chain)/1000/float64(nodes), float64(s.transfer)/1000, s.placement, s.history)
		}
	}
}

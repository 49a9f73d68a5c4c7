package sim

import (
	"fmt"
	"time"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Size is what whole nodes of a cluster of some size tell each other, and keep.
type Size struct {
	Nodes, Q           int
	Named              time.Duration // from their start until all know where everything is
	Messages, Bytes    float64       // a second and node, while nothing happens
	ByKind             map[node.Kind]int
	Spread, Settled    time.Duration // of a node that joins: until all know, and until it has all
	Links, Moves       int
	Chain, Transfer    int // bytes of all nodes meanwhile
	Placement, History int // bytes on each disk
}

// traffic counts what is sent over all links, by kind of message.
type traffic struct{ messages, bytes map[node.Kind]int }

func (w *World) weighed() *traffic {
	c := &traffic{map[node.Kind]int{}, map[node.Kind]int{}}
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

func (c *traffic) total() (messages, bytes int) {
	for _, n := range c.messages {
		messages += n
	}
	for _, n := range c.bytes {
		bytes += n
	}
	return messages, bytes
}

// sizing is a world that is measured.
type sizing struct {
	*World
	Size
}

// How long is waited for what has to come, in virtual time.
const (
	sizePatience = 10 * time.Minute
	sizeSettles  = time.Hour
	sizeIdle     = 30 // seconds
)

// MeasureSize starts a cluster from one list, lets it rest, and lets one more node join.
func MeasureSize(nodes, q int) (Size, error) {
	cfg := Config{Q: q, Changes: true, Reap: true, Spares: []ring.Node{{ID: "x", Weight: 1}}}
	for i := range nodes {
		cfg.Nodes = append(cfg.Nodes, ring.Node{ID: ring.NodeID(fmt.Sprintf("n%03d", i)), Weight: 1})
	}
	cfg.Epochs.Every, cfg.Epochs.Tell = 15*time.Second, time.Second // as real nodes have it
	w, err := New(cfg)
	if err != nil {
		return Size{}, err
	}
	s := &sizing{World: w, Size: Size{Nodes: nodes, Q: q}}
	if err := s.rest(); err != nil {
		return Size{}, err
	}
	if err := s.grow(); err != nil {
		return Size{}, err
	}
	return s.Size, nil
}

// all waits until something is so on all founders.
func (s *sizing) all(done func(m *machine) bool) (time.Duration, error) {
	for from := s.now; s.now-from < sizePatience; {
		s.RunFor(100 * time.Millisecond)
		there := true
		for _, m := range s.nodes[:s.Nodes] {
			there = there && done(m)
		}
		if there {
			return s.now - from, nil
		}
	}
	return 0, fmt.Errorf("%d nodes: not all are there in %v", s.Nodes, sizePatience)
}

// rest measures what nodes send each other while nothing happens.
func (s *sizing) rest() (err error) {
	if s.Named, err = s.all(func(m *machine) bool { p := m.steward.core.Place(); return p != nil && p.Number() == 2 }); err != nil {
		return err
	}
	s.RunFor(30 * time.Second)
	c := s.weighed()
	s.RunFor(sizeIdle * time.Second)
	messages, bytes := c.total()
	s.Messages, s.Bytes = float64(messages)/sizeIdle/float64(s.Nodes), float64(bytes)/sizeIdle/float64(s.Nodes)
	s.ByKind = c.bytes
	return nil
}

// grow measures what it takes that a node joins.
func (s *sizing) grow() (err error) {
	c := s.weighed()
	before, links := s.stats.Ring, s.Place().Number()
	s.Issue("n000", member.Change{Kind: member.Add, Member: member.Member{Node: ring.Node{ID: "x", Weight: 1}, Addr: "x"}})
	s.RunFor(10 * time.Millisecond)
	want := s.mustID("n000").steward.core.Version()
	if s.Spread, err = s.all(func(m *machine) bool { return m.steward.core.Version() == want }); err != nil {
		return err
	}
	from := s.now
	for s.now-from < sizeSettles && !s.World.Settled() {
		s.RunFor(time.Second)
	}
	if s.broken != nil || !s.World.Settled() || len(s.Place().Members()) != s.Nodes+1 {
		return fmt.Errorf("%d nodes: it has not settled: %v", s.Nodes, s.broken)
	}
	s.Size.Settled = s.Spread + s.now - from
	s.Links, s.Moves = int(s.Place().Number()-links), s.stats.Ring.Ended-before.Ended
	s.Chain = c.bytes[node.KindChain]
	for kind := node.KindAsk; kind <= node.KindFound; kind++ {
		s.Transfer += c.bytes[kind]
	}
	s.Placement = len(s.Place().Append(nil))
	s.History = len(s.mustID("n000").steward.core.History().Append(nil))
	return nil
}

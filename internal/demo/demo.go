// Package demo runs the demonstrations of the paper, one at a time, and prints what is
// expected of each step and what was seen. Most of them direct a simulated cluster step
// by step; those that need real processes play on these, or are commands of their own.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/paper"
	"github.com/ourodb/ouro/internal/sim"
)

// Demo is one demonstration.
type Demo struct {
	N     int
	Title string
	Items string // of docs/paper.md
	// One of these says how it is run.
	Play    func(s *Scene) // in a simulated cluster
	Command []string       // of ouro: arguments; what is expected stands in what it prints
	// Live plays on [LiveNodes] processes. An error says that it could not be played.
	Live func(ctx context.Context, s *Scene, c paper.Cluster, line Program) error
	// Long is one that takes minutes.
	Long bool
	// Alone is a command that starts no processes.
	Alone bool
}

// How says how a demonstration is run, in a few words.
func (d *Demo) How() string {
	switch {
	case d.Play != nil, d.Alone:
		return "simulated"
	default:
		return "processes"
	}
}

// ErrFailed says that something else was seen than what was expected.
var ErrFailed = errors.New("what was seen is not what was expected")

// Run plays a simulated demonstration.
func (d *Demo) Run(out io.Writer) error {
	s := &Scene{out: out}
	d.Play(s)
	if s.World != nil && s.Broken() != nil {
		s.say("  a promise is broken: %v", s.Broken())
		s.failed = true
	}
	if s.failed {
		return ErrFailed
	}
	return nil
}

// Scene is a simulated cluster and what is told of it.
type Scene struct {
	*sim.World
	out    io.Writer
	failed bool
}

// say writes a line. What can't be written fails the demonstration.
func (s *Scene) say(format string, args ...any) {
	if _, err := fmt.Fprintf(s.out, format+"\n", args...); err != nil {
		s.failed = true
	}
}

// begin makes the cluster.
func (s *Scene) begin(cfg sim.Config) {
	w, err := sim.New(cfg)
	if err != nil {
		panic(err) // the demonstration is wrong
	}
	s.World = w
}

// expect tells what was expected and what was seen.
func (s *Scene) expect(what string, want, got any) {
	if w, g := fmt.Sprint(want), fmt.Sprint(got); w != g {
		s.failed = true
		s.say("  %s: expected %s, SEEN %s", what, w, g)
	} else {
		s.say("  %s: expected and seen %s", what, g)
	}
}

// hold tells what was seen, and whether that is as it should be.
func (s *Scene) hold(what string, ok bool, got any) {
	if !ok {
		s.failed = true
		s.say("  %s: SEEN %v", what, got)
		return
	}
	s.say("  %s: seen %v", what, got)
}

// put writes, and must succeed.
func (s *Scene) put(at ring.NodeID, key ouro.Key, value string, opts ...ouro.Option) ouro.Result {
	res, err := s.Put(at, key, ouro.Value{Data: []byte(value)}, opts...).Wait()
	if err != nil {
		s.expect(fmt.Sprintf("a put of %q at %s", value, at), "done", err)
	}
	return res
}

// shows reads and compares the values.
func (s *Scene) shows(at ring.NodeID, key ouro.Key, want []string, opts ...ouro.Option) ouro.Result {
	res, err := s.Get(at, key, opts...).Wait()
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		s.expect("a get at "+string(at), want, err)
		return res
	}
	s.expect("a get at "+string(at), want, values(res))
	return res
}

func values(res ouro.Result) (all []string) {
	for _, v := range res.Siblings {
		all = append(all, string(v.Data))
	}
	slices.Sort(all)
	return all
}

// clock compares what a context says that it has seen.
func (s *Scene) clock(what string, key ouro.Key, sealed ouro.Context, want string) {
	said, err := s.Open(key, sealed)
	if err != nil {
		s.expect("the clock of "+what, want, err)
		return
	}
	s.expect("the clock of "+what, want, s.Clock(said.Claims))
}

// numbers is a bucket's (n, r, w).
func numbers(n, r, w int) member.Bucket {
	return member.Bucket{N: n, R: r, W: w, Timeout: time.Second}
}

// all makes every bucket like this one.
func all(b member.Bucket) node.Buckets { return node.Buckets{Default: b} }

func nodes(ids ...ring.NodeID) (list []ring.Node) {
	for _, id := range ids {
		list = append(list, ring.Node{ID: id, Weight: 1})
	}
	return list
}

// handRing lays tokens at equal distances, so that a key's preference list is its
// owner and those after it.
func handRing(owners ...ring.NodeID) []ring.Token {
	tokens := make([]ring.Token, len(owners))
	step := ^uint64(0) / uint64(len(owners))
	for i, id := range owners {
		tokens[i] = ring.Token{End: ring.Position{Hi: step * uint64(i+1)}, Owner: id}
	}
	return tokens
}

// keyOf returns a key whose preference list begins with a node.
func (s *Scene) keyOf(id ring.NodeID) ouro.Key {
	for i := range 10000 {
		key := ouro.Key{Bucket: "demo", Name: fmt.Sprint("k", i)}
		if s.Preference(key)[0] == id {
			return key
		}
	}
	panic("no key begins at " + string(id))
}

// part cuts every node of a side off from every one of the other; join takes it back.
func (s *Scene) part(left, right []ring.NodeID)  { eachPair(left, right, s.Cut) }
func (s *Scene) unite(left, right []ring.NodeID) { eachPair(left, right, s.Heal) }

func eachPair(left, right []ring.NodeID, do func(a, b ring.NodeID)) {
	for _, a := range left {
		for _, b := range right {
			do(a, b)
		}
	}
}

// has says whether a node holds exactly these values as its own.
func (s *Scene) has(at ring.NodeID, key ouro.Key) (all []string) {
	state, _ := s.State(at, key)
	for _, v := range state.Versions {
		all = append(all, string(v.Value))
	}
	slices.Sort(all)
	return all
}

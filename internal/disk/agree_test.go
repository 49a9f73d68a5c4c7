package disk_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/memory"
	"github.com/ourodb/ouro/internal/store/pebble"
	"github.com/ourodb/ouro/internal/wire"
)

// scale is how large a comparison of two replicas is.
type scale struct {
	keys, value int
	bits        uint // 2^bits partitions
	differ      []int
}

// TestPaper_4_7_CostOfDifferences compares two replicas as nodes do, through the
// real engine, and counts what goes over the wire. Equal replicas exchange roots
// and nothing else; what d keys cost that differ grows with d, and hardly with how
// many there are. With OURO_SCALE=1 there are a million, on disk.
func TestPaper_4_7_CostOfDifferences(t *testing.T) {
	small := scale{keys: 20000, value: 100, differ: []int{0, 1, 10, 100, 1000}}
	if os.Getenv("OURO_SCALE") == "" {
		runAgree(t, small)
		return
	}
	for _, bits := range []uint{0, 8} {
		runAgree(t, scale{keys: 1_000_000, value: 100, bits: bits, differ: []int{0, 1, 10, 1000, 100_000}})
	}
}

func runAgree(t *testing.T, s scale) {
	p := newAgreeing(t, s)
	t.Logf("%d keys of %d bytes in %d partitions; bytes as on the wire, without what a link puts round them", s.keys, s.value, 1<<s.bits)
	t.Logf("%8s %9s %12s %12s %12s %10s %12s", "differ", "messages", "questions B", "found B", "states B", "B per key", "needed B")
	for _, d := range s.differ {
		p.cost = cost{}
		p.spoil(d)
		p.compareAll()
		c := &p.cost
		each := float64(c.questions+c.found+c.states) / float64(max(d, 1))
		t.Logf("%8d %9d %12d %12d %12d %10.0f %12d", d, c.messages, c.questions, c.found, c.states, each, c.needed)
		roots := 1 << s.bits
		switch {
		case c.changed != d:
			t.Errorf("%d keys differed, %d were brought up to date", d, c.changed)
		case d == 0 && (c.messages != 2*roots || c.states != 0 || c.found > 64*roots):
			t.Errorf("equal replicas exchanged %d messages and %d bytes of answers", c.messages, c.found)
		case c.questions+c.found > 128*roots+d*4096, c.messages > 2*roots+d*24:
			t.Errorf("%d differing keys cost %d messages and %d bytes of questions and answers", d, c.messages, c.questions+c.found)
		case c.states > 2*c.needed+256*d:
			t.Errorf("%d differing keys cost %d bytes of states, %d were needed", d, c.states, c.needed)
		}
	}
	for name, h := range map[string]*agreeHost{"A": p.a, "B": p.b} {
		if err := disk.VerifyLeaves(h.engine, replica.New(replica.Config{Seed: 9}), s.bits); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := h.engine.Close(); err != nil {
			t.Error(err)
		}
	}
}

// cost is what a comparison of all partitions took.
type cost struct {
	messages                 int
	questions, found, states int // bytes, of states with what carries them
	needed                   int // bytes of the states that one side lacked
	changed                  int
}

// agreeHost drives a runner and waits for its syncs.
type agreeHost struct {
	t      *testing.T
	engine store.Engine
	runner *disk.Runner
	posts  chan posted
	facts  []fact.Fact
}

func newAgreeHost(t *testing.T, e store.Engine, bits uint) *agreeHost {
	h := &agreeHost{t: t, engine: e, posts: make(chan posted, 1<<16)}
	h.runner = disk.New(disk.Config{PartitionBits: bits}, e, replica.New(replica.Config{Run: 1, Seed: 9}), func(seq uint64, err error) { h.posts <- posted{seq, err} })
	return h
}

// do runs operations until all are answered.
func (h *agreeHost) do(ops []replica.Op) (all []replica.Answer) {
	if err := h.runner.Run(clock.Now{Wall: 1000}, ops, &all, &h.facts); err != nil {
		h.t.Fatal(err)
	}
	for len(all) < len(ops) {
		p := <-h.posts
		h.runner.Synced(p.seq, p.err, &all)
	}
	h.facts = h.facts[:0]
	return all
}

func (h *agreeHost) look(s *replica.Survey) replica.Found {
	h.runner.Survey(clock.Now{}, s, &h.facts)
	var all []replica.Found
	var none []replica.Answer
	for h.runner.Founds(&all); len(all) == 0; h.runner.Founds(&all) {
		p := <-h.posts
		h.runner.Synced(p.seq, p.err, &none)
	}
	return all[0]
}

// agreeing is a node that compares itself with another.
type agreeing struct {
	t       *testing.T
	scale   scale
	a, b    *agreeHost
	machine *repair.Repair
	e       repair.Effects
	now     clock.Now
	version []uint64 // of each key
	cost    cost
	frame   []byte
}

func newAgreeing(t *testing.T, s scale) *agreeing {
	p := &agreeing{t: t, scale: s, version: make([]uint64, s.keys), now: clock.Now{Mono: time.Second, Wall: 1000}}
	p.machine = repair.New(repair.Config{Off: true, Rate: 1 << 40})
	a, other := p.engine("a")
	p.a = newAgreeHost(t, a, s.bits)
	var ops []replica.Op
	for i := range p.version {
		if p.version[i] = 2; true {
			ops = append(ops, p.op(i))
		}
		if len(ops) == 500 || i == s.keys-1 {
			p.a.do(ops)
			ops = ops[:0]
		}
	}
	p.b = newAgreeHost(t, other(), s.bits)
	return p
}

// engine opens an engine, and returns what opens a copy of it later.
func (p *agreeing) engine(name string) (store.Engine, func() store.Engine) {
	if p.scale.keys < 100_000 {
		e := memory.New(memory.Options{})
		return e, func() store.Engine {
			c := memory.New(memory.Options{})
			var b store.Batch
			if err := e.Range(nil, nil, func(key, value []byte) bool {
				b.Set(key, value)
				return true
			}); err != nil {
				p.t.Fatal(err)
			}
			if err := c.Apply(&b, func(error) {}); err != nil {
				p.t.Fatal(err)
			}
			return c
		}
	}
	dir := p.t.TempDir()
	open := func(name string) store.Engine {
		e, err := pebble.Open(filepath.Join(dir, name), pebble.Options{})
		if err != nil {
			p.t.Fatal(err)
		}
		return e
	}
	e := open(name)
	return e, func() store.Engine {
		if err := e.Checkpoint(filepath.Join(dir, "copy")); err != nil {
			p.t.Fatal(err)
		}
		return open("copy")
	}
}

// op brings a key to its version.
func (p *agreeing) op(i int) replica.Op {
	s := state(p.version[i])
	for v := range s.Versions {
		s.Versions[v].Value = append(make([]byte, p.scale.value-8), fmt.Sprintf("%08d", i)...)
	}
	k := ring.NewKey("b", fmt.Sprintf("user%016d", i))
	partition := uint32(0)
	if p.scale.bits > 0 {
		partition = uint32(k.Pos.Hi >> (64 - p.scale.bits))
	}
	return replica.Op{ID: uint64(i), Verb: replica.Join, Partition: partition, Key: k, State: s.Append(nil)}
}

// spoil makes d keys differ, spread over all: half of them newer here, half there.
func (p *agreeing) spoil(d int) {
	var here, there []replica.Op
	for n := range d {
		i := n * (p.scale.keys / d)
		p.version[i] += 2
		op := p.op(i)
		p.cost.needed += len(op.State)
		if n%2 == 0 {
			here = append(here, op)
		} else {
			there = append(there, op)
		}
	}
	for _, side := range []struct {
		h   *agreeHost
		ops []replica.Op
	}{{p.a, here}, {p.b, there}} {
		for ops := side.ops; len(ops) > 0; ops = ops[min(500, len(ops)):] {
			side.h.do(ops[:min(500, len(ops))])
		}
	}
}

func (p *agreeing) Usable(ring.NodeID) bool                 { return true }
func (p *agreeing) Shares(uint32, string, ring.NodeID) bool { return true }
func (p *agreeing) Takes(uint32, string, ring.NodeID) bool  { return false }
func (p *agreeing) Number(uint32) uint64                    { return 0 }
func (p *agreeing) Whole(partition uint32) merkle.Span {
	return merkle.Whole(partition, p.scale.bits)
}

// compareAll compares all partitions, one after the other.
func (p *agreeing) compareAll() {
	var held []replica.Mark
	for i := range uint32(1) << p.scale.bits {
		held = append(held, replica.Mark{Partition: i, Peer: "B"})
	}
	p.machine.Assign(p.now, held, p, &p.e)
	for _, m := range held {
		p.machine.Compare(p.now, repair.Wish{Mark: m}, p, &p.e)
		for len(p.e.Done) == 0 {
			p.turn()
		}
		o := p.e.Done[0]
		if p.e.Reset(); !o.Complete {
			p.t.Fatalf("outcome %+v", o)
		}
		p.cost.changed += o.Pulled + o.Pushed
	}
}

// turn carries out what the machine wants and tells it what came of it.
func (p *agreeing) turn() {
	p.now.Mono += time.Millisecond
	e := p.e
	p.e = repair.Effects{}
	for i := range e.Questions {
		q := e.Questions[i].Survey
		p.cost.questions += p.send(&node.Message{Kind: node.KindSurvey, Partition: q.Partition, Survey: &q})
		f := p.b.look(&q)
		p.cost.found += p.send(&node.Message{Kind: node.KindFound, Partition: q.Partition, Found: &f})
		p.machine.Found(p.now, "B", &f, p, &p.e)
	}
	for i := range e.Surveys {
		f := p.a.look(&e.Surveys[i])
		p.machine.Found(p.now, "", &f, p, &p.e)
	}
	if len(e.Asks) > 0 {
		ops := make([]replica.Op, len(e.Asks))
		for i := range e.Asks {
			ops[i] = e.Asks[i].Op
			p.cost.states += p.send(&node.Message{Kind: node.KindAsk, Partition: ops[i].Partition, Op: ops[i]})
		}
		answers := p.b.do(ops)
		for i := range answers {
			p.cost.states += p.send(&node.Message{Kind: node.KindAnswer, Answer: answers[i]})
			p.machine.Answer(p.now, "B", &answers[i], p, &p.e)
		}
	}
	if len(e.Ops) > 0 {
		answers := p.a.do(e.Ops)
		for i := range answers {
			p.machine.Answer(p.now, "", &answers[i], p, &p.e)
		}
	}
	if len(e.Questions)+len(e.Surveys)+len(e.Asks)+len(e.Ops) == 0 {
		p.machine.Tick(p.now, p, &p.e)
	}
}

// send counts a message.
func (p *agreeing) send(m *node.Message) int {
	p.cost.messages++
	p.frame = wire.AppendMessage(p.frame[:0], m)
	return len(p.frame)
}

package node_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/memory"
	"github.com/ourodb/ouro/internal/wire"
)

// shifting is a few whole nodes, disks included, whose chain of links the test
// makes by hand. Messages pass through their form on the wire, one by one.
type shifting struct {
	t     testing.TB
	ring  *ring.Ring
	place *place.Placement
	nodes []*mover
	now   clock.Now
	queue []parcel
	bytes map[string]int // sent, by from>to
	count map[node.Kind]int
	rate  int // of moves
	keys  int // of a comparison that are under way at a time
	// buckets changes those in force, of views made from now on.
	buckets func(*node.Buckets)
	tune    func(*node.Config) // of nodes that start from now on
}

type parcel struct {
	from, to *mover
	body     []byte
}

// mover is one of the nodes.
type mover struct {
	id      ring.NodeID
	core    *node.Node
	engine  store.Engine
	runner  *disk.Runner
	posted  []uint64
	out     node.Out
	run     uint64
	down    bool
	view    *node.View
	proven  map[uint32][]place.Proof
	clean   node.Clean
	given   map[string]int // states sent to it, by bucket/name or by digest
	answers []replica.Answer
	founds  []replica.Found
	replies []node.Reply
	fetches []node.Fetch
	facts   []fact.Fact
}

// newShifting makes nodes a, b, ... of one cluster with so many partitions, on
// engines that open makes.
func newShifting(t testing.TB, nodes, q int, open func() store.Engine) *shifting {
	s := &shifting{t: t, now: clock.Now{Mono: time.Second, Wall: 1_700_000_000_000}, bytes: map[string]int{}, count: map[node.Kind]int{}}
	members := make([]ring.Node, nodes)
	for i := range members {
		members[i] = ring.Node{ID: ring.NodeID('a' + rune(i)), Weight: 1}
	}
	tokens, err := ring.Assign(q, members)
	if err != nil {
		t.Fatal(err)
	}
	if s.ring, err = ring.New(members, tokens); err != nil {
		t.Fatal(err)
	}
	s.place = place.Founded(place.Hash{7}, s.ring, 3)
	for i, m := range members {
		n := &mover{id: m.ID, engine: open(), run: uint64(i + 1), given: map[string]int{}}
		s.nodes = append(s.nodes, n)
	}
	s.link(nil) // names the disks
	for _, n := range s.nodes {
		s.start(n)
	}
	return s
}

// start begins a run of a node on what its disk has.
func (s *shifting) start(n *mover) {
	n.run += 100
	n.down, n.posted, n.proven, n.clean = false, nil, map[uint32][]place.Proof{}, node.Clean{}
	r := replica.New(replica.Config{Run: n.run, Seed: 7})
	r.Stand(replica.Standing{Epoch: 1, Floor: 1, Known: true})
	n.runner = disk.New(disk.Config{PartitionBits: s.ring.Bits()}, n.engine, r, func(seq uint64, _ error) { n.posted = append(n.posted, seq) })
	cfg := node.Config{Sealer: causal.NewSealer([]byte("a key for tests")), Run: n.run << 16}
	cfg.Repair.Off, cfg.Reap.Off = true, true
	cfg.Repair.MoveRate, cfg.Repair.MoveWindow = s.rate, s.keys
	cfg.Transfer.Held = n.runner.Holdings()
	if s.tune != nil {
		s.tune(&cfg)
	}
	n.core = node.New(cfg, n.view)
	s.step(n, &node.Standing{Standing: replica.Standing{Epoch: 1, Floor: 1, Known: true}})
	for _, o := range s.nodes {
		if o != n && !o.down && o.core != nil {
			s.step(n, &node.Link{Peer: o.id, Up: true})
			s.step(o, &node.Link{Peer: n.id, Up: true})
		}
	}
}

// stop kills a node.
func (s *shifting) stop(n *mover) {
	n.down = true
	s.queue = slices.DeleteFunc(s.queue, func(p parcel) bool { return p.from == n || p.to == n })
	for _, o := range s.nodes {
		if o != n && !o.down {
			s.step(o, &node.Link{Peer: n.id})
		}
	}
}

// link makes the next link; nobody adopts it yet.
func (s *shifting) link(moves []place.Move) {
	s.t.Helper()
	l := &place.Link{Number: s.place.Number() + 1, Before: s.place.Hash(), Moves: moves}
	for i, n := range s.nodes {
		l.Members = append(l.Members, place.Member{ID: n.id, Disk: uint64(i + 1)})
	}
	next, err := s.place.Follow(l)
	if err != nil {
		s.t.Fatal(err)
	}
	s.place = next
	for _, n := range s.nodes {
		if n.core == nil {
			n.view = s.viewOf(n)
		}
	}
}

func (s *shifting) viewOf(n *mover) *node.View {
	v := &node.View{Self: n.id, Ring: s.ring, Place: s.place, Buckets: node.Buckets{Default: member.DefaultBucket()}}
	if s.buckets != nil {
		s.buckets(&v.Buckets)
	}
	return v
}

// adopt lets a node know of the newest link.
func (s *shifting) adopt(n *mover) {
	n.view = s.viewOf(n)
	if !n.down {
		s.step(n, n.view)
	}
}

func (s *shifting) adoptAll() {
	for _, n := range s.nodes {
		s.adopt(n)
	}
}

// step gives a node an input, and its disk what comes of it.
func (s *shifting) step(n *mover, in node.Input) {
	n.core.Step(s.now, in, &n.out)
	s.pump(n)
}

func (s *shifting) pump(n *mover) {
	for {
		ops, surveys := n.out.Ops, n.out.Surveys
		n.out.Ops, n.out.Surveys = nil, nil
		n.answers, n.founds = n.answers[:0], n.founds[:0]
		if len(ops) > 0 {
			if err := n.runner.Run(s.now, ops, &n.answers, &n.out.Facts); err != nil {
				s.t.Fatal(err)
			}
		}
		for i := range surveys {
			n.runner.Survey(s.now, &surveys[i], &n.out.Facts)
		}
		for _, seq := range n.posted {
			n.runner.Synced(seq, nil, &n.answers)
		}
		n.posted = n.posted[:0]
		n.runner.Founds(&n.founds)
		for i := range n.answers {
			n.core.Step(s.now, &node.Completion{Answer: n.answers[i]}, &n.out)
		}
		for i := range n.founds {
			n.core.Step(s.now, &node.Found{Found: n.founds[i]}, &n.out)
		}
		scans := n.out.Scans
		n.out.Scans = nil
		for _, scan := range scans {
			n.core.Step(s.now, &node.Page{Page: n.runner.Scan(scan.From, scan.Limit)}, &n.out)
		}
		if len(n.answers)+len(n.founds)+len(n.out.Ops)+len(n.out.Surveys)+len(scans) == 0 {
			break
		}
	}
	s.collect(n)
}

func (s *shifting) collect(n *mover) {
	for i := range n.out.Sends {
		send := &n.out.Sends[i]
		body := wire.AppendMessage(nil, &send.Message)
		s.bytes[string(n.id)+">"+string(send.To)] += len(body)
		s.count[send.Message.Kind]++
		to := s.node(send.To)
		switch m := &send.Message; {
		case m.Kind == node.KindAsk && m.Op.Verb == replica.Join:
			to.given[m.Op.Key.Bucket+"/"+m.Op.Key.Name]++
		case m.Kind == node.KindAnswer && m.Answer.Verb == replica.Read && len(m.Answer.State) > 0:
			to.given[fmt.Sprint(m.Answer.Digest)]++
		}
		if !to.down {
			s.queue = append(s.queue, parcel{n, to, body})
		}
	}
	for _, p := range n.out.Proven {
		n.proven[p.Partition] = p.Proofs
	}
	n.fetches = append(n.fetches, n.out.Fetches...)
	if n.out.Clean != nil {
		n.clean = *n.out.Clean
	}
	n.replies = append(n.replies, n.out.Replies...)
	n.facts = append(n.facts, n.out.Facts...)
	n.out.Reset()
}

func (s *shifting) node(id ring.NodeID) *mover { return s.nodes[id[0]-'a'] }

// deliver delivers the first message; false where none is under way.
func (s *shifting) deliver() bool {
	if len(s.queue) == 0 {
		return false
	}
	p := s.queue[0]
	s.queue = s.queue[1:]
	m, err := wire.DecodeMessage(p.body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.step(p.to, &node.Delivery{From: p.from.id, Session: 1, Message: m})
	return true
}

// settle delivers everything and lets time pass until a condition holds.
func (s *shifting) settle(what string, done func() bool) {
	s.t.Helper()
	for range 5000 {
		for s.deliver() {
		}
		if done() {
			return
		}
		s.pass()
	}
	for _, n := range s.nodes {
		if !n.down {
			s.t.Logf("%s: clean %+v, proven %d, %+v", n.id, n.clean, len(n.proven), n.core.Transfers(nil))
		}
	}
	s.t.Fatalf("%s: it does not come to that", what)
}

// pass lets time pass until somebody wants a tick, at most a second.
func (s *shifting) pass() {
	at := s.now.Mono + time.Second
	for _, n := range s.nodes {
		if d, ok := n.core.Deadline(); !n.down && ok {
			at = min(at, d)
		}
	}
	by := max(at-s.now.Mono, time.Millisecond)
	s.now.Mono += by
	s.now.Wall += by.Milliseconds() + 1
	for _, n := range s.nodes {
		if d, ok := n.core.Deadline(); !n.down && ok && d <= s.now.Mono {
			s.step(n, node.Tick{})
		}
	}
}

// put stores a key at all who hold its partition by the list in force.
func (s *shifting) put(k ring.Key, value []byte) {
	p := s.ring.Partition(k.Pos)
	var state []byte
	for _, id := range s.place.Of(p).Old {
		n := s.node(id)
		op := replica.Op{ID: 0, Verb: replica.Write, Partition: p, Key: k, Mint: &replica.Mint{Value: value}}
		if state != nil {
			op = replica.Op{Silent: true, Verb: replica.Join, Partition: p, Key: k, State: state, Stamp: 1}
		}
		var done []replica.Answer
		if err := n.runner.Run(s.now, []replica.Op{op}, &done, &n.out.Facts); err != nil {
			s.t.Fatal(err)
		}
		if state == nil {
			state = done[0].State
		}
		for _, seq := range n.posted {
			n.runner.Synced(seq, nil, &done)
		}
		n.posted = n.posted[:0]
	}
}

// begins returns a move of every partition to the list that replaces its last
// member by the first node that is not in it.
func (s *shifting) begins() []place.Move {
	var moves []place.Move
	for p := range uint32(s.place.Q()) {
		old := s.place.Of(p).Old
		for _, n := range s.nodes {
			if !slices.Contains(old, n.id) {
				next := append(slices.Clone(old[:len(old)-1]), n.id)
				moves = append(moves, place.Move{Partition: p, Old: old, New: next})
				break
			}
		}
	}
	return moves
}

// ends returns the ends of all moves, with the proofs that the nodes gave.
func (s *shifting) ends() []place.Move {
	var moves []place.Move
	for p := range uint32(s.place.Q()) {
		l := s.place.Of(p)
		if !l.Moving() {
			continue
		}
		m := place.Move{Partition: p, Old: l.New}
		for _, n := range s.nodes {
			if !n.down {
				m.Proofs = append(m.Proofs, n.proven[p]...)
				m.Proofs = slices.DeleteFunc(m.Proofs, func(q place.Proof) bool { return q.Number != l.Number }) // of a move before
			}
		}
		slices.SortFunc(m.Proofs, func(a, b place.Proof) int { return a.Compare(&b) })
		moves = append(moves, m)
	}
	return moves
}

func (s *shifting) allProven() bool {
	promises := (&node.Buckets{Default: member.DefaultBucket()}).Promises()
	for _, m := range s.ends() {
		if !s.place.Of(m.Partition).Met(m.Proofs, promises) {
			return false
		}
	}
	return true
}

func (s *shifting) allClean() bool {
	for _, n := range s.nodes {
		if n.clean.Number != s.place.Number() || n.clean.LeftOver != 0 {
			return false
		}
	}
	return true
}

// wantData checks that everybody in a list has every key of its partition, that
// nobody else has any, and that the trees are those of the records.
func (s *shifting) wantData(keys []ring.Key) {
	s.t.Helper()
	for _, k := range keys {
		p := s.ring.Partition(k.Pos)
		for _, n := range s.nodes {
			record, err := n.runner.Inspect(p, k)
			if holds := slices.Contains(s.place.Of(p).Old, n.id); err != nil || holds != (record != nil) {
				s.t.Errorf("%s of partition %d at %s: holds %v, %d bytes, %v", k.Name, p, n.id, holds, len(record), err)
			}
		}
	}
	for _, n := range s.nodes {
		if err := disk.VerifyLeaves(n.engine, replica.New(replica.Config{Seed: 7}), s.ring.Bits()); err != nil {
			s.t.Errorf("%s: %v", n.id, err)
		}
	}
}

func inMemory() store.Engine { return memory.New(memory.Options{}) }

// fill stores keys of so many bytes where they belong.
func (s *shifting) fill(keys, size int) []ring.Key {
	var all []ring.Key
	r := rand.New(rand.NewPCG(1, 2))
	for i := range keys {
		k := ring.NewKey([]string{"b", "other"}[i%2], fmt.Sprintf("key-%d", i))
		value := make([]byte, size)
		for j := range value {
			value[j] = byte(r.Uint32())
		}
		s.put(k, value)
		all = append(all, k)
	}
	for _, n := range s.nodes { // so that they find it on their disks
		s.start(n)
	}
	return all
}

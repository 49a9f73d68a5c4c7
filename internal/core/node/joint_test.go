package node_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/wire"
)

// move is one partition of nodes a, b, c, d on its way: from a, b, c to a, b, d.
// Who is told of a link when is up to the test.
type move struct {
	*shifting
	part       uint32
	key        ring.Key
	a, b, c, d *mover
	id         uint64
}

// newMove finds a partition that the ring has at a, b and c, at a first.
func newMove(t *testing.T) *move {
	t.Helper()
	m := &move{shifting: newShifting(t, 4, 16, inMemory)}
	m.a, m.b, m.c, m.d = m.nodes[0], m.nodes[1], m.nodes[2], m.nodes[3]
	for i := 0; ; i++ {
		m.key = ring.NewKey("b", fmt.Sprint("key-", i))
		m.part = m.ring.Partition(m.key.Pos)
		if l := m.place.Of(m.part); l.Old[0] == "a" && !l.Holds("d") {
			return m
		}
	}
}

// begin makes the link by which d comes for c; adopted by some.
func (m *move) begin(by ...*mover) {
	m.t.Helper()
	old := m.place.Of(m.part).Old
	next := make([]ring.NodeID, 0, 3)
	for _, id := range old {
		if id == "c" {
			id = "d"
		}
		next = append(next, id)
	}
	m.link(beginsWith(m.part, old, next))
	m.adoptBy(by)
}

// end makes the link by which it is at a, b, d alone, through the gate.
func (m *move) end(by ...*mover) {
	m.t.Helper()
	m.settle("proven", m.allProven)
	m.link(m.ends())
	m.adoptBy(by)
}

// abort makes the link by which it is at a, b, c again.
func (m *move) abort(by ...*mover) {
	m.t.Helper()
	m.link(beginsWith(m.part, m.place.Of(m.part).Old, nil))
	m.adoptBy(by)
}

func (m *move) adoptBy(by []*mover) {
	for _, n := range by {
		m.adopt(n)
	}
}

func (m *move) all() []*mover { return m.nodes }

// quorum is a request that two primaries must answer, in each list.
func quorum(verb node.Verb, k ring.Key, value string) *node.Request {
	two := ouro.Count{N: 2, Set: true}
	r := &node.Request{Verb: verb, Key: k, Value: []byte(value)}
	if verb == node.Get {
		r.PR = two
	} else {
		r.PW = two
	}
	return r
}

// ask lets a node take a request.
func (m *move) ask(n *mover, r *node.Request) {
	m.id++
	r.ID = m.id
	n.replies = nil
	m.step(n, r)
}

// flow delivers what is under way; no time passes.
func (m *move) flow() {
	for m.deliver() {
	}
}

// told is what a node's client was told, once everything has been delivered:
// values, an error, or nothing yet.
func (m *move) told(n *mover) string {
	m.t.Helper()
	m.flow()
	if len(n.replies) == 0 {
		return "nothing yet"
	}
	r := n.replies[0]
	if r.Err != nil {
		return string(r.Err.Code) + " " + r.Err.Outcome.String()
	}
	s := "ok"
	for _, v := range r.Siblings {
		s += " " + string(v.Data)
	}
	return s
}

func (m *move) want(n *mover, what, want string) {
	m.t.Helper()
	if got := m.told(n); got != want {
		m.t.Fatalf("%s: %s was told %q, want %q", what, n.id, got, want)
	}
}

// do is a request that is answered at once.
func (m *move) do(n *mover, r *node.Request, want string) {
	m.t.Helper()
	m.ask(n, r)
	m.want(n, fmt.Sprint("request ", r.Verb, " ", string(r.Value)), want)
}

// fetched says whether a node has asked for the placement of another.
func fetched(n *mover, from ring.NodeID) bool {
	for _, f := range n.fetches {
		if f.From == from {
			return true
		}
	}
	return false
}

func had(n *mover, k fact.Kind) bool {
	for i := range n.facts {
		if n.facts[i].Kind == k {
			return true
		}
	}
	return false
}

// A read under the lists before meets no write under those after (RULES H3, i):
// whoever has adopted the move, by which it was sealed, says so, and the read
// begins again.
func TestH3OldReadNewWrite(t *testing.T) {
	m := newMove(t)
	m.begin(m.a, m.b, m.d) // c has not heard
	m.end(m.a, m.d)        // b has not heard of the end
	m.do(m.a, quorum(node.Put, m.key, "v"), "ok")
	m.flow()
	m.ask(m.c, quorum(node.Get, m.key, ""))
	m.want(m.c, "a read under the lists before the move", "nothing yet")
	if !fetched(m.c, "a") || !fetched(m.c, "b") {
		t.Fatalf("c wants the placement of %v", m.c.fetches)
	}
	m.adopt(m.c)
	m.want(m.c, "the same read under the lists in force", "ok v")
	if !had(m.b, fact.Parked) || !fetched(m.b, "a") {
		t.Fatalf("b waits for the placement, and wants that of %v", m.b.fetches)
	}
	m.stop(m.a)
	m.adopt(m.b)
	m.do(m.b, quorum(node.Get, m.key, ""), "ok v")
}

// Nothing is acknowledged under the lists before that those after would miss
// (RULES H3, ii): d has merged what a and b held when they had adopted the move,
// so none of them acknowledges under older lists.
func TestH3OldWriteNewRead(t *testing.T) {
	m := newMove(t)
	m.begin(m.a, m.b, m.d)
	m.settle("proven", m.allProven)
	m.ask(m.c, quorum(node.Put, m.key, "v"))
	m.want(m.c, "a write under the lists before the move", "nothing yet")
	m.end(m.a, m.b, m.d)
	m.do(m.b, quorum(node.Get, m.key, ""), "not_found not_done")
	m.adopt(m.c)
	m.want(m.c, "the same write, which has minted, under the lists in force", "ok")
	m.do(m.b, quorum(node.Get, m.key, ""), "ok v")
	m.do(m.d, quorum(node.Get, m.key, ""), "ok v")
}

// A newcomer that is dead stops neither writes nor reads (RULES H13): a and b are
// enough in each list. With one of them dead too it is not, until an abort.
func TestH13DeadNewcomer(t *testing.T) {
	m := newMove(t)
	m.begin(m.all()...)
	m.stop(m.d)
	m.do(m.a, quorum(node.Put, m.key, "v"), "ok")
	m.do(m.c, quorum(node.Get, m.key, ""), "ok v")
	m.stop(m.b)
	m.do(m.a, quorum(node.Get, m.key, ""), "quorum_unavailable not_done")
	m.abort(m.a, m.c)
	m.do(m.a, quorum(node.Get, m.key, ""), "ok v")
	m.do(m.c, quorum(node.Put, m.key, "w"), "ok")
}

// What a newcomer has not got is not there for nobody: it takes the word of as
// many in the list in force (RULES R14, R33).
func TestNewcomerIsAWitnessOnly(t *testing.T) {
	m := newMove(t)
	m.put(m.key, []byte("v")) // at a, b and c
	m.begin(m.all()...)
	m.queue = nil // nothing is brought to d yet
	m.stop(m.b)
	m.do(m.d, quorum(node.Get, m.key, ""), "ok v") // a and c, with a and d for the new list
	m.stop(m.c)
	m.do(m.d, quorum(node.Get, m.key, ""), "quorum_unavailable not_done") // a and d would say that v is there, or not
	m.do(m.a, quorum(node.Put, m.key, "w"), "quorum_unavailable not_done")
}

// Acknowledgements under other lists do not count: a write that c and a newcomer
// have under the move needs two of a, b, c once it is aborted.
func TestAbortForgetsWhatNewcomersAcknowledged(t *testing.T) {
	m := newMove(t)
	m.begin(m.all()...)
	m.stop(m.a)
	m.ask(m.c, quorum(node.Put, m.key, "v"))
	for len(m.queue) > 0 { // c and d have it, b is not asked yet
		p := m.queue[0]
		if p.to == m.b {
			m.queue = m.queue[1:]
			continue
		}
		m.deliver()
	}
	m.want(m.c, "with b not asked", "nothing yet")
	m.abort(m.c, m.d)
	m.want(m.c, "after the abort, of which b has not heard", "nothing yet")
	m.adopt(m.b)
	m.want(m.c, "once b has heard", "ok")
	m.do(m.b, quorum(node.Get, m.key, ""), "ok v")
	minted := 0
	for i := range m.c.facts {
		if m.c.facts[i].Kind == fact.Minted {
			minted++
		}
	}
	if minted != 1 {
		t.Errorf("it was minted %d times", minted)
	}
}

// What is asked under lists that a node does not know waits, so many and so long;
// then it is refused by name, and counts for nobody.
func TestParkedIsBounded(t *testing.T) {
	m := newMove(t)
	m.begin(m.a)
	m.ask(m.a, quorum(node.Get, m.key, ""))
	m.want(m.a, "nobody else knows of the move", "nothing yet")
	if _, parked := m.b.core.Held(); parked != 1 {
		t.Fatalf("%d wait at b", parked)
	}
	m.settle("refused", func() bool { return len(m.a.replies) > 0 })
	m.want(m.a, "once they are refused", "quorum_unavailable not_done")
	if _, parked := m.b.core.Held(); parked != 0 {
		t.Fatalf("%d still wait at b", parked)
	}
}

// What would be more than may wait is refused at once.
func TestParkedBoundsAreKept(t *testing.T) {
	for name, tune := range map[string]func(*node.Config){
		"number": func(c *node.Config) { c.MaxParked = 2 },
		"bytes":  func(c *node.Config) { c.ParkedBytes = 25 },
	} {
		m := newMove(t)
		m.tune = tune
		m.stop(m.b)
		m.start(m.b)
		m.queue = nil
		for id := range uint64(4) {
			op := replica.Op{ID: id + 1, Verb: replica.Join, Partition: m.part, Key: m.key, State: make([]byte, 10), Stamp: 1}
			m.step(m.b, &node.Delivery{From: "a", Session: 1, Message: node.Message{Kind: node.KindAsk, Partition: m.part, Number: 9, Op: op}})
		}
		refused := 0
		for _, p := range m.queue {
			if got, err := wire.DecodeMessage(p.body); err == nil && got.Answer.Reason == replica.Behind {
				refused++
			}
		}
		if _, parked := m.b.core.Held(); parked != 2 || refused != 2 {
			t.Errorf("%s: %d wait, %d are refused", name, parked, refused)
		}
	}
}

// A write that is minting when the lists change waits for its own disk, and is not
// minted again.
func TestMintedOnceThroughAMove(t *testing.T) {
	m := newMove(t)
	r := quorum(node.Put, m.key, "v")
	r.ID = 1
	m.a.core.Step(m.now, r, &m.a.out) // the own disk has not answered
	m.begin()
	m.a.view = m.viewOf(m.a)
	m.a.core.Step(m.now, m.a.view, &m.a.out)
	m.pump(m.a)
	m.adoptBy([]*mover{m.b, m.c, m.d})
	m.want(m.a, "the write", "ok")
	m.end(m.all()...)
	m.do(m.d, quorum(node.Get, m.key, ""), "ok v")
}

// n belongs to the bucket (RULES H12, R17): the lists are those of the greatest n,
// and each bucket counts its own first n of them, also while they move.
func TestH12EachBucketCountsItsOwn(t *testing.T) {
	m := newMove(t)
	small := ring.NewKey("two", m.key.Name)
	for i := 0; m.ring.Partition(small.Pos) != m.part; i++ {
		small = ring.NewKey("two", fmt.Sprint("small-", i))
	}
	two := node.Bucket{N: 2, R: 2, W: 2, PR: 2, PW: 2, Timeout: time.Second}
	m.buckets = func(b *node.Buckets) {
		b.Named, b.Names = map[string]node.Bucket{"two": two}, []string{"two"}
	}
	m.adoptAll()
	m.begin(m.all()...)
	first := m.place.Of(m.part).First(2)
	if first.Old[0] == "c" || first.Old[1] == "c" {
		m.do(m.node(first.Old[0]), &node.Request{Verb: node.Put, Key: small, Value: []byte("v")}, "ok")
		m.flow()
		if got := m.at(small); got != 3 {
			t.Errorf("%d nodes hold it, of two and a newcomer", got)
		}
		return
	}
	m.stop(m.c)
	m.stop(m.d)
	m.do(m.a, &node.Request{Verb: node.Put, Key: small, Value: []byte("v")}, "ok")
	m.do(m.b, &node.Request{Verb: node.Get, Key: small}, "ok v")
	if got := m.at(small); got != 2 {
		t.Errorf("%d nodes hold it, of two", got)
	}
	m.do(m.a, &node.Request{Verb: node.Put, Key: small, Value: []byte("v"), W: ouro.Count{N: 3, Set: true}}, "bad_request not_done")
}

// at is how many nodes hold a key as their own.
func (m *move) at(k ring.Key) int {
	n := 0
	for _, o := range m.nodes {
		if record, err := o.runner.Inspect(m.part, k); err == nil && record != nil {
			n++
		}
	}
	return n
}

// A disk that no link has named counts for nothing strict: neither what it stores,
// nor what it tells, nor as a witness (RULES R9, R14).
func TestUnnamedDiskIsNoWitness(t *testing.T) {
	m := newMove(t)
	m.begin(m.all()...)
	m.d.view = m.viewOf(m.d)
	m.d.view.Disk = 77 // it was wiped since
	m.step(m.d, m.d.view)
	m.stop(m.b)
	m.do(m.a, quorum(node.Get, m.key, ""), "quorum_unavailable not_done")
	m.do(m.c, quorum(node.Put, m.key, "v"), "quorum_unavailable unknown")
	m.abort(m.a, m.c)
	m.do(m.a, quorum(node.Get, m.key, ""), "ok v")
}

// What a node that is in no list is sent for its own is refused, so that whoever
// keeps it for others looks again for whom (RULES R34).
func TestHintsGoToThoseWhoHoldItNow(t *testing.T) {
	m := newMove(t)
	m.stop(m.c)
	m.do(m.a, &node.Request{Verb: node.Put, Key: m.key, Value: []byte("v"), W: ouro.Count{N: 3, Set: true}}, "ok")
	m.settle("d keeps it for c", func() bool { return m.d.core.OldestHint() != 0 })
	m.begin(m.a, m.b, m.d)
	m.end(m.a, m.b, m.d)
	m.start(m.c) // and has not heard
	m.adopt(m.c)
	m.settle("handed over", func() bool { return m.d.core.OldestHint() == 0 })
	if record, err := m.c.runner.Inspect(m.part, m.key); err != nil || record != nil {
		t.Errorf("c holds it: %v", err)
	}
	m.stop(m.a)
	m.do(m.d, quorum(node.Get, m.key, ""), "ok v")
}

// beginsWith is the one move of a link.
func beginsWith(p uint32, old, next []ring.NodeID) []place.Move {
	return []place.Move{{Partition: p, Old: old, New: next}}
}

// What was asked under the lists before and stored after this node has adopted
// others is not acknowledged: it may be in no snapshot that was taken for the
// newcomer (RULES R16).
func TestStoredUnderTheListsBefore(t *testing.T) {
	m := newMove(t)
	m.ask(m.a, quorum(node.Put, m.key, "v"))
	var ask parcel
	for _, p := range m.queue {
		if p.to == m.b {
			ask = p
		}
	}
	msg, err := wire.DecodeMessage(ask.body)
	if err != nil || msg.Kind != node.KindAsk {
		t.Fatalf("%+v, %v", msg, err)
	}
	m.queue = nil
	m.b.core.Step(m.now, &node.Delivery{From: "a", Session: 1, Message: msg}, &m.b.out) // its disk has not answered
	m.begin()
	m.b.view = m.viewOf(m.b)
	m.b.core.Step(m.now, m.b.view, &m.b.out)
	m.pump(m.b)
	m.want(m.a, "stored by b once it had adopted the move", "nothing yet")
	if m.at(m.key) != 2 || !fetched(m.a, "b") {
		t.Errorf("%d hold it, a wants the placement of %v", m.at(m.key), m.a.fetches)
	}
}

// without makes a placement by which c is gone, and the partition at a, b and d.
func (m *move) without(n *mover) *node.View { return m.only(n, "a", "b", "d") }

// only makes a placement by which c is gone, and the partition at some.
func (m *move) only(n *mover, at ...ring.NodeID) *node.View {
	lists := make([]place.Lists, m.place.Q())
	for i := range lists {
		lists[i] = place.Lists{Number: 9, Old: at}
	}
	v := *n.view
	v.Place = place.New(9, place.Hash{}, []place.Member{{ID: "a", Disk: 1}, {ID: "b", Disk: 2}, {ID: "d", Disk: 4}}, lists)
	return &v
}

// A request that was passed to one who holds nothing any more goes to the next at
// once, and who passed it on learns of the placement.
func TestForwardIsReroutedByWhoHoldsNothing(t *testing.T) {
	m := newMove(t)
	for m.place.Of(m.part).Old[0] != "c" || m.place.Of(m.part).Holds("d") { // who is asked first
		m.key = ring.NewKey("b", m.key.Name+"x")
		m.part = m.ring.Partition(m.key.Pos)
	}
	for _, n := range []*mover{m.a, m.b, m.c} {
		n.view = m.without(n)
		m.step(n, n.view)
	}
	m.do(m.d, quorum(node.Put, m.key, "v"), "ok")
	if !fetched(m.d, "c") || m.d.replies[0].Coordinator == "c" {
		t.Errorf("%s coordinated it, d wants the placement of %v", m.d.replies[0].Coordinator, m.d.fetches)
	}
}

// A request that is with one who does not answer goes to those who hold its key
// now: here to the node itself. Nobody has it twice.
func TestForwardGoesToTheNewLists(t *testing.T) {
	m := newMove(t)
	m.ask(m.d, quorum(node.Put, m.key, "v"))
	first := m.queue[0].to
	m.queue = nil // it never gets there
	m.d.view = m.without(m.d)
	m.step(m.d, m.d.view)
	for _, n := range []*mover{m.a, m.b} {
		n.view = m.without(n)
		m.step(n, n.view)
	}
	if len(m.queue) > 0 {
		t.Fatalf("it is passed on while %s may answer", first.id)
	}
	m.step(m.d, &node.Link{Peer: first.id})
	m.want(m.d, "the write", "ok")
	if m.d.replies[0].Coordinator != "d" {
		t.Errorf("%s coordinated it", m.d.replies[0].Coordinator)
	}
}

// A write that is with another node when its numbers can't be met any more is not
// refused: it may be done there (RULES R31). What that node says is told.
func TestForwardWaitsThoughItsNumbersCantBeMet(t *testing.T) {
	for _, lost := range []bool{false, true} {
		m := newMove(t)
		r := quorum(node.Put, m.key, "v")
		r.W = ouro.Count{N: 3, Set: true}
		m.ask(m.d, r)
		if lost {
			m.queue = nil
		}
		m.d.view = m.only(m.d, "a", "b")
		m.step(m.d, m.d.view)
		if len(m.d.replies) > 0 {
			t.Fatalf("it is refused: %v", m.d.replies[0].Err)
		}
		if !lost {
			m.want(m.d, "the write", "ok")
			continue
		}
		for _, n := range m.nodes {
			m.step(m.d, &node.Link{Peer: n.id})
		}
		m.want(m.d, "the write whose coordinator is lost", "quorum_unavailable unknown")
	}
}

// A node in no list takes nothing as its own, under whatever lists it is sent
// (RULES R34).
func TestStrangerTakesNothing(t *testing.T) {
	m := newMove(t)
	m.begin(m.all()...)
	m.end(m.all()...)
	m.do(m.a, quorum(node.Put, m.key, "v"), "ok")
	m.flow()
	raw, err := m.a.runner.Inspect(m.part, m.key)
	if err != nil {
		t.Fatal(err)
	}
	state, err := replica.StateOf(raw)
	if err != nil {
		t.Fatal(err)
	}
	op := replica.Op{ID: 1, Verb: replica.Join, Partition: m.part, Key: m.key, State: state, Stamp: 1}
	m.step(m.c, &node.Delivery{From: "a", Session: 1, Message: node.Message{Kind: node.KindAsk, Partition: m.part, Op: op}})
	answer, err := wire.DecodeMessage(m.queue[len(m.queue)-1].body)
	if err != nil || answer.Answer.Reason != replica.NotPrimary || m.at(m.key) != 3 {
		t.Errorf("%d hold it, c answers %+v, %v", m.at(m.key), answer.Answer, err)
	}
}

// flowTo delivers what is for some, and loses the rest.
func (m *move) flowTo(to ...*mover) {
	for len(m.queue) > 0 {
		if !slices.Contains(to, m.queue[0].to) {
			m.queue = m.queue[1:]
			continue
		}
		m.deliver()
	}
}

// A quorum of one list is none while the partition moves (RULES R14). What a and c
// have of a write is not acknowledged, for b and d do not have it when the move ends;
// and what a and c tell of a read is not told, for b and d may be further.
func TestOneListIsNotEnough(t *testing.T) {
	m := newMove(t)
	m.begin(m.all()...)
	m.settle("proven", m.allProven)
	m.ask(m.a, quorum(node.Put, m.key, "v"))
	m.flowTo(m.a, m.c)
	m.want(m.a, "a write that a and c have", "nothing yet")
	m.end(m.b, m.d)
	m.do(m.d, quorum(node.Get, m.key, ""), "not_found not_done")

	m = newMove(t)
	m.begin(m.all()...)
	m.end(m.b, m.d)
	m.do(m.d, quorum(node.Put, m.key, "w"), "ok")
	m.ask(m.c, quorum(node.Get, m.key, ""))
	m.flowTo(m.a, m.c)
	m.want(m.c, "a read that a and c have answered", "nothing yet")
}

// A newcomer that has lost its disk proves nothing before a link has named the new
// one, and then compares anew (RULES R13, R16).
func TestUnnamedNewcomerProvesNothing(t *testing.T) {
	m := newMove(t)
	m.put(m.key, []byte("v"))
	m.begin()
	m.adoptBy([]*mover{m.a, m.b, m.c})
	m.d.view = m.viewOf(m.d)
	m.d.view.Disk = 77
	m.step(m.d, m.d.view)
	for range 20 {
		m.flow()
		m.pass()
	}
	if len(m.d.proven) > 0 {
		t.Fatalf("%+v", m.d.proven)
	}
	v := *m.d.view
	v.Disk = 4
	m.step(m.d, &v)
	m.settle("proven", m.allProven)
}

// A newcomer that no other member has told the epoch of the others mints nothing: they
// could refuse it as too old, and what its own copy had shown would be gone when the
// move ends (RULES R22). It reads, and passes writes on, also those that are passed to
// it; once it is told it mints.
func TestANewcomerMintsNothingUnheard(t *testing.T) {
	m := newMove(t)
	m.begin(m.all()...)
	m.settle("proven", m.allProven)
	m.step(m.d, &node.Standing{})
	m.do(m.d, quorum(node.Put, m.key, "v"), "ok")
	if by := m.d.replies[0].Coordinator; by == "d" {
		t.Error("it minted in epoch 0")
	}
	m.do(m.d, &node.Request{Verb: node.Get, Key: m.key}, "ok v")
	for _, n := range []*mover{m.a, m.b, m.c} {
		m.stop(n)
	}
	m.do(m.d, &node.Request{Verb: node.Put, Key: m.key, Value: []byte("w")}, "overloaded not_done")
	for _, n := range []*mover{m.a, m.b, m.c} {
		m.start(n)
	}
	m.step(m.d, &node.Standing{Standing: replica.Standing{Epoch: 1, Floor: 1, Known: true}})
	m.do(m.d, &node.Request{Verb: node.Put, Key: m.key, Value: []byte("x")}, "ok")
	if by := m.d.replies[0].Coordinator; by != "d" {
		t.Errorf("%s mints what d could", by)
	}
}

// What only a newcomer holds is shown to nobody: it goes when its move is aborted, and
// was never acknowledged (RULES R14). Who reads gives it to the others, after which it
// is shown.
func TestWhatOnlyANewcomerHoldsIsNotShown(t *testing.T) {
	m := newMove(t)
	m.begin(m.all()...)
	m.settle("proven", m.allProven)
	m.ask(m.d, &node.Request{Verb: node.Put, Key: m.key, Value: []byte("v")})
	m.flowTo(m.d) // nobody else has it
	m.queue = nil
	m.ask(m.d, &node.Request{Verb: node.Get, Key: m.key, R: ouro.Count{N: 3, Set: true}})
	m.want(m.d, "a read of all", "not_found not_done")
	m.flow() // the repair
	for _, n := range []*mover{m.a, m.b, m.c} {
		m.do(n, &node.Request{Verb: node.Get, Key: m.key}, "ok v")
	}
}

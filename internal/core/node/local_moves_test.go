package node_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/local"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/place"
)

// own is what a node says of its own copy.
func (m *move) own(n *mover) (local.Said, bool) {
	m.t.Helper()
	m.ask(n, &node.Request{Verb: node.Get, Key: m.key, Local: true})
	m.flow()
	if len(n.replies) != 1 || n.replies[0].Local == nil {
		return local.Said{}, false
	}
	return local.Said{Node: string(n.replies[0].Coordinator), Word: *n.replies[0].Local}, true
}

// agreed says whether what two nodes say of their own copies is a read.
func (m *move) agreed(a, b *mover) bool {
	m.t.Helper()
	one, ok := m.own(a)
	two, also := m.own(b)
	return ok && also && local.Agree([]local.Said{one, two})
}

// TestRules_R15_OwnCopiesThroughAMove: what is said under lists of before and after a
// link is no read, even where the copies are the same; while the partition moves, and
// by who holds it no more or whose disk no link has named, nothing is said.
func TestRules_R15_OwnCopiesThroughAMove(t *testing.T) {
	m := newMove(t)
	m.do(m.a, quorum(node.Put, m.key, "v"), "ok")
	before, ok := m.own(m.a)
	if !ok || !m.agreed(m.a, m.b) || !m.agreed(m.a, m.c) {
		t.Fatal("before the move replicas do not agree")
	}
	m.begin(m.a)
	if _, ok := m.own(m.a); ok {
		t.Error("one that knows that it moves answers for its own copy")
	}
	if !m.agreed(m.b, m.c) { // they are a coordinator's with an old map, and meet every quorum of the new lists in one that knows of both
		t.Error("two that have not heard do not agree")
	}
	m.adoptBy(m.all())
	for _, n := range m.all() {
		if _, ok := m.own(n); ok {
			t.Errorf("%s answers for its own copy while it moves", n.id)
		}
	}
	m.end(m.a, m.d)
	after, ok := m.own(m.a)
	if !ok || !m.agreed(m.a, m.d) {
		t.Fatal("after the move replicas do not agree")
	}
	if before.Word.State != after.Word.State || before.Word == after.Word {
		t.Errorf("the same copy under other lists: %+v, %+v", before, after)
	}
	if _, ok := m.own(m.b); ok {
		t.Error("b knows only that it moves, and answers")
	}
	m.adoptBy(m.all())
	if _, ok := m.own(m.c); ok {
		t.Error("c holds it no more, and answers for its own copy")
	}
	m.d.view = m.viewOf(m.d)
	m.d.view.Disk = 77 // it was wiped since
	m.step(m.d, m.d.view)
	if _, ok := m.own(m.d); ok {
		t.Error("a disk that no link has named answers")
	}
}

// TestOwnCopyBeginsAgain: lists that change while a copy is read are those that it is
// said under, if any.
func TestOwnCopyBeginsAgain(t *testing.T) {
	m := newMove(t)
	m.do(m.a, quorum(node.Put, m.key, "v"), "ok")
	begin := func() {
		m.a.replies = nil
		m.a.core.Step(m.now, &node.Request{ID: 99, Verb: node.Get, Key: m.key, Local: true}, &m.a.out) // its disk has not answered
	}
	adopt := func() {
		m.a.view = m.viewOf(m.a)
		m.a.core.Step(m.now, m.a.view, &m.a.out)
		m.pump(m.a)
		m.flow()
	}
	begin()
	m.begin(m.b, m.c, m.d)
	adopt()
	if r := m.a.replies; len(r) != 1 || r[0].Local != nil || r[0].Err == nil {
		t.Errorf("read before it moves, and answered while it does: %+v", r)
	}
	m.abort(m.all()...)
	begin()
	m.link(beginsWith(m.part, m.place.Of(m.part).Old, m.place.Of(m.part).Old[:2]))
	m.abort(m.b, m.c, m.d)
	adopt()
	if r := m.a.replies; len(r) != 1 || r[0].Local == nil || r[0].Local.Number != m.place.Of(m.part).Number {
		t.Errorf("read before two links, and answered after them: %+v", r)
	}
}

// TestOwnCopiesOfTwoChains: two who began with two first links of one founding say the
// same of the same copy, and it is no read (decision 0034).
func TestOwnCopiesOfTwoChains(t *testing.T) {
	m := newMove(t)
	m.do(m.a, quorum(node.Put, m.key, "v"), "ok")
	founded := place.Founded(place.Hash{7}, m.ring, 3)
	first := &place.Link{Number: 2, Before: founded.Hash()}
	for i, n := range m.nodes {
		first.Members = append(first.Members, place.Member{ID: n.id, Disk: uint64(i + 51)})
	}
	other, err := founded.Follow(first)
	if err != nil {
		t.Fatal(err)
	}
	m.place = other
	m.adopt(m.b)
	one, ok := m.own(m.a)
	two, also := m.own(m.b)
	if !ok || !also {
		t.Fatal("they say nothing")
	}
	if local.Agree([]local.Said{one, two}) {
		t.Errorf("two chains agree: %+v", one)
	}
	if two.Word.Chain = one.Word.Chain; !local.Agree([]local.Said{one, two}) {
		t.Errorf("it is not the chain: %+v, %+v", one, two)
	}
}

package reap_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/effort"
)

// scope bounds a search.
type scope struct {
	epochs uint8 // they go from 0 to this
	writes uint8 // how many of put v, delete v, put w, delete w there are
}

// code packs a state into a number, which is never 0.
func (m *model) code(t testing.TB, s scope) uint64 {
	v := uint64(0)
	put := func(x, n uint64) {
		if x >= n {
			t.Fatalf("%d is not below %d in %+v", x, n, *m)
		}
		v = v*n + x
	}
	const states = 12
	stamps := uint64(s.epochs) + 3
	both := func(c copied) {
		put(uint64(c.state), states)
		put(uint64(c.stamp), stamps)
	}
	put(uint64(m.record[0]), states)
	put(uint64(m.record[1]), states)
	both(m.hint)
	both(m.flying[0])
	both(m.flying[1])
	put(uint64(m.clients), 5)
	for _, e := range m.epoch {
		put(uint64(e), uint64(s.epochs)+1)
	}
	both(m.votes[0])
	both(m.votes[1])
	both(copied{m.tomb, m.above})
	put(bit(m.decided)*4+bit(m.gone[0])*2+bit(m.gone[1]), 8)
	return v + 1
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// search goes through every history within a scope. It returns how many states
// there are, and in how many both primaries had dropped what they voted for.
func search(t *testing.T, s scope) (states, reaped int) {
	o := newOracle(t)
	seen := set{slots: make([]uint64, 1<<16)}
	first := model{}
	seen.add(first.code(t, s))
	frontier, next := []model{first}, []model(nil)
	for len(frontier) > 0 {
		for i := range frontier {
			m := &frontier[i]
			if m.decided && m.gone == [2]bool{true, true} && m.record == [2]uint8{} {
				reaped++
			}
			m.successors(o, s, func(n model) {
				if f := &n.flying; f[0].state < f[1].state || f[0].state == f[1].state && f[0].stamp < f[1].stamp {
					f[0], f[1] = f[1], f[0]
				}
				if seen.add(n.code(t, s)) {
					o.check(m, &n)
					next = append(next, n)
				}
			})
		}
		frontier, next = next, frontier[:0]
	}
	return seen.n, reaped
}

// check fails where a value is back or lost.
func (o *oracle) check(before, m *model) {
	live := o.live(o.merged(o.merged(m.record[0], m.record[1]), m.hint.state))
	switch {
	case m.clients >= 2 && live&1 != 0:
		o.t.Fatalf("the deleted v is back: %+v, after %+v", *m, *before)
	case m.clients == 4 && live&2 != 0:
		o.t.Fatalf("the deleted w is back: %+v, after %+v", *m, *before)
	case m.clients == 3 && live&2 == 0:
		o.t.Fatalf("w is lost: %+v, after %+v", *m, *before)
	}
}

func (m *model) successors(o *oracle, s scope, emit func(model)) {
	m.clientsDo(o, s, emit)
	m.copiesMove(o, emit)
	m.hintMoves(o, emit)
	m.reaping(o, emit)
	for x := range uint8(3) {
		if m.epoch[x] < s.epochs && o.enters(x, m.epoch, m.hint) {
			n := *m
			n.epoch[x]++
			emit(n)
		}
	}
}

func (m *model) clientsDo(o *oracle, s scope, emit func(model)) {
	if m.clients >= s.writes {
		return
	}
	run := uint64(runV)
	if m.clients >= 2 {
		run = runW
	}
	for x := range uint8(3) {
		n := *m
		n.clients++
		switch {
		case m.clients%2 == 1 && x != nodeF:
			n.record[x] = o.remove(x, m.epoch[x], run, m.record[x])
			emit(n)
		case m.clients == 0 && x == nodeA || m.clients == 2 && x != nodeF:
			a := o.mint(x, m.epoch[x], 0, run, copied{state: m.record[x]})
			n.record[x] = a.state
			m.alone(n, a, emit)
		case m.clients == 2:
			a := o.mint(x, m.epoch[x], max(m.epoch[0], m.epoch[1], m.epoch[2]), run, m.hint)
			n.hint = copied{a.state, a.stamp}
			m.alone(n, a, emit)
		}
	}
}

// alone emits n, and n with the fresh version on its way by itself.
func (m *model) alone(n model, a answer, emit func(model)) {
	emit(n)
	for i := range n.flying {
		if n.flying[i].state == noRecord {
			n.flying[i] = a.fresh
			emit(n)
			return
		}
	}
}

func (m *model) copiesMove(o *oracle, emit func(model)) {
	for i, c := range m.flying {
		n := *m
		if c.state == noRecord {
			for x := range uint8(2) {
				if m.record[x] != noRecord {
					n.flying[i] = o.copyOf(x, m.epoch[x], m.record[x])
					emit(n)
				}
			}
			continue
		}
		n.flying[i] = copied{}
		emit(n)
		for x := range uint8(2) {
			m.arrives(o, x, c, emit)
		}
		n = *m
		if kept, ok := o.keep(m.epoch[nodeF], m.hint, c); ok {
			n.hint = kept
			emit(n)
		}
	}
}

// arrives brings a copy to a primary, which remembers what it dropped or does
// not. It returns whether the primary took it.
func (m *model) arrives(o *oracle, x uint8, c copied, emit func(model)) bool {
	n := *m
	var ok bool
	if n.record[x], ok = o.join(x, m.epoch[x], m.record[x], c, noRecord); ok {
		emit(n)
	}
	return ok
}

// remembered says whether a primary that remembers what it dropped takes a copy
// of just that, and stores nothing.
func (m *model) remembered(o *oracle, x uint8, c copied) bool {
	if !m.decided || !m.gone[x] || m.record[x] != noRecord {
		return false
	}
	state, ok := o.join(x, m.epoch[x], noRecord, c, m.tomb)
	return ok && state == noRecord
}

func (m *model) hintMoves(o *oracle, emit func(model)) {
	if m.hint.state == noRecord {
		return
	}
	for x := range uint8(2) {
		if !m.arrives(o, x, m.hint, emit) {
			o.t.Fatalf("a hint cannot be handed over to %s: %+v", ids[x], *m)
		}
		n := *m
		n.hint = copied{}
		if m.record[x] != noRecord && o.merged(m.record[x], m.hint.state) == m.record[x] || m.remembered(o, x, m.hint) {
			emit(n)
		}
	}
}

func (m *model) reaping(o *oracle, emit func(model)) {
	if !m.decided {
		for x := range uint8(2) {
			if o.empty(m.record[x]) {
				n := *m
				n.votes[x] = copied{m.record[x], m.epoch[x]}
				emit(n)
			}
		}
		if m.votes[0].state == noRecord || m.votes[1].state == noRecord {
			return
		}
		if above, ok := o.decide(m.votes[0], m.votes[1]); ok {
			n := *m
			n.decided, n.tomb, n.above, n.votes = true, m.votes[0].state, above, [2]copied{}
			emit(n)
		}
		return
	}
	for x := range uint8(2) {
		if m.record[x] != noRecord && o.dropAt(x, m.epoch[x], m.record[x], m.tomb, m.above) {
			n := *m
			n.record[x], n.gone[x] = noRecord, true
			emit(n)
		}
	}
	n := *m
	n.decided, n.tomb, n.above, n.gone = false, 0, 0, [2]bool{}
	emit(n)
}

// set is a set of numbers above 0.
type set struct {
	slots []uint64
	n     int
}

func (s *set) add(v uint64) bool {
	if s.n*10 > len(s.slots)*7 {
		old := s.slots
		s.slots, s.n = make([]uint64, 2*len(old)), 0
		for _, v := range old {
			if v != 0 {
				s.add(v)
			}
		}
	}
	mask := uint64(len(s.slots) - 1)
	for i := v * 0x9e3779b97f4a7c15 >> 20 & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case v:
			return false
		case 0:
			s.slots[i] = v
			s.n++
			return true
		}
	}
}

// TestReapingHistories: nothing deleted returns and nothing is lost, whatever
// happens in which order.
func TestReapingHistories(t *testing.T) {
	scopes := []scope{{epochs: 3, writes: 2}}
	if !effort.Small() {
		scopes = append(scopes, scope{epochs: 3, writes: 3}, scope{epochs: 3, writes: 4})
	}
	for _, s := range scopes {
		states, reaped := search(t, s)
		t.Logf("epochs 0 to %d, %d writes: all %d states, %d of them fully reaped", s.epochs, s.writes, states, reaped)
		if reaped == 0 {
			t.Error("nothing was ever reaped")
		}
	}
}

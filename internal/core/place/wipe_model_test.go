package place_test

import (
	"fmt"
	"math/bits"
)

// What models/wipe-in-move adds: one node loses its disk while the partition moves.
// A link may name the new one. Nobody waits for requests under way.

func (s *search) isLost(m *mstate, x int) bool {
	return m.wipe.on && s.w.nodes[x:x+1] == s.w.lost
}

// counts says whether an answer of x counts for a request at a number (R15): no
// later one is known there, and the number names the disk.
func (s *search) counts(m *mstate, x int, number uint8) bool {
	if s.isLost(m, x) && !s.w.anyDisk && (m.wipe.name == 0 || number < m.wipe.name) {
		return false
	}
	return m.ep[x] <= number
}

// loses lets x lose its disk, be filled again, and be current again.
func (s *search) loses(m mstate, x int, emit func(mstate, func() string)) {
	name := s.w.nodes[x]
	if !m.wipe.on {
		if (m.ep[x] > 0 || m.has>>x&1 == 1) && (!m.write.done || m.write.acks != 1<<x) {
			n := m
			n.wipe = wipe{on: true, rec: true}
			if s.proves(&m, x) {
				n.wipe.hand, n.wipe.handAt = m.cmp[x], m.cmpAt[x]
			}
			n.ep[x], n.cmp[x], n.cmpAt[x] = 0, 0, 0
			n.has &^= 1 << x
			n.write.gone = n.write.acks & (1 << x)
			emit(n, func() string { return fmt.Sprintf("%c loses its disk", name) })
		}
		return
	}
	if !m.wipe.rec {
		return
	}
	for y := range len(s.w.nodes) {
		if y == x || m.wipe.sources>>y&1 == 1 || s.spot(&m, m.ep[y]).holds(y) == 0 || s.newcomer(&m, y) {
			continue
		}
		if !s.w.early && (m.wipe.name == 0 || m.ep[x] < m.wipe.name || m.ep[y] < m.wipe.name) {
			continue
		}
		n := m
		n.wipe.sources |= 1 << y
		if m.has>>y&1 == 1 {
			n.has |= 1 << x
		}
		both := max(m.ep[x], m.ep[y])
		n.ep[x], n.ep[y] = both, both
		emit(n, func() string { return fmt.Sprintf("%c is filled by %c, both at %d", name, s.w.nodes[y], both) })
	}
	if m.wipe.name > 0 && m.ep[x] >= m.wipe.name && s.current(&m, x) {
		n := m
		n.wipe.rec = false
		emit(n, func() string { return fmt.Sprintf("%c is current again", name) })
	}
}

// proves says whether x has compared with enough for its proof to be any good.
func (s *search) proves(m *mstate, x int) bool {
	if m.cmp[x] == 0 {
		return false
	}
	sources, _ := s.spot(m, m.cmpAt[x]).p.Of(0).Need(s.w.promise)
	return bits.OnesCount8(m.cmp[x]) >= sources
}

func (p *spot) holds(x int) uint8 { return (p.old | p.new | p.leavers) >> x & 1 }

// newcomer says whether y, as far as it knows, has yet to prove something.
func (s *search) newcomer(m *mstate, y int) bool {
	return s.spot(m, m.ep[y]).newcomers>>y&1 == 1
}

// current says whether x may end recovering (R10): it was filled by so many of the
// list in force, and after a move of the old one too, that one of them took part
// in every write.
func (s *search) current(m *mstate, x int) bool {
	if s.newcomer(m, x) {
		return false
	}
	at := s.spot(m, m.ep[x])
	enough := func(list uint8) bool {
		others := list &^ (1 << x)
		return bits.OnesCount8(m.wipe.sources&others) >= min(s.w.promise.N-s.w.promise.W+1, bits.OnesCount8(others))
	}
	return enough(at.old) && (at.new != 0 || at.old == s.spots[0].old || enough(s.spots[0].old))
}

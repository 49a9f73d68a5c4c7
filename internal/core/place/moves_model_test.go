package place_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// The model of RULES R14 to R16, after models/move3: one strict write and one
// strict read later, while a partition moves. Which links are legal is asked of
// Placement.Follow, what is enough of Lists; replicas, their fences and their
// comparisons are played here. Every order of events is tried.

// world is a scope of the search.
type world struct {
	nodes   string   // one letter each
	old     string   // the list it begins at
	links   []string // the links in their order: where a move begins to, "end" or "abort"
	promise place.Promise
	across  bool   // the write begins before all links, the read after them
	lost    string // who may lose its disk, once; "": nobody, and then leavers drop
	// Planted bugs of what is played.
	unfenced  bool // a comparison at any number counts
	relabeled bool // comparisons are kept when the number changes
	anyDisk   bool // a new disk counts before a link has named it
	early     bool // a new disk is filled by who has not adopted the link that names it
}

// mstate is a state of it. Numbers of links count from 0 along the chain.
type mstate struct {
	cur   int16 // the newest placement
	ep    [6]uint8
	cmpAt [6]uint8 // at which number each compared
	cmp   [6]uint8 // and with whom
	has   uint8    // who holds w
	write write
	read  read
	wipe  wipe
}

// wipe is a disk that was lost.
type wipe struct {
	on      bool
	rec     bool  // its node is recovering
	name    uint8 // number of the link that names the new one; 0: none
	sources uint8 // with whom the node has compared since
	hand    uint8 // with whom the lost one had compared,
	handAt  uint8 // at which number: its proof may be in somebody's hands
}

type write struct {
	on, done bool
	at, acks uint8
	gone     uint8 // of those who acknowledged: lost their disk
}

type read struct {
	on, done, saw bool
	at, got       uint8
}

// spot is a placement that was reached, with its lists as bits.
type spot struct {
	p             *place.Placement
	path          []int16 // the placements up to it
	old, new      uint8
	provers       uint8
	writes, reads [64]bool
	dropsAtOnce   uint8 // came with the move that is aborted here
	leavers       uint8
	newcomers     uint8
	step          int // links of the script that led here
	next          map[linkKey]int16
}

// linkKey is a link that may follow a spot.
type linkKey struct {
	kind   byte // of the script's; f: all at once; n: a new disk is named
	hand   bool // the proof is of the lost disk
	proofs [6]struct{ number, sources, sealed uint8 }
}

type search struct {
	t     testing.TB
	loser uint8 // who may lose its disk
	w     world
	spots []*spot
	moved int // states in which the write and a move were done
	ended bool
}

func (w *world) ids(mask uint8) (out ids) {
	for i := range len(w.nodes) {
		if mask>>i&1 == 1 {
			out = append(out, ring.NodeID(w.nodes[i:i+1]))
		}
	}
	return out
}

func (w *world) mask(list ids) (m uint8) {
	for i := range len(w.nodes) {
		if slices.Contains(list, ring.NodeID(w.nodes[i:i+1])) {
			m |= 1 << i
		}
	}
	return m
}

func letters(s string) (out ids) {
	for i := range len(s) {
		out = append(out, ring.NodeID(s[i:i+1]))
	}
	return out
}

// begin returns a search at the placement in which the first list is in force.
func (w world) search(t testing.TB) *search {
	s := &search{t: t, w: w, loser: w.mask(ids{ring.NodeID(w.lost)})}
	p := named(t, founded(t, 8, len(w.old), letters(w.old)...))
	if !slices.Equal(p.Of(0).Old, letters(w.old)) {
		t.Fatalf("it begins at %v", p.Of(0).Old)
	}
	l := next(p, place.Ordinary)
	for i, id := range letters(w.nodes) {
		if _, ok := p.Member(id); !ok {
			l.Members = append(l.Members, place.Member{ID: id, Disk: uint64(i + 1)})
		}
	}
	slices.SortFunc(l.Members, func(a, b place.Member) int { return int(a.ID[0]) - int(b.ID[0]) })
	if len(l.Members) > len(p.Members()) {
		p = follow(t, p, l)
	}
	s.add(p, nil)
	return s
}

func (s *search) add(p *place.Placement, before *spot) int16 {
	w := &s.w
	l := p.Of(0)
	at := &spot{p: p, next: map[linkKey]int16{}, old: w.mask(l.First(w.promise.N).Old), new: w.mask(l.First(w.promise.N).New)}
	at.newcomers = at.new &^ at.old
	if l.Moving() {
		at.provers = w.mask(l.Provers(nil, w.promise))
	}
	for m := range at.writes {
		by := w.ids(uint8(m))
		at.writes[m], at.reads[m] = l.Writes(w.promise, by), l.Reads(w.promise, by)
	}
	if before != nil {
		at.path, at.step = slices.Clone(before.path), before.step
		now := at.old | at.new
		if was := before.new; was != 0 && at.new == 0 {
			if at.old == before.old {
				at.dropsAtOnce = was &^ now
			} else {
				at.leavers = before.old &^ now
			}
		}
	}
	id := int16(len(s.spots))
	at.path = append(at.path, id)
	s.spots = append(s.spots, at)
	return id
}

// spot returns the placement with a number.
func (s *search) spot(m *mstate, number uint8) *spot {
	return s.spots[s.spots[m.cur].path[number]]
}

func (s *search) newest(m *mstate) uint8 { return uint8(len(s.spots[m.cur].path) - 1) }

// run goes through every history. It returns the shortest one that loses the
// write, or nil.
func (s *search) run() (lost []string, states int) {
	first := mstate{}
	seen := map[mstate]struct{}{first: {}}
	queue, from := []mstate{first}, []int32{-1}
	for i := 0; i < len(queue); i++ {
		m, bad := queue[i], false
		if at := s.spots[m.cur]; m.write.done && at.old != s.spots[0].old && at.new == 0 {
			s.moved++
		}
		s.successors(m, func(n mstate, _ func() string) {
			s.settle(&n)
			if bad || n.read.done && n.read.saw {
				return
			}
			if _, ok := seen[n]; !ok {
				bad = n.read.done
				seen[n] = struct{}{}
				queue, from = append(queue, n), append(from, int32(i))
			}
		})
		if bad {
			return s.trace(queue, from), len(seen)
		}
	}
	return nil, len(seen)
}

// settle forgets how a write was done, unless the only one who holds it may yet
// lose its disk. What only lost disks held is not promised (R18).
func (s *search) settle(m *mstate) {
	w := &m.write
	if w.done && w.acks != 0 && w.acks == w.gone {
		m.read.done, m.read.saw = true, true
	}
	if w.done && (m.wipe.on || s.w.lost == "" || w.acks != s.loser) {
		*w = write{done: true}
	}
	if m.wipe.on && !m.wipe.rec {
		m.wipe.sources = 0
	}
}

// trace tells how the last state of the queue came about.
func (s *search) trace(queue []mstate, from []int32) (steps []string) {
	for k := int32(len(queue) - 1); k > 0; k = from[k] {
		label := ""
		s.successors(queue[from[k]], func(n mstate, l func() string) {
			if s.settle(&n); n == queue[k] {
				label = l()
			}
		})
		steps = append(steps, label)
	}
	slices.Reverse(steps)
	return steps
}

func (s *search) successors(m mstate, emit func(mstate, func() string)) {
	s.links(m, emit)
	for x := range len(s.w.nodes) {
		if m.ep[x] < s.newest(&m) {
			n := m
			n.ep[x]++
			emit(n, func() string { return fmt.Sprintf("%c adopts %d", s.w.nodes[x], n.ep[x]) })
		}
		s.compares(m, x, emit)
		if s.w.lost == "" {
			s.drops(m, x, emit)
		}
	}
	if s.w.lost != "" {
		s.loses(m, strings.Index(s.w.nodes, s.w.lost), emit)
	}
	if !m.write.done {
		s.writes(m, emit)
	} else {
		s.reads(m, emit)
	}
}

// compares lets x merge what another holds, at the number of both.
func (s *search) compares(m mstate, x int, emit func(mstate, func() string)) {
	at := s.spot(&m, m.ep[x])
	if at.provers>>x&1 == 0 || s.isLost(&m, x) && m.ep[x] < m.wipe.name {
		return
	}
	if s.w.relabeled && m.cmp[x] != 0 && m.cmpAt[x] != m.ep[x] {
		n := m
		n.cmpAt[x] = n.ep[x]
		emit(n, func() string { return fmt.Sprintf("%c keeps its comparisons", s.w.nodes[x]) })
	}
	for y := range len(s.w.nodes) {
		if at.old>>y&1 == 0 || m.ep[y] != m.ep[x] && !s.w.unfenced || s.isLost(&m, y) && m.wipe.rec {
			continue
		}
		n := m
		if n.cmpAt[x] != n.ep[x] {
			n.cmpAt[x] = n.ep[x]
			if !s.w.relabeled {
				n.cmp[x] = 0
			}
		}
		if n.cmp[x]>>y&1 == 1 {
			continue
		}
		n.cmp[x] |= 1 << y
		if n.has>>y&1 == 1 {
			n.has |= 1 << x
		}
		emit(n, func() string { return fmt.Sprintf("%c compares with %c at %d", s.w.nodes[x], s.w.nodes[y], m.ep[x]) })
	}
}

// drops lets x drop what it is not to hold: at once where the move that brought it
// was aborted, else when all of the list know and hold what it holds.
func (s *search) drops(m mstate, x int, emit func(mstate, func() string)) {
	at := s.spot(&m, m.ep[x])
	if (at.dropsAtOnce|at.leavers)>>x&1 == 0 {
		return
	}
	n := m
	n.cmp[x], n.cmpAt[x] = 0, 0
	n.has &^= 1 << x
	if at.leavers>>x&1 == 1 {
		for y := range len(s.w.nodes) {
			if at.old>>y&1 == 1 && m.ep[y] < m.ep[x] {
				return
			}
		}
		if m.has>>x&1 == 1 {
			n.has |= at.old
		}
	}
	if n != m {
		emit(n, func() string { return fmt.Sprintf("%c drops", s.w.nodes[x]) })
	}
}

func (s *search) writes(m mstate, emit func(mstate, func() string)) {
	for e := range s.newest(&m) + 1 {
		if (!m.write.on || e > m.write.at) && (e == 0 || !s.w.across) {
			n := m
			n.write = write{on: true, at: e}
			emit(n, func() string { return fmt.Sprintf("the write begins at %d", e) })
		}
	}
	if !m.write.on {
		return
	}
	at := s.spot(&m, m.write.at)
	for x := range len(s.w.nodes) {
		if (at.old|at.new)>>x&1 == 0 || !s.counts(&m, x, m.write.at) || (m.write.acks&^m.write.gone)>>x&1 == 1 {
			continue
		}
		n := m
		n.write.gone &^= 1 << x
		n.ep[x] = m.write.at
		n.has |= 1 << x
		n.write.acks |= 1 << x
		n.write.done = at.writes[n.write.acks]
		emit(n, func() string {
			return fmt.Sprintf("%c stores w at %d, done %v", s.w.nodes[x], m.write.at, n.write.done)
		})
	}
}

// reads: what a newcomer holds is not looked at until the move has ended, unless a
// disk may be lost. Then it must be: it may be the last of those who acknowledged a
// write that has one holder in the old list.
func (s *search) reads(m mstate, emit func(mstate, func() string)) {
	for e := range s.newest(&m) + 1 {
		if (!m.read.on || e > m.read.at) && (int(e) == len(s.w.links) || !s.w.across) {
			n := m
			n.read = read{on: true, at: e}
			emit(n, func() string { return fmt.Sprintf("the read begins at %d", e) })
		}
	}
	if !m.read.on {
		return
	}
	at := s.spot(&m, m.read.at)
	for x := range len(s.w.nodes) {
		if (at.old|at.new)>>x&1 == 0 || !s.counts(&m, x, m.read.at) || m.read.got>>x&1 == 1 {
			continue
		}
		if s.isLost(&m, x) && m.wipe.rec && at.newcomers>>x&1 == 0 {
			continue
		}
		n := m
		n.ep[x] = m.read.at
		n.read.got |= 1 << x
		n.read.saw = n.read.saw || n.has>>x&1 == 1 && (at.old>>x&1 == 1 || s.w.lost != "")
		n.read.done = at.reads[n.read.got]
		emit(n, func() string {
			return fmt.Sprintf("%c answers at %d, has w: %v", s.w.nodes[x], m.read.at, n.has>>x&1 == 1)
		})
	}
}

// links tries the next link of the script, and to flip where it begins a move:
// whether it may follow is asked of the real code.
func (s *search) links(m mstate, emit func(mstate, func() string)) {
	try := func(k linkKey) {
		if id := s.follow(m.cur, k, &m); id >= 0 {
			n := m
			n.cur = id
			if k.kind == 'n' {
				n.wipe.name = s.newest(&n)
			}
			emit(n, func() string {
				l := s.spots[id].p.Of(0)
				return fmt.Sprintf("link %d: %v -> %v", s.newest(&n), l.Old, l.New)
			})
		}
	}
	if m.wipe.on && m.wipe.name == 0 {
		try(linkKey{kind: 'n'})
	}
	at := s.spots[m.cur].step
	if at >= len(s.w.links) {
		return
	}
	switch s.w.links[at] {
	case "abort":
		try(linkKey{kind: 'a'})
		return
	case "end":
	default:
		try(linkKey{kind: 'b'})
		try(linkKey{kind: 'f'})
		return
	}
	k := linkKey{kind: 'e'}
	for x := range len(s.w.nodes) {
		s.proof(&m, &k, x, m.cmpAt[x], m.cmp[x])
	}
	try(k)
	if m.wipe.hand != 0 {
		k.hand = true
		s.proof(&m, &k, strings.Index(s.w.nodes, s.w.lost), m.wipe.handAt, m.wipe.hand)
		try(k)
	}
}

// proof puts into a link what x has proved.
func (s *search) proof(m *mstate, k *linkKey, x int, number, sources uint8) {
	if sources == 0 {
		return
	}
	p := &k.proofs[x]
	p.number, p.sources, p.sealed = number, sources, 0
	for y := range len(s.w.nodes) {
		if m.ep[y] >= number {
			p.sealed |= 1 << y
		}
	}
	p.sealed &= s.spot(m, number).old
}

func (s *search) follow(cur int16, k linkKey, m *mstate) int16 {
	at := s.spots[cur]
	if id, ok := at.next[k]; ok {
		return id
	}
	lists := at.p.Of(0)
	move := place.Move{Old: lists.Old}
	switch k.kind {
	case 'b':
		move.New = letters(s.w.links[at.step])
	case 'f':
		move.Old = letters(s.w.links[at.step])
	case 'e':
		move.Old = lists.New
		for x, p := range k.proofs {
			if p.sources != 0 {
				who := ring.NodeID(s.w.nodes[x : x+1])
				of := at.p
				if k.hand && string(who) == s.w.lost {
					of = s.spots[0].p
				}
				move.Proofs = append(move.Proofs, place.Proof{
					Who: who, Disk: disk(of, who),
					Number: s.spot(m, p.number).p.Of(0).Number, N: s.w.promise.N, W: s.w.promise.W, R: s.w.promise.R,
					Sources: s.w.ids(p.sources), Sealed: s.w.ids(p.sealed),
				})
			}
		}
	}
	l := next(at.p, place.Ordinary)
	l.Moves = []place.Move{move}
	if k.kind == 'n' {
		l.Members[slices.IndexFunc(l.Members, func(m place.Member) bool { return string(m.ID) == s.w.lost })].Disk = 77
		l.Moves = nil
	}
	id := int16(-1)
	if p, err := at.p.Follow(l); err == nil {
		id = s.add(p, at)
		if k.kind != 'n' {
			s.spots[id].step++
		}
		for _, other := range at.next { // by whatever proofs, the same place
			if other >= 0 && sameLists(s.spots[other].p.Of(0), p.Of(0)) {
				s.spots = s.spots[:id]
				id = other
				break
			}
		}
		s.ended = s.ended || k.kind == 'e'
	}
	at.next[k] = id
	return id
}

func sameLists(a, b *place.Lists) bool {
	return slices.Equal(a.Old, b.Old) && slices.Equal(a.New, b.New)
}

func (w *world) name() string {
	return fmt.Sprintf("n=%d w=%d r=%d, %s, %v", w.promise.N, w.promise.W, w.promise.R, w.old, w.links)
}

// three are the quorums of three replicas that promise something.
var three = []place.Promise{{N: 3, W: 2, R: 2}, {N: 3, W: 3, R: 1}, {N: 3, W: 1, R: 3}}

package chain

import (
	"slices"
	"sort"
	"strings"

	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// moves ends, aborts and begins what is due, in this order of importance, as far as
// a link has room.
func (b *builder) moves() {
	t := b.c.target
	if t == nil || len(t.Lists) != b.p.Q() {
		return
	}
	b.coming, b.freed = map[ring.NodeID]int{}, map[ring.NodeID]int{}
	b.size = len(place.AppendLink(nil, &b.link))
	for i := range uint32(b.p.Q()) {
		if b.p.Of(i).Moving() {
			b.finish(i)
		}
	}
	for i := range uint32(b.p.Q()) {
		if !b.p.Of(i).Moving() {
			b.begin(i)
		}
	}
	slices.SortFunc(b.link.Moves, func(x, y place.Move) int { return int(x.Partition) - int(y.Partition) })
}

// finish ends a move that has proved all, and aborts one whose list is wanted no
// more.
func (b *builder) finish(i uint32) {
	l, t := b.p.Of(i), b.c.target
	comers := l.Newcomers(nil)
	for _, id := range comers {
		b.coming[id]++
	}
	m := place.Move{Partition: i, Old: l.New}
	switch {
	case len(t.Lists[i]) > 0 && !slices.Equal(t.Lists[i], l.New):
		m.Old = l.Old
		b.urgent = true
	default:
		m.Proofs = b.proofs(i)
		if !l.Met(m.Proofs, t.Promises) || b.void(m.Proofs) {
			b.onWay++
			return
		}
	}
	if b.add(m) {
		for _, id := range comers {
			b.freed[id]++
		}
	}
}

// proofs are those in hand for the move of a partition, of what is promised now.
func (b *builder) proofs(i uint32) (all []place.Proof) {
	from := sort.Search(len(b.c.proofs), func(at int) bool { return b.c.proofs[at].Partition >= i })
	for _, r := range b.c.proofs[from:] {
		if r.Partition != i {
			break
		}
		if b.c.promisedBy(r.Proof) {
			all = append(all, r.Proof)
		}
	}
	return all
}

// void says whether this very link names another disk of a prover.
func (b *builder) void(proofs []place.Proof) bool {
	return slices.ContainsFunc(proofs, func(p place.Proof) bool { return b.disk(p.Who) != p.Disk })
}

// disk is that of a member of the link; 0: it is none.
func (b *builder) disk(id ring.NodeID) uint64 {
	at, ok := slices.BinarySearchFunc(b.link.Members, id, func(m place.Member, id ring.NodeID) int { return compareIDs(m.ID, id) })
	if !ok {
		return 0
	}
	return b.link.Members[at].Disk
}

// begin sends a partition on its way to where it should be, if all who are to get
// it are members, can be reached and have room.
func (b *builder) begin(i uint32) {
	l, want := b.p.Of(i), b.c.target.Lists[i]
	if len(want) == 0 || slices.Equal(want, l.Old) {
		return
	}
	next := place.Lists{Old: l.Old, New: want}
	now := true // there was room before this link, too
	comers := next.Newcomers(nil)
	for _, id := range want {
		if b.disk(id) == 0 {
			return
		}
	}
	for _, id := range comers {
		if !b.c.present(id) || b.coming[id]-b.freed[id] >= b.c.cfg.MaxMoving {
			return
		}
		now = now && b.coming[id] < b.c.cfg.MaxMoving
	}
	if b.add(place.Move{Partition: i, Old: l.Old, New: want}) {
		b.urgent = b.urgent || now
		for _, id := range comers {
			b.coming[id]++
		}
	}
}

// add adds a move if the link has room for it.
func (b *builder) add(m place.Move) bool {
	b.scratch = place.AppendMove(b.scratch[:0], &b.link, &m)
	if b.size+len(b.scratch) > b.c.cfg.MaxLink {
		return false
	}
	b.size += len(b.scratch)
	b.link.Moves = append(b.link.Moves, m)
	return true
}

func compareIDs(a, b ring.NodeID) int { return strings.Compare(string(a), string(b)) }

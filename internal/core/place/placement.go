package place

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/ring"
)

// Placement is where all partitions are after one link of the chain: an immutable
// value.
type Placement struct {
	number     uint64
	origin     Hash
	hash       Hash
	first      Hash // of the link that named the founders' disks; zero: none has
	checkpoint Checkpoint
	members    []Member
	lists      []Lists
}

// Number returns that of the newest link; 1 for a cluster that was just founded.
func (p *Placement) Number() uint64 { return p.number }

// Hash covers the chain up to the newest link.
func (p *Placement) Hash() Hash { return p.hash }

// Origin names the founding by what the history has of it: chains of two foundings have nothing to do
// with each other.
func (p *Placement) Origin() Hash { return p.origin }

// First is the hash of the link that named the founders' disks, zero before it: chains of
// one founding that begin with two of them have nothing to do with each other either.
func (p *Placement) First() Hash { return p.first }

// Checkpoint returns the newest checkpoint of the history that a link has named; zero:
// none has.
func (p *Placement) Checkpoint() Checkpoint { return p.checkpoint }

// Members returns those who choose the next link, sorted by id. The result is
// shared: it must not be modified.
func (p *Placement) Members() []Member { return p.members }

// Member returns the member with this id and whether there is one.
func (p *Placement) Member(id ring.NodeID) (Member, bool) {
	i, ok := slices.BinarySearchFunc(p.members, id, compareID)
	if !ok {
		return Member{}, false
	}
	return p.members[i], true
}

// Named says whether links have named the disks of all members: not before the
// second link, which must be chosen by all founders (decision 0019).
func (p *Placement) Named() bool { return p.members[0].Disk != 0 }

// Q returns the number of partitions.
func (p *Placement) Q() int { return len(p.lists) }

// Of returns the lists of a partition. The result is shared: it must not be
// modified.
func (p *Placement) Of(partition uint32) *Lists { return &p.lists[partition] }

// Holds says whether a node is in the lists of any partition.
func (p *Placement) Holds(id ring.NodeID) bool {
	return slices.ContainsFunc(p.lists, func(l Lists) bool { return l.Holds(id) })
}

// Founded returns the placement that a cluster begins with: every partition is
// where the founding ring has it. No link has named the disks of the founders. The
// origin is that of the history which the chain is by.
func Founded(origin Hash, r *ring.Ring, n int) *Placement {
	p := &Placement{number: 1, origin: origin, lists: make([]Lists, r.Q())}
	for _, node := range r.Nodes() {
		p.members = append(p.members, Member{ID: node.ID})
	}
	for i := range p.lists {
		p.lists[i] = Lists{Number: 1, Old: r.Preference(uint32(i), n)}
	}
	p.hash = sum(p.appendBody(origin[:]))
	return p
}

// New returns a placement as it was kept or told. It keeps what it is given:
// members sorted by id, and the lists of every partition.
func New(number uint64, hash Hash, members []Member, lists []Lists) *Placement {
	return &Placement{number: number, hash: hash, members: members, lists: lists}
}

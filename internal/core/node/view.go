package node

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// View is what a node knows of its cluster: an immutable value, replaced whole.
type View struct {
	Self ring.NodeID
	// Ring is where each partition should be. It tells a key's partition, and who
	// stands in for those that hold it.
	Ring *ring.Ring
	// Place is where each partition is (RULES R12); nil: where the ring has it, in a
	// cluster whose ring never changes.
	Place *place.Placement
	// Disk is the id of this node's disk, as links name it; 0: there are none.
	Disk    uint64
	Buckets Buckets
	// Expelled says that this node was removed from its cluster, and has handed on what
	// it held: it serves nobody any more. There is no ring then.
	Expelled bool
}

// Lists returns where a partition is, for a bucket of n replicas. What it holds is
// shared: it must not be modified.
func (v *View) Lists(partition uint32, n int) place.Lists {
	switch {
	case v.Place == nil && v.Ring == nil:
		return place.Lists{}
	case v.Place == nil:
		return place.Lists{Old: v.Ring.Preference(partition, n)}
	case int(partition) >= v.Place.Q():
		return place.Lists{}
	}
	return v.Place.Of(partition).First(n)
}

// Primaries returns who holds a partition for a bucket of n replicas: its list,
// and while it moves the newcomers after it. The result may be shared.
func (v *View) Primaries(partition uint32, n int) []ring.NodeID {
	l := v.Lists(partition, n)
	if !l.Moving() {
		return l.Old
	}
	return l.All(nil)
}

// Number returns that of the link that a partition's lists are by (RULES R15); 0
// where the ring never changes.
func (v *View) Number(partition uint32) uint64 {
	if v.Place == nil || int(partition) >= v.Place.Q() {
		return 0
	}
	return v.Place.Of(partition).Number
}

// Unnamed says that the links know this node by another disk than it has: it has
// forgotten what that one held, and counts for nothing strict before a link names
// its own (RULES R9, R15). Founders go by lineage until a link has named them.
func (v *View) Unnamed() bool {
	if v.Place == nil || v.Disk == 0 {
		return false
	}
	m, ok := v.Place.Member(v.Self)
	return ok && m.Disk != 0 && m.Disk != v.Disk
}

// Moving says whether a partition is on its way to another list.
func (v *View) Moving(partition uint32) bool {
	return v.Place != nil && int(partition) < v.Place.Q() && v.Place.Of(partition).Moving()
}

// Member says whether a node may stand in for others: by the ring alone whoever
// has tokens, else only who has a say in the placement too.
func (v *View) Member(id ring.NodeID) bool {
	if v.Ring == nil || v.Ring.Count(id) == 0 {
		return false
	}
	return v.listed(id)
}

// listed says whether a node is not known to be out of the cluster.
func (v *View) listed(id ring.NodeID) bool {
	if v.Place == nil {
		return true
	}
	_, ok := v.Place.Member(id)
	return ok
}

// StandIns appends to dst who may stand in for a partition's primaries, in the
// order of the walk (paper, section 4.6): at most the first so many nodes of the
// ring are looked at.
func (v *View) StandIns(dst []ring.NodeID, partition uint32, primaries []ring.NodeID, first int) []ring.NodeID {
	for _, id := range v.Ring.Preference(partition, first) {
		if v.listed(id) && !slices.Contains(primaries, id) {
			dst = append(dst, id)
		}
	}
	return dst
}

// Held returns the partitions that this node is to hold, for any bucket.
func (v *View) Held() []uint32 {
	most := 0
	for _, p := range promises(&v.Buckets) {
		most = max(most, p.n)
	}
	var all []uint32
	for p := range uint32(v.Ring.Q()) {
		if l := v.Lists(p, most); l.Holds(v.Self) {
			all = append(all, p)
		}
	}
	return all
}

// Lost returns the partitions that recover when the disk of this node is lost, of a
// cluster of q where the node knows of none. Where links say where everything is,
// these are all: which of them it holds is known once a link names the new disk
// (RULES R10), and what it holds by an older one, or by none, may be others.
func (v *View) Lost(q int) []uint32 {
	if v.Place == nil && v.Ring.Q() > 0 {
		return v.Held()
	}
	if v.Place != nil {
		q = v.Place.Q()
	}
	all := make([]uint32, q)
	for p := range all {
		all[p] = uint32(p)
	}
	return all
}

// Named says that the links name the disk that this node has, or that there are none
// to do so.
func (v *View) Named() bool {
	if v.Place == nil {
		return v.Ring.Q() > 0
	}
	m, ok := v.Place.Member(v.Self)
	return v.Disk == 0 || ok && m.Disk == v.Disk
}

// Bucket is how one bucket behaves.
type Bucket = member.Bucket

// Buckets are the settings of every bucket.
type Buckets = member.Buckets

// Gained returns the partitions in whose lists this node is by a view, and was not by the
// one before, nor on its way to them. Nobody is taken into a list without having proved
// what it holds, so unless these recover already it has forgotten that it did: all of it
// is to be recovering (RULES R9). A node without a placement has gained nothing, as its
// first may be its first.
func (v *View) Gained(before *View) []uint32 {
	if v.Place == nil || before.Place == nil {
		return nil
	}
	var all []uint32
	same := before.Place.Origin() == v.Place.Origin() && before.Place.Q() == v.Place.Q()
	for p := range uint32(v.Place.Q()) {
		if slices.Contains(v.Place.Of(p).Old, v.Self) && !(same && before.Place.Of(p).Holds(v.Self)) {
			all = append(all, p)
		}
	}
	return all
}

package replica

import "slices"

// SetDoubt says whether this replica may have lost something that it
// acknowledged, anywhere. While it may, it stores everything but answers reads
// with [DontKnow], states attached where they were asked for (RULES R9).
func (r *Replica) SetDoubt(on bool) { r.doubt = on }

// SetRecovering is SetDoubt for one partition, in the buckets that its progress
// names; nil: it is over. An Op with the verb Recover does it too, and durably.
func (r *Replica) SetRecovering(partition uint32, p *Progress) {
	delete(r.unsure, partition)
	some := p != nil && len(p.Buckets) > 0
	r.recovering.set(partition, p != nil && !some)
	if some {
		if r.unsure == nil {
			r.unsure = map[uint32][]string{}
		}
		r.unsure[partition] = p.Buckets
	}
}

// Recovering reports whether this replica is recovering in any bucket of a
// partition.
func (r *Replica) Recovering(partition uint32) bool {
	return r.RecoversAll(partition) || len(r.unsure[partition]) > 0
}

// RecoversAll reports whether it is in all of them.
func (r *Replica) RecoversAll(partition uint32) bool { return r.doubt || r.recovering.has(partition) }

// recoversIn reports whether it is in one of them.
func (r *Replica) recoversIn(partition uint32, bucket string) bool {
	return r.RecoversAll(partition) || slices.Contains(r.unsure[partition], bucket)
}

// RecoversAny says whether this replica may have forgotten anything.
func (r *Replica) RecoversAny() bool { return r.doubt || r.recovering.any() || len(r.unsure) > 0 }

// partitions is a set of partitions.
type partitions []uint64

func (s partitions) has(p uint32) bool {
	i := int(p / 64)
	return i < len(s) && s[i]>>(p%64)&1 != 0
}

func (s partitions) any() bool {
	return slices.ContainsFunc(s, func(some uint64) bool { return some != 0 })
}

func (s *partitions) set(p uint32, on bool) {
	i := int(p / 64)
	for on && len(*s) <= i {
		*s = append(*s, 0)
	}
	switch {
	case on:
		(*s)[i] |= 1 << (p % 64)
	case i < len(*s):
		(*s)[i] &^= 1 << (p % 64)
	}
}

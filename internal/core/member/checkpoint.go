package member

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/ring"
)

// Checkpoint folds the changes up to the one at which the history had this
// digest, and keeps what they made in their stead (RULES R38). Whatever is not
// among them is folded after them, however early its stamp, so that a change
// that was long on its way does not alter what others have built on. The digest
// stays what it was.
//
// Every member must go by the same checkpoints: which they are is decided by the
// chain of links, never by one node. Returned is false where the history never
// had this digest, or is past it: the checkpoint then comes from a peer, by
// [History.Union].
func (h History) Checkpoint(digest [16]byte) (History, bool) {
	k := slices.Index(h.sums, digest)
	if k < 0 || h.changes[0].Kind != Found {
		return h, false
	}
	if k == 0 {
		return h, true
	}
	f := newFold()
	f.run(h.changes[:k+1])
	if len(f.cluster.Members) == 0 {
		return h, false
	}
	base := h.changes[0]
	p := f.founding(base.Founding)
	for i := 1; i <= k; i++ {
		p.mark(&h.changes[i])
	}
	p.Count, p.Digest = h.floor()+k+1, digest
	base.Founding = p
	next := History{changes: append([]Change{base}, h.changes[k+1:]...)}
	next.sum(0)
	return next, true
}

// founding is what the fold has come to, as a founding of the same origin as the
// one it began with.
func (f *fold) founding(from *Founding) *Founding {
	p := &Founding{
		Origin: from.Origin, Members: f.cluster.Members, Removed: f.cluster.Removed, Forced: f.cluster.Forced,
		Owners: make([]uint32, len(f.tokens)), Marks: slices.Clone(from.Marks), Absorbed: slices.Clone(from.Absorbed),
	}
	if f.cluster.Defaulted {
		p.Buckets = append(p.Buckets, NamedBucket{"", f.cluster.Buckets.Default})
	}
	for _, name := range f.cluster.Defined {
		p.Buckets = append(p.Buckets, NamedBucket{name, f.cluster.Buckets.Named[name]})
	}
	index := map[ring.NodeID]uint32{}
	for i, m := range p.Members {
		index[m.ID] = uint32(i)
	}
	for t := range f.tokens {
		p.Owners[t] = index[f.tokens[t].Owner]
	}
	return p
}

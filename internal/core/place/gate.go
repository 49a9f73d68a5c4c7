package place

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ourodb/ouro/internal/core/ring"
)

// MaxN is the length of the longest list: what one request has room for.
const MaxN = 8

// Promise is what requests of one or more buckets may rest on: of N replicas, W
// acknowledge a write and R answer a read. They are the bucket's pw and pr, or its
// w and r where these are 0.
type Promise struct{ N, W, R int }

// Settled returns on how many of n replicas what a read has shown must be before it
// is shown, with pr set: on as many as every other strict read meets one of, and on
// the pr that have answered (RULES R32).
func Settled(n, pr int) int { return max(n-pr+1, pr) }

// Check says what is wrong with the numbers.
func (p Promise) Check() error {
	if p.N < 1 || p.N > MaxN || p.W < 1 || p.W > p.N || p.R < 1 || p.R > p.N {
		return fmt.Errorf("place: a promise of n=%d w=%d r=%d", p.N, p.W, p.R)
	}
	return nil
}

// In returns on how many acknowledgements and answers requests may rest in a list that
// may be shorter than n. There it is the majority at most: as little as a bucket's
// numbers come to, and as a strict read sees to (RULES R32), whatever they are. It may
// be less than a bucket demands, never more.
func (p Promise) In(length int) (w, r int) {
	most := length
	if length < p.N {
		most = min(length, length/2+1)
	}
	return min(p.W, most), min(p.R, most)
}

// Writes says whether the acknowledgements of some are as many as a promise asks
// for, in each list by itself: one node may count in both, and no particular node
// is needed (RULES R14, H13).
func (l *Lists) Writes(p Promise, by []ring.NodeID) bool {
	f := l.First(p.N)
	old, _ := p.In(len(f.Old))
	fresh, _ := p.In(len(f.New))
	return shared(f.Old, by) >= old && shared(f.New, by) >= fresh
}

// Reads says the same of the answers to a read. A newcomer's counts in the new list
// only, whatever it holds.
func (l *Lists) Reads(p Promise, by []ring.NodeID) bool {
	f := l.First(p.N)
	_, old := p.In(len(f.Old))
	_, fresh := p.In(len(f.New))
	return shared(f.Old, by) >= old && shared(f.New, by) >= fresh
}

func shared(list, by []ring.NodeID) (n int) {
	for _, id := range list {
		if slices.Contains(by, id) {
			n++
		}
	}
	return n
}

// Need returns what each who must prove a promise has to show before a move ends
// (RULES R16): with how many of the old list it compared, so that one of them took
// part in every write that was acknowledged there, and how many of it know of the
// move, so that no read can be answered there without one of them.
func (l *Lists) Need(p Promise) (sources, sealed int) {
	old := len(l.First(p.N).Old)
	w, r := p.In(old)
	return old - w + 1, old - r + 1
}

// Provers appends to dst those who must prove a promise before the move ends: the
// newcomers, or all of the new list where a read there might rest on none of them
// and yet miss a write of the old list, as the lists differ in length. Where both
// lists have the same members nobody has to.
func (l *Lists) Provers(dst []ring.NodeID, p Promise) []ring.NodeID {
	f := l.First(p.N)
	before := len(dst)
	dst = f.Newcomers(dst)
	if len(dst) == before && len(f.Old) == len(f.New) {
		return dst
	}
	w, _ := p.In(len(f.Old))
	_, r := p.In(len(f.New))
	if len(dst) == before || p.W+p.R > p.N && w+r <= len(f.Old) {
		dst = append(dst[:before], f.New...)
	}
	return dst
}

// promise returns what a proof is of.
func (p *Proof) promise() Promise { return Promise{p.N, p.W, p.R} }

// Compare orders proofs of one partition.
func (p *Proof) Compare(o *Proof) int {
	return cmp.Or(strings.Compare(string(p.Who), string(o.Who)), cmp.Compare(p.N, o.N), cmp.Compare(p.W, o.W), cmp.Compare(p.R, o.R))
}

// Check says why a proof proves nothing for a move; disk is that of its author as
// the newest link names it. A link that names another disk of somebody in the
// lists is a new number, so all comparisons begin again.
func (l *Lists) Check(p *Proof, disk uint64) error {
	f := l.First(p.N)
	if err := p.promise().Check(); err != nil {
		return err
	}
	sources, sealed := l.Need(p.promise())
	switch {
	case !l.Moving():
		return errors.New("place: a proof for what does not move")
	case !slices.Contains(f.New, p.Who):
		return fmt.Errorf("place: %s proves what it is not to hold", p.Who)
	case p.Number != l.Number:
		return fmt.Errorf("place: %s compared at number %d, not at %d", p.Who, p.Number, l.Number)
	case p.Disk == 0 || p.Disk != disk:
		return fmt.Errorf("place: %s compared for a disk that is not the one named", p.Who)
	case !among(p.Sources, f.Old) || !among(p.Sealed, f.Old):
		return fmt.Errorf("place: %s rests on others than the old list", p.Who)
	case len(p.Sources) < sources:
		return fmt.Errorf("place: %s compared with %d of the old list, not with %d", p.Who, len(p.Sources), sources)
	case len(p.Sealed) < sealed:
		return fmt.Errorf("place: %d of the old list know of the move, not %d", len(p.Sealed), sealed)
	}
	return nil
}

// among says whether ids are sorted, each once, and all in list.
func among(ids, list []ring.NodeID) bool {
	for i, id := range ids {
		if i > 0 && ids[i-1] >= id || !slices.Contains(list, id) {
			return false
		}
	}
	return true
}

// Gate says why a move may not end with these proofs, or returns nil. Each promise
// that they name must be proved by all its provers, and the longest lists by
// somebody, unless no replica is new.
func (l *Lists) Gate(proofs []Proof, disk func(ring.NodeID) uint64) error {
	longest := false
	var provers []ring.NodeID
	for i := range proofs {
		p := &proofs[i]
		if i > 0 && proofs[i-1].Compare(p) >= 0 {
			return errors.New("place: proofs are out of order")
		}
		if err := l.Check(p, disk(p.Who)); err != nil {
			return err
		}
		longest = longest || p.N >= max(len(l.Old), len(l.New))
		provers = l.Provers(provers[:0], p.promise())
		for _, who := range provers {
			if !proved(proofs, who, p.promise()) {
				return fmt.Errorf("place: %s has not proved n=%d w=%d r=%d", who, p.N, p.W, p.R)
			}
		}
	}
	if !longest && len(l.Provers(nil, Promise{MaxN, 1, 1})) > 0 {
		return errors.New("place: nothing is proved of the whole lists")
	}
	return nil
}

// Met says whether sorted proofs hold all that the promises need.
func (l *Lists) Met(proofs []Proof, promises []Promise) bool {
	var provers []ring.NodeID
	for _, p := range promises {
		provers = l.Provers(provers[:0], p)
		for _, who := range provers {
			if !proved(proofs, who, p) {
				return false
			}
		}
	}
	return true
}

func proved(proofs []Proof, who ring.NodeID, p Promise) bool {
	want := Proof{Who: who, N: p.N, W: p.W, R: p.R}
	_, ok := slices.BinarySearchFunc(proofs, &want, func(a Proof, b *Proof) int { return a.Compare(b) })
	return ok
}

package member

import (
	"encoding/binary"
	"slices"
	"sort"
)

// Summary is what a node tells of its history so that another can find what the
// two have in common: a few tens of bytes, whatever its length.
type Summary struct {
	Count  int      // of changes, those behind the checkpoint included
	Digest [16]byte // of them all
	Rungs  []Rung   // lengths that double from the end on, and the checkpoint
}

// Rung says what the digest was when the history had so many changes.
type Rung struct {
	Count int
	Sum   uint64 // the first 8 bytes of the digest
}

// MaxRungs bounds the rungs of a [Summary].
const MaxRungs = 64

// Summary tells the history. With through not zero, it tells also of the changes
// up to that place, where the last page ended.
func (h History) Summary(through Key) Summary {
	s := Summary{Count: h.Count(), Digest: h.Digest()}
	if len(h.changes) == 0 {
		return s
	}
	floor := h.floor()
	rung := func(i int) { s.Rungs = append(s.Rungs, Rung{floor + i + 1, first(h.sums[i])}) }
	for back := 1; back < len(h.changes); back *= 2 {
		rung(len(h.changes) - 1 - back)
	}
	rung(0)
	if i := h.after(through) - 1; through != (Key{}) && i > 0 {
		rung(i)
	}
	return s
}

func first(sum [16]byte) uint64 { return binary.BigEndian.Uint64(sum[:]) }

// after returns how many changes are not after a place.
func (h History) after(k Key) int {
	return sort.Search(len(h.changes), func(i int) bool { return h.changes[i].key().Compare(k) > 0 })
}

// Same says whether the history is the one that was told of.
func (h History) Same(s *Summary) bool { return h.Count() == s.Count && h.Digest() == s.Digest }

// Common returns the longest beginning that both histories have, as far as the
// summary shows; the zero rung where it shows none.
func (h History) Common(s *Summary) Rung {
	best := Rung{}
	for _, r := range append(s.Rungs[:len(s.Rungs):len(s.Rungs)], Rung{s.Count, first(s.Digest)}) {
		if r.Count > best.Count && h.from(r) > 0 {
			best = r
		}
	}
	return best
}

// from returns where what comes after a beginning is, 0 where the history does
// not begin so. A place will not do for that: behind a checkpoint stand changes
// that came late, and elsewhere they are among those that it stands for.
func (h History) from(r Rung) int {
	if i := r.Count - h.floor(); i > 0 && i <= len(h.sums) && first(h.sums[i-1]) == r.Sum {
		return i
	}
	return 0
}

// Page is a part of a history: every change after a beginning, up to a place.
type Page struct {
	Common  Rung // the beginning; zero: there is none
	Upto    Key  // only if there is more
	More    bool
	Changes []Change
}

// Page returns the changes after a beginning, as many as fit in so many bytes but
// at least one.
func (h History) Page(common Rung, bytes int) Page {
	p := Page{Common: common}
	p.cut(h.changes[h.from(common):], bytes)
	return p
}

// cut takes as many of the changes as fit. Changes at one place stay together, or
// what is up to a place would not be all there is.
func (p *Page) cut(changes []Change, bytes int) {
	size := 0
	for i := range changes {
		size += len(changes[i].append(nil))
		if i > 0 && size > bytes && changes[i].key() != changes[i-1].key() {
			p.Changes, p.More, p.Upto = changes[:i:i], true, changes[i-1].key()
			return
		}
	}
	p.Changes = changes
}

// Lacking returns what the history has where a page was cut from another and the
// page has not, as many changes as fit in so many bytes.
func (h History) Lacking(p *Page, bytes int) Page {
	end := len(h.changes)
	if p.More {
		end = h.after(p.Upto)
	}
	answer := Page{Common: p.Common}
	var lacking []Change
	for i := h.from(p.Common); i < end; i++ {
		if !p.has(&h.changes[i]) {
			lacking = append(lacking, h.changes[i])
		}
	}
	answer.cut(lacking, bytes)
	return answer
}

// has says whether a change, or a checkpoint that stands for as much, is in the
// page.
func (p *Page) has(c *Change) bool {
	i, found := slices.BinarySearchFunc(p.Changes, c, func(a Change, c *Change) int { return compare(&a, c) })
	return found && (c.Kind != Found || further(&p.Changes[i], c) == &p.Changes[i])
}

package typed

import (
	"slices"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
)

// A number is the sum of the shares that actors have added to it, and actors end with
// the processes they belong to. So that a number does not grow with every restart,
// the shares of ended actors are folded into one (RULES R8).
//
// Folding keeps one of them, the last that was minted, and puts the sum of the others
// into a version of its own, which counts while that one is there. Whoever has seen
// the number and puts something else in its place, or deletes it, covers all the
// shares he saw: joined with a folding that he did not know of nothing of it is left.
//
// Two foldings of one share made apart would count it twice. Package reap sees to it
// that there is one.

// number is an element with its shares, in the order of dots.
type number struct {
	kind   ouro.Kind
	name   string
	shares []item
}

// numbers returns the elements that have shares, in the order of their first ones. A
// key that is to expire has none: it goes as a whole.
func numbers(s *causal.State) []number {
	type id struct {
		kind ouro.Kind
		name string
	}
	var all []number
	place := map[id]int{}
	for i := range s.Versions {
		v := &s.Versions[i]
		if v.ContentType == markExpiry {
			return nil
		}
		it := read(v)
		if !it.share {
			continue
		}
		at, known := place[id{it.kind, it.name}]
		if !known {
			at = len(all)
			place[id{it.kind, it.name}] = at
			all = append(all, number{kind: it.kind, name: it.name})
		}
		all[at].shares = append(all[at].shares, it)
	}
	return all
}

// Shares returns the dots of all shares, in order.
func Shares(s *causal.State) []causal.Dot {
	var dots []causal.Dot
	for i := range s.Versions {
		if v := &s.Versions[i]; isShare(v.ContentType) {
			dots = append(dots, v.Dot)
		}
	}
	return dots
}

func isShare(mark string) bool {
	return mark == markShare || mark == markFieldShare || mark == markScoreShare || folded(mark) != ""
}

// Crowded reports whether any element has more shares than most.
func Crowded(s *causal.State, most int) bool {
	n := 0
	for i := range s.Versions {
		if isShare(s.Versions[i].ContentType) {
			n++
		}
	}
	return n > most && slices.ContainsFunc(numbers(s), func(n number) bool { return len(n.shares) > most })
}

// Ended returns the dots of shares that are worth folding, in order: those of
// elements with more shares than most, but for shares of the actors that are alive.
func Ended(s *causal.State, alive []causal.Actor, most int) []causal.Dot {
	var dots []causal.Dot
	for _, n := range numbers(s) {
		if len(n.shares) <= most {
			continue
		}
		var ended []causal.Dot
		for i := range n.shares {
			if it := &n.shares[i]; it.with.IsZero() && !slices.Contains(alive, it.version.Dot.Actor) {
				ended = append(ended, it.version.Dot)
			}
		}
		for i := range n.shares {
			if it := &n.shares[i]; slices.Contains(ended, it.with) {
				ended = append(ended, it.version.Dot)
			}
		}
		if len(ended) > 2 { // two are what is left
			dots = append(dots, ended...)
		}
	}
	slices.SortFunc(dots, causal.Dot.Compare)
	return dots
}

// Hold reports whether a state holds the versions of all dots.
func Hold(s *causal.State, dots []causal.Dot) bool {
	return !slices.ContainsFunc(dots, func(d causal.Dot) bool { return !holds(s, d) })
}

// Fold says how the shares under some dots, which are in order, become one for each
// element. False: some of them are not there any more, or can't be.
func Fold(s *causal.State, dots []causal.Dot) (Change, bool) {
	var c Change
	if len(dots) == 0 || !Hold(s, dots) {
		return c, false
	}
	for _, n := range numbers(s) {
		n.shares = slices.DeleteFunc(n.shares, func(it item) bool {
			_, named := slices.BinarySearchFunc(dots, it.version.Dot, causal.Dot.Compare)
			return !named
		})
		if len(n.shares) > 1 && !c.fold(&n) {
			return Change{}, false
		}
	}
	return c, len(c.Mints) > 0
}

// fold puts into the last share of some what the others hold.
func (c *Change) fold(n *number) bool {
	of := n.shares
	last := -1
	for i := range of {
		if of[i].with.IsZero() && (last < 0 || of[i].version.Stamp >= of[last].version.Stamp) {
			last = i
		}
	}
	if last < 0 {
		return false
	}
	sum := item{kind: n.kind, name: n.name, share: true, with: of[last].version.Dot}
	for i := range of {
		if i != last {
			sum.sum += of[i].sum
			sum.score += of[i].score
			c.Covers = append(c.Covers, of[i].version.Dot)
		}
	}
	if sum.score != sum.score {
		return false
	}
	var v causal.Version
	v.ContentType, v.Value = sum.form()
	c.Mints = append(c.Mints, v)
	return true
}

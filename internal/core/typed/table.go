package typed

import (
	"slices"
	"strconv"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
)

// table is a state as its elements.
type table struct {
	state  *causal.State
	kind   ouro.Kind // of what is shown; "": nothing
	cells  map[string]*cell
	order  []string     // the names of the cells, by their first dots
	hidden []causal.Dot // expired
	limits []causal.Dot // the versions that say when the key expires
	ends   int64        // wall-clock milliseconds from which it does; 0: never
}

// cell is all there is of one element: the last value assigned to it, and the
// shares of all actors in what was added to it since.
type cell struct {
	value  item // of the greatest stamp, then dot, where there is one
	last   causal.Stamp
	dots   []causal.Dot
	sum    int64
	score  float64
	shares int
	valued bool
}

// newTable takes a state apart as it is when the wall clock shows now. What several
// types say of one key is all kept, and the type of the greatest stamp is shown.
func newTable(s *causal.State, now int64) *table {
	t := &table{state: s}
	t.expiry()
	over := t.ends != 0 && now >= t.ends
	var last causal.Stamp
	var with []*causal.Version
	for i := range s.Versions {
		v := &s.Versions[i]
		it := read(v)
		switch {
		case it.kind == "":
		case !it.with.IsZero():
			with = append(with, v)
		case over && v.Stamp < causal.StampAt(t.ends) || !v.Shown(now):
			t.hidden = append(t.hidden, v.Dot)
		case t.kind == "" || v.Stamp >= last: // in the order of dots
			t.kind, last = it.kind, v.Stamp
		}
	}
	t.loose(with)
	if over {
		t.hidden = append(t.hidden, t.limits...)
		t.limits, t.ends = nil, 0
	}
	return t
}

// loose hides what was folded into shares that are not there, or not shown.
func (t *table) loose(with []*causal.Version) {
	if len(with) == 0 {
		return
	}
	gone := make(map[causal.Dot]bool, len(t.hidden))
	for _, d := range t.hidden {
		gone[d] = true
	}
	for _, v := range with {
		if it := read(v); gone[it.with] || !holds(t.state, it.with) {
			t.hidden = append(t.hidden, v.Dot)
		}
	}
}

// holds reports whether a state holds the version of a dot.
func holds(s *causal.State, d causal.Dot) bool {
	_, found := slices.BinarySearchFunc(s.Versions, d, func(v causal.Version, d causal.Dot) int { return v.Dot.Compare(d) })
	return found
}

// expiry finds the last word on when the key expires.
func (t *table) expiry() {
	var last causal.Stamp
	for i := range t.state.Versions {
		v := &t.state.Versions[i]
		if v.ContentType != markExpiry {
			continue
		}
		if it := read(v); it.kind == "" {
			t.limits = append(t.limits, v.Dot)
			if v.Stamp >= last {
				last, t.ends = v.Stamp, it.sum
			}
		}
	}
}

// fill gathers the elements of the type that is shown, or of some names alone.
func (t *table) fill(only map[string]bool) {
	t.cells = map[string]*cell{}
	gone := map[causal.Dot]bool{}
	for _, d := range t.hidden {
		gone[d] = true
	}
	for i := range t.state.Versions {
		it := read(&t.state.Versions[i])
		if it.kind == "" || it.kind != t.kind || only != nil && !only[it.name] || gone[it.version.Dot] {
			continue
		}
		c := t.cells[it.name]
		if c == nil {
			c = &cell{}
			t.cells[it.name] = c
			t.order = append(t.order, it.name)
		}
		c.add(&it)
	}
}

// add takes one more version of the element, in the order of dots: so sums of
// scores are equal wherever the versions are.
func (c *cell) add(it *item) {
	v := it.version
	c.dots = append(c.dots, v.Dot)
	if it.with.IsZero() { // folding is no event of its own
		c.last = max(c.last, v.Stamp)
	}
	switch {
	case it.share:
		c.shares++
		c.sum += it.sum // modulo 2^64: only the total has to fit
		c.score += it.score
	case !c.valued || v.Stamp >= c.value.version.Stamp:
		c.valued, c.value = true, *it
	}
}

// count returns the number that an element is: what was assigned, if that is an
// integer in decimal, and what was added. False: it is none.
func (c *cell) count() (int64, bool) {
	if !c.valued {
		return c.sum, true
	}
	n, err := strconv.ParseInt(string(c.value.value), 10, 64)
	if err == nil && strconv.FormatInt(n, 10) == string(c.value.value) {
		return n + c.sum, true
	}
	// Something else was assigned at once with what was added: the later is shown.
	return c.sum, c.value.version.Stamp < c.last
}

// mark returns the score of a member.
func (c *cell) mark() float64 {
	if c.valued {
		return c.value.score + c.score
	}
	return c.score
}

// share returns what an actor has added to an element, and under which dot.
func (t *table) share(kind ouro.Kind, name string, a causal.Actor) (it item, found bool) {
	for i := range t.state.Versions {
		v := &t.state.Versions[i]
		if v.Dot.Actor != a {
			continue
		}
		if it = read(v); it.share && it.with.IsZero() && it.kind == kind && it.name == name {
			return it, true
		}
	}
	return item{}, false
}

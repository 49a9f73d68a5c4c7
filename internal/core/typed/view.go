package typed

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
)

// Show returns what a state shows when the wall clock shows now, as siblings: a
// register's value as it is, a counter's total and every element of the other types
// as versions are kept. [View] takes them for what they are. Names narrows it to
// some elements; nil: all.
func Show(s *causal.State, now int64, names map[string]bool) []ouro.Sibling {
	t := newTable(s, now)
	if t.kind == "" {
		return nil
	}
	t.fill(names)
	out := make([]ouro.Sibling, 0, len(t.cells))
	for _, name := range t.order {
		out = append(out, t.sibling(name, t.cells[name]))
	}
	slices.SortFunc(out, func(a, b ouro.Sibling) int {
		return cmp.Or(cmp.Compare(a.ContentType, b.ContentType), slices.Compare(a.Data, b.Data))
	})
	return out
}

// sibling is an element as it is shown.
func (t *table) sibling(name string, c *cell) ouro.Sibling {
	s := ouro.Sibling{Modified: time.UnixMilli(c.last.Millis()).UTC()}
	if t.ends != 0 {
		s.Expires = time.UnixMilli(t.ends).UTC()
	}
	n, number := c.count()
	switch {
	case t.kind == ouro.Register && c.shares > 0 && number:
		s.ContentType, s.Data = (&item{kind: ouro.Register, share: true, sum: n}).form()
	case t.kind == ouro.Register:
		s.ContentType, s.Data = c.value.version.ContentType, c.value.version.Value
		if IsMark(s.ContentType) { // damaged within
			s.ContentType = ""
		}
		if e := c.value.version.Expiry; e != 0 {
			s.Expires = time.UnixMilli(e).UTC()
		}
	case t.kind == ouro.Map:
		value := c.value.value
		if c.shares > 0 && number {
			value = strconv.AppendInt(nil, n, 10)
		}
		s.ContentType, s.Data = (&item{kind: ouro.Map, name: name, value: value}).form()
	default:
		s.ContentType, s.Data = (&item{kind: t.kind, name: name, score: c.mark()}).form()
	}
	return s
}

// View takes siblings that [Show] returned for what they are, and returns the
// siblings to be shown to a client beside it: a counter's total in decimal, and
// none of the other types. Nil: it is a register, or no type at all.
func View(siblings []ouro.Sibling) (*ouro.Typed, []ouro.Sibling) {
	if len(siblings) == 0 || !IsMark(siblings[0].ContentType) {
		return nil, siblings
	}
	t := &ouro.Typed{Expires: siblings[0].Expires}
	for i := range siblings {
		s := &siblings[i]
		it, ok := parse(s.ContentType, s.Data)
		if !ok {
			continue
		}
		t.Kind = it.kind
		if it.kind == ouro.Register {
			t.Kind, t.Count = ouro.Counter, it.sum
			plain := *s
			plain.Data, plain.ContentType = strconv.AppendInt(nil, it.sum, 10), "text/plain"
			return t, []ouro.Sibling{plain}
		}
		t.Elements = append(t.Elements, ouro.Element{Name: it.name, Value: it.value, Score: it.score})
	}
	slices.SortFunc(t.Elements, func(a, b ouro.Element) int {
		return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(a.Name, b.Name))
	})
	return t, nil
}

// Ends returns from which wall-clock millisecond a typed state shows nothing any
// more: 0 where that is not known, 1 where it shows nothing now. False: the state
// says nothing about when it expires, and holds no other rule than its versions'.
func Ends(s *causal.State) (at int64, ok bool) {
	t := table{state: s}
	t.expiry()
	with := 0 // it counts with the shares it is bound to
	for i := range s.Versions {
		if folded(s.Versions[i].ContentType) != "" {
			with++
		}
	}
	if len(t.limits)+with == 0 {
		return 0, false
	}
	if len(t.limits)+with == len(s.Versions) {
		return 1, true
	}
	if t.ends == 0 {
		return 0, true
	}
	for i := range s.Versions {
		v := &s.Versions[i]
		if v.Stamp >= causal.StampAt(t.ends) && v.ContentType != markExpiry && folded(v.ContentType) == "" {
			return 0, true
		}
	}
	return t.ends, true
}

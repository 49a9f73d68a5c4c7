package causal

import "slices"

// cursor walks the actors of claims in order.
type cursor struct {
	claims     *Claims
	passed     uint64 // actors walked, the present one included
	actor      Actor
	n          uint64 // of its entry, 0 where it has exceptions alone
	time       int64
	exceptions []Dot
	v, x       int // where the next entry and the next exception are
}

func (c *cursor) next() bool {
	if c.v == len(c.claims.Vector) {
		return false
	}
	e := &c.claims.Vector[c.v]
	c.actor, c.n, c.time = e.Actor, e.N, e.Time
	c.v++
	c.passed++
	dots, own := c.claims.Exceptions[c.x:], 0
	for own < len(dots) && dots[own].Actor == c.actor {
		own++
	}
	c.exceptions = dots[:own]
	c.x += own
	return true
}

// find walks on to an actor, which must not lie behind, and returns its index.
func (c *cursor) find(a Actor) uint64 {
	for (c.passed == 0 || c.actor != a) && c.next() {
	}
	return c.passed - 1
}

// seek walks on to the actor of an index and reports whether there is one ahead.
func (c *cursor) seek(index uint64) bool {
	for c.passed <= index {
		if !c.next() {
			return false
		}
	}
	return c.passed == index+1
}

// covers reports whether the actor's events that were seen include d.
func (c *cursor) covers(d Dot) bool {
	if d.N <= c.n {
		return true
	}
	_, ok := slices.BinarySearchFunc(c.exceptions, d, Dot.Compare)
	return ok
}

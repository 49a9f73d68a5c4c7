package history

import "fmt"

// Settle records what a node showed for a key when everything had healed and
// nothing was being written. All nodes must show the same, and what they show
// must not change any more. reader names the node and the occasion.
func (h *History) Settle(key string, values [][]byte, reader string) *Violation {
	o := h.object(key)
	r := &Response{Op: &Op{Verb: Get, Key: key, Client: -1, object: o}}
	if v := h.identify(r, values); v != nil {
		v.Detail += " (" + reader + ")"
		return v
	}
	h.Stats.Reads++
	if v := h.checkSiblings(r); v != nil {
		v.Detail += " (" + reader + ")"
		return v
	}
	if !o.settled {
		o.final, o.settled = r.Sees, true
		return nil
	}
	if !equal(o.final, r.Sees) {
		return Broken(Diverged, key, "%s shows %s, and before that %s was shown", reader, list(r.Sees), list(o.final))
	}
	return nil
}

func equal(a, b []*Op) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func list(ops []*Op) string {
	if len(ops) == 0 {
		return "nothing"
	}
	s := "the values of ops"
	for _, op := range ops {
		s += fmt.Sprintf(" %d", op.ID)
	}
	return s
}

// Judge checks what only the end can tell: that no acknowledged write was lost
// and that nothing replaced or deleted is there. Every key must be settled.
func (h *History) Judge() *Violation {
	for _, o := range h.order {
		if !o.settled {
			continue
		}
		if v := o.judgeLost(h); v != nil {
			return v
		}
		if v := o.judgeReturned(h); v != nil {
			return v
		}
	}
	return nil
}

// judgeLost: every put that was acknowledged, or shown to a client (RULES R35),
// is shown at the end, or is seen by one that is, or by a delete, or by a put
// that was, and so on. Operations whose outcome is unknown may be links of that
// chain.
func (o *object) judgeLost(h *History) *Violation {
	if o.wild > 0 {
		return nil // a delete that may have removed anything may have happened
	}
	reached := o.reach()
	for _, w := range o.writes {
		acked := h.holds(w)
		if w.Verb != Put || reached.Has(w.place) || !acked && (!w.shown || h.Wiped > 0) || h.forgiven(w) {
			continue
		}
		why := "was shown to a client"
		if acked {
			why = fmt.Sprintf("was acknowledged at %v with w=%d", w.Returned, w.W)
		}
		return Broken(Lost, o.key, "%v %s; at the end neither its value is there nor that of a write that has seen it", w, why)
	}
	return nil
}

// reach returns what the final siblings and the deletes have seen, directly or
// through others.
func (o *object) reach() Set {
	var reached Set
	var todo []*Op
	visit := func(w *Op) {
		if !reached.Has(w.place) {
			reached.Add(w.place)
			todo = append(todo, w)
		}
	}
	for _, w := range o.final {
		visit(w)
	}
	for _, w := range o.writes {
		if w.Verb == Delete && w.Outcome != Fail {
			visit(w)
		}
	}
	for len(todo) > 0 {
		w := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		w.covers.Each(func(i int) bool {
			if o.writes[i].Outcome != Fail {
				visit(o.writes[i])
			}
			return true
		})
	}
	return reached
}

// judgeReturned: what an acknowledged put or delete has seen is not there any
// more. A value that a repeated request stored twice may be: one of its dots
// was not seen (RULES R31).
func (o *object) judgeReturned(h *History) *Violation {
	if h.Loose {
		return nil
	}
	for _, w := range o.final {
		if w.dots > 1 {
			continue
		}
		for _, p := range o.writes {
			if h.holds(p) && p.covers.Has(w.place) {
				return Broken(Returned, o.key, "the value of %v is there at the end, though %v had seen it and was acknowledged", w, p)
			}
		}
	}
	return nil
}

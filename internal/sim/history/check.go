package history

// identify finds out which writes a response shows, and refuses what nobody
// wrote.
func (h *History) identify(r *Response, values [][]byte) *Violation {
	op := r.Op
	for _, b := range values {
		id, err := ParseValue(b, op.Key)
		if err != nil {
			return Broken(Invented, op.Key, "%v was answered with what nobody wrote: %v", op, err)
		}
		w := h.Op(id)
		switch {
		case w == nil || w.Verb != Put || w.Key != op.Key:
			return Broken(Invented, op.Key, "%v was answered with a value of operation %d, which wrote none here", op, id)
		case w.Outcome == Fail:
			return Broken(OutcomeKept, op.Key, "%v shows the value of %v, which was reported as not done", op, w)
		}
		w.shown = true
		r.Sees = append(r.Sees, w)
	}
	sortByPlace(r.Sees)
	return nil
}

// checkRead checks one answer that shows a key.
func (h *History) checkRead(r *Response) *Violation {
	h.Stats.Reads++
	if len(r.Sees) > 1 {
		h.Stats.Conflicts++
	}
	h.Stats.Siblings = max(h.Stats.Siblings, len(r.Sees))
	if v := h.checkSiblings(r); v != nil {
		return v
	}
	if v := h.checkStrict(r); v != nil {
		return v
	}
	return h.checkExclusive(r)
}

// checkSiblings: none of them has seen another, and none is there twice.
func (h *History) checkSiblings(r *Response) *Violation {
	for i, a := range r.Sees {
		if i > 0 && r.Sees[i-1] == a {
			return Broken(Siblings, r.Op.Key, "%v shows the value of %v twice", r.Op, a)
		}
		if h.Loose || a.dots > 1 {
			continue
		}
		for _, b := range r.Sees {
			if b.covers.Has(a.place) {
				return Broken(Siblings, r.Op.Key, "%v shows the value of %v beside that of %v, which had seen it", r.Op, a, b)
			}
		}
	}
	return nil
}

// checkStrict: every write that was acknowledged before the read began, by so
// many replicas that one of them must have been asked, is shown or replaced. It
// says nothing of a read or a write for which other nodes stood in (RULES R18),
// which the answer to a delete without context does not tell of its read.
func (h *History) checkStrict(r *Response) *Violation {
	o := r.Op.object
	strict := r.Op.strict
	if h.Wiped > 0 {
		strict = r.Op.firm
	}
	strict = o.promised(h, strict)
	if h.Wiped > 1 || o.wild > 0 || len(strict) == 0 || r.Op.standIns > 0 || r.Op.Bare() && r.Op.Sloppy {
		return nil
	}
	h.Stats.Strict++
	puts, removed := o.effects(strict)
	if i := puts.Missing(r.covers, o.deletes); i >= 0 {
		return Broken(Stale, o.key, "%v began after %v was acknowledged and shows neither its value nor what replaced it", r.Op, o.writes[i])
	}
	for _, w := range r.Sees {
		if removed.Has(w.place) && w.dots < 2 && !h.Loose {
			return Broken(Stale, o.key, "%v began after a delete that had seen %v was acknowledged, and shows its value", r.Op, w)
		}
	}
	return nil
}

// checkExclusive: a lone client that writes under what it read sees one version,
// as long as nobody stood in for a primary.
func (h *History) checkExclusive(r *Response) *Violation {
	o := r.Op.object
	if !o.exclusive || o.uncertain || o.stoodIn || h.Loose || h.Wiped > 0 {
		return nil
	}
	if r.Op.Relaxed && len(h.losses) > 0 {
		return nil
	}
	want := 0
	if len(o.acked) > 0 {
		want = 1
	}
	if len(r.Sees) != want {
		return Broken(Siblings, o.key, "%v is by the only client of the key and shows %d versions instead of %d", r.Op, len(r.Sees), want)
	}
	return nil
}

// effects returns which of some writes are puts, and what the others removed.
func (o *object) effects(of Set) (puts, removed Set) {
	of.Each(func(i int) bool {
		if w := o.writes[i]; w.Verb == Put {
			puts.Add(i)
		} else {
			removed.AddAll(w.covers)
		}
		return true
	})
	return puts, removed
}

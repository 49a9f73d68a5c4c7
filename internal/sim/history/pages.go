package history

import "slices"

// Page is a page of keys that is being made: what had been acknowledged when it was
// begun.
type Page struct {
	h    *History
	keys []pageKey
}

type pageKey struct {
	object *object
	strict Set // acknowledged with w > n - r
	firm   Set // of that, what outlives the loss of one disk
}

// BeginPage records that a page of the keys for which about holds is begun, in a
// bucket where n replicas hold a key, r of them have to tell and writes are promised
// to be on so many.
func (h *History) BeginPage(n, r, promised int, about func(key string) bool) *Page {
	p := &Page{h: h}
	for _, o := range h.order {
		if about(o.key) {
			p.keys = append(p.keys, pageKey{o, o.ackedWith(n - r + 1), o.ackedWith(max(n-r+1, promised, 2))})
		}
	}
	return p
}

// EndPage checks a page that says it is complete in a range. About says whether a
// key is in the range, listed has what the page shows.
func (h *History) EndPage(p *Page, about func(key string) bool, listed []string) *Violation {
	h.Stats.Pages++
	for _, name := range listed {
		if len(h.ops) == 0 {
			break // a test wrote them
		}
		o := h.objects[name]
		if o == nil || !slices.ContainsFunc(o.writes, func(w *Op) bool { return w.Verb == Put && w.Outcome != Fail }) {
			return Broken(Listed, name, "a page has a key under which nothing was ever put")
		}
	}
	if h.Wiped > 1 {
		return nil
	}
	for i := range p.keys {
		k := &p.keys[i]
		if !about(k.object.key) {
			continue
		}
		if v := k.check(h, slices.Contains(listed, k.object.key)); v != nil {
			return v
		}
	}
	return nil
}

// check says whether a key is rightly in a complete page, or rightly not.
func (k *pageKey) check(h *History, listed bool) *Violation {
	o := k.object
	strict := k.strict
	if h.Wiped > 0 {
		strict = k.firm
	}
	strict = o.promised(h, strict)
	if o.wild > 0 || o.vague || len(strict) == 0 {
		return nil
	}
	puts, removed := o.effects(strict)
	if i := puts.Missing(o.deletes, o.may); i >= 0 && !listed {
		return Broken(Listed, o.key, "a page that says it is complete lacks the key: %v was acknowledged before, and nothing that may have removed it", o.writes[i])
	}
	if !listed || h.Loose {
		return nil
	}
	for _, w := range o.writes {
		if w.Verb == Put && w.Outcome != Fail && (!removed.Has(w.place) || w.dots > 1) {
			return nil
		}
	}
	return Broken(Listed, o.key, "a page that says it is complete has the key: deletes that had seen everything put under it were acknowledged before")
}

// Final returns the keys that show something at the end, and those that show
// nothing, of those that were read then.
func (h *History) Final() (live, gone []string) {
	for _, o := range h.order {
		switch {
		case !o.settled:
		case len(o.final) > 0:
			live = append(live, o.key)
		default:
			gone = append(gone, o.key)
		}
	}
	return live, gone
}

package buffer

import (
	"bytes"
	"fmt"

	"github.com/RaduBerinde/btreemap"
)

// pair is a key with what the buffer has under it.
type pair struct {
	key []byte
	entry
}

// Range implements [store.Engine].
func (e *Engine) Range(lo, hi []byte, fn func(key, value []byte) bool) error {
	// Until the engine below has fixed its moment, which it has when it calls back,
	// nothing that is applied after ours may reach it.
	e.begin.RLock()
	begun := false
	fixed := func() {
		if !begun {
			begun = true
			e.begin.RUnlock()
		}
	}
	defer fixed()
	view, err := e.moment(lo, hi)
	if err != nil {
		return fmt.Errorf("range: %w", err)
	}
	on := true
	err = e.inner.Range(lo, hi, func(key, value []byte) bool {
		fixed()
		on = view.upto(key, fn)
		if !on {
			return false
		}
		if over, ok := view.over(key); ok {
			on = over.deleted || fn(key, over.value)
			return on
		}
		on = fn(key, value)
		return on
	})
	fixed()
	if err == nil && on {
		view.upto(nil, fn)
	}
	return err
}

// view is what the buffer has of a range at one moment: in key order, as far as it
// was not passed yet.
type view struct {
	layers []*layer // the newer first
	pairs  []pair
}

// moment returns the view of a range.
func (e *Engine) moment(lo, hi []byte) (*view, error) {
	e.mu.Lock()
	if err := e.usable(); err != nil {
		e.mu.Unlock()
		return nil, err
	}
	v := &view{layers: []*layer{e.active.moment()}}
	if e.moving != nil {
		v.layers = append(v.layers, e.moving.moment())
	}
	e.mu.Unlock()
	v.pairs = v.layers[0].within(lo, hi)
	if len(v.layers) > 1 {
		v.pairs = v.layers[0].onto(v.pairs, v.layers[1].within(lo, hi))
	}
	return v, nil
}

// within lists what the layer has in its tree of a range.
func (l *layer) within(lo, hi []byte) (pairs []pair) {
	end := btreemap.Max[[]byte]()
	if hi != nil {
		if bytes.Compare(lo, hi) >= 0 {
			return nil
		}
		end = btreemap.LT(hi)
	}
	l.tree.AscendFunc(btreemap.GE(lo), end, func(key []byte, n entry) bool {
		pairs = append(pairs, pair{key, n})
		return true
	})
	return pairs
}

// onto merges the layer's own pairs and those of an older one.
func (l *layer) onto(own, older []pair) []pair {
	if len(older) == 0 {
		return own
	}
	all := make([]pair, 0, len(own)+len(older))
	for len(own) > 0 || len(older) > 0 {
		switch c := compareHeads(own, older); {
		case c <= 0:
			all, own = append(all, own[0]), own[1:]
			if c == 0 {
				older = older[1:]
			}
		default:
			p := older[0]
			older = older[1:]
			if l.covers(p.key) {
				p.entry = entry{deleted: true}
			}
			all = append(all, p)
		}
	}
	return all
}

// compareHeads compares the first keys of two lists, one of which is not empty.
func compareHeads(a, b []pair) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	return bytes.Compare(a[0].key, b[0].key)
}

// upto shows what is set before a key, nil: all that is left, and reports whether
// to go on.
func (v *view) upto(key []byte, fn func(key, value []byte) bool) bool {
	for len(v.pairs) > 0 && (key == nil || bytes.Compare(v.pairs[0].key, key) < 0) {
		p := v.pairs[0]
		v.pairs = v.pairs[1:]
		if !p.deleted && !fn(p.key, p.value) {
			return false
		}
	}
	return true
}

// over returns what the buffer has under a key of the engine below, and passes it.
func (v *view) over(key []byte) (entry, bool) {
	if len(v.pairs) > 0 && bytes.Equal(v.pairs[0].key, key) {
		n := v.pairs[0].entry
		v.pairs = v.pairs[1:]
		return n, true
	}
	for _, l := range v.layers {
		if l.covers(key) {
			return entry{deleted: true}, true
		}
	}
	return entry{}, false
}

package sim

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/sim/history"
)

// readOne reads a key from all its replicas through one node and notes what it
// shows. Where another node had to stand in for a replica that was slow it is read
// again, from the replicas and nobody else.
func (w *World) readOne(m *machine, bucket, name, when string) {
	n := len(w.Primaries(keyIn(bucket, name))) // fewer than the bucket's n where fewer are left
	res, err := w.Get(m.id, keyIn(bucket, name), ouro.R(n), ouro.Timeout(10*time.Second)).Wait()
	if w.broken == nil && res.Quorum.Primaries < n {
		res, err = w.Get(m.id, keyIn(bucket, name), ouro.R(n), ouro.PR(n), ouro.Timeout(10*time.Second)).Wait()
	}
	if w.broken != nil {
		return
	}
	key := bucket + "/" + name
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		w.violatef(history.Unavailable, key, "%s failed though everything had healed: %v", when, err)
		return
	}
	values := make([][]byte, len(res.Siblings))
	for i := range res.Siblings {
		values[i] = res.Siblings[i].Data
	}
	w.violate(w.hist.Settle(key, values, when))
}

// equal checks that all replicas of each key are, after something that should make
// them so. A tombstone that some have dropped is not stored there again before all
// have, or it is forgotten that they did (RULES E2): with a fixed ring a world that
// has come to rest is past that, where the ring changes it is waited for.
func (w *World) equal(after string) {
	for end := w.now + reapWithin; w.cfg.Changes && w.halfReaped() && w.broken == nil && w.now < end; {
		w.RunFor(time.Second)
	}
	w.violate(w.compare(after))
}

// halfReaped says whether some replica of a key holds nothing, and another a
// tombstone.
func (w *World) halfReaped() bool {
	for _, name := range w.hist.Keys() {
		bucket, rest, _ := strings.Cut(name, "/")
		key := keyIn(bucket, rest)
		tombstones, none := 0, 0
		for _, id := range w.Primaries(key) {
			switch s, _, found := w.state(w.mustID(id), key); {
			case !found:
				none++
			case len(s.Versions) == 0:
				tombstones++
			}
		}
		if tombstones > 0 && none > 0 {
			return true
		}
	}
	return false
}

// compare returns, after something that should make them equal, how replicas of a key differ, or that another node holds it;
// nil if all is as it must be.
func (w *World) compare(after string) *history.Violation {
	for _, name := range w.hist.Keys() {
		if v := w.compareKey(name, after); v != nil {
			return v
		}
	}
	return nil
}

func (w *World) compareKey(name, after string) *history.Violation {
	bucket, rest, _ := strings.Cut(name, "/")
	key := keyIn(bucket, rest)
	primaries := w.Primaries(key)
	shown, first, _ := w.state(w.mustID(primaries[0]), key)
	for _, m := range w.nodes {
		s, canonical, found := w.state(m, key)
		switch {
		case !slices.Contains(primaries, m.id):
			if found {
				return history.Broken(history.Diverged, name, "%s is no replica and holds %s", m.id, tell(&s))
			}
		case !bytes.Equal(first, canonical):
			return history.Broken(history.Diverged, name, "after %s %s holds %s and %s holds %s", after, primaries[0], tell(&shown), m.id, tell(&s))
		}
	}
	return nil
}

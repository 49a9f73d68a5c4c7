package sim

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim/history"
	"github.com/ourodb/ouro/internal/store"
)

// rot flips bits in the middle of a record, on the disk alone: what a node has in
// memory stays.
func (w *World) rot(m *machine, key []byte) {
	w.tracef("%s: the record %q rots", m.id, key)
	m.disk.Damage(key, func(v []byte) []byte {
		v = bytes.Clone(v)
		v[len(v)/2] ^= 0x55
		return v
	})
	m.rotten = append(m.rotten, key)
	w.lost()
}

// Rot damages the record of a key on a node's disk.
func (w *World) Rot(id ring.NodeID, key ouro.Key) { w.rot(w.mustID(id), w.recordKey(key)) }

// rotLeaves flips bits of up to four leaves beside each other, or of none, and returns
// of how many.
func (w *World) rotLeaves(m *machine, r *rand.Rand) int {
	keys := w.leavesOf(m)
	first, n := r.IntN(1<<20), r.IntN(5)
	if len(keys) == 0 {
		return 0
	}
	first %= len(keys)
	keys = keys[first:min(first+n, len(keys))]
	for _, key := range keys {
		at := r.IntN(1 << 10)
		w.rotLeaf(m, key, func(v []byte) { v[at%len(v)] += 0x55 }) // ^= would mend one that rots twice
	}
	return len(keys)
}

// leavesOf returns the engine keys of the leaves on a node's disk.
func (w *World) leavesOf(m *machine) (keys [][]byte) {
	lo, hi := store.AllLeaves()
	if err := m.disk.Engine.Range(lo, hi, func(key, _ []byte) bool {
		keys = append(keys, bytes.Clone(key))
		return true
	}); err != nil {
		w.bug("%s: %v", m.id, err)
	}
	return keys
}

func (w *World) rotLeaf(m *machine, key []byte, by func([]byte)) {
	w.tracef("%s: the leaf %q rots", m.id, key)
	if m.leaves == nil {
		m.leaves = map[string][][]byte{}
	}
	m.disk.Damage(key, func(v []byte) []byte {
		v = bytes.Clone(v)
		by(v)
		m.leaves[string(key)] = append(m.leaves[string(key)], v) // of what is synced, and of what is not
		return v
	})
}

// RotLeaves damages every leaf of a tree on a node's disk.
func (w *World) RotLeaves(id ring.NodeID) {
	m := w.mustID(id)
	for _, key := range w.leavesOf(m) {
		w.rotLeaf(m, key, func(v []byte) { v[len(v)/2] ^= 0x55 })
	}
}

// rottenLeaves returns how many leaves are on a disk as they rotted. What was written
// over one may be taken back by a power failure, so that it is there again.
func (w *World) rottenLeaves(m *machine) int {
	n := 0
	for key, rotted := range m.leaves {
		still := false
		if _, err := m.disk.Engine.Get([]byte(key), func(v []byte) {
			still = slices.ContainsFunc(rotted, func(r []byte) bool { return bytes.Equal(r, v) })
		}); err != nil || still {
			n++
		}
	}
	return n
}

// isRotten says whether there is a record under an engine key that can't be read.
func (w *World) isRotten(m *machine, key []byte) bool {
	rotten := false
	_, err := m.disk.Engine.Get(key, func(v []byte) {
		_, err := replica.StateOf(v)
		rotten = err != nil
	})
	return rotten || err != nil
}

// findRotten notes every record that can't be read. One that rotted under a write which
// a power failure then took back is not noted any more.
func (w *World) findRotten() {
	lo, hi := store.AllRecords()
	for _, m := range w.nodes {
		m.rotten = m.rotten[:0:0]
		err := m.disk.Engine.Range(lo, hi, func(key, record []byte) bool {
			if _, err := replica.StateOf(record); err != nil {
				m.rotten = append(m.rotten, bytes.Clone(key))
			}
			return true
		})
		if err != nil {
			w.bug("%s: %v", m.id, err)
		}
	}
}

// scrubbing makes nodes read back what they store from now on, or not any more.
func (w *World) scrubbing(on bool) {
	w.cfg.Scrub = on
	w.tellAll(func() node.Input { return &node.Scrubbing{On: on} })
}

// scrubPatience is within what time everything must have been read back once where
// somebody asks for it.
const scrubPatience = time.Minute

// scrubAll has every node read back all that it stores, once: nothing that rots is met
// by a request after that.
func (w *World) scrubAll() {
	began := map[*machine]int64{}
	for end := w.now + scrubPatience; w.broken == nil; w.RunFor(100 * time.Millisecond) {
		left := 0
		for _, m := range w.nodes {
			if m.alive && !w.scrubbed(m, began) {
				left++
			}
		}
		if left == 0 {
			break
		}
		if w.now > end {
			w.violatef(history.Unavailable, "", "%d nodes have not read back what they store in %v", left, scrubPatience)
		}
	}
	w.scrubbing(false)
	for _, m := range w.nodes {
		if n := w.rottenLeaves(m); n > 0 && m.alive && w.broken == nil {
			w.violatef(history.Summed, "", "%s has read back what it stores, and %d leaves are rotten still", m.id, n)
		}
	}
}

// scrubbed says whether a round has ended that began after the first call, and asks for
// one where none is under way, as it is after a restart.
func (w *World) scrubbed(m *machine, began map[*machine]int64) bool {
	st := m.core.Scrubs(w.clock(m))
	at, asked := began[m]
	switch {
	case !asked:
		began[m] = w.clock(m).Wall
	case st.Hurry:
		return false
	case st.Last.Began >= at && st.Last.Ended != 0:
		return true
	}
	w.take(m, item{input: &node.ScrubNow{}})
	return false
}

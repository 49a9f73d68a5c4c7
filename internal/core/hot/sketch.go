package hot

import (
	"time"

	"github.com/ourodb/ouro/internal/core/ring"
)

// Entries is how many keys a generation of the sketch follows.
const Entries = 32

// sketch follows the keys that are asked for most: those of the generation that counts
// and of the one before.
type sketch struct {
	now, before counts
}

// counts is one generation.
type counts struct {
	began   time.Duration
	all     uint64
	at      [Entries]ring.Position // of keys; this and n apart from the rest, as they are looked through
	n       [Entries]uint64        // requests, at most
	entries [Entries]entry
	used    int
}

// entry is a key that is followed; over of its requests may be others'.
type entry struct {
	key           ring.Key
	over, refused uint64
}

// note counts requests of a key.
func (s *sketch) note(now time.Duration, key *ring.Key, n, refused uint64) {
	s.turn(now)
	s.now.note(key, n, refused)
}

// turn begins a generation where the last one is over.
func (s *sketch) turn(now time.Duration) {
	old := now - s.now.began
	if old < generation {
		return
	}
	if s.before = s.now; old >= 2*generation {
		s.before = counts{began: now - generation}
	}
	s.now = counts{began: s.before.began + generation}
}

// note counts requests of a key. One that is not followed takes the place of the one
// that has the least, and its count: it may have had as many before.
func (c *counts) note(key *ring.Key, n, refused uint64) {
	c.all += n
	i := c.find(key.Pos)
	switch {
	case i >= 0:
	case c.used < Entries:
		i = c.used
		c.used++
		c.at[i], c.entries[i] = key.Pos, entry{key: *key}
	default:
		i = c.least()
		c.at[i], c.entries[i] = key.Pos, entry{key: *key, over: c.n[i]}
	}
	c.n[i] += n
	c.entries[i].refused += refused
}

func (c *counts) find(at ring.Position) int {
	for i := range c.used {
		if c.at[i] == at {
			return i
		}
	}
	return -1
}

// least returns the place of the key with the fewest requests, the first of several.
func (c *counts) least() int {
	least := 0
	for i, n := range c.n {
		if n < c.n[least] {
			least = i
		}
	}
	return least
}

// top returns the rates of all keys that are followed, and that of all requests.
func (s *sketch) top(now time.Duration) (keys []Key, all float64) {
	s.turn(now)
	seconds := max(now-s.before.began, time.Second).Seconds()
	for _, c := range [...]*counts{&s.now, &s.before} {
		for i := range c.used {
			e := &c.entries[i]
			rate, refused := float64(c.n[i]-e.over)/seconds, float64(e.refused)/seconds
			if j := place(keys, e.key.Pos); j >= 0 {
				keys[j].Rate += rate
				keys[j].Refused += refused
			} else {
				keys = append(keys, Key{Key: e.key, Rate: rate, Refused: refused})
			}
		}
	}
	return keys, float64(s.now.all+s.before.all) / seconds
}

func place(keys []Key, at ring.Position) int {
	for i := range keys {
		if keys[i].Pos == at {
			return i
		}
	}
	return -1
}

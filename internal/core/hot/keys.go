package hot

import (
	"cmp"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Most returns how many places of so many one key may have: an eighth, but always 16, so
// that where there are few the key is refused no sooner than any other.
func Most(places int) int { return max(places/8, 16) }

// leastRate is how many requests a second make a key worth naming that is not refused
// any, where they are also one in leastShare of all.
const (
	leastRate  = 100
	leastShare = 8
)

// Named is how many keys [Keys.Status] names at most.
const Named = 4

// Key is one of those that are asked for most.
type Key struct {
	ring.Key
	Rate    float64 // requests a second, at least, those that were refused included
	Refused float64 // of these, at least
}

// Status is which keys are hot.
type Status struct {
	Keys    []Key  // the hottest first, at most [Named]
	Refused uint64 // requests that were refused since the start, of whatever key
}

// Keys counts the requests of each key. Its memory is bounded by how many requests are
// under way and by [Entries].
type Keys struct {
	most    int
	flights map[ring.Position]int // requests under way
	under   int                   // of all keys
	sketch  sketch
	refused uint64
}

// New returns one that lets each key have so many requests under way.
func New(most int) *Keys { return &Keys{most: most, flights: map[ring.Position]int{}} }

// Begin counts a request of a key as under way until [Keys.End], or returns false where
// the key has as many as it may.
func (k *Keys) Begin(now clock.Now, key *ring.Key) bool {
	n := k.flights[key.Pos]
	if n >= k.most {
		k.Refuse(now, key, 1)
		return false
	}
	k.flights[key.Pos] = n + 1
	k.under++
	k.sketch.note(now.Mono, key, 1, 0)
	return true
}

// End says that a request which [Keys.Begin] let in has its reply.
func (k *Keys) End(at ring.Position) {
	k.under--
	if n := k.flights[at]; n > 1 {
		k.flights[at] = n - 1
	} else {
		delete(k.flights, at)
	}
}

// Refuse notes requests of a key that were not let in.
func (k *Keys) Refuse(now clock.Now, key *ring.Key, n int) {
	k.refused += uint64(n)
	k.sketch.note(now.Mono, key, uint64(n), uint64(n))
}

// Most returns how many requests of one key may be under way.
func (k *Keys) Most() int { return k.most }

// UnderWay returns how many requests are counted as under way.
func (k *Keys) UnderWay() int { return k.under }

// Status returns which keys are hot: those that are refused something, and those that
// have a good part of all requests.
func (k *Keys) Status(now clock.Now) Status {
	st := Status{Refused: k.refused}
	keys, all := k.sketch.top(now.Mono)
	keys = slices.DeleteFunc(keys, func(key Key) bool {
		return key.Refused == 0 && (key.Rate < leastRate || key.Rate*leastShare < all)
	})
	slices.SortFunc(keys, func(a, b Key) int {
		return cmp.Or(cmp.Compare(b.Refused, a.Refused), cmp.Compare(b.Rate, a.Rate), a.Pos.Compare(b.Pos))
	})
	st.Keys = keys[:min(len(keys), Named)]
	return st
}

// generation is for how long one generation of the sketch counts.
const generation = 5 * time.Second

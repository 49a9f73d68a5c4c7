package canary

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Holders tells who holds a key, the primaries in order; nil where that is changing.
type Holders func(key ring.Key) []ring.NodeID

// Canary measures on one node.
type Canary struct {
	cfg    Config
	self   ring.NodeID
	rand   *rand.Rand
	run    uint64 // tells this one's values from those of an earlier run
	rounds uint64
	next   time.Duration // when the next round may begin

	round   round
	waiting bool              // an act is under way
	known   map[string][]byte // contexts of the keys in use; at most Keys
	n       int               // replicas of a key, of which the counts are
	counts  [maxN + 1][maxN + 1]Count
	failed  uint64
}

// round is one write and one read.
type round struct {
	doing   Kind // the act that is next, or under way
	key     ring.Key
	reader  ring.NodeID
	r, w    int
	delay   time.Duration
	value   []byte
	whole   bool          // the write rests on as many primaries as it had to
	acked   time.Duration // when it was acknowledged
	elapsed time.Duration // from then until the read began
}

// New returns a canary of the node self. It draws from r alone.
func New(cfg Config, self ring.NodeID, r *rand.Rand) *Canary {
	return &Canary{cfg: cfg.WithDefaults(), self: self, rand: r, run: r.Uint64(), known: map[string][]byte{}}
}

// Deadline returns when [Canary.Step] has something to do. While an act is under way
// that is never.
func (c *Canary) Deadline() time.Duration {
	switch {
	case c.waiting:
		return 1<<63 - 1
	case c.round.doing == Read:
		return c.round.acked + c.round.delay
	case c.round.doing != None:
		return 0
	default:
		return c.next
	}
}

// Step returns what is to be done now. Its kind is None where that is nothing.
func (c *Canary) Step(now clock.Now, holders Holders) Act {
	if c.waiting || c.Deadline() > now.Mono {
		return Act{}
	}
	if c.round.doing == None && !c.begin(now, holders) {
		return Act{}
	}
	r := &c.round
	a := Act{Kind: r.doing, Key: r.key, At: c.self}
	switch r.doing {
	case Write:
		a.Count, a.Value, a.Context = r.w, r.value, c.known[r.key.Name]
	case Read:
		a.At, a.Count = r.reader, r.r
		r.elapsed = now.Mono - r.acked
	}
	c.waiting = true
	return a
}

// begin draws a round. Without a key that two nodes hold there is none.
func (c *Canary) begin(now clock.Now, holders Holders) bool {
	c.next = now.Mono + c.cfg.Every
	key, all := c.draw(holders)
	if all == nil {
		c.next = now.Mono + max(c.cfg.Every, patience)
		return false
	}
	c.rounds++
	c.round = round{
		doing: Write, key: key, reader: all[c.rand.IntN(len(all))], delay: c.cfg.Delays[c.rand.IntN(len(c.cfg.Delays))],
		value: fmt.Appendf(nil, "%016x-%d", c.run, c.rounds),
	}
	for c.round.reader == c.self {
		c.round.reader = all[c.rand.IntN(len(all))]
	}
	c.round.r, c.round.w = c.pair(len(all))
	if c.n != len(all) { // other r and w overlap
		c.n, c.counts = len(all), [maxN + 1][maxN + 1]Count{}
	}
	if c.known[key.Name] == nil {
		c.round.doing = Look
	}
	return true
}

// pair draws an r and a w.
func (c *Canary) pair(n int) (r, w int) {
	if len(c.cfg.Pairs) > 0 {
		p := c.cfg.Pairs[c.rand.IntN(len(c.cfg.Pairs))]
		return min(p[0], n), min(p[1], n)
	}
	l := Levels(n)
	return l[c.rand.IntN(len(l))], l[c.rand.IntN(len(l))]
}

// Levels are the r and w worth telling apart: one, a majority, all. There are three at
// most, so that what is shown of their pairs is bounded whatever n is.
func Levels(n int) []int { return slices.Compact([]int{1, min(n/2+1, n), n}) }

// draw draws one of the keys in use, with who holds it.
func (c *Canary) draw(holders Holders) (ring.Key, []ring.NodeID) {
	var keys []ring.Key
	var held [][]ring.NodeID
	for i := 0; i < names && len(keys) < Keys; i++ {
		key := ring.NewKey(Bucket, fmt.Sprintf("%s/%d", c.self, i))
		all := holders(key)
		if all = all[:min(len(all), maxN)]; len(all) > 1 && slices.Contains(all, c.self) {
			keys, held = append(keys, key), append(held, all)
		}
	}
	if len(keys) == 0 {
		return ring.Key{}, nil
	}
	i := c.rand.IntN(len(keys))
	return keys[i], held[i]
}

// Done tells what came of the last act.
func (c *Canary) Done(now clock.Now, res Result) {
	if !c.waiting {
		return
	}
	c.waiting = false
	r := &c.round
	switch {
	case res.Failed:
		c.failed++
		if r.doing != Read {
			delete(c.known, r.key.Name) // what is there is not known
		}
		r.doing = None
	case r.doing == Look:
		c.keep(res.Context)
		r.doing = Write
	case r.doing == Write:
		c.keep(res.Context)
		r.doing, r.acked, r.whole = Read, now.Mono, res.Primaries >= r.w
	default:
		c.count(&res)
		r.doing = None
	}
}

// keep remembers what the next write of the key goes under. There is one for a key
// that was never written, too.
func (c *Canary) keep(context []byte) {
	if context == nil {
		context = []byte{}
	}
	if len(c.known) == Keys && c.known[c.round.key.Name] == nil {
		clear(c.known)
	}
	c.known[c.round.key.Name] = context
}

// count counts a read: by the longest delay that had passed when it began, which may
// be longer than was drawn.
func (c *Canary) count(res *Result) {
	r := &c.round
	stale := uint64(1)
	if slices.ContainsFunc(res.Values, func(v []byte) bool { return string(v) == string(r.value) }) {
		stale = 0
	}
	n := &c.counts[r.r][r.w]
	if !r.whole || res.Primaries < r.r {
		n.StoodIn++
		n.StoodInStale += stale
		return
	}
	at := 0
	for i, d := range c.cfg.Delays {
		if d <= r.elapsed {
			at = i
		}
	}
	n.Reads[at]++
	n.Stale[at] += stale
}

// Counts returns what was measured.
func (c *Canary) Counts() Counts {
	all := Counts{N: c.n, Delays: c.cfg.Delays, Failed: c.failed}
	for r := range c.counts {
		for w := range c.counts[r] {
			n := c.counts[r][w]
			if n.Reads != [maxDelays]uint64{} || n.StoodIn > 0 {
				n.R, n.W = r, w
				all.Pairs = append(all.Pairs, n)
			}
		}
	}
	return all
}

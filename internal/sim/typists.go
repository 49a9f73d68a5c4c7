package sim

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim/history"
)

// typists are clients of a bucket of data types, beside the others: they increment
// counters, fields and scores, and add members to sets and remove them. Each add
// is of a new member, and each increment of a positive amount, so that in the end
// what is there tells what was done.
type typists struct {
	w       *World
	rand    *rand.Rand
	left    int
	working int
	tokens  uint64
	keys    []*typedKey
}

// typedBucket is their bucket.
const typedBucket = "types"

// typedKey is a key and what became of it.
type typedKey struct {
	key     ouro.Key
	kind    ouro.Kind
	surely  int64 // increments that were acknowledged
	perhaps int64 // what may have been counted besides: unknown ones, and those sent on, again
	members []*addition
}

// addition is a member of a set, which one request adds.
type addition struct {
	name    string
	acked   bool
	again   bool // the addition was sent on: there may be two of it (RULES R31)
	begun   bool // somebody has asked to remove it
	removed bool // and was told that it is gone
}

// typist is one of the clients, with the request that it has under way.
type typist struct {
	*typists
	key     *typedKey
	member  *addition
	remove  bool
	by      int64
	rec     history.Op // marked where nodes send the request on
	req     node.Request
	attempt int
	doubt   bool
}

// employTypists starts them, where the shape has them.
func (w *World) employTypists(s *shape, ops int) *typists {
	t := &typists{w: w, rand: stream(s.cfg.Seed, streamTypes), left: ops}
	w.typists = t
	if !s.types {
		return t
	}
	kinds := []ouro.Kind{ouro.Counter, ouro.Map, ouro.SortedSet, ouro.Set, ouro.Set}
	for i, k := range kinds {
		t.keys = append(t.keys, &typedKey{key: keyIn(typedBucket, string(k)+strconv.Itoa(i)), kind: k})
	}
	t.working = 4
	for range t.working {
		(&typist{typists: t}).next()
	}
	return t
}

// next draws a request.
func (c *typist) next() {
	if c.left == 0 {
		c.working--
		return
	}
	c.left--
	c.tokens++
	c.key = c.keys[c.rand.IntN(len(c.keys))]
	c.by, c.member, c.remove, c.attempt, c.doubt, c.rec = 1+int64(c.rand.IntN(5)), nil, false, 0, false, history.Op{}
	u := ouro.Update{Kind: c.key.kind, Act: ouro.Increment, Elements: []ouro.Element{{By: c.by}}}
	switch e := &u.Elements[0]; {
	case u.Kind == ouro.Set:
		u.Act = ouro.Assign
		c.pickMember()
		if e.Name, e.By = c.member.name, 0; c.remove {
			u.Act = ouro.Remove
		}
	case u.Kind != ouro.Counter:
		e.Name, e.Score = "all", float64(c.by)
	}
	c.req = node.Request{Verb: node.Update, Key: ring.NewKey(typedBucket, c.key.key.Name), Update: &u}
	c.req.Token = c.tokens*0x9e3779b97f4a7c15 ^ c.w.cfg.Seed ^ 0x7479706564<<20 | 1<<63
	c.w.eyes.tokens[c.req.Token] = &c.rec
	c.w.after(spread(c.rand, 20*time.Millisecond), c.send)
}

// pickMember takes a new member, or one to be removed.
func (c *typist) pickMember() {
	k := c.key
	if n := len(k.members); n > 0 && c.rand.IntN(4) == 0 {
		c.member, c.remove = k.members[c.rand.IntN(n)], true
		c.member.begun = true
		return
	}
	c.member = &addition{name: "member " + strconv.Itoa(len(k.members)) + strings.Repeat(".", 30)}
	k.members = append(k.members, c.member)
}

func (c *typist) send() {
	m := pick(c.rand, c.w.asks()...)
	if !m.alive || m.unheard {
		c.w.after(time.Millisecond+spread(c.rand, 5*time.Millisecond), c.send)
		return
	}
	c.attempt++
	req := c.req
	c.w.request(m, &req, func(r *node.Reply) {
		c.rec.Resent = c.rec.Resent || c.rec.Passed && r != nil && r.Coordinator == m.id
		c.replied(r)
	})
}

func (c *typist) replied(r *node.Reply) {
	if r != nil && r.Err == nil {
		c.done(r.Changed)
		return
	}
	c.doubt = c.doubt || r == nil || r.Err.Outcome != ouro.NotDone
	if c.doubt && c.attempt < 3 && c.rand.IntN(2) == 0 {
		c.req.Retry = true
		c.w.after(spread(c.rand, 20*time.Millisecond), c.send)
		return
	}
	if c.doubt && c.member == nil {
		c.key.perhaps += int64(c.attempt+1) * c.by
	}
	if c.member != nil && !c.remove {
		c.member.again = c.member.again || c.again()
	}
	c.w.after(spread(c.rand, 50*time.Millisecond), c.next)
}

// again says that the request was given to more than one coordinator.
func (c *typist) again() bool { return c.attempt > 1 || c.rec.Resent }

func (c *typist) done(changed int) {
	switch m := c.member; {
	case m == nil:
		c.key.surely += c.by
		if c.again() {
			c.key.perhaps += int64(c.attempt+1) * c.by
		}
	case c.remove:
		m.removed = m.removed || changed > 0
	default:
		m.acked, m.again = true, m.again || c.again()
	}
	c.next()
}

// judge reads every key from all its replicas, and checks what it shows and that
// they are equal.
func (t *typists) judge(when string) {
	for _, k := range t.keys {
		m := t.w.serving()[0]
		n := len(t.w.Primaries(k.key)) // as in readOne
		res, err := t.w.Get(m.id, k.key, ouro.R(n), ouro.PR(n), ouro.Timeout(10*time.Second)).Wait()
		t.w.rest()
		switch {
		case t.w.broken != nil:
			return
		case err != nil && ouro.CodeOf(err) != ouro.NotFound:
			t.w.violatef(history.Unavailable, k.key.String(), "%s failed though everything had healed: %v", when, err)
			return
		}
		if wrong := k.wrong(res.Typed, t.w.hist.Wiped > 0); wrong != "" {
			t.w.violatef(history.Lost, k.key.String(), "%s: %s", when, wrong)
			return
		}
		t.w.violate(t.w.compareKey(typedBucket+"/"+k.key.Name, "a read of all replicas"))
	}
}

// wrong says what is wrong with what a key shows. Where disks were wiped, what was
// acknowledged may be lost.
func (k *typedKey) wrong(shown *ouro.Typed, wiped bool) string {
	total, there := int64(0), map[string]bool{}
	if shown != nil {
		total = shown.Count
		for _, e := range shown.Elements {
			there[e.Name] = true
			switch k.kind {
			case ouro.Map:
				total, _ = strconv.ParseInt(string(e.Value), 10, 64)
			case ouro.SortedSet:
				total = int64(e.Score)
			}
		}
	}
	if k.kind != ouro.Set && (total < k.surely && !wiped || total > k.surely+k.perhaps) {
		return fmt.Sprintf("it is %d, where %d were acknowledged and %d may have been counted besides", total, k.surely, k.perhaps)
	}
	for _, m := range k.members {
		switch {
		case m.acked && !m.begun && !there[m.name] && !wiped:
			return fmt.Sprintf("%q was added and nobody removed it, but it is not there", m.name)
		case m.removed && !m.again && there[m.name] && !wiped:
			return fmt.Sprintf("%q was removed, which had seen it, and is there", m.name)
		}
	}
	return ""
}

// isTyped says whether a key is of the typists' bucket, where elements don't
// describe who wrote them.
func isTyped(name string) bool { return strings.HasPrefix(name, typedBucket+"/") }

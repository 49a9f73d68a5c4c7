package ouro_test

// Each test shows that a class of bugs that other stores of this kind have had is
// not here. The numbers are those of the list of classes that this one was
// designed against; docs/paper.md has them.

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
)

var abc = []ring.NodeID{"A", "B", "C"}

// pairs cuts, or heals, every two of some nodes.
func (c cluster) pairs(ids []ring.NodeID, do func(a, b ring.NodeID)) {
	for i, a := range ids {
		for _, b := range ids[i+1:] {
			do(a, b)
		}
	}
	c.RunFor(time.Second)
}

// lwwBuckets are buckets of which "lww" shows the last writer's version alone.
func lwwBuckets(n, r, w int) node.Buckets {
	b := numbers(n, r, w)
	last := b.Default
	last.LWW = true
	b.Named = map[string]member.Bucket{"lww": last}
	return b
}

// Lost updates: five clients, each cut off with one of five nodes whose clocks
// differ by minutes, add to a set and write a register. A bucket of siblings loses
// nothing. One of mode lww shows, everywhere the same, the version with the
// greatest stamp, though that was written before others; docs/concepts.md says
// so. Nothing is destroyed even there.
func TestField_1_LostUpdates(t *testing.T) {
	ids := []ring.NodeID{"A", "B", "C", "D", "E"}
	c := newCluster(t, sim.Config{Nodes: nodes(ids...), Buckets: lwwBuckets(5, 1, 1)})
	for i, d := range []time.Duration{90 * time.Second, 10 * time.Minute, -10 * time.Minute, -90 * time.Second} {
		c.Jump(ids[i], d)
	}
	c.pairs(ids, c.Cut)
	var added []string
	siblings, lww := ouro.Key{Bucket: "b", Name: "set"}, ouro.Key{Bucket: "lww", Name: "set"}
	for round := range 3 {
		for _, id := range ids { // E, whose clock is right, is the last
			item := fmt.Sprint(string(id), round)
			added = append(added, item)
			for _, key := range []ouro.Key{siblings, lww} {
				res, err := c.Get(id, key).Wait()
				opts := []ouro.Option{ouro.WithContext(res.Context)}
				if err != nil {
					opts = nil
				}
				c.put(id, key, merged(append(shown(res), item)), opts...)
			}
			c.RunFor(time.Second)
		}
	}
	c.pairs(ids, c.Heal)
	slices.Sort(added)
	for _, id := range ids {
		if got := merged(shown(c.get(id, siblings, []string{"A0 A1 A2", "B0 B1 B2", "C0 C1 C2", "D0 D1 D2", "E0 E1 E2"}, ouro.R(5)))); got != strings.Join(added, " ") {
			t.Errorf("%s shows %q", id, got)
		}
		c.get(id, lww, []string{"B0 B1 B2"}, ouro.R(5))
	}
	c.RunUntilIdle()
	for _, id := range ids {
		if n := len(c.state(id, lww).Versions); n != 5 {
			t.Errorf("%s stores %d versions, the losers among them", id, n)
		}
	}
	doc, err := os.ReadFile("docs/concepts.md")
	if err != nil || !strings.Contains(string(doc), "**lww loses updates.**") {
		t.Errorf("docs/concepts.md does not name the loss: %v", err)
	}
}

// Sibling explosion: clients that never read what others wrote leave a version
// each, not one for each write.
func TestField_4_StaleContexts(t *testing.T) {
	c := newCluster(t, sim.Config{})
	key := ouro.Key{Bucket: "b", Name: "k"}
	r := rand.New(rand.NewPCG(4, 4))
	const clients = 8
	var last [clients]ouro.Context
	wrote := map[int]bool{}
	for i := range 200 {
		me := r.IntN(clients)
		wrote[me] = true
		opts := []ouro.Option{ouro.WithContext(last[me])}
		if last[me] == nil {
			opts = nil
		}
		last[me] = c.put(abc[r.IntN(3)], key, fmt.Sprint(i), opts...).Context
		if i%10 == 9 {
			res, err := c.Get(abc[r.IntN(3)], key, ouro.R(3)).Wait()
			if err != nil || len(res.Siblings) > len(wrote) {
				t.Fatalf("after %d writes of %d clients there are %d siblings, %v", i+1, len(wrote), len(res.Siblings), err)
			}
		}
	}
}

// The limit on siblings refuses what clients put blindly, and never what replicas
// tell each other: filled on both sides of a partition, the record holds twice the
// limit after it.
func TestField_4_LimitsBindClientsAlone(t *testing.T) {
	b := numbers(3, 1, 1)
	b.Default.MaxSiblings = 5
	c := newCluster(t, sim.Config{Buckets: b})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.cutOff("A", "B", "C")
	c.RunFor(time.Second)
	var all []string
	for _, at := range []ring.NodeID{"A", "B"} {
		for i := range 5 {
			all = append(all, fmt.Sprint(string(at), i))
			c.put(at, key, all[len(all)-1])
			c.RunFor(100 * time.Millisecond)
		}
		if _, err := c.Put(at, key, text("one too many")).Wait(); ouro.CodeOf(err) != ouro.TooManySiblings {
			t.Errorf("a sixth blind put at %s: %v", at, err)
		}
	}
	c.healAll("A", "B", "C")
	both := c.get("C", key, all, ouro.R(3))
	c.RunUntilIdle()
	for _, id := range abc {
		c.stores(id, key, all...)
	}
	if _, err := c.Put("C", key, text("one too many")).Wait(); ouro.CodeOf(err) != ouro.TooManySiblings {
		t.Errorf("a blind put on ten siblings: %v", err)
	}
	c.put("C", key, "merged", ouro.WithContext(both.Context), ouro.W(3))
	c.get("A", key, []string{"merged"}, ouro.R(3))
}

// Clock skew: no promise but the order of unrelated writes in an lww bucket, and
// the time at which a version expires, depends on clocks.
func TestField_13_ClockSkew(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: lwwBuckets(3, 2, 2)})
	ahead, behind, right := ring.NodeID("A"), ring.NodeID("B"), ring.NodeID("C")
	c.Jump(ahead, 10*time.Minute)
	c.Jump(behind, -10*time.Minute)
	for _, bucket := range []string{"b", "lww"} {
		key := ouro.Key{Bucket: bucket, Name: "chain"}
		seen := c.put(ahead, key, "0").Context
		for i, at := range []ring.NodeID{behind, right, ahead, behind, behind, right} {
			v := fmt.Sprint(i + 1)
			c.put(at, key, v, ouro.WithContext(seen))
			seen = c.get(right, key, []string{v}, ouro.R(3)).Context // what follows wins, whatever its clock says
		}
	}
	// Without a context too: an lww put takes what its coordinator holds as seen.
	blind := ouro.Key{Bucket: "lww", Name: "blind"}
	c.put(ahead, blind, "first", ouro.W(3))
	c.put(behind, blind, "second", ouro.W(3))
	c.get(right, blind, []string{"second"}, ouro.R(3))

	// What lost to a version loses to what is written on that version too.
	key := ouro.Key{Bucket: "lww", Name: "three"}
	c.cutOff(right, ahead, behind)
	c.RunFor(time.Second)
	c.put(right, key, "lost", ouro.W(1))
	c.put(ahead, key, "won")
	won := c.get(behind, key, []string{"won"})
	c.put(behind, key, "written on it", ouro.WithContext(won.Context))
	c.healAll(right, ahead, behind)
	c.get(right, key, []string{"written on it"}, ouro.R(3))
}

// Clocks that jump to and fro while clients write lose nothing and bring nothing
// back.
func TestField_13_ClockJumps(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: lwwBuckets(3, 2, 2)})
	r := rand.New(rand.NewPCG(13, 13))
	for _, bucket := range []string{"b", "lww"} {
		key := ouro.Key{Bucket: bucket, Name: "k"}
		seen := c.put("A", key, "0").Context
		for i := range 60 {
			c.Jump(abc[r.IntN(3)], time.Duration(r.IntN(2400)-1200)*time.Second)
			v := fmt.Sprint(i + 1)
			c.put(abc[r.IntN(3)], key, v, ouro.WithContext(seen))
			seen = c.get(abc[r.IntN(3)], key, []string{v}).Context
		}
	}
}

// Expiry is a filter by the clock of who answers (RULES R36): a clock that is
// wrong shows a version for longer or less long by as much, and destroys nothing.
func TestField_13_ExpiryUnderSkew(t *testing.T) {
	b := numbers(3, 3, 3)
	b.Default.TTL = 5 * time.Minute
	c := newCluster(t, sim.Config{Buckets: b})
	c.Jump("A", 10*time.Minute)
	c.Jump("B", -10*time.Minute)
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.put("C", key, "v")
	c.get("A", key, nil) // by A's clock it has expired already
	c.get("B", key, []string{"v"})
	c.get("C", key, []string{"v"})
	c.RunFor(6 * time.Minute)
	c.get("C", key, nil)
	c.get("B", key, []string{"v"}) // A and C, who do not show it, have not touched it
	first := c.state("A", key)
	for _, id := range abc {
		if s := c.state(id, key); string(s.Append(nil)) != string(first.Append(nil)) {
			t.Errorf("A and %s store different states", id)
		}
	}
	c.RunFor(10 * time.Minute)
	c.get("B", key, nil)
}

// lww is a way of reading (RULES R23): siblings are kept, the greatest stamp is
// shown; a put takes what its coordinator holds as seen; a delete is a version
// with a stamp; and a change of mode, either way, loses nothing.
func TestPaper_9_9_LWWIsAWayOfReading(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: lwwBuckets(3, 1, 1)})
	key := ouro.Key{Bucket: "lww", Name: "k"}
	for i, at := range abc {
		c.put(at, key, fmt.Sprint(i), ouro.W(3))
	}
	c.stores("A", key, "2") // no siblings arise where there is no conflict

	c.cutOff("A", "B", "C")
	c.RunFor(time.Second)
	c.put("A", key, "older")
	c.RunFor(time.Second)
	c.put("B", key, "newer")
	c.healAll("A", "B", "C")
	for _, id := range abc {
		c.get(id, key, []string{"newer"}, ouro.R(3))
	}
	c.RunUntilIdle()
	c.stores("C", key, "newer", "older")

	mode := c.Bucket("lww")
	mode.LWW = false
	c.SetBucket("lww", mode)
	c.get("A", key, []string{"newer", "older"}, ouro.R(3))
	mode.LWW = true
	c.SetBucket("lww", mode)
	c.get("A", key, []string{"newer"}, ouro.R(3))
	c.put("A", key, "newest", ouro.W(3))
	c.stores("B", key, "newest")
}

// A delete in an lww bucket is the last writer too: what is older, wherever it
// was, does not come back (RULES H7).
func TestRules_H7_DeleteInAnLWWBucket(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: lwwBuckets(3, 1, 1)})
	key := ouro.Key{Bucket: "lww", Name: "k"}
	c.put("A", key, "old", ouro.W(3))
	c.cutOff("A", "B", "C")
	c.RunFor(time.Second)
	c.put("A", key, "an older loser")
	c.RunFor(time.Second)
	c.put("B", key, "what the delete saw")
	if _, err := c.Delete("B", key).Wait(); err != nil {
		t.Fatal(err)
	}
	c.healAll("A", "B", "C")
	for _, id := range abc {
		c.get(id, key, nil, ouro.R(3))
	}
	c.RunUntilIdle()
	if s := c.state("C", key); len(s.Versions) != 2 || !s.Versions[0].Deleted && !s.Versions[1].Deleted {
		t.Errorf("C stores %+v", s.Versions)
	}
	c.put("C", key, "again", ouro.W(3))
	c.get("A", key, []string{"again"}, ouro.R(3))
}

// entry is a way of changing a key, and what the key shows when it is done.
type entry struct {
	name  string
	begin func(c cluster, at ring.NodeID, key ouro.Key, seen ouro.Context, id ouro.Option) *sim.Call
	shows []string // "old" was there before
}

var entries = []entry{
	{"blind put", func(c cluster, at ring.NodeID, key ouro.Key, _ ouro.Context, id ouro.Option) *sim.Call {
		return c.Put(at, key, text("new"), id)
	}, []string{"new", "old"}},
	{"put", func(c cluster, at ring.NodeID, key ouro.Key, seen ouro.Context, id ouro.Option) *sim.Call {
		return c.Put(at, key, text("new"), ouro.WithContext(seen), id)
	}, []string{"new"}},
	{"delete", func(c cluster, at ring.NodeID, key ouro.Key, seen ouro.Context, id ouro.Option) *sim.Call {
		return c.Delete(at, key, ouro.WithContext(seen), id)
	}, nil},
	{"delete without context", func(c cluster, at ring.NodeID, key ouro.Key, _ ouro.Context, id ouro.Option) *sim.Call {
		return c.Delete(at, key, id)
	}, nil},
}

// loss says which messages of a request's first attempt are lost.
type loss struct {
	name string
	lost func(number int, m *node.Message) bool
}

// alone is the loss by which coordinators can ask nobody whether they have a
// request: each may store it then, and reads show it once (RULES R31).
const alone = "every ask"

// losses are each single message in turn, and all of each kind.
func losses(messages int) []loss {
	all := []loss{
		{"every answer", func(_ int, m *node.Message) bool { return m.Kind == node.KindAnswer }},
		{alone, func(_ int, m *node.Message) bool { return m.Kind == node.KindAsk }},
		{"every forward", func(_ int, m *node.Message) bool { return m.Kind == node.KindForward }},
		{"every return", func(_ int, m *node.Message) bool { return m.Kind == node.KindReturn }},
		{"every answer and return", func(_ int, m *node.Message) bool { return m.Kind == node.KindAnswer || m.Kind == node.KindReturn }},
	}
	for i := range messages {
		all = append(all, loss{fmt.Sprint("message ", i), func(n int, _ *node.Message) bool { return n == i }})
	}
	return all
}

// fresh returns a cluster of five nodes in which A, B and C store "old" under a
// key, with the context of that.
func fresh(t *testing.T) (cluster, ouro.Key, ouro.Context) {
	ids := []ring.NodeID{"A", "B", "C", "D", "E"}
	c := newCluster(t, sim.Config{Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: numbers(3, 2, 2)})
	key := c.keyIn("A", "B", "C")
	seen := c.put("A", key, "old").Context
	c.RunUntilIdle()
	return c, key, seen
}

// first makes an attempt in which messages are lost, and returns how many there
// were and what became of it.
func (e *entry) first(c cluster, at ring.NodeID, key ouro.Key, seen ouro.Context, l loss) (int, error) {
	n := 0
	c.Lose(func(_, _ ring.NodeID, m *node.Message) bool {
		n++
		return l.lost(n-1, m)
	})
	_, err := e.begin(c, at, key, seen, ouro.RequestID("r")).Wait()
	c.Lose(nil)
	return n, err
}

// Ambiguous errors: whatever message of a write is lost, its client is told the
// truth: done, not done or unknown.
func TestField_14_OutcomesAreTrue(t *testing.T) {
	for _, e := range entries {
		for _, at := range []ring.NodeID{"A", "D"} {
			c, key, seen := fresh(t)
			n, err := e.first(c, at, key, seen, loss{lost: func(int, *node.Message) bool { return false }})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range losses(n) {
				c, key, seen = fresh(t)
				_, err := e.first(c, at, key, seen, l)
				c.RunUntilIdle()
				got := shown(c.read(key))
				if done := slices.Equal(got, e.shows); err == nil && !done || outcome(err) == ouro.NotDone && done {
					t.Errorf("%s at %s, %s lost: %v, and the key shows %q", e.name, at, l.name, err, got)
				}
			}
		}
	}
}

// Every acknowledgement is dropped once, and every other message: a write that is
// sent again under its request id, to the node that had it or to another, is
// stored once, as far as those can be asked who may have it.
func TestField_14_DropEveryAckOnce(t *testing.T) {
	for _, e := range entries {
		for _, at := range []ring.NodeID{"A", "D"} {
			c, key, seen := fresh(t)
			n, _ := e.first(c, at, key, seen, loss{lost: func(int, *node.Message) bool { return false }})
			for _, l := range losses(n) {
				for _, again := range []ring.NodeID{at, "B", "E"} {
					c, key, seen = fresh(t)
					_, _ = e.first(c, at, key, seen, l)
					if _, err := e.begin(c, again, key, seen, ouro.RequestID("r")).Wait(); err != nil {
						t.Fatalf("%s at %s, %s lost, again at %s: %v", e.name, at, l.name, again, err)
					}
					c.RunUntilIdle()
					if got := shown(c.read(key)); !slices.Equal(got, e.shows) {
						t.Errorf("%s at %s, %s lost, again at %s: the key shows %q", e.name, at, l.name, again, got)
					}
					c.RunUntilIdle()
					for _, id := range abc { // reads show once what is stored twice
						if l.name != alone {
							c.stores(id, key, e.shows...)
						}
					}
				}
			}
		}
	}
}

// A delete that is sent again does not remove what was written after it.
func TestField_14_DeleteAgainAfterAPut(t *testing.T) {
	for i, again := range slices.Concat(abc, abc) {
		c, key, _ := fresh(t)
		c.Lose(func(_, _ ring.NodeID, m *node.Message) bool {
			return m.Kind == node.KindAnswer && m.Answer.Verb == replica.Join
		})
		if _, err := c.Delete("A", key, ouro.RequestID("r")).Wait(); outcome(err) != ouro.Unknown {
			t.Fatalf("a delete whose acknowledgements are lost: %v", err)
		}
		c.Lose(nil)
		if i >= len(abc) { // the coordinator forgets it
			c.Crash("A")
			c.Restart("A")
			c.RunFor(time.Second)
		}
		c.put("B", key, "written since")
		if _, err := c.Delete(again, key, ouro.RequestID("r")).Wait(); err != nil {
			t.Fatal(err)
		}
		c.RunUntilIdle()
		c.get("C", key, []string{"written since"}, ouro.R(3))
	}
}

// read reads a key from all its replicas.
func (c cluster) read(key ouro.Key) ouro.Result {
	c.t.Helper()
	res, err := c.Get("C", key, ouro.R(3)).Wait()
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		c.t.Fatal(err)
	}
	return res
}

// outcome is what an error says became of a write.
func outcome(err error) ouro.Outcome {
	var e *ouro.Error
	if errors.As(err, &e) {
		return e.Outcome
	}
	return ouro.Done
}

// Hint loss: what is kept outlives a restart of its keeper, is told at once after
// it, and comes home though its target is slow and fails now and then; hints are
// never why a write fails.
func TestPaper_4_6_2_HintsOutliveARestart(t *testing.T) {
	ids := []ring.NodeID{"A", "B", "C", "D"}
	c := newCluster(t, sim.Config{Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: numbers(3, 2, 3)})
	key := c.keyIn("A", "B", "C")
	c.Crash("A")
	c.RunFor(time.Second)
	c.put("B", key, "v")
	c.RunUntil(func() bool { return c.Kept("D") > 0 })
	c.RunFor(time.Second)
	c.Crash("D")
	c.Restart("D")
	if owed := c.Backlog("D"); len(owed) != 1 || owed[0].Target != "A" || owed[0].Records != 1 || owed[0].Oldest == 0 {
		t.Errorf("at once after a restart D tells %+v", owed)
	}
	c.RunFor(time.Minute)
	if c.Kept("D") == 0 {
		t.Error("D has forgotten it")
	}
	c.Restart("A")
	c.RunUntilIdle()
	c.stores("A", key, "v")
}

// What is too old is let go where two other primaries have it, and only there: an
// acknowledged write of which one primary and the keeper have the only copies
// survives the loss of either.
func TestField_8_OldHintsKeepTwoCopies(t *testing.T) {
	ids := []ring.NodeID{"A", "B", "C", "D"}
	cfg := sim.Config{Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: numbers(3, 2, 2)}
	cfg.Node.Handoff.MaxAge = time.Second
	c := newCluster(t, cfg)
	key := c.keyIn("A", "B", "C")
	c.Crash("A")
	c.Crash("C")
	c.RunFor(time.Second)
	c.put("B", key, "v")
	c.RunFor(time.Minute)
	if c.Kept("D") == 0 {
		t.Error("D has let go what B alone has besides")
	}
	c.Crash("B")
	c.Wipe("B")
	c.Restart("B")
	c.Restart("C")
	c.RunFor(time.Second)
	c.get("B", key, []string{"v"}) // from the hint that D still has
	c.RunUntil(func() bool { return c.Kept("D") == 0 })
	if _, ok := c.State("A", key); ok {
		t.Error("A, which is down, has it")
	}
	c.stores("B", key, "v")
	c.stores("C", key, "v")
	c.Restart("A")
	c.RunUntilIdle()
	c.get("A", key, []string{"v"}, ouro.R(3))
}

// A hint that was let go is not forgotten: those who hold what it said compare
// with the node that missed it as soon as it is back, without any read.
func TestField_8_WhatWasLetGoComesHome(t *testing.T) {
	ids := []ring.NodeID{"A", "B", "C", "D"}
	cfg := sim.Config{Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: numbers(3, 2, 2)}
	cfg.Node.Handoff.MaxAge, cfg.Compare = time.Second, true
	c := newCluster(t, cfg)
	key := c.keyIn("A", "B", "C")
	c.Crash("A")
	c.RunFor(time.Second)
	c.put("B", key, "v", ouro.W(3))
	if c.Kept("D") == 0 {
		t.Fatal("D keeps nothing for A")
	}
	c.RunUntil(func() bool { return c.Kept("D") == 0 })
	for _, id := range []ring.NodeID{"B", "C"} { // they keep in mind that A missed it
		c.Crash(id)
		c.Restart(id)
	}
	c.Restart("A")
	c.RunFor(2 * time.Second) // before the turn of partitions that nobody marked
	c.stores("A", key, "v")
}

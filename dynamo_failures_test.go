package ouro_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
	"github.com/ourodb/ouro/internal/store"
)

// What a coordinator does about nodes that do not answer, answer late, or whose
// disk fails (paper, sections 4.6 and 4.8.3). Links are up in all of this but
// where they are cut: what is noticed is silence.

// five is a cluster of five in which every third of three primaries is the key's.
func five(t *testing.T, n, r, w int) (cluster, ouro.Key) {
	ids := []ring.NodeID{"A", "B", "C", "D", "E"}
	c := newCluster(t, sim.Config{Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: numbers(n, r, w)})
	return c, c.keyIn("A", "B", "C")
}

// quick is how long a request may take that waits for nobody who is silent.
const quick = 20 * time.Millisecond

// settleIn makes puts through a node, of other keys of the same partition, until it
// has noticed who is silent, each of which must succeed, and returns how many were
// slow.
func (c cluster) settleIn(at ring.NodeID, key ouro.Key) (slow int) {
	c.t.Helper()
	like := c.Preference(key)
	for i, n := 0, 0; n < 8; i++ {
		other := ouro.Key{Bucket: key.Bucket, Name: fmt.Sprint("at ", at, c.Now(), i)}
		if !slices.Equal(c.Preference(other), like) {
			continue
		}
		n++
		call := c.Put(at, other, text(fmt.Sprint(i)), ouro.RequestID(other.Name))
		if _, err := call.Wait(); err != nil {
			c.t.Fatalf("put %d at %s: %v", i, at, err)
		}
		if call.Took() > quick {
			slow++
		}
	}
	return slow
}

// quickly makes one more put and one get, which must not wait for anybody silent.
func (c cluster) quickly(at ring.NodeID, key ouro.Key, value string, opts ...ouro.Option) ouro.Result {
	c.t.Helper()
	got, err := c.Get(at, key).Wait()
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		c.t.Fatalf("get at %s: %v", at, err)
	}
	put := c.Put(at, key, text(value), append(opts, ouro.WithContext(got.Context))...)
	res, err := put.Wait()
	if err != nil || put.Took() > quick {
		c.t.Fatalf("put at %s after %v: %v", at, put.Took(), err)
	}
	get := c.Get(at, key)
	if got, err := get.Wait(); err != nil || get.Took() > quick || len(got.Siblings) != 1 || string(got.Siblings[0].Data) != value {
		c.t.Fatalf("get at %s after %v: %v %v", at, get.Took(), got.Siblings, err)
	}
	return res
}

// A node that hangs is noticed after three asks without an answer, by those alone
// that ask it, and the next of the walk stands in for it. It stays on the ring,
// and is handed what it missed as soon as it answers again.
func TestPaper_4_8_3_HangingNodeIsWrittenAround(t *testing.T) {
	c, key := five(t, 3, 2, 3)
	c.Pause("A")
	if slow := c.settleIn("B", key); slow > 3 {
		t.Errorf("%d puts waited for a node that hangs", slow)
	}
	res := c.quickly("B", key, "v")
	if q := res.Quorum; q.Acks != 3 || q.Primaries != 2 || q.Durable != 3 {
		t.Errorf("a stand-in and two primaries have it: %+v", q)
	}
	if slow := c.settleIn("D", key); slow > 3 { // which passes it on, to A first
		t.Errorf("%d puts waited for a coordinator that hangs", slow)
	}
	c.quickly("D", key, "w")
	c.Resume("A")
	c.RunUntilIdle()
	c.stores("A", key, "w")
}

// A disk that does not sync is noticed by the writes that it leaves unanswered.
// Its node passes writes on, and reads and coordinates reads as before.
func TestPaper_4_8_3_StalledDiskIsWrittenAround(t *testing.T) {
	c, key := five(t, 3, 2, 3)
	c.put("A", key, "before")
	c.Stall("A")
	if slow := c.settleIn("A", key); slow > 6 { // three there, and three where they go then
		t.Errorf("%d puts waited for the own disk", slow)
	}
	blind := c.Put("A", key, text("blind"))
	if res, err := blind.Wait(); err != nil || res.Coordinator == "A" || blind.Took() > quick {
		t.Errorf("A coordinates writes, and its disk stalls: %s, %v, %v", res.Coordinator, blind.Took(), err)
	}
	if slow := c.settleIn("B", key); slow > 3 {
		t.Errorf("%d puts waited for a disk that stalls", slow)
	}
	c.quickly("B", key, "v")
	c.quickly("A", key, "w")
	if res := c.get("A", key, []string{"w"}); res.Coordinator != "A" {
		t.Errorf("%s coordinates a read that A could", res.Coordinator)
	}
	c.Unstall("A")
	c.RunUntilIdle()
	c.stores("A", key, "w")
	if res := c.quickly("A", key, "x"); res.Quorum.Primaries != 3 {
		t.Errorf("A's disk is well again: %+v", res.Quorum)
	}
}

// Where asks arrive and answers do not, or the other way round, the other is
// silent all the same.
func TestPaper_4_8_3_OneWayCuts(t *testing.T) {
	for _, way := range [][2]ring.NodeID{{"A", "B"}, {"B", "A"}} {
		t.Run(fmt.Sprint("from ", way[0]), func(t *testing.T) {
			c, key := five(t, 3, 2, 3)
			c.CutOneWay(way[0], way[1])
			if slow := c.settleIn("B", key); slow > 8 {
				t.Errorf("%d puts waited", slow)
			}
			if res := c.quickly("B", key, "v"); res.Quorum.Primaries != 2 {
				t.Errorf("A can't be asked: %+v", res.Quorum)
			}
			c.settleIn("C", key) // to which A is as well as ever
			if res := c.quickly("C", key, "w"); res.Quorum.Primaries != 3 {
				t.Errorf("C can ask all: %+v", res.Quorum)
			}
			c.HealOneWay(way[0], way[1])
			c.RunUntilIdle()
			c.stores("A", key, "w")
		})
	}
}

// Of two that may stand in, the one that is late for long is used last.
func TestPaper_4_8_3_SlowNodeIsUsedLast(t *testing.T) {
	c, key := five(t, 3, 2, 3)
	c.Crash("A")
	c.RunFor(time.Second)
	c.quickly("B", key, "before")
	c.Slow("D", 20*time.Millisecond)
	for i := range 40 {
		if _, err := c.Put("B", key, text(fmt.Sprint(i)), ouro.WithContext(nil), ouro.RequestID(fmt.Sprint(i))).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	c.Slow("D", 20*time.Millisecond)
	for i := range 40 {
		if _, err := c.Put("B", key, text(fmt.Sprint(i)), ouro.WithContext(nil), ouro.RequestID(fmt.Sprint(40+i))).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if res := c.quickly("B", key, "v"); res.Quorum.Acks != 3 {
		t.Errorf("E stands in: %+v", res.Quorum)
	}
}

// With W=1 a put is accepted while one node is left that does not hang.
func TestPaper_4_6_5_OneNodeIsEnoughWhereOthersHang(t *testing.T) {
	c, key := five(t, 3, 1, 1)
	for i, down := range []ring.NodeID{"A", "B", "C", "D"} {
		c.Pause(down)
		c.settleIn("E", key)
		res := c.quickly("E", key, fmt.Sprint("with ", i+1, " hanging"))
		if want := i < 2; (res.Quorum.Primaries > 0) != want {
			t.Errorf("with %d nodes hanging the put was acknowledged by %+v", i+1, res.Quorum)
		}
	}
	for _, id := range []ring.NodeID{"A", "B", "C", "D"} {
		c.Resume(id)
	}
	c.RunUntilIdle()
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.stores(id, key, "with 4 hanging")
	}
}

// A node whose disk is full passes writes on, and reads, answers and forwards as
// before.
func TestPaper_4_6_5_FullDisk(t *testing.T) {
	c, key := five(t, 3, 2, 3)
	c.put("A", key, "before")
	for _, id := range []ring.NodeID{"A", "D"} {
		c.FailWrites(id, store.ErrFull)
	}
	for _, at := range []ring.NodeID{"A", "D"} { // a primary, and one that forwards
		res := c.quickly(at, key, "at "+string(at))
		if q := res.Quorum; res.Coordinator == "A" || res.Coordinator == "D" || q.Acks != 3 || q.Primaries != 2 {
			t.Errorf("a put at %s: %s, %+v", at, res.Coordinator, q)
		}
	}
	c.get("B", key, []string{"at D"}, ouro.R(3))
	for _, id := range []ring.NodeID{"A", "D"} {
		c.FailWrites(id, nil)
	}
	c.RunUntilIdle()
	c.stores("A", key, "at D")
}

// A node that hangs has a forward in its inbox that went to another coordinator
// since, and what that one stored was deleted: it does not come back.
func TestRules_H10_ForwardThatIsTakenLate(t *testing.T) {
	c, key := five(t, 3, 2, 2)
	c.get("D", key, nil) // by way of A, which knows from it how long that takes
	c.Pause("A")
	put := c.Put("D", key, text("v"), ouro.RequestID("7"))
	if res, err := put.Wait(); err != nil || res.Coordinator == "A" {
		t.Fatalf("a put by way of a node that hangs: %v %v", res.Coordinator, err)
	}
	if _, err := c.Delete("C", key).Wait(); err != nil {
		t.Fatal(err)
	}
	c.Resume("A")
	c.RunUntilIdle()
	c.get("B", key, nil, ouro.R(3))
}

// pw and pr count primaries alone, wherever they are set: in the default, in a
// bucket or in the request; that others stand in for a primary that hangs does not
// make up for it, and the request may lower what the bucket sets.
func TestPaper_9_5_StrictWhereverItIsSet(t *testing.T) {
	plain := member.Bucket{N: 3, R: 2, W: 2, Timeout: time.Second}
	strict := plain
	strict.PR, strict.PW = 2, 2
	ids := []ring.NodeID{"A", "B", "C", "D", "E"}
	for _, c := range []struct {
		name          string
		standard, own member.Bucket
		opts          []ouro.Option
		want          bool
	}{
		{"nowhere", plain, plain, nil, true},
		{"by default", strict, plain, nil, true}, // the bucket has its own
		{"in the bucket", plain, strict, nil, false},
		{"in the request", plain, plain, []ouro.Option{ouro.PR(2), ouro.PW(2)}, false},
		{"lowered in the request", plain, strict, []ouro.Option{ouro.PR(1), ouro.PW(1)}, true},
		{"dw", plain, plain, []ouro.Option{ouro.W(3), ouro.DW(3)}, true}, // what stands in is as durable
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, bucket := range []string{"b", "unnamed"} {
				w := newCluster(t, sim.Config{Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: node.Buckets{
					Default: c.standard, Named: map[string]member.Bucket{"b": c.own},
				}})
				w.Pause("A")
				w.Pause("B")
				want := c.want
				if bucket == "unnamed" && len(c.opts) == 0 {
					want = c.standard.PW == 0
				}
				var key ouro.Key
				for i := 0; key.Name == "" || !slices.Equal(w.Preference(key)[:3], ids[:3]); i++ {
					key = ouro.Key{Bucket: bucket, Name: fmt.Sprint("k", i)}
				}
				put, err := w.Put("E", key, text("v"), c.opts...).Wait()
				if (err == nil) != want {
					t.Errorf("a put in %s: %+v, %v", bucket, put.Quorum, err)
				}
				get, err := w.Get("E", key, c.opts...).Wait()
				if ok := err == nil || ouro.CodeOf(err) == ouro.NotFound; ok != want {
					t.Errorf("a get in %s: %+v, %v", bucket, get.Quorum, err)
				}
			}
		})
	}
}

// Nobody is suspected of anything where nothing is asked: there are no heartbeats.
func TestPaper_4_8_3_NoTrafficNoSuspicion(t *testing.T) {
	c, key := five(t, 3, 2, 2)
	c.put("B", key, "v")
	c.RunUntilIdle()
	c.Pause("A")
	before := c.Now()
	c.RunUntilIdle()
	if c.Now() != before {
		t.Error("something is going on in a cluster that nobody asks for anything")
	}
}

// The coordinator's own disk is slow to sync what it has just been told, so that it
// can't show it: once that takes longer than its answers usually do, another is
// asked for its state, but not for more than a small share of the reads; and when
// it stays slow another is asked first.
func TestPaper_4_8_3_HedgedReads(t *testing.T) {
	const reads = 400
	for share, most := range map[float64]int{0: 20 + reads/20 + 4, -1: 0} {
		ids := []ring.NodeID{"A", "B", "C", "D", "E"}
		c := newCluster(t, sim.Config{
			Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: numbers(3, 2, 2), Node: node.Config{HedgeShare: share},
		})
		key := c.keyIn("A", "B", "C")
		context := c.put("A", key, "v").Context
		read := func() (slow, hedged int) {
			before := c.Stats().Hedged
			for i := range reads {
				context = c.put("A", key, fmt.Sprint(i), ouro.W(1), ouro.WithContext(context)).Context
				get := c.Get("A", key)
				if _, err := get.Wait(); err != nil {
					t.Fatal(err)
				}
				if get.Took() > quick {
					slow++
				}
			}
			return slow, c.Stats().Hedged - before
		}
		for range 40 {
			c.get("A", key, []string{"v"})
		}
		if slow, hedged := read(); slow > 0 || hedged > reads/10 {
			t.Errorf("%d of %d reads were slow and %d hedged, and nothing is slow", slow, reads, hedged)
		}
		c.SlowDisk("A", 30*time.Millisecond)
		slow, hedged := read()
		if hedged > most || (hedged == 0) != (most == 0) {
			t.Errorf("share %v: %d of %d reads were hedged", share, hedged, reads)
		}
		if slow > reads/10 {
			t.Errorf("share %v: %d of %d reads were slow", share, slow, reads)
		}
	}
}

// FIELD 2.14 #11: under a load of reads alone each replica that is stale is sent the
// merged state once, however many reads see at once that it is.
func TestPaper_5_7_RepairsAreNotRepeated(t *testing.T) {
	c := newCluster(t, sim.Config{})
	const keys = 20
	key := func(i int) ouro.Key { return ouro.Key{Bucket: "b", Name: fmt.Sprint("k", i)} }
	c.cutOff("C", "A", "B")
	c.RunFor(time.Second)
	for i := range keys {
		c.put("A", key(i), "v")
	}
	c.healAll("C", "A", "B")
	c.RunFor(time.Second)
	for range 3 {
		for i := range keys {
			for range 4 {
				c.Get("A", key(i))
			}
		}
		c.RunFor(time.Millisecond)
	}
	c.RunUntilIdle()
	if n := c.Stats().Repairs; n != keys {
		t.Errorf("%d repairs of %d keys", n, keys)
	}
	for i := range keys {
		c.stores("C", key(i), "v")
	}
}

// Repairs are limited, and a read that leaves one to another read succeeds.
func TestPaper_5_7_RepairsAreLimited(t *testing.T) {
	c := newCluster(t, sim.Config{Node: node.Config{ReadRepairRate: 5}})
	key := func(i int) ouro.Key { return ouro.Key{Bucket: "b", Name: fmt.Sprint("k", i)} }
	c.cutOff("C", "A", "B")
	c.RunFor(time.Second)
	for i := range 20 {
		c.put("A", key(i), "v")
	}
	c.healAll("C", "A", "B")
	c.RunFor(time.Second)
	for i := range 20 {
		c.get("A", key(i), []string{"v"})
	}
	c.RunUntilIdle()
	if n := c.Stats().Repairs; n < 5 || n > 6 {
		t.Errorf("%d repairs, and 5 a second are allowed", n)
	}
	if n, left := c.Stats().Repairs, c.Stats().RepairsLeft; n+left != 20 {
		t.Errorf("%d repairs, %d left to another read, of 20", n, left)
	}
	c.RunFor(2 * time.Second)
	for i := range 20 {
		c.get("A", key(i), []string{"v"})
	}
	c.RunUntilIdle()
	if n := c.Stats().Repairs; n < 10 || n > 12 {
		t.Errorf("%d repairs after two seconds, and 5 a second are allowed", n)
	}
}

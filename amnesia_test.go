package ouro_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
)

// Traces of nodes that forgot what they had acknowledged.

// current waits until a node has got back all that it may have forgotten.
func (c cluster) current(id ring.NodeID) {
	c.t.Helper()
	for range 100 {
		if !c.Recovering(id) {
			return
		}
		c.RunFor(time.Second)
	}
	c.t.Fatalf("%s is still recovering", id)
}

// alone writes a value that A and B acknowledge and C never gets.
func (c cluster) alone(key ouro.Key, value string) {
	c.t.Helper()
	c.cutOff("C", "A", "B")
	c.put("A", key, value)
	c.RunFor(50 * time.Millisecond)
}

// unread checks that a read of two cannot be met by one that forgot and one that
// never had it.
func (c cluster) unread(at ring.NodeID, key ouro.Key) {
	c.t.Helper()
	if res, err := c.Get(at, key, ouro.R(2), ouro.PR(2)).Wait(); err == nil || ouro.CodeOf(err) == ouro.NotFound {
		c.t.Fatalf("a strict read at %s, of one that forgot and one that never had it, shows %q, %v", at, shown(res), err)
	}
}

// TestRules_H8_WipedReplicaIsNotCounted: w=2 is acknowledged by A and B, A loses
// its disk, and a strict read of A and C must not miss it: A counts for no read
// before it has compared with B.
func TestRules_H8_WipedReplicaIsNotCounted(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 2, 2)})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.alone(key, "v")
	c.Crash("A")
	c.Wipe("A")
	c.Crash("B")
	c.healAll("C", "A", "B")
	c.Restart("A")
	c.RunFor(100 * time.Millisecond)
	c.unread("C", key)
	c.unread("A", key)
	c.put("A", ouro.Key{Bucket: "b", Name: "other"}, "its acknowledgement counts for w")
	if _, err := c.Put("A", ouro.Key{Bucket: "b", Name: "strict"}, text("w"), ouro.PW(2)).Wait(); err == nil {
		t.Error("and for pw")
	}
	c.RunFor(time.Minute)
	c.unread("C", key) // however long it takes
	c.Restart("B")
	c.current("A")
	c.Crash("B")
	c.get("C", key, []string{"v"}, ouro.R(2), ouro.PR(2))
}

// TestRules_H8_RestoredReplicaIsNotCounted: the same with an old copy of the disk,
// which does not know that it is old: the others do (RULES R11).
func TestRules_H8_RestoredReplicaIsNotCounted(t *testing.T) {
	for _, marked := range []bool{false, true} {
		c := newCluster(t, sim.Config{Buckets: numbers(3, 2, 2)})
		key, kept := ouro.Key{Bucket: "b", Name: "k"}, ouro.Key{Bucket: "b", Name: "kept"}
		c.put("A", kept, "old")
		c.RunFor(time.Second)
		old := c.CopyDisk("A")
		c.Crash("A")
		c.Restart("A") // another start, which the others see
		c.RunFor(time.Second)
		c.alone(key, "v")
		c.Crash("A")
		c.PutBack("A", old, marked)
		c.Crash("B")
		c.healAll("C", "A", "B")
		c.Restart("A")
		c.RunFor(100 * time.Millisecond)
		c.unread("C", key)
		c.Restart("B")
		c.current("A")
		c.Crash("B")
		c.get("C", key, []string{"v"}, ouro.R(2), ouro.PR(2))
		c.get("A", kept, []string{"old"}, ouro.R(2), ouro.PR(2))
	}
}

// TestRules_H8_AnAcknowledgementOfAnEarlierLife: a coordinator that still holds
// one when a replica has lost its disk must not count it once that replica has
// compared: the replica waits as long as any request may take (RULES R10).
func TestRules_H8_AnAcknowledgementOfAnEarlierLife(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 2, 2)})
	key := ouro.Key{Bucket: "b", Name: "k"}
	held := c.Hold("B", "C", sim.Joins)
	c.Stall("B") // B coordinates, and its own disk does not acknowledge
	call := c.Put("B", key, text("v"), ouro.Timeout(time.Second))
	c.RunFor(50 * time.Millisecond) // A has acknowledged
	c.Crash("A")
	c.Wipe("A")
	c.Restart("A")
	c.RunFor(800 * time.Millisecond)
	if !c.Recovering("A") {
		t.Fatal("A is current while the request may still be answered")
	}
	c.Unstall("B")
	held.Drop()
	c.RunUntil(call.Done)
	c.current("A")
	if _, err := call.Result(); err == nil { // A and B have it, for all the client knows
		c.Crash("B")
		c.get("A", key, []string{"v"}, ouro.R(2), ouro.PR(2))
	}
}

// TestRules_R10_ABucketGivesNoRequestMoreTime: the same with a bucket that gives its
// requests more time than a replica waits that has lost its disk.
func TestRules_R10_ABucketGivesNoRequestMoreTime(t *testing.T) {
	b := numbers(3, 1, 3)
	b.Default.Timeout = 5 * time.Minute
	cfg := sim.Config{Buckets: b}
	cfg.Node.Recovery.Wait = time.Minute
	c := newCluster(t, cfg)
	key := ouro.Key{Bucket: "b", Name: "k"}
	held := c.Hold("B", "C", sim.Joins)
	call := c.Put("B", key, text("v"))
	c.RunFor(50 * time.Millisecond) // A has acknowledged
	c.cutOff("A", "B")
	c.Crash("A")
	c.Wipe("A")
	c.Restart("A")
	c.current("A") // by C, as a write is to be on all
	held.Let()
	c.RunUntil(call.Done)
	if _, err := call.Result(); err == nil { // all have it, for all the client knows
		c.get("A", key, []string{"v"}, ouro.R(1))
	} else if ouro.CodeOf(err) != ouro.TimedOut {
		t.Error(err)
	}
}

// TestRules_H9_RottenRecordIsNotCounted: A, which acknowledged v with B, can't
// read its record any more. What comes is acknowledged beside it, no read counts
// it, and once it has B's state it is whole.
func TestRules_H9_RottenRecordIsNotCounted(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 2, 2)})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.alone(key, "v")
	c.Crash("A")
	c.Rot("A", key)
	c.Crash("B")
	c.healAll("C", "A", "B")
	c.Restart("A")
	c.RunFor(100 * time.Millisecond)
	c.put("C", key, "w") // A acknowledges it beside the rotten record
	c.unread("C", key)
	c.unread("A", key)
	c.Restart("B")
	c.current("A")
	c.Crash("B")
	c.get("C", key, []string{"v", "w"}, ouro.R(2), ouro.PR(2))
}

// TestRules_H23_DontKnowIsNoAnswer: "not found", "don't know" and an error are
// three answers: one that forgot, or can't read, never completes a "not found".
func TestRules_H23_DontKnowIsNoAnswer(t *testing.T) {
	key := ouro.Key{Bucket: "b", Name: "k"}
	for name, forget := range map[string]func(c cluster){
		"lost":       func(c cluster) { c.Crash("A"); c.Wipe("A"); c.Restart("A") },
		"unreadable": func(c cluster) { c.Crash("A"); c.Restart("A"); c.FailReads("A", true) },
		"rotten":     func(c cluster) { c.Crash("A"); c.Rot("A", key); c.Restart("A") },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, sim.Config{Buckets: numbers(3, 2, 2)})
			c.alone(key, "v")
			forget(c)
			c.Crash("B")
			c.healAll("C", "A", "B")
			c.RunFor(100 * time.Millisecond)
			c.unread("C", key)
			c.unread("A", key)
		})
	}
}

// TestPaper_9_10_BackAfterItsDiskWasLost: deletes that it missed stay done, and
// what it lost comes back without a read, also where hints were forgotten.
func TestPaper_9_10_BackAfterItsDiskWasLost(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 2, 2)})
	name := func(i int) ouro.Key { return ouro.Key{Bucket: "b", Name: fmt.Sprint(i)} }
	for i := range 20 {
		ctx := c.put("A", name(i), "v").Context
		if i%2 == 0 {
			c.RunFor(10 * time.Millisecond)
			if _, err := c.Delete("B", name(i), ouro.WithContext(ctx)).Wait(); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.RunFor(time.Second)
	c.Crash("C")
	c.Wipe("C")
	c.Restart("C")
	c.current("C")
	for i := range 20 {
		s := c.state("C", name(i))
		if want := i % 2; len(s.Versions) != want {
			t.Errorf("key %d: C holds %d versions, want %d", i, len(s.Versions), want)
		}
	}
}

// TestPaper_9_10_AwayForLong: a node that was down for longer than hints are kept
// answers no read before it has compared, not even at r=1.
func TestPaper_9_10_AwayForLong(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 1, 2)})
	key := ouro.Key{Bucket: "b", Name: "k"}
	ctx := c.put("A", key, "old").Context
	c.RunFor(time.Second)
	c.Crash("C")
	c.put("A", key, "new", ouro.WithContext(ctx))
	c.RunFor(time.Second)
	c.Away("C", 4*time.Hour)
	c.cutOff("C", "A", "B")
	c.Restart("C")
	c.RunFor(100 * time.Millisecond)
	if res, err := c.Get("C", key, ouro.R(1)).Wait(); err == nil || ouro.CodeOf(err) == ouro.NotFound {
		t.Fatalf("it shows %q, %v", shown(res), err)
	}
	c.healAll("C", "A", "B")
	c.current("C")
	c.Crash("A")
	c.Crash("B")
	c.get("C", key, []string{"new"}, ouro.R(1))
}

// TestField_2_ForgettersMintNoDotTwice is FIELD 2.14 #2: wipe, put back an old
// copy, rot one record, and write each time: no dot names two versions (which the
// world checks in all that is stored), and nothing acknowledged is lost.
func TestField_2_ForgettersMintNoDotTwice(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 2, 2)})
	key := ouro.Key{Bucket: "b", Name: "k"}
	want := []string{"0 first"}
	c.put("A", key, "0 first")
	c.RunFor(time.Second)
	old := c.CopyDisk("A")
	for i, forget := range []func(){
		func() { c.Wipe("A") },
		func() { c.PutBack("A", old, false) },
		func() { c.PutBack("A", old, true) },
		func() { c.Rot("A", key) },
	} {
		before := fmt.Sprintf("%d before", i+1)
		c.put("A", key, before)
		c.RunFor(time.Second)
		c.Crash("A")
		forget()
		c.Restart("A")
		c.RunFor(100 * time.Millisecond)
		after := fmt.Sprintf("%d after", i+1)
		c.put("A", key, after)
		want = append(want, after, before)
		c.RunFor(time.Second)
		c.current("A")
		for _, id := range []ring.NodeID{"A", "B", "C"} {
			c.get(id, key, want, ouro.R(3))
		}
	}
}

// TestField_18_ReadErrorIsNotNotFound is the other part of FIELD 2.14 #18: a disk
// that fails to read is asked around, and nothing is written over what it has.
func TestField_18_ReadErrorIsNotNotFound(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 2, 2)})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.put("A", key, "v")
	c.RunFor(time.Second)
	c.Crash("A")
	c.Restart("A") // nothing is in memory
	c.FailReads("A", true)
	c.RunFor(time.Second)
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.get(id, key, []string{"v"})
	}
	c.FailReads("A", false)
	c.RunFor(time.Minute)
	c.get("A", key, []string{"v"}, ouro.R(3))
}

// TestR35_PowerCutLosesNothingAcknowledged: every node loses power with writes
// under way; what was acknowledged is there, and the nodes count at once: nothing
// is recovering.
func TestR35_PowerCutLosesNothingAcknowledged(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 2, 2)})
	key := func(i int) ouro.Key { return ouro.Key{Bucket: "b", Name: fmt.Sprint(i)} }
	var calls []*sim.Call
	for i := range 200 {
		calls = append(calls, c.Put("A", key(i), text("v"), ouro.RequestID(fmt.Sprint(i))))
		c.RunFor(20 * time.Microsecond)
	}
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.Crash(id)
	}
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.Restart(id)
	}
	c.RunFor(time.Second)
	done := 0
	for i, call := range calls {
		if _, err := call.Result(); call.Done() && err == nil {
			done++
			c.get("B", key(i), []string{"v"}, ouro.R(2), ouro.PR(2))
		}
	}
	if done == 0 || done == len(calls) {
		t.Errorf("%d of %d were acknowledged: the power should go in between", done, len(calls))
	}
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		if c.Recovering(id) {
			t.Errorf("%s recovers", id)
		}
	}
}

// TestRules_R29_ARetryOfWhatRotted: a put is stored at A alone, whose record then can't
// be read, and is had from the others, who never got it. A retry, then or before, must
// not be told that it is stored.
func TestRules_R29_ARetryOfWhatRotted(t *testing.T) {
	for _, healed := range []bool{false, true} {
		cfg := sim.Config{Buckets: numbers(3, 2, 2)}
		cfg.Runner.CacheBytes = -1 // in its memory it would be whole
		c := newCluster(t, cfg)
		key := ouro.Key{Bucket: "b", Name: "k"}
		c.put("A", key, "u")
		c.RunFor(time.Second)
		c.cutOff("A", "B", "C")
		if _, err := c.Put("A", key, text("v"), ouro.RequestID("seven")).Wait(); err == nil {
			t.Fatal("A alone acknowledges for two")
		}
		c.Rot("A", key)
		c.healAll("A", "B", "C")
		c.RunFor(100 * time.Millisecond)
		if healed {
			c.get("A", key, []string{"u"}) // finds what rotted
			c.current("A")
		}
		if _, err := c.Put("A", key, text("v"), ouro.RequestID("seven")).Wait(); err == nil {
			c.get("B", key, []string{"u", "v"})
		} else if healed {
			t.Error(err)
		}
	}
}

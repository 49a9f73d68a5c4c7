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
)

// Traces of buckets whose durability is not all (paper, section 6.1; RULES R9, R35).
// The write buffer is written after 50 ms where nobody waits for it. The first write of
// a partition waits for its mark, so each test writes one before.

var everybody = []ring.NodeID{"A", "B", "C"}

// buffering are buckets of n=3 r=w=2: b has a durability, kept has all.
func buffering(d member.Durability) sim.Config {
	relaxed, all := numbers(3, 2, 2).Default, numbers(3, 2, 2).Default
	relaxed.Durability = d
	return sim.Config{Buckets: node.Buckets{Default: all, Named: map[string]member.Bucket{"b": relaxed}}}
}

// marked writes the first of a key, and lets it get to all disks.
func (c cluster) marked(key ouro.Key, value string) {
	c.t.Helper()
	c.put("A", key, value)
	c.RunFor(time.Second)
}

// powerCut ends all nodes at once, and starts them.
func (c cluster) powerCut() {
	c.t.Helper()
	for _, id := range everybody {
		c.Crash(id)
	}
	for _, id := range everybody {
		c.Restart(id)
	}
}

func (c cluster) allCurrent() {
	c.t.Helper()
	for _, id := range everybody {
		c.current(id)
	}
}

// over writes over what a key shows.
func (c cluster) over(at ring.NodeID, key ouro.Key, value string, opts ...ouro.Option) {
	c.t.Helper()
	res, err := c.Get(at, key).Wait()
	if err != nil {
		c.t.Fatal(err)
	}
	c.put(at, key, value, append(opts, ouro.WithContext(res.Context))...)
}

// TestRules_R35_PowerLoss: all nodes lose their power right after a write is
// acknowledged. With all and one it is there; buffered loses it, unless it is older
// than the window or asked for a durable copy.
func TestRules_R35_PowerLoss(t *testing.T) {
	for _, at := range []struct {
		name  string
		mode  member.Durability
		later time.Duration
		opts  []ouro.Option
		want  string
	}{
		{"all", member.All, 0, nil, "new"},
		{"one", member.One, 0, nil, "new"},
		{"buffered", member.Buffered, 0, nil, "old"},
		{"buffered, after the window", member.Buffered, 60 * time.Millisecond, nil, "new"},
		{"buffered with dw=1", member.Buffered, 0, []ouro.Option{ouro.DW(1)}, "new"},
	} {
		t.Run(at.name, func(t *testing.T) {
			c := newCluster(t, buffering(at.mode))
			key := ouro.Key{Bucket: "b", Name: "k"}
			c.marked(key, "old")
			c.over("A", key, "new", at.opts...)
			c.RunFor(at.later)
			c.powerCut()
			c.RunFor(time.Second)
			if at.mode == member.All {
				c.get("B", key, []string{at.want})
				return
			}
			if _, err := c.Get("B", key).Wait(); ouro.CodeOf(err) != ouro.QuorumUnavailable {
				t.Errorf("a read of what all of them may have lost: %v", err)
			}
			c.allCurrent()
			for _, id := range everybody {
				c.get(id, key, []string{at.want}, ouro.R(3))
			}
		})
	}
}

// TestRules_R9_LostBuffer: w=2 is acknowledged by A and B from their buffers, A crashes,
// and a strict read of A and C must not miss it: A counts for no read before it has
// compared with B. Its other buckets are what they were.
func TestRules_R9_LostBuffer(t *testing.T) {
	for _, mode := range []member.Durability{member.One, member.Buffered} {
		c := newCluster(t, buffering(mode))
		key := ouro.Key{Bucket: "b", Name: "k"}
		var others []ouro.Key // in every partition
		for i := range 40 {
			others = append(others, ouro.Key{Bucket: "kept", Name: fmt.Sprint(i)})
			c.put("A", others[i], "v")
		}
		c.marked(key, "old")
		c.cutOff("C", "A", "B")
		c.over("B", key, "v") // B has the durable copy, where there is one
		c.Crash("A")
		c.RunFor(time.Second)
		c.Crash("B")
		c.healAll("C", "A", "B")
		c.Restart("A")
		c.RunFor(100 * time.Millisecond)
		c.unread("C", key)
		for _, other := range others {
			c.get("C", other, []string{"v"}, ouro.R(2), ouro.PR(2))
		}
		c.RunFor(time.Minute)
		c.unread("C", key) // however long it takes
		c.Restart("B")
		c.current("A")
		c.Crash("B")
		c.get("C", key, []string{"v"}, ouro.R(2), ouro.PR(2))
	}
}

// TestRules_R3_LostDots: A has given a client a context with a dot that its buffer then
// lost. A write after that gets another: the old context does not silence it.
func TestRules_R3_LostDots(t *testing.T) {
	c := newCluster(t, buffering(member.Buffered))
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.marked(ouro.Key{Bucket: "b", Name: "k"}, "old")
	c.cutOff("A", "B", "C")
	lost := c.put("A", key, "lost", ouro.W(1))
	c.Crash("A")
	c.Restart("A")
	c.RunFor(100 * time.Millisecond)
	c.put("A", key, "after", ouro.W(1))
	c.healAll("A", "B", "C")
	c.RunFor(time.Second)
	c.put("A", key, "with the old context", ouro.WithContext(lost.Context))
	c.allCurrent()
	c.get("B", key, []string{"after", "old", "with the old context"}, ouro.R(3))
}

// TestPaper_6_1_3_DurableWrite: in mode one a put waits for one disk, and it does not
// matter which; in mode buffered for none.
func TestPaper_6_1_3_DurableWrite(t *testing.T) {
	c := newCluster(t, buffering(member.One))
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.marked(key, "old")
	c.Stall("A") // the own disk, which is chosen first
	call := c.Put("A", key, text("v"))
	c.RunFor(10 * time.Millisecond)
	if call.Done() {
		t.Fatal("acknowledged, and nobody has it on disk")
	}
	if _, err := call.Wait(); err != nil { // another is asked for it
		t.Fatal(err)
	}
	c.Unstall("A")
	c.powerCut()
	c.allCurrent()
	c.get("C", key, []string{"old", "v"}, ouro.R(3))

	c = newCluster(t, buffering(member.Buffered))
	c.marked(key, "old")
	for _, id := range everybody {
		c.Stall(id)
	}
	c.put("A", key, "v", ouro.W(3))
	c.get("B", key, []string{"old", "v"}, ouro.R(3))
}

// TestBufferedWritesSuspectNobody: a write that is answered from a buffer says nothing
// of the disk, and its silence there is nobody's fault (paper, section 4.8.3): with a
// window of a second, in which no disk is asked for anything, all are trusted, and no
// write goes to a stand-in.
func TestBufferedWritesSuspectNobody(t *testing.T) {
	ids := []ring.NodeID{"A", "B", "C", "D", "E"}
	for _, mode := range []member.Durability{member.One, member.Buffered} {
		cfg := buffering(mode)
		cfg.Nodes, cfg.Tokens, cfg.Disk.Window = nodes(ids...), handRing(ids...), time.Second
		c := newCluster(t, cfg)
		seen := map[ring.NodeID]bool{} // the first write of each partition waits for its mark
		for i := 0; len(seen) < len(ids); i++ {
			key := ouro.Key{Bucket: "b", Name: fmt.Sprint("first", i)}
			if first := c.Preference(key)[0]; !seen[first] {
				seen[first] = true
				c.put("B", key, "v", ouro.W(3))
			}
		}
		c.RunFor(2 * time.Second)
		for i := range 200 {
			key := ouro.Key{Bucket: "b", Name: fmt.Sprint("k", i)}
			if res := c.put("B", key, "v", ouro.W(3)); res.Quorum.Primaries != 3 {
				t.Fatalf("%s, put %d: %+v", mode, i, res.Quorum)
			}
			c.RunFor(10 * time.Millisecond)
		}
		if n := c.Stats().Suspect; n != 0 {
			t.Errorf("%s: %d suspicions of nodes that have done nothing wrong", mode, n)
		}
	}
}

// TestBufferedWritesAroundWhoHangs: a node that hangs is noticed by the buffered writes
// that it leaves unanswered, where there are no others and no reads; and trusted again
// when it is back.
func TestBufferedWritesAroundWhoHangs(t *testing.T) {
	ids := []ring.NodeID{"A", "B", "C", "D", "E"}
	cfg := buffering(member.Buffered)
	cfg.Nodes, cfg.Tokens = nodes(ids...), handRing(ids...)
	c := newCluster(t, cfg)
	keys := c.bucketKeys("b", c.keyIn("A", "B", "C"), 12)
	c.marked(keys[0], "v")
	c.Pause("A")
	slow := 0
	for _, key := range keys[1:] {
		put := c.Put("B", key, text("v"), ouro.W(3))
		if _, err := put.Wait(); err != nil {
			t.Fatal(err)
		}
		if put.Took() > quick {
			slow++
		}
	}
	if slow > 4 {
		t.Errorf("%d of 11 puts waited for a node that hangs", slow)
	}
	c.Resume("A")
	c.RunFor(5 * time.Second) // it has what was kept for it
	for i := range 4 {
		c.put("B", keys[i], "w")
		c.RunFor(time.Second)
	}
	if res := c.put("B", keys[0], "x", ouro.W(3)); res.Quorum.Primaries != 3 {
		t.Errorf("A is back: %+v", res.Quorum)
	}
}

// bucketKeys returns keys of a bucket in the partition of another key.
func (c cluster) bucketKeys(bucket string, like ouro.Key, n int) (keys []ouro.Key) {
	for i := 0; len(keys) < n; i++ {
		if key := (ouro.Key{Bucket: bucket, Name: fmt.Sprint("k", i)}); slices.Equal(c.Preference(key), c.Preference(like)) {
			keys = append(keys, key)
		}
	}
	return keys
}

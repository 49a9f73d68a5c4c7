package node

import (
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/admit"
	"github.com/ourodb/ouro/internal/core/ring"
)

// archive reads a key for an archive until it is refused or has been n times, and
// returns how often it was read and when to come again.
func (c *cluster) archive(k ring.Key, n int) (read int, wait time.Duration) {
	c.t.Helper()
	for range n {
		r := c.do("a", &Request{Verb: Get, Key: k, Whole: true})
		switch {
		case r.Err == nil && len(r.Record) > 0:
			read++
		case ouro.CodeOf(r.Err) == ouro.Overloaded && r.Err.Outcome == ouro.NotDone && r.Err.RetryAfter > 0:
			return read, r.Err.RetryAfter
		default:
			c.t.Fatalf("%+v", r)
		}
	}
	return read, 0
}

// TestPaper_6_5_ArchivesYield: records go into an archive no faster than the pool of
// slices allows, which is full at first; what clients ask goes on all the while.
func TestPaper_6_5_ArchivesYield(t *testing.T) {
	const rate = 256 << 10
	c := newCluster(t, 3, Config{ArchiveRate: rate})
	k := ring.NewKey("b", "k")
	c.store("a", k, string(make([]byte, 12<<10)))
	minute := func() (read int) {
		for range 600 {
			n, wait := c.archive(k, 100)
			if n == 100 || wait > archiveDebt {
				t.Fatalf("%d at once, then %v", n, wait)
			}
			read += n
			if r := c.do("a", &Request{Verb: Get, Key: k}); r.Err != nil {
				t.Fatalf("a client is refused: %v", r.Err)
			}
			c.wait(100 * time.Millisecond)
		}
		return read
	}
	if n := minute(); n < 900 || n > 970 {
		t.Errorf("%d times 16 KiB in a minute at 256 KiB a second", n)
	}
	bad := admit.Sample{}
	for range 100 {
		bad.Reads.Note(time.Second, nil)
	}
	for range 20 {
		c.step(c.node("a"), &Load{Sample: bad})
		c.wait(time.Second)
	}
	if got := c.node("a").core.Admission().Slices[admit.Archive]; got != 1 {
		t.Errorf("%d slices while reads take a second", got)
	}
	if n := minute(); n < 55 || n > 65 {
		t.Errorf("%d times 16 KiB in a minute at a sixteenth of that", n)
	}
}

// TestArchivesHaveSlicesWhileThereIsOne: what is archived has its part of a small pool
// for as long as it goes on, and a restore does.
func TestArchivesHaveSlicesWhileThereIsOne(t *testing.T) {
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	c.store("a", k, "v")
	n := c.node("a").core
	if n.busy(c.now)[admit.Archive] {
		t.Error("nothing was ever archived")
	}
	record := c.do("a", &Request{Verb: Get, Key: k, Whole: true}).Record
	if !n.busy(c.now)[admit.Archive] {
		t.Error("something is")
	}
	c.wait(archiveLull)
	if n.busy(c.now)[admit.Archive] {
		t.Error("it is over")
	}
	if r := c.do("a", &Request{Verb: Put, Key: k, Record: record}); r.Err != nil || !n.busy(c.now)[admit.Archive] {
		t.Errorf("restored: %v", r.Err)
	}
}

// TestArchivesAreBackground: no client waits for what replicas are asked for them.
func TestArchivesAreBackground(t *testing.T) {
	c := newCluster(t, 3, Config{})
	k := ring.NewKey("b", "k")
	c.store("a", k, "v")
	record := c.do("a", &Request{Verb: Get, Key: k, Whole: true}).Record
	for _, r := range []*Request{{Verb: Get, Key: k, Whole: true}, {Verb: Put, Key: k, Record: record}, {Verb: Get, Key: k}} {
		var out Out
		c.nodes[0].core.Step(c.now, r, &out)
		asked := out.Ops
		for _, s := range out.Sends {
			asked = append(asked, s.Message.Op)
		}
		if len(asked) < 2 {
			t.Fatalf("%d replicas are asked", len(asked))
		}
		for _, op := range asked {
			if op.Background != r.archived() {
				t.Errorf("archived %v: %+v", r.archived(), op)
			}
		}
	}
}

package recovery_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/recovery"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// cluster is a node A among others, as a recovery sees it.
type cluster struct {
	down    []ring.NodeID
	needs   []recovery.Need
	unnamed bool
}

func (c *cluster) Named() bool { return !c.unnamed }

func (c *cluster) Usable(id ring.NodeID) bool   { return !slices.Contains(c.down, id) }
func (c *cluster) Needs(uint32) []recovery.Need { return c.needs }
func (c *cluster) NeedOf(uint32, string) (recovery.Need, bool) {
	if len(c.needs) == 0 {
		return recovery.Need{}, false
	}
	return c.needs[0], true
}

func need(count int, others ...ring.NodeID) recovery.Need {
	return recovery.Need{Others: others, Count: count}
}

// bench drives a recovery by hand.
type bench struct {
	t *testing.T
	*recovery.Recovery
	cluster cluster
	now     clock.Now
	e       recovery.Effects
}

func newBench(t *testing.T, cfg recovery.Config, needs ...recovery.Need) *bench {
	return &bench{t: t, Recovery: recovery.New(cfg), cluster: cluster{needs: needs}, now: clock.Now{Mono: time.Hour}}
}

// want checks what came of the last steps, in words and in any order.
func (b *bench) want(what string, want ...string) {
	b.t.Helper()
	got := []string{}
	for _, c := range b.e.Compares {
		got = append(got, fmt.Sprintf("compare %d with %s", c.Partition, c.Peer))
	}
	for _, a := range b.e.Asks {
		got = append(got, fmt.Sprintf("ask %s %d", a.To, a.Op.ID))
	}
	for _, o := range b.e.Ops {
		switch {
		case o.Verb == replica.Heal:
			s, err := causal.DecodeState(o.State)
			if err != nil {
				b.t.Fatal(err)
			}
			var values []string
			for _, v := range s.Versions {
				values = append(values, string(v.Value))
			}
			slices.Sort(values)
			got = append(got, fmt.Sprintf("heal %d %s", o.ID, strings.Join(values, "+")))
		case len(o.State) == 0:
			got = append(got, fmt.Sprintf("current %d", o.ID))
		default:
			p, err := replica.DecodeProgress(o.State)
			if err != nil {
				b.t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("progress %d %v", o.Partition, p.Sources))
		}
	}
	b.e.Reset()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		b.t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func (b *bench) start(parts ...recovery.Partition) { b.Start(b.now, parts, &b.e) }

// pass lets time pass up to the deadline, if that is no further away than d.
func (b *bench) pass(d time.Duration) {
	end := b.now.Mono + d
	for b.Deadline() <= end {
		b.now.Mono = max(b.now.Mono, b.Deadline())
		before := b.Deadline()
		b.Tick(b.now, &b.cluster, &b.e)
		if b.Deadline() <= before {
			b.t.Fatalf("the deadline %v stays", before)
		}
	}
	b.now.Mono = end
}

func (b *bench) compared(p uint32, peer ring.NodeID, complete, recovering bool) {
	b.Compared(b.now, p, peer, complete, recovering, "cut", &b.cluster, &b.e)
}

func (b *bench) done(id uint64, verb replica.Verb, s replica.Status) {
	b.Complete(b.now, &replica.Answer{ID: id, Verb: verb, Status: s}, &b.cluster, &b.e)
}

func partition(n uint32, sources ...replica.Source) recovery.Partition {
	return recovery.Partition{Partition: n, Progress: replica.Progress{Since: 5, Sources: sources}}
}

// TestWaitsThenComparesWithEnough is RULES R10.
func TestWaitsThenComparesWithEnough(t *testing.T) {
	b := newBench(t, recovery.Config{Wait: time.Minute}, need(2, "B", "C", "D", "E"))
	b.start(partition(7))
	b.pass(time.Minute - 1)
	b.want("during the wait")
	if left := b.Left(b.now.Mono, nil); len(left) != 1 || left[0].Waits != 1 || left[0].Since != 5 {
		t.Errorf("left %+v", left)
	}
	b.pass(1)
	b.want("after the wait", "compare 7 with B")
	b.compared(7, "B", true, false)
	b.want("one is not enough", "progress 7 [{B false}]", "compare 7 with C")
	b.compared(7, "D", true, false)
	b.want("what nobody asked for is not counted")
	b.compared(7, "C", true, false)
	b.want("two are", "current 1")
	b.pass(time.Hour)
	b.want("until that is stored nothing happens")
	b.done(1, replica.Recover, replica.Have)
	if b.want("stored"); b.Busy() || b.Deadline() != 1<<63-1 {
		t.Errorf("still busy %v, deadline %v", b.Busy(), b.Deadline())
	}
}

// TestRecoveringSourcesCountOnlyTogether: a source that recovers itself proves
// nothing, but all others together hold all there is.
func TestRecoveringSourcesCountOnlyTogether(t *testing.T) {
	b := newBench(t, recovery.Config{}, need(2, "B", "C"))
	b.start(partition(0))
	b.pass(time.Minute)
	b.compared(0, "B", true, true)
	b.want("B recovers", "compare 0 with B", "progress 0 [{B true}]", "compare 0 with C")
	b.compared(0, "C", true, false)
	b.want("all others", "current 1")

	b = newBench(t, recovery.Config{}, need(2, "B", "C", "D", "E"))
	b.cluster.down = []ring.NodeID{"E"}
	b.start(partition(0))
	b.pass(time.Minute)
	b.compared(0, "B", true, true)
	b.compared(0, "C", true, true)
	b.compared(0, "D", true, false)
	b.want("one good, two that recover, one that is away: B is asked again", "compare 0 with B", "progress 0 [{B true}]", "compare 0 with C",
		"progress 0 [{B true} {C true}]", "compare 0 with D", "progress 0 [{B true} {C true} {D false}]", "compare 0 with B")
	b.compared(0, "B", true, true)
	b.want("still recovering: it is left alone for a while")
	b.pass(time.Second)
	b.want("and asked again", "compare 0 with B")
	b.compared(0, "B", true, false)
	b.want("B is current by now", "current 1")
}

func TestEveryBucketMustBeMet(t *testing.T) {
	b := newBench(t, recovery.Config{}, need(1, "B"), need(2, "B", "C"), need(3, "B", "C", "D"))
	b.start(partition(0))
	b.pass(time.Minute)
	for _, peer := range []ring.NodeID{"B", "C", "D"} {
		b.compared(0, peer, true, false)
	}
	b.want("the largest need decides", "compare 0 with B", "progress 0 [{B false}]", "compare 0 with C",
		"progress 0 [{B false} {C false}]", "compare 0 with D", "current 1")

	b = newBench(t, recovery.Config{}) // no others at all
	b.start(partition(0))
	b.pass(time.Minute)
	b.want("a cluster of one", "current 1")
}

func TestProgressIsKeptOverARestart(t *testing.T) {
	b := newBench(t, recovery.Config{}, need(2, "B", "C", "D"))
	b.start(partition(0, replica.Source{Node: "B"}))
	b.pass(0)
	b.want("the wait was over when B was compared", "compare 0 with C")
	b.start(partition(0))
	b.compared(0, "C", true, false)
	b.want("told again it goes on", "current 1")
}

// TestAwayForLong is PAPER 9.10: who was away longer than hints are kept compares
// with one of the others before it counts, and need not wait.
func TestAwayForLong(t *testing.T) {
	b := newBench(t, recovery.Config{}, need(2, "B", "C"))
	b.cluster.down = []ring.NodeID{"B"}
	p := partition(0)
	p.Progress.Away = true
	b.start(p)
	b.pass(0)
	b.want("at once", "compare 0 with C")
	b.compared(0, "C", true, true)
	b.want("one is enough, be it one that was away as well", "current 1")
}

// Before a link names the disk it is not known what the node holds: nothing is
// compared, and what it does not hold by then is not over either (RULES R10).
func TestNothingIsOverBeforeTheDiskIsNamed(t *testing.T) {
	b := newBench(t, recovery.Config{Wait: time.Minute})
	b.cluster.unnamed = true
	b.start(partition(7))
	b.pass(time.Hour)
	b.want("nobody knows the disk")
	b.cluster.needs, b.cluster.unnamed = []recovery.Need{need(1, "B")}, false
	b.Back(b.now)
	b.pass(time.Minute)
	b.want("it is named, and holds the partition", "compare 7 with B")
	b.compared(7, "B", true, false)
	b.want("compared", "current 1")
}

func TestFailuresBackOff(t *testing.T) {
	b := newBench(t, recovery.Config{}, need(1, "B"))
	b.cluster.down = []ring.NodeID{"B"}
	b.start(partition(0))
	b.pass(10 * time.Minute)
	b.want("nobody can be reached")
	if left := b.Left(b.now.Mono, nil); left[0].Failed == "" {
		t.Error("the failure is not shown")
	}
	b.cluster.down = nil
	b.Back(b.now)
	b.pass(0)
	b.want("B is back", "compare 0 with B")
	b.compared(0, "B", false, false)
	b.pass(time.Second - 1)
	b.want("it failed")
	b.pass(1)
	b.want("and is tried again", "compare 0 with B")
	b.compared(0, "B", true, false)
	b.want("compared", "current 1")
	b.done(1, replica.Recover, replica.Failed)
	b.pass(time.Second)
	b.want("that could not be stored, so it is noted once more", "current 2")
}

func TestFewPartitionsAtATime(t *testing.T) {
	b := newBench(t, recovery.Config{Parallel: 2}, need(1, "B"))
	b.start(partition(1), partition(2), partition(3))
	b.pass(time.Hour)
	b.want("two", "compare 1 with B", "compare 2 with B")
	b.compared(2, "B", true, false)
	b.want("one ends, the third begins", "current 1", "compare 3 with B")
}

// state is one version.
func state(n uint64, value string) []byte {
	v := causal.Version{Value: []byte(value)}
	v.Sum = causal.SumValue(9, "", v.Value)
	s, _ := causal.State{}.Mint(causal.Claims{}, v, causal.Actor{Run: 7, Life: n}, 1000, causal.DefaultLimits())
	return s.Append(nil)
}

func rotten(name string) *replica.Rotten {
	return &replica.Rotten{Partition: 3, Key: ring.NewKey("b", name)}
}

func (b *bench) told(id uint64, from ring.NodeID, s replica.Status, state []byte) {
	b.t.Helper()
	if !b.Answer(b.now, from, &replica.Answer{ID: id, Verb: replica.Read, Status: s, State: state}, &b.cluster, &b.e) {
		b.t.Errorf("the answer of %s to %d was not awaited", from, id)
	}
}

// TestRottenRecordIsHadFromEnoughOthers is RULES R10 for one record (hole H9).
func TestRottenRecordIsHadFromEnoughOthers(t *testing.T) {
	b := newBench(t, recovery.Config{Wait: time.Minute}, need(2, "B", "C", "D"))
	b.Rotten(b.now, rotten("k"), &b.e)
	b.Rotten(b.now, rotten("k"), &b.e)
	b.pass(time.Minute - 1)
	b.want("the wait: somebody may hold an acknowledgement of what is lost")
	b.pass(1)
	b.want("after it", "ask B 1", "ask C 2", "ask D 3")
	b.told(1, "B", replica.Have, state(1, "x"))
	b.want("one")
	b.told(2, "C", replica.DontKnow, state(2, "y"))
	b.want("one that recovers does not count, but what it has is taken")
	b.told(3, "D", replica.Absent, nil)
	b.want("two", "heal 4 x+y")
	if b.Answer(b.now, "B", &replica.Answer{ID: 1}, &b.cluster, &b.e) {
		t.Error("an answer was taken twice")
	}
	b.done(4, replica.Heal, replica.Have)
	if b.want("healed"); b.Busy() {
		t.Error("still busy")
	}
}

func TestHealIsTriedAgain(t *testing.T) {
	b := newBench(t, recovery.Config{Wait: time.Second, AskWait: time.Second}, need(2, "B", "C"))
	b.cluster.down = []ring.NodeID{"C"}
	b.Rotten(b.now, rotten("k"), &b.e)
	b.pass(time.Second)
	b.want("who can be reached is asked", "ask B 1")
	b.told(1, "B", replica.Have, state(1, "x"))
	b.want("that is not enough")
	b.cluster.down = nil
	b.Back(b.now)
	b.pass(0)
	b.want("at once when C is back", "ask B 2", "ask C 3")
	b.told(2, "B", replica.Have, state(1, "x"))
	b.told(3, "C", replica.Failed, nil)
	b.want("a failure is no answer")
	b.pass(time.Second)
	b.want("again", "ask B 4", "ask C 5")
	b.pass(time.Second)
	b.want("silence is none either")
	b.pass(2 * time.Second)
	b.want("again", "ask B 6", "ask C 7")
	b.told(6, "B", replica.DontKnow, nil)
	b.told(7, "C", replica.DontKnow, state(2, "y"))
	b.want("all others", "heal 8 y")
	b.done(8, replica.Heal, replica.Failed)
	b.pass(time.Second * 4)
	b.want("what could not be stored is had anew", "ask B 9", "ask C 10")
}

// A record that nobody else holds is not healed to nothing.
func TestARottenRecordThatNobodyElseHolds(t *testing.T) {
	b := newBench(t, recovery.Config{Wait: time.Second}, recovery.Need{Count: 1})
	b.Rotten(b.now, rotten("k"), &b.e)
	b.now.Mono += 2 * time.Second
	b.Tick(b.now, &b.cluster, &b.e)
	if len(b.e.Ops) != 1 || !b.e.Ops[0].Alone {
		t.Fatalf("%+v", b.e.Ops)
	}
	failed := replica.Answer{ID: b.e.Ops[0].ID, Verb: replica.Heal, Status: replica.Failed, Reason: replica.Corrupt}
	b.e.Reset()
	b.Complete(b.now, &failed, &b.cluster, &b.e)
	if b.RottenLeft() != 1 {
		t.Error("it is taken for healed")
	}
}

func TestRottenRecordsAreBounded(t *testing.T) {
	b := newBench(t, recovery.Config{MaxRotten: 3, MaxHeals: 2, Wait: time.Second}, need(1, "B"))
	for i := range 5 {
		b.Rotten(b.now, rotten(fmt.Sprint(i)), &b.e)
	}
	if b.RottenLeft() != 3 {
		t.Errorf("%d are remembered", b.RottenLeft())
	}
	b.pass(time.Second)
	b.want("few at a time", "ask B 1", "ask B 2")
	b.told(1, "B", replica.Absent, nil)
	b.want("nobody has anything", "heal 3 ")
	b.done(3, replica.Heal, replica.Have)
	b.want("the next", "ask B 4")
	b.cluster.needs = nil
	b.pass(time.Hour)
	if b.RottenLeft() != 0 {
		t.Errorf("%d records that are not kept here any more are remembered", b.RottenLeft())
	}
}

// TestWhatNobodyHasIsInNobodysWay: records that can't be had from anybody are tried
// again, and neither keep those out that others have nor count as such.
func TestWhatNobodyHasIsInNobodysWay(t *testing.T) {
	b := newBench(t, recovery.Config{MaxRotten: 3, MaxHeals: 2, Wait: time.Second}, need(1, "B"))
	b.cluster.down = []ring.NodeID{"B"}
	for i := range 3 {
		b.Rotten(b.now, rotten(fmt.Sprint(i)), &b.e)
	}
	if n := b.Untried(); n != 3 {
		t.Errorf("%d are untried", n)
	}
	b.pass(time.Second)
	if n := b.Untried(); n != 0 {
		t.Errorf("%d are untried after they were", n)
	}
	b.e.Reset()
	b.Rotten(b.now, rotten("3"), &b.e)
	if n := b.Untried(); n != 1 || b.RottenLeft() != 3 || len(b.e.Facts) != 0 {
		t.Errorf("%d of %d are untried, %v", n, b.RottenLeft(), b.e.Facts)
	}
	b.cluster.down = nil
	b.Back(b.now)
	b.pass(time.Second)
	if len(b.e.Asks) != 2 {
		t.Fatalf("asked for %v", b.e.Asks)
	}
	for i := range 3 { // those under way stay
		b.Rotten(b.now, rotten(fmt.Sprint("more", i)), &b.e)
	}
	b.told(b.e.Asks[0].Op.ID, "B", replica.Have, state(1, "x"))
	b.told(b.e.Asks[1].Op.ID, "B", replica.Have, state(2, "y"))
}

package sim

import (
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/effort"
)

// The ring changes in seeds that are told to, alone and among faults; thousands are
// run by "ouro sim --ring only --seeds" and "ouro sim --ring also --seeds".
func TestSeedsChangeTheRing(t *testing.T) {
	sum := Seeds(Many{From: 1, To: 6, Options: Options{Ring: RingOnly, Ops: 600}})
	for i := range sum.Failed {
		t.Errorf("seed %d: %v\n%s", sum.Failed[i].Seed, sum.Failed[i].Violation, sum.Failed[i].Shape)
	}
	if s := sum.Stats.Ring; s.Changes < 6 || s.Joins == 0 || s.Leaves == 0 || s.Ended < 20 || s.Aborted == 0 || s.Bytes == 0 {
		t.Errorf("too little happened to the ring: %+v", s)
	}
	for _, ring := range []Ring{RingOnly, RingAlso} {
		o := Options{Seed: 3, Ops: 300, Ring: ring}
		rep := Run(o)
		if v := Again(o, &rep); v != nil {
			t.Errorf("%s: %v", ring, v)
		}
	}
}

// A second placement of one number is noticed.
func TestAForkIsNoticed(t *testing.T) {
	w := newChangingWorld(t, Config{})
	w.RunFor(time.Minute)
	p := w.Place()
	w.placed[numbered{p.Origin(), p.Number()}] = [16]byte{1}
	if w.adopts(w.mustID("A"), p); w.broken == nil || w.broken.Promise.Name != "forked" {
		t.Errorf("it is not: %v", w.broken)
	}
}

// What is somewhere where it does not belong is noticed.
func TestWhatIsElsewhereIsNoticed(t *testing.T) {
	w := newChangingWorld(t, Config{}, "D")
	must(t, w.Put("A", keyIn("b", "k"), text("v")))
	w.RunFor(time.Minute)
	if w.settleRing(); w.broken != nil {
		t.Fatal(w.broken)
	}
	w.mustID("D").disk.Engine = w.mustID("A").disk.Copy()
	if w.settleRing(); w.broken == nil || w.broken.Promise.Name != "placed" {
		t.Errorf("it is not: %v", w.broken)
	}
}

// Seeds that once broke a promise as the ring changed, each with what was wrong.
func TestSeedsThatBrokeAsTheRingChanged(t *testing.T) {
	effort.Unraced(t)
	for _, r := range []struct {
		Options
		why string
	}{
		{Options{Seed: 65, Ring: RingAlso, Ops: 800}, "a joined node that lost its disk did not know what it had held, and was refused as another new disk for ever"},
		{Options{Seed: 320, Ring: RingAlso}, "a node that was refused, and then named by a link, did not try again"},
		{Options{Seed: 379, Ring: RingAlso}, "a node that came back was down as all others had come to rest"},
		{Options{Seed: 685, Ring: RingAlso}, "what was kept for others was paid to a newcomer, whose move was then aborted: a write that was acknowledged was lost"},
		{Options{Seed: 155, Ring: RingAlso}, "a leaf was added up without a rotten record that memory still had"},
		{Options{Seed: 1633, Ring: RingAlso}, "who had lost its history proposed removed nodes as members, and was followed"},
		{Options{Seed: 2505, Ring: RingAlso}, "a node that recovered took another new disk, as a link had named the one before"},
		{Options{Seed: 2520, Ring: RingAlso}, "an old copy of a disk had a peer come back that had lost its own long ago"},
		{Options{Seed: 2707, Ring: RingAlso}, "a removed node told its old epoch to one that had lost its disk"},
		{Options{Seed: 11, Ring: RingOnly, Ops: 600}, "a node was dropped from the cluster that had just begun to keep something for another"},
		{Options{Seed: 53, Ring: RingOnly}, "a newcomer told nobody its epoch, as news of the history came with the placement"},
		{Options{Seed: 98, Ring: RingOnly, Ops: 600}, "what was kept for one that left was moved again and again, as the disk was slower than a peer may be"},
		{Options{Seed: 282, Ring: RingOnly}, "the room for what is kept for others was used up as a node hung, which is no fault"},
		{Options{Seed: 875, Ring: RingOnly}, "a partition moved while some had dropped a tombstone and others not, which is looked for again after five minutes"},
	} {
		r.Durable = true // as it was in all buckets then
		if rep := Run(r.Options); rep.Violation != nil {
			t.Errorf("seed %d: %v (it broke when %s)", r.Seed, rep.Violation, r.why)
		}
	}
}

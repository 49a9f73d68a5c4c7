package sim

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
)

// A node that had joined, or a founder whose lists are not those of the founding any
// more, loses its disk. What it held is not on that, nor in any list of members: it
// waits until it has learned it from the others, recovers it, and has all of it again.
func TestANodeOfAClusterThatGrewLosesItsDisk(t *testing.T) {
	for _, lost := range []ring.NodeID{"D", "A"} {
		w := newChangingWorld(t, Config{Compare: true, Q: 16, Nodes: []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}, {ID: "E"}}}, "D")
		w.settles(t, "at first")
		w.Join("B", "D")
		w.RunFor(5 * time.Second)
		w.settles(t, "after D joined")
		for _, id := range []ring.NodeID{"C", "E"} { // A and D hold all then
			w.Leave("B", id)
			w.RunFor(5 * time.Second)
			w.settles(t, "after "+string(id)+" left")
		}
		for i := range 20 {
			must(t, w.Put("B", keyIn("b", fmt.Sprint(i)), text("v"), ouro.W(3)))
		}
		w.Crash(lost)
		w.Wipe(lost)
		w.Restart(lost)
		marked := map[int]bool{}
		for range 120 {
			w.RunFor(500 * time.Millisecond)
			if m := w.mustID(lost); m.alive { // it ends to come back
				if all, err := m.runner.Recoveries(); err == nil {
					marked[len(all)] = true
				}
			}
		}
		if !marked[16] {
			t.Errorf("%s lost all of 16 partitions, and had marked %v", lost, marked)
		}
		w.settles(t, "after the disk of "+string(lost)+" was lost")
		if w.RunFor(3 * time.Minute); w.Recovering(lost) {
			t.Errorf("%s recovers still", lost)
		}
		for i := range 20 {
			key := keyIn("b", fmt.Sprint(i))
			if _, ok := w.State(lost, key); !ok && slices.Contains(w.Primaries(key), lost) {
				t.Errorf("%s has not %v again", lost, key)
			}
		}
	}
}

// Two of three founders lose their disks at once, and meet only each other: that looks
// like a cluster that begins (decision 0016), and they serve, without what they had.
// When the third is back nothing is lost that any disk has, of before or since: they
// recover from it. Their disks are named once an operator says that the others are lost.
func TestTwoFoundersThatLostTheirDisks(t *testing.T) {
	w := newChangingWorld(t, Config{Compare: true, Q: 16, Nodes: []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}}})
	w.RunFor(5 * time.Second) // the disks of the founders are named
	for i := range 20 {
		must(t, w.Put("A", keyIn("b", fmt.Sprint("before", i)), text("v"), ouro.W(3)))
	}
	w.cutOff("C")
	for _, id := range []ring.NodeID{"A", "B"} {
		w.Crash(id)
		w.Wipe(id)
	}
	w.Restart("A")
	w.Restart("B")
	w.RunFor(10 * time.Second)
	if res, err := w.Get("A", keyIn("b", "before0")).Wait(); ouro.CodeOf(err) != ouro.NotFound {
		t.Errorf("of before they show %v, %v", res.Siblings, err)
	}
	for i := range 20 {
		must(t, w.Put("A", keyIn("b", fmt.Sprint("since", i)), text("v")))
	}
	w.joinUp("C")
	w.RunFor(time.Minute)
	if !w.Recovering("A") || !w.Recovering("B") || w.Recovering("C") {
		t.Error("A and B do not know that they have forgotten something, or C does")
	}
	done := w.RestartChain("C")
	if w.RunFor(time.Minute); !done.Done || done.Err != nil {
		t.Fatalf("%+v", *done)
	}
	w.settles(t, "after an operator has said that they lost their disks")
	for i := range 20 {
		for _, id := range []ring.NodeID{"A", "B", "C"} {
			w.shows(t, id, keyIn("b", fmt.Sprint("before", i)), "v")
			w.shows(t, id, keyIn("b", fmt.Sprint("since", i)), "v")
		}
	}
	if w.Recovering("A") || w.Recovering("B") {
		t.Error("A and B recover still")
	}
}

// Of three founders two have left the cluster, and the third loses what is on its disk,
// whether what the folder says besides is left of it or the others can be heard at once.
// All three are started again as its founders: nobody founds it a second time. The one
// that is a member hears from the others what became of it, and gets back what it held;
// those that left are refused (decision 0034).
func TestFoundersThatLeftFoundNothing(t *testing.T) {
	for _, folder := range []bool{true, false} {
		w := newChangingWorld(t, Config{Compare: true, Q: 16, Nodes: []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}}}, "D", "E")
		w.RunFor(5 * time.Second) // the disks of the founders are named
		for _, id := range []ring.NodeID{"D", "E"} {
			w.Join("C", id)
			w.RunFor(5 * time.Second)
			w.settles(t, "after "+string(id)+" joined")
		}
		for _, id := range []ring.NodeID{"A", "B"} {
			w.Leave("C", id)
			w.RunFor(5 * time.Second)
			w.settles(t, "after "+string(id)+" left")
		}
		for i := range 20 {
			must(t, w.Put("C", keyIn("b", fmt.Sprint(i)), text("v"), ouro.W(3)))
		}
		for _, id := range []ring.NodeID{"A", "B", "C"} {
			w.Crash(id)
			if folder && id == "C" {
				w.startOver(w.mustID(id)) // as one does whose data was rolled back
				continue
			}
			w.Wipe(id)
		}
		if folder {
			w.cutOff("D")
			w.cutOff("E")
		}
		w.Restart("A")
		w.Restart("B")
		w.Restart("C")
		w.RunFor(30 * time.Second)
		if w.broken != nil {
			t.Fatalf("what the folder says is left, %v: %v", folder, w.broken)
		}
		if folder {
			w.joinUp("D")
			w.joinUp("E")
		}
		w.RunFor(10 * time.Second)
		w.settles(t, "after founders have come back")
		if w.RunFor(3 * time.Minute); w.Recovering("C") {
			t.Error("C recovers still")
		}
		for i := range 20 {
			for _, id := range []ring.NodeID{"C", "D", "E"} {
				w.shows(t, id, keyIn("b", fmt.Sprint(i)), "v")
			}
		}
	}
}

// All founders have left, are emptied, and are started again like any new node. What they
// hear is of before the first link, from one that was removed at that time and has heard
// nothing since: they found nothing by it (decision 0034).
func TestFoundersThatHearOfTheirFounding(t *testing.T) {
	w := newChangingWorld(t, Config{Q: 16, Nodes: []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}}}, "D", "E")
	w.Join("C", "D")
	w.until(t, "D hears of the founding", func() bool { return w.view(w.mustID("D")).Place != nil })
	if w.Place().Named() {
		t.Fatal("it hears of the first link too")
	}
	w.cutOff("D")
	w.Leave("C", "D")
	w.RunFor(5 * time.Second) // the disks of the founders are named
	w.Join("C", "E")
	w.RunFor(time.Second)
	w.settles(t, "after E joined")
	founders := []ring.NodeID{"A", "B", "C"}
	for _, id := range founders {
		w.Leave("E", id)
		w.RunFor(5 * time.Second)
		w.settles(t, "after "+string(id)+" left")
	}
	for _, id := range founders {
		w.Crash(id)
		w.Wipe(id)
		w.mustID(id).former = true // it is started with seeds
	}
	w.joinUp("D")
	w.cutOff("E")
	for _, again := range []string{"once", "twice"} {
		for _, id := range founders {
			w.Restart(id)
		}
		w.RunFor(30 * time.Second)
		if w.broken != nil {
			t.Fatalf("%s: %v", again, w.broken)
		}
		if p := w.view(w.mustID("A")).Place; p == nil || p.Number() != 1 {
			t.Errorf("%s: A goes by %v", again, p)
		}
		for _, id := range founders {
			w.Crash(id)
		}
	}
}

package sim

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// midwayKeys is how many keys there are in these scripts.
const midwayKeys = 120

// midway is a cluster of three into which a fourth is moving: two partitions at a time,
// of which some have arrived, some are on their way and some have yet to begin.
func midway(t *testing.T, seed uint64, ops ...ouro.Option) *World {
	t.Helper()
	cfg := Config{Seed: seed, Q: 32}
	cfg.Chain.MaxMoving, cfg.Chain.Gather = 2, 100*time.Millisecond
	cfg.Net.Delay = 5 * time.Millisecond
	w := newChangingWorld(t, cfg, "D")
	w.settles(t, "at first")
	for i := range midwayKeys {
		must(t, w.Put("A", keyIn("b", fmt.Sprint(i)), text(fmt.Sprint("v", i)), ops...))
	}
	w.RunFor(time.Second)
	w.Join("B", "D")
	for end := w.now + time.Minute; w.stats.Ring.Ended < 6 || moving(w) == 0; {
		if w.RunFor(time.Millisecond); w.now > end {
			t.Fatalf("D does not get anything: %+v", w.stats.Ring)
		}
	}
	return w
}

// forceRemove lets an operator give up a node.
func (w *World) forceRemove(at, id ring.NodeID) {
	w.Issue(at, member.Change{Kind: member.ForceRemove, Member: member.Member{Node: ring.Node{ID: id}}})
}

// moving is how many partitions are on their way.
func moving(w *World) (n int) {
	for p := range uint32(w.Place().Q()) {
		if w.Place().Of(p).Moving() {
			n++
		}
	}
	return n
}

// allShown looks for all keys at some nodes.
func (w *World) allShown(t *testing.T, after string, at ...ring.NodeID) {
	t.Helper()
	for i := range midwayKeys {
		for _, id := range at {
			res, err := w.Get(id, keyIn("b", fmt.Sprint(i))).Wait()
			if err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != fmt.Sprint("v", i) {
				t.Fatalf("%s: %s shows %v of key %d: %v", after, id, res.Siblings, i, err)
			}
		}
	}
	if w.broken != nil {
		t.Fatalf("%s: %v", after, w.broken)
	}
}

// A newcomer dies in the midst of its moves, for good. Everything is read and written
// as before; what was on its way to it is given up when the operator says so, and the
// partitions go on with those who are there.
func TestADeadNewcomerIsGivenUp(t *testing.T) {
	for _, leaves := range []bool{false, true} {
		w := midway(t, 1)
		w.Crash("D")
		w.RunFor(time.Minute)
		if moving(w) == 0 {
			t.Fatal("its moves ended without it")
		}
		w.allShown(t, "with a dead newcomer", "A", "C")
		for i := range midwayKeys {
			must(t, w.Put("B", keyIn("b", fmt.Sprint("late", i)), text("late")))
		}
		if leaves { // its moves are aborted; what it has is with others, and it stays a member
			w.Leave("A", "D")
			for end := w.now + 10*time.Minute; ; {
				held := w.inLists("D")
				if held == 0 && moving(w) == 0 {
					break
				}
				if w.RunFor(time.Second); w.now > end {
					t.Fatalf("it is still in %d lists", held)
				}
			}
			if _, ok := w.Place().Member("D"); !ok {
				t.Fatal("it is dropped though it may keep something for others")
			}
		}
		w.forceRemove("C", "D")
		w.RunFor(time.Second)
		w.settles(t, "after it was removed by force")
		if n := len(w.Place().Members()); n != 3 || w.stats.Ring.Aborted == 0 && leaves {
			t.Fatalf("%d members, %+v", n, w.stats.Ring)
		}
		w.allShown(t, "after it was removed", "A", "B", "C")
		for i := range midwayKeys {
			w.shows(t, "C", keyIn("b", fmt.Sprint("late", i)), "late")
		}
	}
}

// A node that gives partitions to a newcomer dies: others give them in its stead, and
// all moves end without it.
func TestADonorDiesMidway(t *testing.T) {
	for _, donor := range []ring.NodeID{"A", "B", "C"} {
		w := midway(t, 2)
		w.Crash(donor)
		others := []ring.NodeID{"D"}
		for _, id := range []ring.NodeID{"A", "B", "C"} {
			if id != donor {
				others = append(others, id)
			}
		}
		for end := w.now + 10*time.Minute; ; {
			w.RunFor(time.Second)
			there, want := w.inLists("D"), 0
			for p := range uint32(w.Place().Q()) {
				if slices.Contains(w.newest().Ring.Preference(p, 3), "D") {
					want++
				}
			}
			if moving(w) == 0 && there == want {
				break
			}
			if w.now > end {
				t.Fatalf("without %s D has %d partitions of %d, and %d move", donor, there, want, moving(w))
			}
		}
		w.allShown(t, "without "+string(donor), others...)
		w.Restart(donor)
		w.settles(t, "after it came back")
		w.allShown(t, "after it came back", donor, "D")
	}
}

// A newcomer dies in the midst of its moves and comes back: it goes on where it was,
// and no key is sent to it that it has on its disk.
func TestANewcomerResumesMidway(t *testing.T) {
	for seed := range uint64(3) {
		w := midway(t, seed)
		w.Crash("D")
		w.RunFor(10 * time.Second)
		has := map[string]bool{}
		for i := range midwayKeys {
			if _, ok := w.State("D", keyIn("b", fmt.Sprint(i))); ok {
				has[fmt.Sprint(i)] = true
			}
		}
		if len(has) < 10 {
			t.Fatalf("seed %d: it had %d keys", seed, len(has))
		}
		type ask struct {
			of ring.NodeID
			id uint64
		}
		sent, asks := map[string]int{}, map[ask]string{}
		w.Lose(func(from, to ring.NodeID, m *node.Message) bool {
			switch {
			case to == "D" && Joins(m):
				sent[m.Op.Key.Name]++
			case from == "D" && m.Kind == node.KindAsk:
				asks[ask{to, m.Op.ID}] = m.Op.Key.Name
			case to == "D" && m.Kind == node.KindAnswer && len(m.Answer.State) > 0:
				sent[asks[ask{from, m.Answer.ID}]]++
			}
			return false
		})
		w.Restart("D")
		w.settles(t, "after it came back")
		came := 0
		for name, n := range sent {
			if came += n; has[name] || n > 1 {
				t.Errorf("seed %d: %s was sent %d times, on its disk before: %v", seed, name, n, has[name])
			}
		}
		if came == 0 {
			t.Errorf("seed %d: nothing came after it was back", seed)
		}
		w.Lose(nil)
		w.allShown(t, "after all moves", "A", "D")
	}
}

// inLists is in how many lists any of some nodes is.
func (w *World) inLists(ids ...ring.NodeID) (n int) {
	for p := range uint32(w.Place().Q()) {
		if slices.ContainsFunc(ids, w.Place().Of(p).Holds) {
			n++
		}
	}
	return n
}

// alsoWith returns those that hold a partition beside a node.
func (w *World) alsoWith(id ring.NodeID) []ring.NodeID {
	for p := range uint32(w.Place().Q()) {
		if l := w.Place().Of(p); l.Holds(id) {
			return slices.DeleteFunc(slices.Clone(l.Old), func(o ring.NodeID) bool { return o == id })
		}
	}
	return nil
}

// oneWithout returns a member that is none of some.
func (w *World) oneWithout(ids ...ring.NodeID) ring.NodeID {
	for _, m := range w.Place().Members() {
		if !slices.Contains(ids, m.ID) {
			return m.ID
		}
	}
	return ""
}

// A coordinator that has missed all changes of the ring is asked as soon as it is back:
// it shows what was written meanwhile at lists that it does not know, or nothing. Of one
// that it holds it knows nobody any more who has that.
func TestACoordinatorWithAnOldMap(t *testing.T) {
	for seed := range uint64(2) {
		w := newChangingWorld(t, Config{Seed: seed, Q: 16, Nodes: []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}, {ID: "D"}, {ID: "E"}}}, "F", "G")
		w.settles(t, "at first")
		for i := range midwayKeys {
			must(t, w.Put("A", keyIn("b", fmt.Sprint(i)), text("old")))
		}
		w.RunFor(time.Second)
		w.cutOff("E")
		gone := w.alsoWith("E")
		at := w.oneWithout("E", gone[0], gone[1])
		for i, next := range []ring.NodeID{"F", "G"} {
			w.Issue(at, member.Change{Kind: member.Replace, Old: gone[i], Member: member.Member{Node: ring.Node{ID: next, Weight: 1}, Addr: string(next)}})
			w.RunFor(time.Minute)
		}
		if moving(w)+w.inLists(gone...) > 0 {
			t.Fatalf("nothing moves without E: %+v, %v", w.stats.Ring, w.unsettled())
		}
		for i := range midwayKeys {
			res, err := w.Get(at, keyIn("b", fmt.Sprint(i))).Wait()
			if err != nil {
				t.Fatal(err)
			}
			must(t, w.Put(at, keyIn("b", fmt.Sprint(i)), text(fmt.Sprint("v", i)), ouro.WithContext(res.Context)))
		}
		// It can be reached again, and is told of no link before it is asked.
		w.Lose(func(_, to ring.NodeID, m *node.Message) bool { return to == "E" && m.Kind == node.KindChain })
		w.joinUp("E")
		w.RunFor(time.Second)
		if w.mustID("E").steward.core.Place().Number() >= w.Place().Number() {
			t.Fatal("E knows of the new lists")
		}
		w.Lose(func(_, to ring.NodeID, m *node.Message) bool {
			return to == "E" && m.Kind == node.KindChain && (m.Chain.Kind == chain.Tell || m.Chain.Kind == chain.Chosen)
		})
		var calls []*Call
		for i := range midwayKeys {
			calls = append(calls, w.Get("E", keyIn("b", fmt.Sprint(i))))
		}
		answered := 0
		for i, c := range calls {
			res, err := c.Wait()
			if err != nil {
				continue
			}
			answered++
			if len(res.Siblings) != 1 || string(res.Siblings[0].Data) != fmt.Sprint("v", i) {
				t.Errorf("seed %d: E shows %v of key %d", seed, res.Siblings, i)
			}
		}
		if answered < midwayKeys/2 {
			t.Errorf("seed %d: E answered %d of %d requests", seed, answered, midwayKeys)
		}
		w.Lose(nil)
		w.settles(t, "after it all")
		w.allShown(t, "after it all", "E", "F")
	}
}

// An acceptor that crashes, one that loses its disk and one that is slow while links
// are chosen, and an abort that races the end of the moves that it aborts: there is one
// chain, and nothing is lost.
func TestAcceptorsThatFail(t *testing.T) {
	for name, fail := range map[string]func(w *World){
		"one crashes":       func(w *World) { w.Crash("C"); w.RunFor(5 * time.Second); w.Restart("C") },
		"the first crashes": func(w *World) { w.Crash("A"); w.RunFor(5 * time.Second); w.Restart("A") },
		"one loses its disk": func(w *World) {
			w.Crash("C")
			w.Wipe("C")
			w.RunFor(time.Second)
			w.Restart("C")
		},
		"one is slow": func(w *World) {
			w.Slow("C", 700*time.Millisecond)
			w.RunFor(20 * time.Second)
			w.Slow("C", -700*time.Millisecond)
		},
		"a disk is slow": func(w *World) {
			w.SlowDisk("C", 2*time.Second)
			w.RunFor(20 * time.Second)
			w.SlowDisk("C", -2*time.Second)
		},
		"an abort at the same": func(w *World) { w.Leave("C", "D") },
		"an abort where the first is not heard": func(w *World) {
			w.Cut("A", "C")
			w.Cut("A", "B")
			w.Leave("C", "D")
			w.RunFor(3 * time.Second)
			w.Heal("A", "C")
			w.Heal("A", "B")
		},
		"an abort as the first hangs": func(w *World) {
			w.Pause("A")
			w.Leave("C", "D")
			w.RunFor(25 * time.Second)
			w.Resume("A")
		},
	} {
		for seed := range uint64(2) {
			w := midway(t, seed)
			w.RunFor(time.Duration(seed) * 70 * time.Millisecond)
			fail(w)
			w.RunFor(time.Second)
			w.settles(t, fmt.Sprintf("%s, seed %d:", name, seed))
			w.allShown(t, name, "A", "B", "C")
			if w.settleRing(); w.broken != nil {
				t.Errorf("%s, seed %d: %v", name, seed, w.broken)
			}
		}
	}
}

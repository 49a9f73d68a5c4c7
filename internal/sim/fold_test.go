package sim

import (
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/typed"
)

// foldingWorld is a world in which the shares of ended processes are folded fast.
func foldingWorld(t *testing.T, cfg Config) *World {
	cfg.Buckets.Default.Types = true
	cfg.Replica.MaxShares, cfg.Node.Reap.Shares = 3, 3
	cfg.Reap = true
	cfg.Epochs.Every, cfg.Epochs.Tell = 200*time.Millisecond, 50*time.Millisecond
	cfg.Node.Reap.Delay, cfg.Node.Reap.Every = 2*time.Second, time.Second // so that all shares are folded at once
	return newWorld(t, cfg)
}

func addOne() ouro.Update {
	return ouro.Update{Kind: ouro.Counter, Act: ouro.Increment, Elements: []ouro.Element{{By: 1}}}
}

// age has a counter incremented at a node, which starts anew after each time.
func (w *World) age(t *testing.T, at ring.NodeID, times int) {
	t.Helper()
	for range times {
		must(t, w.Update(at, key, addOne(), ouro.W(3)))
		w.Crash(at)
		w.RunFor(20 * time.Millisecond)
		w.Restart(at)
		w.RunFor(100 * time.Millisecond)
	}
}

// counts checks what a counter shows, and with how many shares at most.
func (w *World) counts(t *testing.T, want int64, most int) {
	t.Helper()
	for _, m := range w.nodes {
		s, ok := w.State(m.id, key)
		if ok && len(typed.Shares(&s)) > most {
			t.Errorf("%s holds %d shares: %s", m.id, len(typed.Shares(&s)), tell(&s))
		}
	}
	res := must(t, w.Get("B", key, ouro.R(3)))
	if res.Typed == nil || res.Typed.Count != want {
		t.Errorf("it shows %+v, not %d", res.Typed, want)
	}
}

// A counter does not grow with each process that has incremented it: shares of those
// that ended become one, and nothing is lost or counted twice. What a process that
// lives has added stays by itself.
func TestRules_R8_SharesOfEndedProcessesAreFolded(t *testing.T) {
	w := foldingWorld(t, Config{})
	other := w.Preference(key)[1]
	must(t, w.Update(other, key, addOne(), ouro.W(3)))
	total := int64(1)
	for range 3 {
		w.age(t, "A", 6)
		total += 6
		w.RunFor(20 * time.Second)
		w.counts(t, total, 7)
		must(t, w.Update(other, key, addOne(), ouro.W(3)))
		total++
	}
	w.RunUntilIdle()
	w.counts(t, total, 7)
	if w.Stats().Folded == 0 {
		t.Error("nothing was folded")
	}
	w.violate(w.compareKey("b/"+key.Name, "folding"))
}

// folds matches the joins that carry what was folded.
func folds(m *node.Message) bool {
	if !Joins(m) {
		return false
	}
	s, err := causal.DecodeState(m.Op.State)
	if err != nil {
		return false
	}
	for i := range s.Versions {
		if s.Versions[i].ContentType == "\x00C" {
			return true
		}
	}
	return false
}

// Whoever puts something in the place of a number, or deletes it, while its shares are
// folded elsewhere and has not heard of that: nothing of the number comes back.
func TestRules_R8_FoldingBringsNothingBack(t *testing.T) {
	for _, deletes := range []bool{false, true} {
		w := foldingWorld(t, Config{})
		owners := w.Preference(key)
		first, other := owners[0], owners[1]
		var held []*Held
		for _, to := range owners[1:3] {
			held = append(held, w.Hold(first, to, folds))
		}
		w.age(t, other, 6)
		w.untilFolded(t)
		w.Pause(first) // it does not hear of what comes
		if deletes {
			must(t, w.Delete(other, key, ouro.W(2), ouro.R(2)))
		} else {
			must(t, w.Put(other, key, text("0"), ouro.W(2)))
		}
		for _, h := range held {
			h.Let()
		}
		w.Resume(first)
		w.RunUntilIdle()
		if deletes {
			w.shows(t, first, key)
			w.gone(t, key)
		} else {
			w.shows(t, first, key, "0")
		}
	}
}

// untilFolded lets time pass until some shares are folded.
func (w *World) untilFolded(t *testing.T) {
	t.Helper()
	before := w.Stats().Folded
	for end := w.Now() + 30*time.Second; w.Stats().Folded == before; {
		if w.RunFor(10 * time.Millisecond); w.Now() > end {
			t.Fatal("nothing was folded")
		}
	}
}

// What was folded and lost with its disk, and lies with another node for a primary that
// was away, may be handed over at any time while the same shares are being folded
// again: they count once.
func TestRules_R8_NothingIsFoldedTwice(t *testing.T) {
	for _, late := range []time.Duration{0, 500, 1000, 2000, 2500, 3000, 3500, 4000, 5000, 60_000} {
		w := foldingWorld(t, Config{Nodes: []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}, {ID: "D"}}})
		owners := w.Preference(key)
		first, other, away, helper := owners[0], owners[1], owners[2], owners[3]
		held := w.Hold(first, other, folds)
		also := w.Hold(first, away, folds)
		w.age(t, other, 6)
		w.untilFolded(t)
		also.Drop()
		w.Crash(away)
		w.RunFor(time.Second)
		must(t, w.Update(first, key, addOne(), ouro.W(2)))
		if w.Kept(helper) == 0 {
			t.Fatal("nothing is kept for the node that is away")
		}
		held.Drop()
		w.Cut(helper, away)
		w.Crash(first)
		w.Wipe(first)
		w.Restart(first)
		w.Restart(away)
		w.RunFor(late * time.Millisecond)
		w.Heal(helper, away)
		w.RunFor(time.Minute)
		if w.counts(t, 7, 7); t.Failed() {
			t.Fatalf("it was handed over after %d ms", late)
		}
	}
}

// A process that lives goes on with its own share, whatever is folded elsewhere; and
// while others have not heard of a folding none of them folds.
func TestRules_R8_WhatLivesIsNotFolded(t *testing.T) {
	w := foldingWorld(t, Config{})
	owners := w.Preference(key)
	first, other, third := owners[0], owners[1], owners[2]
	must(t, w.Update(other, key, addOne(), ouro.W(3)))
	held := w.Hold(first, other, folds)
	also := w.Hold(first, third, folds)
	w.age(t, third, 6)
	w.untilFolded(t)
	w.RunFor(5 * time.Second)
	must(t, w.Update(other, key, addOne()))
	held.Let()
	also.Let()
	w.RunUntilIdle()
	w.counts(t, 8, 7)
}

package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim/history"
	"github.com/ourodb/ouro/internal/store"
)

// spoilt is a world in which something is made wrong by hand, to see that it is
// found.
func spoilt(t *testing.T, want history.Promise, spoil func(w *World)) {
	t.Helper()
	w, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	w.RunUntilIdle() // nodes look for hints as they start
	spoil(w)
	if v := w.Broken(); v == nil || v.Promise != want {
		t.Errorf("found %v, want %q", v, want.Name)
	}
}

func aRequest() *node.Request {
	return &node.Request{Verb: node.Put, Key: ring.NewKey("b", "k"), Value: []byte("v")}
}

func TestFindsSecondAnswer(t *testing.T) {
	spoilt(t, history.Answers, func(w *World) {
		w.request(w.nodes[0], aRequest(), func(*node.Reply) {})
		w.reply(w.nodes[0], &node.Reply{ID: 1})
		w.RunUntilIdle() // the node's own answer comes second
	})
}

func TestFindsAnswerToNobody(t *testing.T) {
	spoilt(t, history.Answers, func(w *World) { w.reply(w.nodes[0], &node.Reply{ID: 7}) })
	spoilt(t, history.Answers, func(w *World) {
		w.request(w.nodes[0], aRequest(), func(*node.Reply) {})
		w.reply(w.nodes[1], &node.Reply{ID: 1})
	})
}

func TestFindsLateAnswer(t *testing.T) {
	spoilt(t, history.Late, func(w *World) {
		w.nodes[0].turning = true // it never comes to its inbox
		w.request(w.nodes[0], aRequest(), func(*node.Reply) {})
		w.RunUntilIdle()
	})
}

func TestWaitsForPausedNode(t *testing.T) {
	w := newWorld(t, Config{})
	w.Pause("A")
	call := w.Put("A", key, text("v"))
	w.RunFor(2 * time.Second)
	if _, err := call.Result(); !call.Done() || ouro.CodeOf(err) != ouro.TimedOut {
		t.Errorf("the client of a node that stands still: done %v, %v", call.Done(), err)
	}
	w.Resume("A")
	w.RunUntilIdle()
}

func TestFindsWhatIsLeftInTables(t *testing.T) {
	spoilt(t, history.Grown, func(w *World) {
		m := w.nodes[0]
		m.core.Step(w.clock(m), aRequest(), &m.out)
		m.out.Reset() // what it wants done is never done
		w.idle("now")
	})
}

func TestFindsReusedDot(t *testing.T) {
	v := causal.Version{Dot: causal.Dot{Actor: causal.Actor{Run: 1, Life: 1}, N: 1}, Sum: causal.Sum{Lo: 1}}
	spoilt(t, history.DotReused, func(w *World) {
		w.sight(w.nodes[0], &v)
		w.sight(w.nodes[1], &v)
		if w.Broken() != nil {
			t.Fatal("the same version twice is no reuse")
		}
		v.Sum.Lo = 2
		w.sight(w.nodes[1], &v)
	})
	spoilt(t, history.DotReused, func(w *World) { w.observe(w.nodes[0], &fact.Fact{Kind: fact.DotReused}) })
}

func TestFindsStoredGarbage(t *testing.T) {
	spoilt(t, history.Invented, func(w *World) { w.stored(w.nodes[0], w.recordKey(key), []byte("garbage")) })
	spoilt(t, history.Invented, func(w *World) {
		w.eyes.plain = false
		w.Put("A", key, text("it does not describe itself"))
		w.RunUntilIdle()
	})
}

func TestFindsUndecodableFrame(t *testing.T) {
	spoilt(t, history.Invented, func(w *World) {
		w.carry(w.net.link(0, 1), []byte{0xff, 0})
		w.RunUntilIdle()
	})
}

func TestFindsDivergedReplicas(t *testing.T) {
	spoilt(t, history.Diverged, func(w *World) {
		w.hist.Invoke(&history.Op{Verb: history.Put, Key: key.String()}, 0)
		w.Put("A", key, text("v"))
		w.RunUntilIdle()
		if v := w.compare("nothing"); v != nil {
			t.Fatal(v)
		}
		w.Forget("B", key)
		w.violate(w.compare("nothing"))
	})
}

func TestFindsLeafThatIsNoSum(t *testing.T) {
	for _, when := range []func(w *World){
		func(w *World) { w.Crash("B") },
		func(w *World) { w.idle("now") },
	} {
		spoilt(t, history.Summed, func(w *World) {
			w.Put("A", key, text("v"))
			w.RunUntilIdle()
			m := w.mustID("B")
			w.addUp(m, "now")
			if v := w.Broken(); v != nil {
				t.Fatal(v)
			}
			var b store.Batch
			b.Delete(w.recordKey(key))
			if err := m.disk.Engine.Apply(&b, func(error) {}); err != nil {
				t.Fatal(err)
			}
			m.disk.Sync()
			when(w)
		})
	}
}

func TestFindsComparisonThatMissedAKey(t *testing.T) {
	spoilt(t, history.Diverged, func(w *World) {
		w.Put("A", key, text("v"))
		w.RunUntilIdle()
		a, b := w.mustID("A"), w.mustID("B")
		partition := w.ring.Partition(ring.NewKey(key.Bucket, key.Name).Pos)
		ask := node.Message{Kind: node.KindSurvey, Partition: partition, Survey: &replica.Survey{Look: replica.Roots}}
		end := repair.Outcome{Wish: repair.Wish{Mark: replica.Mark{Partition: partition, Peer: "B"}}, Began: w.clock(a).Mono, Complete: true}
		w.noteSurvey(a, b, &ask)
		w.compared(a, &end)
		if v := w.Broken(); v != nil {
			t.Fatal(v)
		}
		w.noteSurvey(a, b, &ask)
		w.Forget("A", key)
		w.compared(a, &end)
	})
}

func TestFindsStrayCopy(t *testing.T) {
	w := newWorld(t, Config{Nodes: []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}, {ID: "D"}}})
	w.hist.Invoke(&history.Op{Verb: history.Put, Key: key.String()}, 0)
	w.Put("A", key, text("v"))
	w.RunUntilIdle()
	list := w.Preference(key)
	from, to := w.mustID(list[0]), w.mustID(list[3])
	to.disk.Engine, from.disk.Engine = from.disk.Engine, to.disk.Engine
	if v := w.compare("nothing"); v == nil || v.Promise != history.Diverged {
		t.Errorf("a node that is no replica holds a copy: %v", v)
	}
}

func TestFindsDishonestContext(t *testing.T) {
	spoilt(t, history.Context, func(w *World) {
		w.eyes.plain = false
		name := key.String()
		hidden := &history.Op{Verb: history.Put, Key: name, Attempts: 1}
		w.hist.Invoke(hidden, 0)
		dot := causal.Dot{Actor: causal.Actor{Run: 5, Life: 1}, N: 1}
		w.eyes.name = []byte(name)
		w.sight(w.nodes[0], &causal.Version{Dot: dot, Value: history.Value(hidden.ID, name, 0)})
		get := &history.Op{Verb: history.Get, Key: name, Attempts: 1}
		w.hist.Invoke(get, 0)
		sealed := w.sealer.Seal(key.Bucket, key.Name, causal.Context{Claims: causal.Claims{}.With(dot)})
		r, v := w.hist.Return(get, history.Result{Outcome: history.OK, Context: sealed}, 0)
		if v != nil {
			t.Fatal(v)
		}
		w.honest(r, key.Bucket, key.Name)
	})
}

func TestFindsUnavailability(t *testing.T) {
	spoilt(t, history.Unavailable, func(w *World) {
		w.Crash("B")
		w.readOne(w.nodes[0], key.Bucket, key.Name, "a reading")
	})
	spoilt(t, history.Unavailable, func(w *World) {
		op := &history.Op{Verb: history.Put, Key: key.String(), Attempts: 1}
		w.hist.Invoke(op, 0)
		w.violate(nil)
		w.hist.Return(op, history.Result{Outcome: history.Info}, 0)
		w.checkCalm()
	})
}

func TestFindsPanic(t *testing.T) {
	spoilt(t, history.Panicked, func(w *World) {
		w.protect(func() { panic("a bug") })
		if d := w.Broken().Detail; !strings.Contains(d, "a bug") || !strings.Contains(d, "check_test.go") {
			t.Errorf("it does not say where: %s", d)
		}
	})
}

func TestFindsRunThatDoesNotRepeat(t *testing.T) {
	o := Options{Seed: 5, Ops: 200}
	rep := Run(o)
	if v := Again(o, &rep); v != nil {
		t.Errorf("%v", v)
	}
	rep.Hash++
	if v := Again(o, &rep); v == nil || v.Promise != history.Replayed {
		t.Errorf("another history: %v", v)
	}
}

package ouro_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/oracle"
	"github.com/ourodb/ouro/internal/sim"
)

// typesBuckets are buckets of data types alone.
func typesBuckets(n, r, w int) node.Buckets {
	b := numbers(n, r, w)
	b.Default.Types = true
	return b
}

// update is a write of elements by name: a number is a score, and what is added.
func update(kind ouro.Kind, act ouro.Act, names ...string) ouro.Update {
	u := ouro.Update{Kind: kind, Act: act}
	for _, n := range names {
		u.Elements = append(u.Elements, ouro.Element{Name: n})
	}
	return u
}

func increment(by int64) ouro.Update {
	return ouro.Update{Kind: ouro.Counter, Act: ouro.Increment, Elements: []ouro.Element{{By: by}}}
}

func (c cluster) update(at ring.NodeID, key ouro.Key, u ouro.Update, opts ...ouro.Option) ouro.Result {
	c.t.Helper()
	res, err := c.Store(at).(ouro.Updater).Update(c.t.Context(), key, u, opts...)
	if err != nil {
		c.t.Fatalf("%v at %s: %v", u, at, err)
	}
	return res
}

// tell writes what a result shows in one line, without times.
func tell(res ouro.Result, err error) string {
	if code := ouro.CodeOf(err); code != "" {
		return string(code)
	}
	s := fmt.Sprintf("changed %d", res.Changed)
	if t := res.Typed; t != nil {
		s += fmt.Sprintf(" %s %d %v", t.Kind, t.Count, t.Elements)
	}
	for _, v := range res.Siblings {
		s += fmt.Sprintf(" %q", v.Data)
	}
	return s
}

// drawUpdate draws an update of one of few elements.
func drawUpdate(r *rand.Rand) ouro.Update {
	kinds := []ouro.Kind{ouro.Register, ouro.Counter, ouro.Set, ouro.Map, ouro.SortedSet}
	u := ouro.Update{Kind: kinds[r.IntN(len(kinds))]}
	acts := map[ouro.Kind][]ouro.Act{
		ouro.Register: {ouro.Assign}, ouro.Counter: {ouro.Increment}, ouro.Set: {ouro.Assign, ouro.Remove},
		ouro.Map: {ouro.Assign, ouro.Remove, ouro.Increment}, ouro.SortedSet: {ouro.Assign, ouro.Remove, ouro.Increment},
	}[u.Kind]
	u.Act = acts[r.IntN(len(acts))]
	if u.Act == ouro.Assign {
		u.If = []ouro.Condition{ouro.Always, ouro.Always, ouro.IfAbsent, ouro.IfPresent}[r.IntN(4)]
	}
	if u.Kind == ouro.SortedSet && u.Act != ouro.Remove && r.IntN(3) == 0 {
		u.If = []ouro.Condition{ouro.IfGreater, ouro.IfLess}[r.IntN(2)]
	}
	names := []string{"a", "b", "c", "d"}[r.IntN(3):]
	if u.Kind == ouro.Register || u.Kind == ouro.Counter {
		names = []string{""}
	}
	for _, n := range names[:1+r.IntN(len(names))] {
		e := ouro.Element{Name: n, Score: float64(r.IntN(7) - 3), By: int64(r.IntN(9) - 4)}
		if e.Value = strconv.AppendInt(nil, int64(r.IntN(20)-10), 10); r.IntN(4) == 0 {
			e.Value = []byte("text")
		}
		u.Elements = append(u.Elements, e)
	}
	return u
}

// Whatever is done one after the other, at any node, with restarts between, comes
// out as at the reference; every replica has it, deltas or not.
func TestTypesAreTheReference(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 24))
		c := newCluster(t, sim.Config{Seed: seed, Nodes: nodes(abc...), Buckets: typesBuckets(3, 3, 3)})
		reference := oracle.NewTypes()
		keys := []ouro.Key{{Bucket: "t", Name: "one"}, {Bucket: "t", Name: "two"}}
		for step := range 60 {
			at, key := abc[r.IntN(3)], keys[r.IntN(2)]
			var got, want, what string
			switch n := r.IntN(20); {
			case n == 0:
				c.Crash(at)
				c.Restart(at)
				c.RunFor(5 * time.Second)
				continue
			case n == 1:
				_, err := c.Delete(at, key).Wait()
				_, also := reference.Delete(t.Context(), key)
				got, want, what = tell(ouro.Result{}, err), tell(ouro.Result{}, also), "a delete"
			default:
				u := drawUpdate(r)
				what = fmt.Sprint(u)
				got = tell(c.Store(at).(ouro.Updater).Update(t.Context(), key, u))
				want = tell(reference.Update(t.Context(), key, u))
			}
			if got != want {
				t.Fatalf("seed %d, step %d: %s at %s answers\n%s, the reference\n%s", seed, step, what, at, got, want)
			}
			for _, at := range abc {
				got, want := tell(c.Get(at, key).Wait()), tell(reference.Get(t.Context(), key))
				if got != want {
					t.Fatalf("seed %d, step %d: a get at %s shows\n%s, the reference\n%s", seed, step, at, got, want)
				}
			}
		}
	}
}

// Three nodes that can't reach each other take updates of one key. Afterwards all
// show the same: every increment counts, an addition wins over a removal that had
// not seen it, and what a removal had seen is gone.
func TestTypesConverge(t *testing.T) {
	c := newCluster(t, sim.Config{Nodes: nodes(abc...), Buckets: typesBuckets(3, 1, 1)})
	counter, set := ouro.Key{Bucket: "t", Name: "counter"}, ouro.Key{Bucket: "t", Name: "set"}
	c.put("A", counter, "100")
	c.update("A", set, update(ouro.Set, ouro.Assign, "old", "both"))
	c.RunFor(time.Second)
	c.pairs(abc, c.Cut)
	for i, at := range abc {
		for range i + 1 {
			c.update(at, counter, increment(10))
		}
	}
	c.update("A", set, update(ouro.Set, ouro.Remove, "old", "both"))
	c.update("B", set, update(ouro.Set, ouro.Assign, "both", "new"))
	c.pairs(abc, c.Heal)
	c.RunFor(time.Minute)
	for _, at := range abc {
		res, err := c.Get(at, counter, ouro.R(3)).Wait()
		if err != nil || res.Typed == nil || res.Typed.Count != 160 {
			t.Errorf("at %s the counter is %s, want 160", at, tell(res, err))
		}
		res, err = c.Get(at, set, ouro.R(3)).Wait()
		if err != nil || res.Typed == nil || !slices.Equal(names(res), []string{"both", "new"}) {
			t.Errorf("at %s the set is %s, want both and new", at, tell(res, err))
		}
	}
}

func names(res ouro.Result) (all []string) {
	for _, e := range res.Typed.Elements {
		all = append(all, e.Name)
	}
	return all
}

// Two types written to one key at once: the one of the later stamp is shown, at
// every node, and the other comes to light when that is gone. A put covers all.
func TestTypesAtOnce(t *testing.T) {
	c := newCluster(t, sim.Config{Nodes: nodes(abc...), Buckets: typesBuckets(3, 1, 1)})
	key := ouro.Key{Bucket: "t", Name: "k"}
	c.pairs(abc, c.Cut)
	c.update("A", key, update(ouro.Set, ouro.Assign, "m"))
	c.RunFor(time.Second)
	c.update("B", key, increment(3))
	c.pairs(abc, c.Heal)
	c.RunFor(time.Minute)
	for _, at := range abc {
		if res, err := c.Get(at, key, ouro.R(3)).Wait(); err != nil || res.Typed == nil || res.Typed.Kind != ouro.Counter {
			t.Errorf("at %s: %s, want the counter", at, tell(res, err))
		}
	}
	_, err := c.Update("C", key, update(ouro.Set, ouro.Assign, "x")).Wait()
	if ouro.CodeOf(err) != ouro.WrongType {
		t.Errorf("an update of another type: %v", err)
	}
	c.put("C", key, "plain")
	c.RunFor(time.Second)
	for _, at := range abc {
		if res, err := c.Get(at, key, ouro.R(3)).Wait(); err != nil || res.Typed != nil || string(res.Siblings[0].Data) != "plain" {
			t.Errorf("at %s: %s, want the plain value", at, tell(res, err))
		}
	}
}

// A key expires whole, whatever it holds; what is written afterwards is a new key.
func TestTypesExpire(t *testing.T) {
	c := newCluster(t, sim.Config{Nodes: nodes(abc...), Buckets: typesBuckets(3, 2, 2)})
	key := ouro.Key{Bucket: "t", Name: "k"}
	c.update("A", key, update(ouro.Set, ouro.Assign, "m", "n"), ouro.TTL(time.Minute))
	c.update("B", key, update(ouro.Set, ouro.Assign, "o"))
	c.RunFor(30 * time.Second)
	if res, err := c.Get("C", key).Wait(); err != nil || len(names(res)) != 3 || res.Typed.Expires.IsZero() {
		t.Fatalf("before: %s", tell(res, err))
	}
	c.RunFor(31 * time.Second)
	if res, err := c.Get("C", key).Wait(); ouro.CodeOf(err) != ouro.NotFound {
		t.Fatalf("after: %s", tell(res, err))
	}
	if res := c.update("A", key, update(ouro.Set, ouro.Assign, "m")); res.Changed != 1 {
		t.Errorf("anew: %s", tell(res, nil))
	}
	c.RunFor(time.Hour)
	if res, err := c.Get("B", key).Wait(); err != nil || !slices.Equal(names(res), []string{"m"}) {
		t.Errorf("an hour later: %s", tell(res, err))
	}
	clock := ouro.Key{Bucket: "t", Name: "clock"}
	c.put("A", clock, "now")
	now, _ := c.Get("A", clock).Wait()
	c.pairs(abc, c.Cut)
	c.update("A", key, ouro.Update{Act: ouro.Expire, Expires: now.Siblings[0].Modified.Add(time.Minute)}, ouro.W(1))
	c.RunFor(2 * time.Minute)
	c.update("C", key, update(ouro.Set, ouro.Assign, "later"), ouro.W(1)) // has not heard of it
	c.pairs(abc, c.Heal)
	c.RunFor(time.Minute)
	if res, err := c.Get("B", key, ouro.R(3)).Wait(); err != nil || !slices.Equal(names(res), []string{"later"}) {
		t.Errorf("with what was written after it, elsewhere: %s", tell(res, err))
	}
}

// A set of many members is not sent anew for each of them: who has it already gets
// what is new, and who missed something the whole.
func TestTypesDeltas(t *testing.T) {
	c := newCluster(t, sim.Config{Nodes: nodes(abc...), Buckets: typesBuckets(3, 2, 2)})
	key := ouro.Key{Bucket: "t", Name: "set"}
	for i := range 100 {
		c.update("A", key, update(ouro.Set, ouro.Assign, fmt.Sprintf("member %d of a hundred", i)))
	}
	c.RunFor(time.Second)
	told := strings.Join(c.update("A", key, update(ouro.Set, ouro.Assign, "one more"), ouro.Explain()).Explain, "\n")
	if strings.Count(told, "delta") != 2 || strings.Contains(told, "join") {
		t.Errorf("one more member of a hundred was sent so:\n%s", told)
	}
	c.Cut("A", "C")
	c.Cut("B", "C")
	c.RunFor(time.Second)
	c.update("A", key, update(ouro.Set, ouro.Assign, "missed"))
	c.Heal("A", "C")
	c.RunFor(100 * time.Millisecond)
	res := c.update("A", key, update(ouro.Set, ouro.Assign, "and then"), ouro.W(3), ouro.PW(3), ouro.Explain())
	c.Cut("A", "C")
	c.Cut("A", "B")
	c.RunFor(time.Second)
	got, err := c.Get("C", key, ouro.R(1), ouro.PR(1)).Wait()
	if err != nil || len(names(got)) != 103 {
		t.Errorf("C shows %d members, %v, want 103; it was sent\n%s", len(names(got)), err, strings.Join(res.Explain, "\n"))
	}
}

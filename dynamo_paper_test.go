package ouro_test

// Each test shows an item of "Dynamo: Amazon's Highly Available Key-value
// Store" (numbers as in docs/paper.md), or a trace that the correctness rules
// were made against (H1 to H25), in a simulated cluster directed step by step.

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
	"github.com/ourodb/ouro/internal/store"
)

// cluster is a simulated cluster and the test it serves.
type cluster struct {
	*sim.World
	t *testing.T
}

func newCluster(t *testing.T, cfg sim.Config) cluster {
	t.Helper()
	w, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if v := w.Broken(); v != nil {
			t.Error(v)
		}
	})
	return cluster{w, t}
}

func nodes(ids ...ring.NodeID) []ring.Node {
	all := make([]ring.Node, len(ids))
	for i, id := range ids {
		all[i].ID = id
	}
	return all
}

// handRing lays tokens at equal distances, owned in this order.
func handRing(owners ...ring.NodeID) []ring.Token {
	tokens := make([]ring.Token, len(owners))
	step := ^uint64(0) / uint64(len(owners))
	for i, id := range owners {
		tokens[i] = ring.Token{End: ring.Position{Hi: step * uint64(i+1)}, Owner: id}
	}
	return tokens
}

// numbers is a bucket's (N, R, W).
func numbers(n, r, w int) node.Buckets {
	return node.Buckets{Default: member.Bucket{N: n, R: r, W: w, Timeout: time.Second}}
}

func text(s string) ouro.Value { return ouro.Value{Data: []byte(s)} }

// put writes through a node and returns the answer; it must succeed.
func (c cluster) put(at ring.NodeID, key ouro.Key, value string, opts ...ouro.Option) ouro.Result {
	c.t.Helper()
	res, err := c.Put(at, key, text(value), opts...).Wait()
	if err != nil {
		c.t.Fatalf("put of %q at %s: %v", value, at, err)
	}
	return res
}

// get reads through a node; it must succeed and show these values.
func (c cluster) get(at ring.NodeID, key ouro.Key, want []string, opts ...ouro.Option) ouro.Result {
	c.t.Helper()
	res, err := c.Get(at, key, opts...).Wait()
	if err != nil && (len(want) > 0 || ouro.CodeOf(err) != ouro.NotFound) {
		c.t.Fatalf("get at %s: %v", at, err)
	}
	if got := shown(res); !slices.Equal(got, want) {
		c.t.Fatalf("get at %s shows %q, want %q", at, got, want)
	}
	return res
}

func shown(res ouro.Result) []string {
	var all []string
	for _, s := range res.Siblings {
		all = append(all, string(s.Data))
	}
	slices.Sort(all)
	return all
}

// state is what a node stores; it must store something.
func (c cluster) state(at ring.NodeID, key ouro.Key) causal.State {
	c.t.Helper()
	s, ok := c.State(at, key)
	if !ok {
		c.t.Fatalf("%s stores nothing for %v", at, key)
	}
	return s
}

// clock asserts a vector clock.
func (c cluster) clock(of string, claims causal.Claims, want string) {
	c.t.Helper()
	if got := c.Clock(claims); got != want {
		c.t.Errorf("the clock of %s is %s, want %s", of, got, want)
	}
}

// context asserts what a context covers.
func (c cluster) context(of string, key ouro.Key, res ouro.Result, want string) {
	c.t.Helper()
	ctx, err := c.Open(key, res.Context)
	if err != nil {
		c.t.Fatalf("the context of %s: %v", of, err)
	}
	c.clock("the context of "+of, ctx.Claims, want)
}

// stores asserts the values that a node stores.
func (c cluster) stores(at ring.NodeID, key ouro.Key, want ...string) {
	c.t.Helper()
	s, _ := c.State(at, key)
	var got []string
	for _, v := range s.Versions {
		got = append(got, string(v.Value))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		c.t.Errorf("%s stores %q, want %q", at, got, want)
	}
}

// keyIn returns a key whose preference list begins with these nodes.
func (c cluster) keyIn(list ...ring.NodeID) ouro.Key {
	c.t.Helper()
	for i := range 10000 {
		key := ouro.Key{Bucket: "b", Name: fmt.Sprintf("k%d", i)}
		if slices.Equal(c.Preference(key)[:len(list)], list) {
			return key
		}
	}
	c.t.Fatalf("no key has a preference list that begins with %v", list)
	return ouro.Key{}
}

// cutOff parts a node from all others, or joins it again.
func (c cluster) cutOff(id ring.NodeID, others ...ring.NodeID) {
	for _, o := range others {
		c.Cut(id, o)
	}
}

func (c cluster) healAll(id ring.NodeID, others ...ring.NodeID) {
	for _, o := range others {
		c.Heal(id, o)
	}
	c.RunFor(time.Second)
}

// Figure 2: nodes A to G on the ring, N=3. A key between A and B is stored at B,
// C and D; D stores the ranges (A,B], (B,C] and (C,D].
func TestPaper_4_3_1_Figure2(t *testing.T) {
	letters := []ring.NodeID{"A", "B", "C", "D", "E", "F", "G"}
	c := newCluster(t, sim.Config{Nodes: nodes(letters...), Tokens: handRing(letters...), Buckets: numbers(3, 2, 2)})
	for i, id := range letters {
		next, after := letters[(i+1)%7], letters[(i+2)%7]
		key := c.keyIn(id) // it lies between its owner and the node before it
		c.put(letters[(i+4)%7], key, "v")
		c.RunUntilIdle()
		for _, other := range letters {
			_, has := c.State(other, key)
			if want := other == id || other == next || other == after; has != want {
				t.Errorf("a key in the range that ends at %s: stored at %s: %v, want %v", id, other, has, want)
			}
		}
	}
	for _, id := range letters {
		_, has := c.State("D", c.keyIn(id))
		if want := id == "B" || id == "C" || id == "D"; has != want {
			t.Errorf("D stores the range that ends at %s: %v, want %v", id, has, want)
		}
	}
}

// The preference list skips positions of a node that is in it already, across
// the end of the ring too: N replicas are on N nodes.
func TestPaper_4_3_4_DistinctNodes(t *testing.T) {
	c := newCluster(t, sim.Config{
		Nodes:  nodes("A", "B", "C", "D"),
		Tokens: handRing("A", "A", "B", "A", "B", "C", "D", "D"), Buckets: numbers(3, 2, 2),
	})
	seen := map[string]bool{}
	for i := range 200 {
		key := ouro.Key{Bucket: "b", Name: fmt.Sprint(i)}
		list := c.Preference(key)
		seen[fmt.Sprint(list)] = true
		c.put("D", key, "v")
		c.RunUntilIdle()
		holders := 0
		for _, id := range list {
			if _, ok := c.State(id, key); ok {
				holders++
			}
		}
		if holders != 3 {
			t.Fatalf("%v is stored on %d nodes, its list is %v", key, holders, list)
		}
	}
	for _, want := range []string{"[A B C D]", "[B A C D]", "[B C D A]", "[D A B C]"} {
		if !seen[want] {
			t.Errorf("no key has the list %s; there are %v", want, seen)
		}
	}
}

// Figure 3: versions of an object and their vector clocks, with the
// coordinators of the paper, Sx, Sy and Sz here X, Y and Z.
func TestPaper_4_4_9_Figure3(t *testing.T) {
	c := newCluster(t, sim.Config{Nodes: nodes("X", "Y", "Z"), Buckets: numbers(3, 1, 1)})
	key := ouro.Key{Bucket: "b", Name: "figure 3"}
	d1 := c.put("X", key, "D1")
	c.clock("D1", c.state("X", key).Claims, "[(X,1)]")
	d2 := c.put("X", key, "D2", ouro.WithContext(d1.Context))
	c.RunUntilIdle()
	for _, id := range []ring.NodeID{"X", "Y", "Z"} {
		c.clock("D2 at "+string(id), c.state(id, key).Claims, "[(X,2)]")
		c.stores(id, key, "D2") // D1 is an ancestor of D2 and gone
	}

	// Two clients read D2; X, Y and Z no longer reach each other.
	c.Cut("X", "Y")
	c.Cut("Y", "Z")
	c.Cut("X", "Z")
	c.RunFor(time.Second)
	c.get("Y", key, []string{"D2"})
	c.get("Z", key, []string{"D2"})
	d3 := c.put("Y", key, "D3", ouro.WithContext(d2.Context))
	c.clock("D3", c.state("Y", key).Claims, "[(X,2) (Y,1)]")
	c.context("D3", key, d3, "[(X,2) (Y,1)]")
	d4 := c.put("Z", key, "D4", ouro.WithContext(d2.Context))
	c.clock("D4", c.state("Z", key).Claims, "[(X,2) (Z,1)]")
	c.context("D4", key, d4, "[(X,2) (Z,1)]")
	if d3.Coordinator != "Y" || d4.Coordinator != "Z" {
		t.Fatalf("D3 was coordinated by %s and D4 by %s", d3.Coordinator, d4.Coordinator)
	}

	// A node that knows D2 and receives D4 drops D2; one that knows D3 keeps both.
	c.Heal("X", "Z")
	c.RunFor(time.Second)
	c.get("Z", key, []string{"D4"}, ouro.R(2))
	c.RunUntilIdle()
	c.stores("X", key, "D4")
	c.Heal("X", "Y")
	c.Heal("Y", "Z")
	c.RunFor(time.Second)
	both := c.get("X", key, []string{"D3", "D4"}, ouro.R(3))
	c.context("a read of D3 and D4", key, both, "[(X,2) (Y,1) (Z,1)]")
	c.RunUntilIdle()
	c.stores("Y", key, "D3", "D4")

	// The client reconciles, and X, which answered first, coordinates the write.
	both = c.get("X", key, []string{"D3", "D4"}, ouro.R(1))
	d5 := c.put("X", key, "D5", ouro.WithContext(both.Context))
	if d5.Coordinator != "X" {
		t.Fatalf("D5 was coordinated by %s", d5.Coordinator)
	}
	c.clock("D5", c.state("X", key).Claims, "[(X,3) (Y,1) (Z,1)]")
	c.RunFor(2 * time.Second)
	c.get("Y", key, []string{"D5"}, ouro.R(3))
}

// A put with the merged context collapses siblings to one version.
func TestPaper_4_4_8_SemanticReconciliation(t *testing.T) {
	c := newCluster(t, sim.Config{})
	key := ouro.Key{Bucket: "b", Name: "cart"}
	c.put("A", key, "one")
	c.put("B", key, "two")
	both := c.get("C", key, []string{"one", "two"}, ouro.R(3))
	c.put("C", key, "one and two", ouro.WithContext(both.Context))
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.get(id, key, []string{"one and two"}, ouro.R(3))
	}
	c.RunUntilIdle()
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.stores(id, key, "one and two")
	}
}

// "Add to cart" is neither refused nor forgotten, on either side of a partition.
func TestPaper_4_4_2_AddToCart(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 1, 1)})
	key := ouro.Key{Bucket: "b", Name: "cart"}
	old := c.put("A", key, "book")
	c.RunUntilIdle()
	c.cutOff("A", "B", "C")
	c.RunFor(time.Second)
	c.put("A", key, "book, pen", ouro.WithContext(old.Context))
	c.put("B", key, "book, lamp", ouro.WithContext(old.Context))
	c.healAll("A", "B", "C")
	both := c.get("C", key, []string{"book, lamp", "book, pen"}, ouro.R(3))
	c.put("C", key, "book, lamp, pen", ouro.WithContext(both.Context), ouro.W(3))
	c.get("A", key, []string{"book, lamp, pen"}, ouro.R(3))
}

// More than two branches can arise.
func TestPaper_4_4_6_ThreeBranches(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 1, 1)})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.Cut("A", "B")
	c.Cut("B", "C")
	c.Cut("A", "C")
	c.RunFor(time.Second)
	c.put("A", key, "a")
	c.put("B", key, "b")
	c.put("C", key, "c")
	c.Heal("A", "B")
	c.Heal("B", "C")
	c.Heal("A", "C")
	c.RunFor(time.Second)
	c.get("A", key, []string{"a", "b", "c"}, ouro.R(3))
}

// Any node serves any key.
func TestPaper_4_5_1_AnyNodeServesAnyKey(t *testing.T) {
	c := newCluster(t, sim.Config{Nodes: nodes("A", "B", "C", "D", "E"), Q: 32})
	ids := []ring.NodeID{"A", "B", "C", "D", "E"}
	for i := range 1000 {
		key := ouro.Key{Bucket: "b", Name: fmt.Sprint(i)}
		c.put(ids[i%5], key, "v")
		for _, id := range ids {
			c.get(id, key, []string{"v"})
		}
	}
}

// The coordinator is among the first N of the key's preference list, whoever
// received the request.
func TestPaper_4_5_3_CoordinatorIsAReplica(t *testing.T) {
	c := newCluster(t, sim.Config{Nodes: nodes("A", "B", "C", "D", "E"), Q: 32})
	forwarded := 0
	for i := range 100 {
		key := ouro.Key{Bucket: "b", Name: fmt.Sprint(i)}
		top := c.Preference(key)[:3]
		for _, id := range []ring.NodeID{"A", "B", "C", "D", "E"} {
			put := c.put(id, key, "v", ouro.Blind())
			got, err := c.Get(id, key).Wait()
			if err != nil {
				t.Fatal(err)
			}
			for _, by := range []string{put.Coordinator, got.Coordinator} {
				if !slices.Contains(top, ring.NodeID(by)) {
					t.Fatalf("%v at %s was coordinated by %s, its replicas are %v", key, id, by, top)
				}
				if by != string(id) {
					forwarded++
				}
			}
			if slices.Contains(top, id) && put.Coordinator != string(id) {
				t.Errorf("%s is a replica and passed a blind put on to %s", id, put.Coordinator)
			}
		}
	}
	if forwarded == 0 {
		t.Error("no request came to a node that is no replica")
	}
}

// A slow replica does not slow requests that need two of three; those that need
// all three wait for it.
func TestPaper_4_5_5_SlowReplica(t *testing.T) {
	const slow = 500 * time.Millisecond
	c := newCluster(t, sim.Config{})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.put("A", key, "v")
	c.RunUntilIdle()
	base := took(t, c.Get("A", key))
	c.Slow("C", slow/2)
	if d := took(t, c.Get("A", key, ouro.R(2))); d > 2*base {
		t.Errorf("a get with r=2 took %v, and %v before a replica was slow", d, base)
	}
	if d := took(t, c.Put("A", key, text("w"), ouro.W(2))); d > 20*base {
		t.Errorf("a put with w=2 took %v", d)
	}
	if d := took(t, c.Put("A", key, text("x"), ouro.W(3))); d < slow {
		t.Errorf("a put with w=3 took %v, and one of the three is %v away", d, slow)
	}
	if d := took(t, c.Get("A", key, ouro.R(3))); d < slow {
		t.Errorf("a get with r=3 took %v, and one of the three is %v away", d, slow)
	}
}

func took(t *testing.T, call *sim.Call) time.Duration {
	t.Helper()
	if _, err := call.Wait(); err != nil {
		t.Fatal(err)
	}
	return call.Took()
}

// The coordinator writes locally first: if it cannot, another one coordinates, and
// where nobody can the put fails, nothing is sent, and the outcome is known.
func TestPaper_4_5_6_LocalWriteFirst(t *testing.T) {
	c := newCluster(t, sim.Config{})
	key := ouro.Key{Bucket: "b", Name: "k"}
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.FailWrites(id, store.ErrFull)
	}
	_, err := c.Put("A", key, text("v")).Wait()
	var e *ouro.Error
	if !errors.As(err, &e) || e.Code != ouro.DiskFull || e.Outcome != ouro.NotDone {
		t.Errorf("a put that nobody can write: %v", err)
	}
	c.RunUntilIdle()
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		if s, ok := c.State(id, key); ok {
			t.Errorf("%s stores %v", id, s)
		}
	}
	c.FailWrites("B", nil)
	c.FailWrites("C", nil)
	if res := c.put("A", key, "w"); res.Coordinator == "A" {
		t.Error("A coordinates, and cannot write")
	}
	c.get("A", key, []string{"w"}, ouro.R(3)) // a full disk can be read
}

// When a put is acknowledged W replicas have it durably, and replication to the
// others goes on.
func TestPaper_4_5_6_DurableCopiesAtAcknowledgement(t *testing.T) {
	c := newCluster(t, sim.Config{})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.Slow("C", 100*time.Millisecond)
	c.put("A", key, "v", ouro.W(2))
	if _, ok := c.State("C", key); ok {
		t.Error("the slow replica had the value before the put was acknowledged")
	}
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.Crash(id) // all lose power, and what was not synced
	}
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.Restart(id)
	}
	c.RunFor(time.Second)
	c.stores("A", key, "v")
	c.stores("B", key, "v")

	other := ouro.Key{Bucket: "b", Name: "other"}
	c.put("A", other, "w", ouro.W(2))
	c.RunFor(time.Second)
	c.stores("C", other, "w")
}

// Without enough replicas for W a put is refused; W=1 goes on.
func TestPaper_6_0_4_QuorumsAndAvailability(t *testing.T) {
	c := newCluster(t, sim.Config{})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.Crash("B")
	c.put("A", key, "one of three down")
	c.Crash("C")
	c.RunFor(time.Second)
	_, err := c.Put("A", key, text("two of three down")).Wait()
	if ouro.CodeOf(err) != ouro.QuorumUnavailable {
		t.Errorf("a put with w=2 and one replica up: %v", err)
	}
	c.put("A", key, "w=1", ouro.W(1))
}

// Read repair: a get brings a stale replica up to date, after it has answered.
func TestPaper_5_7_ReadRepair(t *testing.T) {
	c := newCluster(t, sim.Config{Node: node.Config{RepairWait: 100 * time.Millisecond}})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.cutOff("C", "A", "B")
	c.RunFor(time.Second)
	c.put("A", key, "v")
	c.RunUntilIdle()
	c.healAll("C", "A", "B")
	if _, ok := c.State("C", key); ok {
		t.Fatal("the replica that was cut off is not stale")
	}
	c.Slow("C", 20*time.Millisecond) // it answers, but late
	get := c.Get("A", key)
	res, err := get.Wait()
	if err != nil || !slices.Equal(shown(res), []string{"v"}) {
		t.Fatalf("get: %v, %v", shown(res), err)
	}
	if get.Took() > 10*time.Millisecond {
		t.Errorf("the get took %v: it waited for the late replica", get.Took())
	}
	if _, ok := c.State("C", key); ok {
		t.Error("the replica was repaired before the get was answered")
	}
	c.RunFor(100 * time.Millisecond)
	c.stores("C", key, "v")
}

// Replies that come after the wait are ignored.
func TestPaper_5_7_TooLateForRepair(t *testing.T) {
	c := newCluster(t, sim.Config{Node: node.Config{RepairWait: 50 * time.Millisecond}})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.cutOff("C", "A", "B")
	c.RunFor(time.Second)
	c.put("A", key, "v")
	c.RunUntilIdle()
	c.healAll("C", "A", "B")
	c.Slow("C", 200*time.Millisecond)
	c.get("A", key, []string{"v"})
	c.RunUntilIdle()
	if _, ok := c.State("C", key); ok {
		t.Error("a reply that came after the wait was repaired")
	}
}

// The put that follows a get is coordinated by the replica that answered it
// first, if that can be reached.
func TestPaper_5_9_FastestReplierCoordinates(t *testing.T) {
	c := newCluster(t, sim.Config{Nodes: nodes("A", "B", "C", "D"), Tokens: handRing("A", "B", "C", "D"), Buckets: numbers(3, 2, 2)})
	key := c.keyIn("A", "B", "C")
	c.put("A", key, "v")
	c.RunUntilIdle()
	old := c.get("B", key, []string{"v"})
	ctx, err := c.Open(key, old.Context)
	if err != nil || ctx.Fastest != "B" {
		t.Fatalf("the context names %q (%v), and B answered first", ctx.Fastest, err)
	}
	for _, at := range []ring.NodeID{"A", "C", "D"} {
		res := c.put(at, key, "w", ouro.WithContext(old.Context))
		if res.Coordinator != "B" {
			t.Errorf("the put at %s was coordinated by %s", at, res.Coordinator)
		}
	}
	c.Crash("B")
	c.RunFor(time.Second)
	for _, at := range []ring.NodeID{"A", "C", "D"} {
		if res := c.put(at, key, "x", ouro.WithContext(old.Context)); res.Coordinator == "B" {
			t.Errorf("the put at %s was coordinated by B, which is down", at)
		}
	}
}

// H1: a node that lawfully forgot a record does not use its dots again, so that
// what it writes next is not dropped as seen.
func TestRules_H1_ForgetAndMintAgain(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 1, 1)})
	key := ouro.Key{Bucket: "b", Name: "k"}
	w0 := c.put("A", key, "w0")
	c.RunUntilIdle()
	c.Forget("A", key)
	c.put("A", key, "w2", ouro.WithContext(w0.Context))
	c.get("B", key, []string{"w2"}, ouro.R(3))
	c.RunUntilIdle()
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.stores(id, key, "w2")
		c.clock(string(id), c.state(id, key).Claims, "[(A,1) (A,1)]") // two lives of the record
	}
}

// H2: nor does it claim what it wrote in an earlier life and has forgotten: a
// blind write does not silence it.
func TestRules_H2_ForgetAndClaim(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 1, 1)})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.put("A", key, "w0")
	c.RunUntilIdle()
	c.Forget("A", key)
	c.put("A", key, "w1")
	c.get("B", key, []string{"w0", "w1"}, ouro.R(3))
	c.RunUntilIdle()
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.stores(id, key, "w0", "w1")
	}
}

// H6: a context that has seen a2 and not a1 is kept as just that by a replica
// that knows neither: a1 survives, a2 does not come back.
func TestRules_H6_ContextWithAGap(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 1, 1)})
	key := ouro.Key{Bucket: "b", Name: "k"}
	held := []*sim.Held{c.Hold("A", "B", sim.Joins), c.Hold("A", "C", sim.Joins)}
	c.put("A", key, "a1")
	a2 := c.put("A", key, "a2")
	c.context("a2", key, a2, "[+(A,2)]")
	c.CutOneWay("B", "A") // or it would hand the put to A, which wrote a2
	c.RunFor(time.Second)
	c.put("B", key, "b1", ouro.WithContext(a2.Context))
	c.clock("B", c.state("B", key).Claims, "[(B,1) +(A,2)]")
	for _, h := range held {
		if h.Len() == 0 {
			t.Fatal("nothing was held")
		}
		h.Let()
	}
	c.HealOneWay("B", "A")
	c.RunFor(time.Second)
	c.get("C", key, []string{"a1", "b1"}, ouro.R(3))
	c.RunUntilIdle()
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.stores(id, key, "a1", "b1")
		c.clock(string(id), c.state(id, key).Claims, "[(A,2) (B,1)]")
	}
}

// H10: a put whose reply was lost is sent again to another coordinator after its
// value was deleted: it does not bring the value back, whether the first
// coordinator can be asked or not.
func TestRules_H10_RetryAtAnotherCoordinator(t *testing.T) {
	for _, down := range []bool{false, true} {
		t.Run(fmt.Sprintf("first coordinator down %v", down), func(t *testing.T) {
			c := newCluster(t, sim.Config{})
			key := ouro.Key{Bucket: "b", Name: "k"}
			// Nobody tells B of the put, or it would know the request itself.
			untold := []*sim.Held{c.Hold("A", "B", sim.Joins), c.Hold("C", "B", sim.Joins)}
			c.put("A", key, "v", ouro.RequestID("request 7"))
			seen := c.get("C", key, []string{"v"})
			c.RunFor(time.Second)
			for _, h := range untold {
				h.Drop()
			}
			if s, ok := c.State("B", key); ok {
				t.Fatalf("B stores %s", c.Clock(s.Claims))
			}
			if _, err := c.Delete("C", key, ouro.WithContext(seen.Context)).Wait(); err != nil {
				t.Fatal(err)
			}
			c.RunFor(100 * time.Millisecond)
			if down {
				c.Crash("A")
				c.RunFor(time.Second)
			}
			c.put("B", key, "v", ouro.RequestID("request 7"))
			c.get("C", key, nil)
			c.RunUntilIdle()
			c.stores("B", key)
		})
	}
}

// A write on an old version is accepted and becomes a sibling of what it has not
// seen.
func TestPaper_2_3_2_StaleContextMakesSiblings(t *testing.T) {
	c := newCluster(t, sim.Config{})
	key := ouro.Key{Bucket: "b", Name: "k"}
	old := c.put("A", key, "v1")
	c.put("A", key, "v2", ouro.WithContext(old.Context))
	c.put("B", key, "v3", ouro.WithContext(old.Context))
	c.get("C", key, []string{"v2", "v3"}, ouro.R(3))
}

// Two clients interleave 100 writes through one coordinator, each knowing only
// its own: never more than two siblings, and neither loses its last write.
// Plain version vectors lose one, or keep a hundred.
func TestPaper_9_3_InterleavedStaleContexts(t *testing.T) {
	c := newCluster(t, sim.Config{})
	key := ouro.Key{Bucket: "b", Name: "k"}
	var last [2]ouro.Context
	for i := range 100 {
		var opts []ouro.Option
		if last[i%2] != nil {
			opts = append(opts, ouro.WithContext(last[i%2]))
		}
		last[i%2] = c.put("A", key, fmt.Sprint(i), opts...).Context
		want := []string{fmt.Sprint(i)}
		if i > 0 {
			want = append(want, fmt.Sprint(i-1))
			slices.Sort(want)
		}
		c.get("B", key, want, ouro.R(3))
	}
	c.get("A", key, []string{"98", "99"}, ouro.R(3))
}

// A coordinator that lost its disk does not use a dot again: what it writes next
// is not taken for something old.
func TestPaper_9_2_WipedCoordinator(t *testing.T) {
	c := newCluster(t, sim.Config{Buckets: numbers(3, 1, 1)})
	key := ouro.Key{Bucket: "b", Name: "k"}
	c.put("A", key, "v1")
	v2 := c.put("A", key, "v2")
	c.RunUntilIdle()
	c.Crash("A")
	c.Wipe("A")
	c.Restart("A")
	c.cutOff("A", "B", "C")
	c.RunFor(time.Second)
	v3 := c.put("A", key, "v3", ouro.WithContext(v2.Context))
	c.healAll("A", "B", "C")
	c.RunFor(20 * time.Second) // A learns that it lost its disk, waits, and compares
	c.get("B", key, []string{"v1", "v3"}, ouro.R(3))
	c.RunUntilIdle()
	c.put("A", key, "v4", ouro.WithContext(v3.Context))
	c.RunUntilIdle()
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		c.stores(id, key, "v1", "v4")
	}
}

// The size of a version does not depend on how often it was updated.
func TestPaper_7_1_ClockSizeIsConstant(t *testing.T) {
	c := newCluster(t, sim.Config{})
	key := ouro.Key{Bucket: "b", Name: "k"}
	ctx := c.put("A", key, "v").Context
	for i := range 2000 {
		at := []ring.NodeID{"A", "B", "C"}[i%3]
		ctx = c.put(at, key, "v", ouro.WithContext(ctx)).Context
	}
	c.RunUntilIdle()
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		s := c.state(id, key)
		if len(s.Vector) > 3 || len(s.Exceptions) > 0 || len(s.Versions) != 1 {
			t.Errorf("after 2,000 updates %s stores %d pairs, %d exceptions and %d versions", id, len(s.Vector), len(s.Exceptions), len(s.Versions))
		}
		if size := len(s.Append(nil)); size > 256 {
			t.Errorf("after 2,000 updates %s stores %d bytes", id, size)
		}
	}
}

// Figure 2's ring with three replicas, A unreachable: D keeps what is for A, and
// hands it over when A is back; then D has nothing of it.
func TestPaper_4_6_2_HintedHandoff(t *testing.T) {
	ids := []ring.NodeID{"A", "B", "C", "D"}
	c := newCluster(t, sim.Config{Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: numbers(3, 2, 3)})
	key := c.keyIn("A", "B", "C")
	c.Crash("A")
	c.RunFor(time.Second)
	res := c.put("B", key, "v")
	if res.Quorum.Acks != 3 || res.Quorum.Primaries != 2 {
		t.Errorf("three nodes have it, two of them primaries; the answer says %+v", res.Quorum)
	}
	if _, ok := c.State("D", key); ok {
		t.Error("D has it among its own records")
	}
	c.Restart("A")
	c.RunUntilIdle() // which a world does not come to while anything is kept for others
	c.stores("A", key, "v")
	if _, ok := c.State("D", key); ok {
		t.Error("D has it among its own records")
	}
}

// With W=1 a put is accepted while any node is left, and comes home.
func TestPaper_4_6_5_OneNodeIsEnough(t *testing.T) {
	ids := []ring.NodeID{"A", "B", "C", "D", "E"}
	c := newCluster(t, sim.Config{Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: numbers(3, 1, 1)})
	key := c.keyIn("A", "B", "C")
	var context ouro.Option = ouro.WithContext(nil)
	for i, down := range []ring.NodeID{"A", "B", "C", "D"} {
		c.Crash(down)
		c.RunFor(time.Second)
		value := string('a' + rune(i))
		res := c.put("E", key, value, context)
		context = ouro.WithContext(c.get("E", key, []string{value}).Context)
		if want := i < 2; (res.Quorum.Primaries > 0) != want {
			t.Errorf("with %d nodes down the put was acknowledged by %+v", i+1, res.Quorum)
		}
	}
	for _, up := range []ring.NodeID{"A", "B", "C", "D"} {
		c.Restart(up)
	}
	c.RunUntilIdle()
	for _, id := range []ring.NodeID{"A", "B", "C"} {
		if _, ok := c.State(id, key); !ok {
			t.Errorf("%s was not handed what was written while it was down", id)
		}
	}
	c.get("C", key, []string{"d"}, ouro.R(3))
}

// pw and pr count primaries alone.
func TestPaper_9_5_StrictQuorums(t *testing.T) {
	ids := []ring.NodeID{"A", "B", "C", "D", "E"}
	c := newCluster(t, sim.Config{Nodes: nodes(ids...), Tokens: handRing(ids...), Buckets: numbers(3, 2, 2)})
	key := c.keyIn("A", "B", "C")
	c.Crash("A")
	c.Crash("B")
	c.RunFor(time.Second)
	c.put("E", key, "v")
	if _, err := c.Put("E", key, text("w"), ouro.PW(2)).Wait(); ouro.CodeOf(err) != ouro.QuorumUnavailable {
		t.Errorf("a put with pw=2 and one primary: %v", err)
	}
	if _, err := c.Get("E", key, ouro.PR(2)).Wait(); ouro.CodeOf(err) != ouro.QuorumUnavailable {
		t.Errorf("a get with pr=2 and one primary: %v", err)
	}
}

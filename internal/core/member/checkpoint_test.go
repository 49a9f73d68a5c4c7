package member

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/ring"
)

func issue(t testing.TB, h History, wall int64, issuer string, changes ...Change) History {
	t.Helper()
	next, err := h.Issue(wall, ring.NodeID(issuer), changes...)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func checkpoint(t testing.TB, h History, digest [16]byte) History {
	t.Helper()
	next, ok := h.Checkpoint(digest)
	if !ok {
		t.Fatal("the checkpoint was not taken")
	}
	return next
}

func ids(members []Member) string {
	var out []string
	for _, m := range members {
		out = append(out, string(m.ID))
	}
	return strings.Join(out, " ")
}

func add(id string) Change    { return Change{Kind: Add, Member: member(id)} }
func remove(id string) Change { return Change{Kind: Remove, Member: member(id)} }

// A checkpoint changes nothing but how the history is kept: members, fenced ids,
// buckets, ring, epoch and digest stay, now and after later changes.
func TestCheckpointKeepsTheCluster(t *testing.T) {
	h := genesis(t, "n1 n2 n3", 64, NamedBucket{"", DefaultBucket()}, NamedBucket{"b", DefaultBucket()})
	slow := DefaultBucket()
	slow.R = 3
	h = issue(t, h, 1000, "n1", add("n4"), remove("n2"), Change{Kind: Tune, Name: "b", Bucket: slow})
	h = issue(t, h, 2000, "n3", Change{Kind: ForceRemove, Member: member("n1")}, add("n5"))
	for k := range h.Len() {
		part := checkpoint(t, h, h.sums[k])
		if part.Len() != h.Len()-k || part.Digest() != h.Digest() || part.Count() != h.Count() {
			t.Fatalf("after %d changes: %d at hand, %d counted", k, part.Len(), part.Count())
		}
		want, got := fold1(t, h), fold1(t, part)
		if got.Ring.Hash() != want.Ring.Hash() || got.Ring.Epoch() != want.Ring.Epoch() || fmt.Sprint(got.Members, got.Removed, got.Forced, got.Buckets, got.Defined) !=
			fmt.Sprint(want.Members, want.Removed, want.Forced, want.Buckets, want.Defined) {
			t.Fatalf("after %d changes the cluster is %+v, want %+v", k, got, want)
		}
		later := add("n6")
		if a, b := issue(t, h, 1, "n4", later), issue(t, part, 1, "n4", later); a.Digest() != b.Digest() {
			t.Fatalf("after %d changes the next one is stamped otherwise", k)
		}
		if back, err := Decode(part.Append(nil)); err != nil || !equal(back, part) || back.Digest() != part.Digest() {
			t.Fatalf("after %d changes: read back with error %v", k, err)
		}
		if u := h.Union(part); !equal(u, part) || !equal(part.Union(h), part) {
			t.Fatalf("after %d changes the union keeps %d changes", k, u.Len())
		}
	}
}

// H22: a change that was on its way while a checkpoint was taken is folded after
// it on every node, however early its stamp, and alters nothing of the past.
func TestRules_H22_LateChangeIsFoldedAfterTheCheckpoint(t *testing.T) {
	base := genesis(t, "n1 n2 n3", 64)
	late := issue(t, base, 1000, "n3", add("x"))
	known := issue(t, issue(t, base, 2000, "n1", add("n4")), 3000, "n1", remove("n2"))
	settled := checkpoint(t, known, known.Digest())
	before := fold1(t, settled).Ring
	var all []History
	for _, h := range []History{settled.Union(late), late.Union(settled), late.Union(known).Union(settled), settled.Union(late.Union(known))} {
		all = append(all, h)
		c := fold1(t, h)
		if ids(c.Members) != "n1 n3 n4 x" || !equal(h, all[0]) || h.Digest() != all[0].Digest() {
			t.Fatalf("members %s, %d changes", ids(c.Members), h.Len())
		}
		for p, token := range c.Ring.Tokens() {
			if was := before.Tokens()[p].Owner; token.Owner != was && token.Owner != "x" {
				t.Fatalf("partition %d went from %s to %s, who did not come late", p, was, token.Owner)
			}
		}
	}
	if _, ok := late.Union(known).Checkpoint(known.Digest()); ok {
		t.Error("a node with other changes among them took the checkpoint by its digest")
	}
}

// Section 4.8.1c: add, remove, add again, in every order of delivery: every node
// comes to one cluster. The removed id stays fenced, a new one is a member.
func TestAddRemoveAddInEveryOrder(t *testing.T) {
	base := genesis(t, "n1 n2", 16)
	whole := issue(t, base, 1000, "n1", add("n3"))
	whole = issue(t, whole, 2000, "n2", remove("n3"))
	whole = issue(t, whole, 3000, "n1", add("n3"))
	whole = issue(t, whole, 4000, "n2", add("n4"))
	want := fold1(t, whole)
	if ids(want.Members) != "n1 n2 n4" || !want.Fenced("n3") || len(want.Skipped) != 1 {
		t.Fatalf("members %s, fenced %v, skipped %v", ids(want.Members), want.Removed, want.Skipped)
	}
	orders := 0
	permute(whole.Changes(), func(changes []Change) {
		orders++
		var h History
		for _, c := range changes {
			h = h.With(c)
		}
		if h.Digest() != whole.Digest() || fold1(t, h).Ring.Hash() != want.Ring.Hash() {
			t.Fatalf("in order %v the ring is another", changes)
		}
	})
	if orders != 120 {
		t.Errorf("%d orders", orders)
	}
}

func permute(changes []Change, see func([]Change)) {
	var at func(int)
	at = func(i int) {
		if i == len(changes) {
			see(changes)
			return
		}
		for j := i; j < len(changes); j++ {
			changes[i], changes[j] = changes[j], changes[i]
			at(i + 1)
			changes[i], changes[j] = changes[j], changes[i]
		}
	}
	changes = slices.Clone(changes)
	at(0)
}

// Section 4.8.2a: rings that were formed apart under one name merge into the
// older one; the members of the other join as newcomers, and a bucket that both
// defined is the older one's.
func TestRingsFormedApartMerge(t *testing.T) {
	formed := func(wall int64, id string, b Bucket) History {
		c, err := NewFounding("shop", members(id), 64, NamedBucket{"cart", b})
		if err != nil {
			t.Fatal(err)
		}
		return issue(t, History{}, wall, id, c)
	}
	lww := DefaultBucket()
	lww.LWW = true
	old := issue(t, formed(1000, "a", lww), 3000, "a", add("a2"))
	young := issue(t, formed(2000, "b", DefaultBucket()), 2500, "b", add("b2"), add("b3"), remove("b2"))
	for _, h := range []History{
		old.Union(young), young.Union(old),
		checkpoint(t, old, old.Digest()).Union(young), young.Union(checkpoint(t, old, old.Digest())),
		old.Union(checkpoint(t, young, young.Digest())), checkpoint(t, young, young.Digest()).Union(checkpoint(t, old, old.Digest())),
	} {
		c := fold1(t, h)
		if ids(c.Members) != "a a2 b b3" || !c.Buckets.Of("cart").LWW || !c.Fenced("b2") || h.Origin() != old.Origin() {
			t.Errorf("members %s, cart %+v, fenced %v, origin %x", ids(c.Members), c.Buckets.Of("cart"), c.Removed, h.Origin())
		}
		if len(c.Skipped) == 0 || !strings.Contains(c.Skipped[0].Reason, "b") {
			t.Errorf("skipped %v", c.Skipped)
		}
		if _, err := Decode(h.Append(nil)); err != nil {
			t.Error(err)
		}
		settled := checkpoint(t, h, h.Digest())
		if settled.Len() != 1 || !equal(settled.Union(young), settled) || !equal(settled.Union(old), settled) {
			t.Errorf("what is settled keeps %d changes", settled.Union(young).Len())
		}
	}
	one, two := old.Union(young), young.Union(old)
	if fold1(t, one).Ring.Hash() != fold1(t, two).Ring.Hash() {
		t.Error("the order of merging makes another ring")
	}
}

// Static lists that differ are rings formed apart too: the one that comes first
// in the order of origins is the cluster's, on every node.
func TestStaticListsMerge(t *testing.T) {
	one, two := genesis(t, "n1 n2", 16), genesis(t, "n2 n3", 16)
	u := one.Union(two)
	if c := fold1(t, u); ids(c.Members) != "n1 n2 n3" || !equal(u, two.Union(one)) || u.Len() != 2 {
		t.Errorf("members %s of %d changes", ids(c.Members), u.Len())
	}
}

// Clusters formed from different lists have their foundings at one time: neither
// of two nodes takes the other's for its own when they look for what they lack.
func TestPagesTellFoundingsApart(t *testing.T) {
	one, two := genesis(t, "n1 n2", 16), genesis(t, "n2 n3", 16)
	both := one.Union(two)
	for _, h := range []History{one, two} {
		s := both.Summary(Key{})
		page := h.Page(h.Common(&s), 1)
		if u := h.Take(both.Lacking(&page, 1).Changes); !equal(u, both) {
			t.Errorf("after an exchange there are %d foundings, want both", u.Len())
		}
	}
}

// A change that came late stands behind the checkpoint at one node, and another
// has all the changes that the checkpoint stands for: it gets the late one too,
// though its place is among theirs.
func TestPagesBringWhatCameLate(t *testing.T) {
	base := genesis(t, "n1 n2 n3", 16)
	known := issue(t, issue(t, base, 2000, "n1", add("n4")), 3000, "n1", add("n5"))
	a := checkpoint(t, known, known.Digest()).Union(issue(t, base, 1000, "n2", add("late")))
	for b := known; b.Digest() != a.Digest(); {
		s := a.Summary(Key{})
		page := b.Page(b.Common(&s), 1)
		next := b.Take(a.Lacking(&page, 1).Changes)
		if equal(next, b) {
			t.Fatal("an exchange brings nothing, and there is a difference")
		}
		b = next
	}
}

func TestRingsThatNeverMerge(t *testing.T) {
	h := genesis(t, "n1", 16)
	other, err := Genesis("other", members("n1"), 16)
	if err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]History{"": genesis(t, "n2", 16), `"other", this one of "test"`: other, "q=32, this one with q=16": genesis(t, "n2", 32)} {
		if err := h.Joins(o.Changes()); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if err := (History{}).Joins(other.Changes()); err != nil {
		t.Errorf("one without a history refuses: %v", err)
	}
	if err := h.Joins(make([]Change, MaxChanges)); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("error %v", err)
	}
}

// Replacing a node moves its tokens and no others, and keeps its weight.
func TestReplace(t *testing.T) {
	ms := members("n1 n2 n3 n4")
	ms[2].Weight = 3
	h, err := Genesis("test", ms, 256)
	if err != nil {
		t.Fatal(err)
	}
	before := fold1(t, h)
	fresh := member("a0") // before all others, so that indexes shift
	fresh.Zone = "z"
	h = issue(t, h, 1000, "n1", Change{Kind: Replace, Old: "n3", Member: fresh})
	after := fold1(t, h)
	if ids(after.Members) != "a0 n1 n2 n4" || !after.Fenced("n3") || len(after.Skipped) != 0 {
		t.Fatalf("members %s, fenced %v, skipped %v", ids(after.Members), after.Removed, after.Skipped)
	}
	if m, _ := after.Member("a0"); m.Weight != 3 || m.Zone != "z" {
		t.Errorf("the newcomer is %+v", m)
	}
	for p, token := range after.Ring.Tokens() {
		want := before.Ring.Tokens()[p].Owner
		if want == "n3" {
			want = "a0"
		}
		if token.Owner != want {
			t.Fatalf("partition %d is %s's, want %s's", p, token.Owner, want)
		}
	}
	for want, c := range map[string]Change{
		"no such member to be replaced": {Kind: Replace, Old: "n3", Member: member("n9")},
		"in use":                        {Kind: Replace, Old: "n1", Member: member("n2")},
		"fenced":                        {Kind: Replace, Old: "n1", Member: member("n3")},
	} {
		if c := fold1(t, issue(t, h, 2000, "n1", c)); len(c.Skipped) != 1 || !strings.Contains(c.Skipped[0].Reason, want) {
			t.Errorf("skipped %v, want for %q", c.Skipped, want)
		}
	}
}

func TestForceRemove(t *testing.T) {
	h := issue(t, genesis(t, "n1 n2 n3", 16), 1000, "n1", Change{Kind: ForceRemove, Member: member("n2")}, remove("n3"))
	c := fold1(t, h)
	if ids(c.Members) != "n1" || !slices.Equal(c.Forced, []ring.NodeID{"n2"}) || !slices.Equal(c.Removed, []ring.NodeID{"n2", "n3"}) {
		t.Errorf("members %s, forced %v, removed %v", ids(c.Members), c.Forced, c.Removed)
	}
}

// Who was to leave, or was replaced, and died before it had handed over what it held
// is removed by force after all, once.
func TestForceRemoveOfALeaver(t *testing.T) {
	force := Change{Kind: ForceRemove, Member: member("n2")}
	h := issue(t, genesis(t, "n1 n2 n3", 16), 1000, "n1", remove("n2"), force, force)
	c := fold1(t, h)
	if ids(c.Members) != "n1 n3" || !slices.Equal(c.Forced, []ring.NodeID{"n2"}) || len(c.Skipped) != 1 {
		t.Errorf("members %s, forced %v, skipped %v", ids(c.Members), c.Forced, c.Skipped)
	}
}

func TestIssueIsAllOrNone(t *testing.T) {
	h := genesis(t, "n1", 16)
	next, err := h.Issue(1000, "n1", add("n2"), Change{Kind: 99})
	if err == nil || !equal(next, h) {
		t.Errorf("%d changes, error %v", next.Len(), err)
	}
}

// Several nodes issue, exchange and settle in any order, in rings that begin
// apart. Unions keep their laws, and whoever has the same digest has the same
// cluster.
func TestHistoriesWithCheckpoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			w.step(t)
		}
		a, b, c := w.draw(t), w.draw(t), w.draw(t)
		switch {
		case !equal(a.Union(b), b.Union(a)):
			t.Fatal("union is not commutative")
		case !equal(a.Union(b.Union(c)), a.Union(b).Union(c)):
			t.Fatal("union is not associative")
		case !equal(a.Union(b).Union(b), a.Union(b)) || !equal(a.Union(b).Union(a), a.Union(b)):
			t.Fatal("union is not idempotent")
		}
		back, err := Decode(a.Union(b).Append(nil))
		if err != nil || back.Digest() != a.Union(b).Digest() {
			t.Fatalf("a union is read back with error %v", err)
		}
		u := a.Union(b)
		known := u
		known.sum(0)
		if known.Digest() != u.Digest() {
			t.Fatal("the digest depends on how the union was made")
		}
	})
}

// world is some nodes, and the chain of links that decides on checkpoints.
type world struct {
	nodes   []History
	settled map[[16]byte]History // of each ring, its last checkpoint
	wall    int64
}

func newWorld(t *rapid.T) *world {
	w := &world{settled: map[[16]byte]History{}, wall: 1}
	for i := range 3 {
		id := fmt.Sprintf("n%d", i)
		h, err := Genesis("c", members(id), 8)
		if rapid.Bool().Draw(t, "founded by an operator") {
			var c Change
			if c, err = NewFounding("c", members(id), 8); err == nil {
				h, err = History{}.Issue(int64(i+1), ring.NodeID(id), c)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		w.nodes = append(w.nodes, h)
		w.settled[h.Origin()] = h
	}
	return w
}

func (w *world) draw(t *rapid.T) History {
	return w.nodes[rapid.IntRange(0, len(w.nodes)-1).Draw(t, "node")]
}

func (w *world) step(t *rapid.T) {
	i := rapid.IntRange(0, len(w.nodes)-1).Draw(t, "at")
	h := w.nodes[i]
	w.wall += rapid.Int64Range(0, 3).Draw(t, "time")
	switch rapid.IntRange(0, 3).Draw(t, "what") {
	case 0, 1:
		c := drawChange(t)
		if c.Kind == Found {
			return
		}
		next, err := h.Issue(w.wall-rapid.Int64Range(0, 3).Draw(t, "behind"), ring.NodeID(fmt.Sprintf("n%d", i)), c)
		if err != nil {
			t.Fatal(err)
		}
		w.nodes[i] = next
	case 2:
		w.nodes[i] = h.Union(w.draw(t))
	default: // the chain of a ring goes on only from its last checkpoint
		h = h.Union(w.settled[h.Origin()])
		if next, ok := h.Checkpoint(h.sums[rapid.IntRange(0, h.Len()-1).Draw(t, "upto")]); ok {
			h = next
			w.settled[h.Origin()] = History{changes: h.changes[:1], sums: h.sums[:1]}
		}
		w.nodes[i] = h
	}
}

// Two histories find what they have in common and come to their union page by
// page, whatever they are and however small the pages.
func TestPagesConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			w.step(t)
		}
		a, b := w.draw(t), w.draw(t)
		if rapid.Bool().Draw(t, "one is new") {
			a = History{}
		}
		want, bytes := a.Union(b), rapid.IntRange(1, 600).Draw(t, "bytes")
		through := Key{}
		for rounds := 0; a.Digest() != want.Digest() || b.Digest() != want.Digest(); rounds++ {
			if rounds > 200 {
				t.Fatalf("no agreement: %d and %d of %d changes", a.Count(), b.Count(), want.Count())
			}
			s := a.Summary(through)
			if len(s.Rungs) > MaxRungs {
				t.Fatalf("%d rungs", len(s.Rungs))
			}
			page := b.Page(b.Common(&s), bytes)
			answer := a.Lacking(&page, bytes)
			if a.Joins(page.Changes) != nil {
				t.Fatal("refused")
			}
			a, b = a.Take(page.Changes), b.Take(answer.Changes)
			if through = page.Upto; !page.More {
				through = Key{}
			}
		}
	})
}

// A long history differs from another at its end: one page brings that only.
func TestPageHasTheDifferenceOnly(t *testing.T) {
	h := genesis(t, "n1 n2", 16)
	for i := range 1000 {
		h = issue(t, h, int64(i), "n1", Change{Kind: Reweigh, Member: Member{Node: ring.Node{ID: "n2", Weight: 1 + i%5}}})
	}
	longer := issue(t, h, 5000, "n2", add("n3"))
	s := h.Summary(Key{})
	if len(s.Rungs) > 12 {
		t.Errorf("%d rungs", len(s.Rungs))
	}
	if p := longer.Page(longer.Common(&s), 1<<16); len(p.Changes) != 1 || p.More {
		t.Errorf("%d changes are sent for one", len(p.Changes))
	}
	s = longer.Summary(Key{})
	if p := h.Page(h.Common(&s), 1<<16); len(p.Changes) > 1 {
		t.Errorf("%d changes are sent to one who has more", len(p.Changes))
	}
	if s := longer.Summary(Key{}); !longer.Same(&s) || h.Same(&s) {
		t.Error("histories are taken for others")
	}
}

func TestBadFoundings(t *testing.T) {
	good := func() *Founding {
		return &Founding{Count: 2, Members: members("a b"), Owners: []uint32{0, 1}, Marks: []Key{{Stamp: 5, Issuer: "a"}, {Stamp: 5, Issuer: "b"}}, Removed: []ring.NodeID{"x", "y"}}
	}
	if err := good().check(2); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Founding){
		"members are not in order": func(f *Founding) { f.Members[0].ID = "c" },
		"buckets are not in order": func(f *Founding) { f.Buckets = []NamedBucket{{"b", DefaultBucket()}, {"b", DefaultBucket()}} },
		"owners of 1 partitions":   func(f *Founding) { f.Owners = f.Owners[1:] },
		"that is no member":        func(f *Founding) { f.Owners[0] = 2 },
		"a list of a checkpoint":   func(f *Founding) { slices.Reverse(f.Removed) },
		"what only a checkpoint":   func(f *Founding) { f.Count = 1 },
		"id is empty":              func(f *Founding) { f.Members[0].ID = "" },
	} {
		f := good()
		spoil(f)
		if err := f.check(2); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func FuzzDecodeChanges(f *testing.F) {
	h := issue(f, genesis(f, "n1 n2 n3", 8, NamedBucket{"b", DefaultBucket()}), 9, "n1", add("n4"), Change{Kind: Replace, Old: "n1", Member: member("n5")})
	f.Add(AppendChanges(nil, h.Changes()))
	h, _ = h.Checkpoint(h.Digest())
	f.Add(AppendChanges(nil, h.Changes()))
	f.Fuzz(func(t *testing.T, b []byte) {
		changes, err := DecodeChanges(b, 1000)
		if err != nil {
			return
		}
		if !bytes.Equal(AppendChanges(nil, changes), b) {
			t.Errorf("%x is read as what is written otherwise", b)
		}
		_, _ = History{}.Take(changes).Fold() // whatever it is, it must not fail by a panic
	})
}

func BenchmarkUnion(b *testing.B) {
	h := genesis(b, "n1 n2", 16)
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		h = issue(b, h, r.Int64N(1000), "n1", add("n3"))
	}
	more := issue(b, h, 2000, "n2", add("n4"))
	for b.Loop() {
		h.Union(more)
	}
}

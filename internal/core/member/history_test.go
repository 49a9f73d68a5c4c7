package member

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/ring"
)

func member(id string) Member {
	return Member{Node: ring.Node{ID: ring.NodeID(id), Weight: 1}, Addr: id + ".example:7071"}
}

func members(ids string) []Member {
	var out []Member
	for id := range strings.FieldsSeq(ids) {
		out = append(out, member(id))
	}
	return out
}

func genesis(t testing.TB, ids string, q int, buckets ...NamedBucket) History {
	t.Helper()
	h, err := Genesis("test", members(ids), q, buckets...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func fold1(t testing.TB, h History) *Cluster {
	t.Helper()
	c, err := h.Fold()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every node that is given the same list forms the same cluster, in whatever
// order the list is.
func TestGenesis(t *testing.T) {
	fast := NamedBucket{"fast", Bucket{N: 1, R: 1, W: 1, Timeout: time.Second}}
	def := NamedBucket{"", DefaultBucket()}
	a, b := genesis(t, "n1 n2 n3", 64, fast, def), genesis(t, "n3 n1 n2", 64, def, fast)
	if !bytes.Equal(a.Append(nil), b.Append(nil)) || a.Digest() != b.Digest() || a.Origin() != b.Origin() {
		t.Error("the order of a list makes another history")
	}
	unweighed := members("n1 n2 n3")
	unweighed[1].Weight = 0
	if c, err := Genesis("test", unweighed, 64, fast, def); err != nil || !equal(a, c) {
		t.Errorf("no weight is not the normal weight: error %v", err)
	}
	ca, cb := fold1(t, a), fold1(t, b)
	if ca.Ring.Hash() != cb.Ring.Hash() || ca.Ring.Epoch() != cb.Ring.Epoch() {
		t.Error("the order of a list makes another ring")
	}
	if ca.Name != "test" || ca.Ring.Q() != 64 || len(ca.Members) != 3 || len(ca.Skipped) != 0 {
		t.Errorf("folded to %+v", ca)
	}
	if ca.Buckets.Of("fast").N != 1 || ca.Buckets.Of("x").N != 3 || !slices.Equal(ca.Defined, []string{"fast"}) {
		t.Errorf("buckets %+v, defined %q", ca.Buckets, ca.Defined)
	}
	if m, ok := ca.Member("n2"); !ok || m.Addr != "n2.example:7071" {
		t.Errorf("n2 is %+v, %t", m, ok)
	}
	if _, ok := ca.Member("n9"); ok {
		t.Error("a stranger is a member")
	}
	// Golden: a cluster that is running must know itself after an upgrade.
	const origin, digest, hash = "e3aa7032000bfa80b4b6eaeac1a4c641", "cfe486147b058313d3d09c9e3c497c33", "7750de75015981523ed482ea910acae2"
	if got := fmt.Sprintf("%x", a.Origin()); got != origin {
		t.Errorf("origin %s, want %s", got, origin)
	}
	if got := fmt.Sprintf("%x", a.Digest()); got != digest {
		t.Errorf("digest %s, want %s", got, digest)
	}
	if got := fmt.Sprintf("%x", ca.Ring.Hash()); got != hash {
		t.Errorf("ring hash %s, want %s", got, hash)
	}
}

func TestOrigin(t *testing.T) {
	base := genesis(t, "n1 n2", 64)
	moved := members("n1 n2")
	moved[0].Addr, moved[1].Zone, moved[1].Weight = "elsewhere:1", "z", 3
	same, err := Genesis("test", moved, 64, NamedBucket{"b", DefaultBucket()})
	if err != nil {
		t.Fatal(err)
	}
	if same.Origin() != base.Origin() {
		t.Error("addresses, zones, weights or buckets make another cluster")
	}
	grown, err := base.Issue(1000, "n1", Change{Kind: Add, Member: member("n3")})
	if err != nil {
		t.Fatal(err)
	}
	if grown.Origin() != base.Origin() {
		t.Error("a cluster that grows is another")
	}
	other, err := Genesis("other", members("n1 n2"), 64)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range []History{other, genesis(t, "n1 n2", 128), genesis(t, "n1 n2 n3", 64), {}} {
		if h.Origin() == base.Origin() {
			t.Errorf("cluster %d has the origin of another", i)
		}
	}
	if (History{}).Origin() != [16]byte{} {
		t.Error("no history has an origin")
	}
}

func TestBadGenesis(t *testing.T) {
	for _, test := range []struct {
		cluster string
		members []Member
		q       int
		buckets []NamedBucket
		want    string
	}{
		{"c", nil, 8, nil, "no members"},
		{"", members("a"), 8, nil, "name has 0 bytes"},
		{strings.Repeat("c", 65), members("a"), 8, nil, "name has 65 bytes"},
		{"c", members("a"), 7, nil, "power of two"},
		{"c", members("a b a"), 8, nil, "listed twice"},
		{"c", []Member{{}}, 8, nil, "id is empty"},
		{"c", []Member{{Node: ring.Node{ID: "a"}, Addr: strings.Repeat("a", 257)}}, 8, nil, "has 257 bytes"},
		{"c", members("a"), 8, []NamedBucket{{"b c", DefaultBucket()}}, "bucket name"},
		{"c", members("a"), 8, []NamedBucket{{"b", Bucket{N: 1, R: 2, W: 1}}}, "r=2 is more than n=1"},
	} {
		if _, err := Genesis(test.cluster, test.members, test.q, test.buckets...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want one with %q", err, test.want)
		}
	}
}

// drawChange draws a valid change with few different stamps, issuers and names,
// so that clashes are common.
func drawChange(t *rapid.T) Change {
	c := Change{
		Stamp:  causal.Stamp(rapid.Uint64Range(1, 12).Draw(t, "stamp")),
		Issuer: ring.NodeID(rapid.SampledFrom([]string{"", "n1", "n2"}).Draw(t, "issuer")),
		Kind:   Kind(rapid.IntRange(int(Found), int(ForceRemove)).Draw(t, "kind")),
	}
	switch c.Kind {
	case Found:
		c.Name, c.Q = "c", 8<<rapid.IntRange(0, 1).Draw(t, "q")
		c.Founding = &Founding{Members: members(rapid.SampledFrom([]string{"", "n1", "n2 n3"}).Draw(t, "founders"))}
	case Define, Tune:
		c.Name, c.Bucket = rapid.SampledFrom([]string{"", "b"}).Draw(t, "name"), DefaultBucket()
		c.Bucket.LWW = rapid.Bool().Draw(t, "lww")
	default:
		ids := []string{"n1", "n2", "n3"}
		c.Member, c.Old = member(rapid.SampledFrom(ids).Draw(t, "id")), ring.NodeID(rapid.SampledFrom(ids).Draw(t, "old"))
		c.Member.Weight = rapid.IntRange(1, 3).Draw(t, "weight")
		c.Member.Zone = rapid.SampledFrom([]string{"", "z"}).Draw(t, "zone")
	}
	return c
}

func drawHistory(t *rapid.T, label string) History {
	var h History
	for _, c := range rapid.SliceOfN(rapid.Custom(drawChange), 0, 12).Draw(t, label) {
		h = h.With(c)
	}
	return h
}

func equal(a, b History) bool { return bytes.Equal(a.Append(nil), b.Append(nil)) }

func TestUnionLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawHistory(t, "a"), drawHistory(t, "b"), drawHistory(t, "c")
		switch {
		case !equal(a.Union(b), b.Union(a)):
			t.Fatal("union is not commutative")
		case !equal(a.Union(b.Union(c)), a.Union(b).Union(c)):
			t.Fatal("union is not associative")
		case !equal(a.Union(a), a) || !equal(a.Union(b).Union(b), a.Union(b)):
			t.Fatal("union is not idempotent")
		case !equal(a.Union(History{}), a):
			t.Fatal("union with nothing changes something")
		}
		one := a
		for _, ch := range b.Changes() {
			one = one.With(ch)
		}
		if !equal(one, a.Union(b)) {
			t.Fatal("adding changes one by one is not union")
		}
		if a.Digest() == b.Digest() != equal(a, b) {
			t.Fatal("digests and histories disagree")
		}
	})
}

// Whatever histories are merged, they fold, and to one cluster.
func TestFoldIsOrderBlind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, err := Genesis("c", members("n1 n2"), 16)
		if err != nil {
			t.Fatal(err)
		}
		a, b := drawHistory(t, "a"), drawHistory(t, "b")
		if base.Joins(a.Changes()) != nil || base.Joins(b.Changes()) != nil {
			t.Skip("they are never merged")
		}
		a, b = base.Union(a), base.Union(b)
		one, err := a.Union(b).Fold()
		if err != nil {
			t.Fatal(err)
		}
		two, err := b.Union(a).Fold()
		if err != nil {
			t.Fatal(err)
		}
		if one.Ring.Hash() != two.Ring.Hash() || one.Name != two.Name || len(one.Skipped) != len(two.Skipped) {
			t.Fatal("the order of merging changes the cluster")
		}
		for _, m := range one.Members {
			if slices.Contains(one.Removed, m.ID) {
				t.Fatalf("%s is a member and fenced", m.ID)
			}
		}
	})
}

func TestFold(t *testing.T) {
	slow := DefaultBucket()
	slow.R, slow.W = 3, 1
	five, last := slow, slow
	five.N, last.LWW = 5, true
	for _, test := range []struct {
		name   string
		change Change
		reason string // part of why it is skipped; "" for applied
		see    func(*Cluster) bool
	}{
		{"add", Change{Kind: Add, Member: member("n3")}, "", func(c *Cluster) bool { return c.Ring.Count("n3") == 21 }},
		{"add one that is there", Change{Kind: Add, Member: member("n1")}, "in use", nil},
		{"remove", Change{Kind: Remove, Member: Member{Node: ring.Node{ID: "n2"}}}, "", func(c *Cluster) bool {
			return len(c.Members) == 1 && c.Ring.Count("n1") == 64 && slices.Equal(c.Removed, []ring.NodeID{"n2"})
		}},
		{"remove a stranger", Change{Kind: Remove, Member: member("n9")}, "no such member", nil},
		{"reweigh", Change{Kind: Reweigh, Member: Member{Node: ring.Node{ID: "n2", Weight: 3}}}, "", func(c *Cluster) bool { return c.Ring.Count("n2") == 48 }},
		{"reweigh a stranger", Change{Kind: Reweigh, Member: member("n9")}, "no such member", nil},
		{"relabel", Change{Kind: Relabel, Member: Member{Node: ring.Node{ID: "n2", Zone: "z", DC: "d"}}}, "", func(c *Cluster) bool {
			m, _ := c.Member("n2")
			return m.Zone == "z" && m.DC == "d" && m.Addr == "n2.example:7071" && m.Weight == 1
		}},
		{"readdress", Change{Kind: Readdress, Member: Member{Node: ring.Node{ID: "n2"}, Addr: "new:1"}}, "", func(c *Cluster) bool {
			m, _ := c.Member("n2")
			return m.Addr == "new:1" && m.Weight == 1
		}},
		{"found again", Change{Kind: Found, Name: "x", Q: 8}, "begun already", nil},
		{"define", Change{Kind: Define, Name: "b2", Bucket: slow}, "", func(c *Cluster) bool { return slices.Equal(c.Defined, []string{"b", "b2"}) }},
		{"define one that is there", Change{Kind: Define, Name: "b", Bucket: slow}, "defined already", nil},
		{"define the default again", Change{Kind: Define, Bucket: slow}, "defined already", nil},
		{"tune", Change{Kind: Tune, Name: "b", Bucket: slow}, "", func(c *Cluster) bool { return c.Buckets.Of("b") == slow }},
		{"tune the default", Change{Kind: Tune, Bucket: slow}, "", func(c *Cluster) bool { return c.Buckets.Default == slow }},
		{"tune a stranger", Change{Kind: Tune, Name: "x", Bucket: slow}, "no such bucket", nil},
		{"tune n", Change{Kind: Tune, Name: "b", Bucket: five}, "n belongs to the bucket", nil},
		{"tune the mode", Change{Kind: Tune, Name: "b", Bucket: last}, "mode belongs to the bucket", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := genesis(t, "n1 n2", 64, NamedBucket{"", DefaultBucket()}, NamedBucket{"b", DefaultBucket()})
			before := fold1(t, h)
			h, err := h.Issue(5000, "n1", test.change)
			if err != nil {
				t.Fatal(err)
			}
			after := fold1(t, h)
			if after.Ring.Epoch() != before.Ring.Epoch()+1 {
				t.Errorf("epoch went from %d to %d", before.Ring.Epoch(), after.Ring.Epoch())
			}
			if test.reason == "" {
				if len(after.Skipped) > 0 || !test.see(after) {
					t.Errorf("folded to %+v", after)
				}
				return
			}
			if len(after.Skipped) != 1 || !strings.Contains(after.Skipped[0].Reason, test.reason) {
				t.Errorf("skipped %+v, want for a reason with %q", after.Skipped, test.reason)
			}
			if after.Ring.Hash() != before.Ring.Hash() {
				t.Error("a skipped change moved the ring")
			}
		})
	}
}

// A removed id is fenced for ever, and the last member stays.
func TestRemovedForEver(t *testing.T) {
	h := genesis(t, "n1 n2", 16)
	for i, c := range []Change{
		{Kind: Remove, Member: member("n2")},
		{Kind: Add, Member: member("n2")},
		{Kind: Remove, Member: member("n1")},
	} {
		var err error
		if h, err = h.Issue(int64(i), "n1", c); err != nil {
			t.Fatal(err)
		}
	}
	c := fold1(t, h)
	if len(c.Members) != 1 || c.Members[0].ID != "n1" || len(c.Skipped) != 2 {
		t.Fatalf("members %+v, skipped %+v", c.Members, c.Skipped)
	}
	if !strings.Contains(c.Skipped[0].Reason, "fenced") || !strings.Contains(c.Skipped[1].Reason, "last member") {
		t.Errorf("skipped %+v", c.Skipped)
	}
}

// Two operators remove each the other's node on two sides of a cut: the earlier
// stamp wins on both sides.
func TestOperatorsOnTwoSides(t *testing.T) {
	base := genesis(t, "n1 n2", 16)
	a, err := base.Issue(2000, "n1", Change{Kind: Remove, Member: member("n2")})
	if err != nil {
		t.Fatal(err)
	}
	b, err := base.Issue(1000, "n2", Change{Kind: Remove, Member: member("n1")})
	if err != nil {
		t.Fatal(err)
	}
	one, two := fold1(t, a.Union(b)), fold1(t, b.Union(a))
	if len(one.Members) != 1 || one.Members[0].ID != "n2" || one.Ring.Hash() != two.Ring.Hash() {
		t.Errorf("one side has %+v, the other %+v", one.Members, two.Members)
	}
}

// H22: two operators define one bucket with different modes on two sides of a cut.
// The earlier entry is the bucket on every node, whichever heard of it first; the
// later is refused, and so is a change that would make it the other (RULES R38).
func TestRules_H22_OneBucketDefinedTwice(t *testing.T) {
	base := genesis(t, "n1 n2", 16)
	lww := DefaultBucket()
	lww.LWW = true
	late, err := base.Issue(2000, "n1", Change{Kind: Define, Name: "b", Bucket: DefaultBucket()})
	if err != nil {
		t.Fatal(err)
	}
	early, err := base.Issue(1000, "n2", Change{Kind: Define, Name: "b", Bucket: lww})
	if err != nil {
		t.Fatal(err)
	}
	both := late.Union(early)
	if both, err = both.Issue(3000, "n1", Change{Kind: Tune, Name: "b", Bucket: DefaultBucket()}); err != nil {
		t.Fatal(err)
	}
	for _, h := range []History{both, early.Union(late).Union(both)} {
		c := fold1(t, h)
		if got := c.Buckets.Of("b"); !got.LWW || !slices.Equal(c.Defined, []string{"b"}) {
			t.Errorf("bucket b is %+v of %q", got, c.Defined)
		}
	}
}

// A stamp is greater than all its issuer knew, also when its clock went back.
func TestStamps(t *testing.T) {
	h := genesis(t, "n1", 16)
	last := h.Changes()[h.Len()-1].Stamp
	for _, wall := range []int64{1000, 1000, 500, -1, 2000} {
		var err error
		if h, err = h.Issue(wall, "n1", Change{Kind: Readdress, Member: member("n1")}); err != nil {
			t.Fatal(err)
		}
		now := h.Changes()[h.Len()-1].Stamp
		if now <= last || now>>16 < causal.Stamp(max(wall, 0)) {
			t.Errorf("at %d the stamp went from %x to %x", wall, last, now)
		}
		last = now
	}
	if _, err := h.Issue(1, "", Change{Kind: Remove, Member: member("n1")}); err == nil {
		t.Error("a change without an issuer was taken")
	}
	if _, err := h.Issue(1, "n1", Change{Kind: 99}); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("a change of unknown kind: error %v", err)
	}
}

func TestFoldNeedsABeginning(t *testing.T) {
	if _, err := (History{}).Fold(); err == nil || !strings.Contains(err.Error(), "no beginning") {
		t.Errorf("error %v", err)
	}
	h := History{}.With(Change{Kind: Found, Stamp: 1, Name: "c", Q: 8})
	if _, err := h.Fold(); err == nil || !strings.Contains(err.Error(), "no members") {
		t.Errorf("error %v", err)
	}
	h = History{}.With(Change{Kind: Add, Stamp: 1, Member: member("n1")})
	if _, err := h.Fold(); err == nil || !strings.Contains(err.Error(), "no beginning") {
		t.Errorf("error %v", err)
	}
}

func TestCodec(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t, "h")
		b := h.Append([]byte("before"))
		got, err := Decode(b[len("before"):])
		if err != nil {
			t.Fatal(err)
		}
		if !equal(got, h) || got.Digest() != h.Digest() {
			t.Fatalf("read %+v, wrote %+v", got, h)
		}
		b = b[len("before"):]
		if cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut"); cut < len(b) {
			if _, err := Decode(b[:cut]); err == nil {
				t.Fatal("a cut history was read")
			}
		}
		b[rapid.IntRange(0, len(b)-1).Draw(t, "flip")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := Decode(b); err == nil {
			t.Fatal("an altered history was read")
		}
	})
}

func TestDecodeErrors(t *testing.T) {
	whole := genesis(t, "n1", 8).Append(nil)
	if _, err := Decode(append([]byte{2}, whole[1:]...)); err == nil || !strings.Contains(err.Error(), "format 2") {
		t.Errorf("a newer format: error %v", err)
	}
	if _, err := Decode(nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("nothing: error %v", err)
	}
	h := genesis(t, "n1 n2", 8)
	h = h.With(Change{Kind: Add, Stamp: 2, Member: member("n3")})
	swapped := History{changes: slices.Clone(h.changes)}
	slices.Reverse(swapped.changes)
	if _, err := Decode(swapped.Append(nil)); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "order") {
		t.Errorf("out of order: error %v", err)
	}
	twice := History{changes: append(slices.Clone(h.changes), h.changes[len(h.changes)-1])}
	if _, err := Decode(twice.Append(nil)); !errors.Is(err, ErrDamaged) {
		t.Errorf("a change twice: error %v", err)
	}
	body := func(b ...byte) []byte { return withSum(b) }
	for what, b := range map[string][]byte{
		"no count":                     body(),
		"a number not in its shortest": body(0x80, 0x00),
		"a number without end":         body(bytes.Repeat([]byte{0xff}, 11)...),
		"too many changes":             body(0xff, 0xff, 0xff, 0x7f),
		"fewer changes than counted":   body(1),
		"a text that is cut off":       body(1, 1, 1),
		"a text that is too long":      body(1, 1, 65),
		"no kind":                      body(1, 1, 0),
		"bytes left over":              body(0, 0),
	} {
		if _, err := Decode(b); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	unknown := History{changes: []Change{{Stamp: 1, Kind: 99}}}
	if _, err := Decode(unknown.Append(nil)); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("an unknown kind: error %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(History{}.Append(nil))
	f.Add(genesis(f, "n1 n2 n3", 64, NamedBucket{"b", DefaultBucket()}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := Decode(b)
		if err != nil {
			// Most inputs fail at the checksum: try what is behind it, too.
			h, err = Decode(withSum(b))
			b = withSum(b)
		}
		if err == nil && !bytes.Equal(h.Append(nil), b) {
			t.Errorf("%x is read as what is written %x", b, h.Append(nil))
		}
	})
}

func TestStrings(t *testing.T) {
	for want, c := range map[string]Change{
		"found c q=8":        {Kind: Found, Name: "c", Q: 8},
		"remove n1":          {Kind: Remove, Member: member("n1")},
		"reweigh n1 weight=": {Kind: Reweigh, Member: member("n1")},
		"relabel n1 zone=":   {Kind: Relabel, Member: member("n1")},
		"readdress n1 addr=": {Kind: Readdress, Member: member("n1")},
		"add n1 addr=n1.":    {Kind: Add, Member: member("n1")},
		`define "b" n=3`:     {Kind: Define, Name: "b", Bucket: DefaultBucket()},
		"change 99":          {Kind: 99},
	} {
		if got := c.String(); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want it to begin with %q", got, want)
		}
	}
}

func BenchmarkFold100(b *testing.B) {
	var ids []string
	for i := range 100 {
		ids = append(ids, fmt.Sprintf("n%d", i))
	}
	h := genesis(b, strings.Join(ids, " "), 1024)
	for b.Loop() {
		if _, err := h.Fold(); err != nil {
			b.Fatal(err)
		}
	}
}

// withSum returns b with a version and a right checksum round it.
func withSum(b []byte) []byte {
	b = append([]byte{historyVersion}, b...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

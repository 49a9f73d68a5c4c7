package ring

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func at(hi uint64) Position { return Position{Hi: hi} }

// circle lays tokens 10 apart by hand: the first of names ends at 10.
func circle(names string) []Token {
	var tokens []Token
	for i, c := range names {
		tokens = append(tokens, Token{at(uint64(i+1) * 10), NodeID(string(c))})
	}
	return tokens
}

func plain(names string) []Node {
	var nodes []Node
	for _, c := range names {
		nodes = append(nodes, Node{ID: NodeID(string(c))})
	}
	return nodes
}

func mustNew(t testing.TB, nodes []Node, tokens []Token) *Ring {
	t.Helper()
	r, err := New(nodes, tokens)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func join(ids []NodeID) string {
	var s []string
	for _, id := range ids {
		s = append(s, string(id))
	}
	return strings.Join(s, " ")
}

// The position of a key is its MD5 as a big-endian number (paper, section 4.1).
func TestPositionIsMD5(t *testing.T) {
	for text, want := range map[string]Position{
		"":    {0xd41d8cd98f00b204, 0xe9800998ecf8427e},
		"abc": {0x900150983cd24fb0, 0xd6963f7d28e17f72},
	} {
		if got := Hash([]byte(text)); got != want {
			t.Errorf("Hash(%q) = %x, want %x", text, got, want)
		}
	}
	if got := NewKey("b", "k").Pos; got != Hash([]byte("b\x00k")) {
		t.Errorf("the position of b/k is %x", got)
	}
}

// Figure 2: a key between A and B is stored at B, C and D; D stores the ranges
// (A,B], (B,C] and (C,D] (paper, section 4.3).
func TestFigure2(t *testing.T) {
	r := mustNew(t, plain("ABCDEFG"), circle("ABCDEFG"))
	for hi := uint64(11); hi <= 20; hi++ {
		if got := join(r.Preference(r.Partition(at(hi)), 3)); got != "B C D" {
			t.Errorf("a key at %d in (A,B] is on %s, want B C D", hi, got)
		}
	}
	var held []string
	for p := range r.Tokens() {
		if slices.Contains(r.Preference(uint32(p), 3), "D") {
			held = append(held, string(r.Owner(uint32(p))))
		}
	}
	if got := strings.Join(held, " "); got != "B C D" {
		t.Errorf("D holds the ranges that end at %s, want those at B C D", got)
	}
}

// Section 4.9: X comes between A and B and takes (F,G], (G,A] and (A,X]; B, C
// and D stop holding them, each one of them.
func TestNewcomerBetweenAAndB(t *testing.T) {
	before := mustNew(t, plain("ABCDEFG"), circle("ABCDEFG"))
	tokens := slices.Insert(circle("ABCDEFG"), 1, Token{at(15), "X"})
	after := mustNew(t, plain("ABCDEFGX"), tokens)
	for _, test := range []struct {
		name, was, is string
		key           Position
	}{
		{"(F,G]", "G A B", "G A X", at(65)},
		{"(G,A]", "A B C", "A X B", at(5)},
		{"(G,A] beyond the end", "A B C", "A X B", at(75)},
		{"(A,X]", "B C D", "X B C", at(12)},
		{"(X,B]", "B C D", "B C D", at(16)},
		{"(B,C]", "C D E", "C D E", at(25)},
		{"(E,F]", "F G A", "F G A", at(55)},
	} {
		if got := join(before.Preference(before.Partition(test.key), 3)); got != test.was {
			t.Errorf("%s was on %s, want %s", test.name, got, test.was)
		}
		if got := join(after.Preference(after.Partition(test.key), 3)); got != test.is {
			t.Errorf("%s is on %s, want %s", test.name, got, test.is)
		}
	}
}

// A token owns (previous, End]: its End is its own, the next position is not.
func TestBoundaries(t *testing.T) {
	r := mustNew(t, plain("AB"), circle("AB"))
	for _, test := range []struct {
		p    Position
		want NodeID
	}{
		{Position{}, "A"},
		{at(10), "A"},
		{Position{10, 1}, "B"},
		{at(20), "B"},
		{Position{20, 1}, "A"},
		{Position{^uint64(0), ^uint64(0)}, "A"},
	} {
		if got := r.Owner(r.Partition(test.p)); got != test.want {
			t.Errorf("%x belongs to %s, want %s", test.p, got, test.want)
		}
	}
}

func TestEqualPartitions(t *testing.T) {
	for _, q := range []int{1, 2, 8, 1024} {
		tokens, err := Assign(q, plain("ABC"))
		if err != nil {
			t.Fatal(err)
		}
		r := mustNew(t, plain("ABC"), tokens)
		if !r.equal || r.Q() != q {
			t.Fatalf("q=%d: equal %t, Q %d", q, r.equal, r.Q())
		}
		slow := *r
		slow.equal = false
		rng := rand.New(rand.NewPCG(1, uint64(q)))
		for range 200 {
			p := Position{rng.Uint64(), rng.Uint64()}
			if a, b := r.Partition(p), slow.Partition(p); a != b {
				t.Fatalf("q=%d: the shift says %x is in %d, the search %d", q, p, a, b)
			}
		}
		for i, token := range tokens {
			if r.Partition(token.End) != uint32(i) {
				t.Errorf("q=%d: the end of partition %d is in %d", q, i, r.Partition(token.End))
			}
		}
	}
}

// Tokens that are equal partitions but for one position are not taken for such.
func TestNearlyEqualPartitions(t *testing.T) {
	tokens, err := Assign(8, plain("AB"))
	if err != nil {
		t.Fatal(err)
	}
	tokens[3].End.Lo--
	r := mustNew(t, plain("AB"), tokens)
	after := Position{tokens[3].End.Hi, ^uint64(0)}
	if r.equal || r.Partition(tokens[3].End) != 3 || r.Partition(after) != 4 {
		t.Errorf("equal %t, the end of 3 is in %d, the position after it in %d", r.equal, r.Partition(tokens[3].End), r.Partition(after))
	}
}

// drawRing draws a ring of tokens at random places.
func drawRing(t *rapid.T) *Ring {
	names := "ABCDEFGHIJKLMN"[:rapid.IntRange(1, 14).Draw(t, "nodes")] // more than are computed ahead
	nodes := plain(names)
	for i := range nodes {
		nodes[i].Zone = rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(t, "zone")
		nodes[i].DC = rapid.SampledFrom([]string{"", "e", "w"}).Draw(t, "dc")
	}
	ends := rapid.SliceOfNDistinct(rapid.Uint64Range(0, 1000), 1, 40, rapid.ID).Draw(t, "ends")
	slices.Sort(ends)
	var tokens []Token
	for _, e := range ends {
		tokens = append(tokens, Token{Position{e, ^uint64(0)}, NodeID(rapid.SampledFrom(strings.Split(names, "")).Draw(t, "owner"))})
	}
	r, err := New(nodes, tokens)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// slowOwner walks from a position to the first token at or after it.
func slowOwner(r *Ring, p Position) uint32 {
	for i, token := range r.tokens {
		if p.Compare(token.End) <= 0 {
			return uint32(i)
		}
	}
	return 0
}

// slowList is the documented order of a preference list, found by sorting the
// whole walk: new data centres, then new zones, then the rest.
func slowList(r *Ring, partition uint32) []NodeID {
	var met []Node
	for i := range r.tokens {
		n, _ := r.Node(r.tokens[(int(partition)+i)%len(r.tokens)].Owner)
		if !slices.Contains(met, n) {
			met = append(met, n)
		}
	}
	var list []NodeID
	take := func(fresh func(n, listed Node) bool) {
		for _, n := range met {
			ok := !slices.Contains(list, n.ID)
			for _, id := range list {
				l, _ := r.Node(id)
				ok = ok && fresh(n, l)
			}
			if ok {
				list = append(list, n.ID)
			}
		}
	}
	take(func(n, l Node) bool { return n.DC != l.DC })
	take(func(n, l Node) bool { return n.DC != l.DC || n.Zone != l.Zone })
	take(func(n, l Node) bool { return true })
	return list
}

func TestAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRing(t)
		for range 20 {
			p := Position{rapid.Uint64Range(0, 1100).Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")}
			if got, want := r.Partition(p), slowOwner(r, p); got != want {
				t.Fatalf("%x is in %d, want %d", p, got, want)
			}
		}
		for p := range r.tokens {
			want := slowList(r, uint32(p))
			if got := r.Owners(uint32(p)); !slices.Equal(got, want) {
				t.Fatalf("the list of %d is %v, want %v", p, got, want)
			}
			for n := 0; n <= len(r.nodes)+1; n++ {
				if got := r.Preference(uint32(p), n); !slices.Equal(got, want[:min(n, len(want))]) {
					t.Fatalf("the first %d of %d are %v, want the beginning of %v", n, p, got, want)
				}
			}
		}
	})
}

// Section 4.2: a token that comes or goes changes the owner of its own arc only.
func TestOnlyNeighboursChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRing(t)
		gone := rapid.IntRange(0, len(r.tokens)-1).Draw(t, "gone")
		if len(r.tokens) == 1 {
			return
		}
		less, err := New(r.nodes, slices.Delete(slices.Clone(r.tokens), gone, gone+1))
		if err != nil {
			t.Fatal(err)
		}
		for range 30 {
			p := Position{rapid.Uint64Range(0, 1100).Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")}
			was, is := int(r.Partition(p)), less.Owner(less.Partition(p))
			want := r.Owner(uint32(was))
			if was == gone {
				want = r.Owner(uint32((gone + 1) % len(r.tokens)))
			}
			if is != want {
				t.Fatalf("%x went from %d to %s, want %s", p, was, is, want)
			}
		}
	})
}

// Sections 4.3 and 4.6: distinct nodes, also across the wrap, spread over zones
// and data centres.
func TestSpread(t *testing.T) {
	zoned := func(zones ...string) []Node {
		nodes := plain("ABCDEF")
		for i := range nodes {
			nodes[i].DC, nodes[i].Zone, _ = strings.Cut(zones[i], "/")
		}
		return nodes
	}
	for _, test := range []struct {
		name, order, want string
		nodes             []Node
	}{
		{"no zones: as walked", "ABCDEF", "A B C D E F", zoned("", "", "", "", "", "")},
		{"own tokens in a row, and the wrap", "BAABCDEF", "B A C D E F", zoned("", "", "", "", "", "")},
		{"three zones", "ABCDEF", "A C E B D F", zoned("/x", "/x", "/y", "/y", "/z", "/z")},
		{"two zones for three: both, then as walked", "ABCDEF", "A D B C E F", zoned("/x", "/x", "/x", "/y", "/y", "/y")},
		{"data centres before zones", "ABCDEF", "A D B E C F", zoned("e/x", "e/y", "e/x", "w/x", "w/y", "w/x")},
		{"equal zone names of two data centres", "ABCDEF", "A D E B C F", zoned("e/x", "e/x", "e/x", "w/x", "w/y", "w/y")},
	} {
		r := mustNew(t, test.nodes, circle(test.order))
		if got := join(r.Owners(0)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// A data centre is found however far round the ring its only node is.
func TestSpreadLooksFarEnough(t *testing.T) {
	const names = "ABCDEFGHIJKL"
	nodes := plain(names)
	for i := range nodes {
		nodes[i].DC, nodes[i].Zone = "e", string(rune('a'+i))
	}
	nodes[11].DC = "w"
	r := mustNew(t, nodes, circle(names))
	if got := join(r.Preference(0, 3)); got != "A L B" {
		t.Errorf("the first three are %s, want A L B", got)
	}
	if got := join(r.Preference(0, 9)); got != "A L B C D E F G H" {
		t.Errorf("the first nine are %s, want A L B C D E F G H", got)
	}
}

func TestLookups(t *testing.T) {
	r := mustNew(t, plain("CAB"), circle("ABAC")).WithEpoch(7)
	if r.Epoch() != 7 || r.Q() != 4 || len(r.Nodes()) != 3 || len(r.Tokens()) != 4 {
		t.Errorf("epoch %d, q %d, %d nodes, %d tokens", r.Epoch(), r.Q(), len(r.Nodes()), len(r.Tokens()))
	}
	if got := r.TokensOf("A"); !slices.Equal(got, []uint32{0, 2}) || r.Count("A") != 2 {
		t.Errorf("A owns %v, %d", got, r.Count("A"))
	}
	if r.TokensOf("X") != nil || r.Count("X") != 0 || r.Index("X") != -1 {
		t.Error("a stranger owns something")
	}
	if r.Index("C") != 2 || r.Nodes()[2].ID != "C" {
		t.Errorf("C is at %d", r.Index("C"))
	}
	if _, ok := r.Node("X"); ok {
		t.Error("a stranger is a node")
	}
}

// The hash tells apart everything that could place a key elsewhere, and nothing
// else: not the order in which nodes are named, not the epoch.
func TestHash(t *testing.T) {
	base := mustNew(t, plain("ABC"), circle("ABC"))
	if got := mustNew(t, plain("CBA"), circle("ABC")).WithEpoch(9).Hash(); got != base.Hash() {
		t.Error("the order of nodes or the epoch changes the hash")
	}
	zoned, heavy, moved, other := plain("ABC"), plain("ABC"), circle("ABC"), circle("ABB")
	zoned[0].Zone, heavy[0].Weight, moved[0].End.Lo = "z", 2, 1
	for i, r := range []*Ring{
		mustNew(t, zoned, circle("ABC")), mustNew(t, heavy, circle("ABC")),
		mustNew(t, plain("ABC"), moved), mustNew(t, plain("ABC"), other), mustNew(t, plain("ABCD"), circle("ABC")),
	} {
		if r.Hash() == base.Hash() {
			t.Errorf("ring %d has the hash of another", i)
		}
	}
	const golden = "4a8d0d58237da7879d9fd43af3fb1f8c"
	if got := fmt.Sprintf("%x", base.Hash()); got != golden {
		t.Errorf("hash %s, want %s: nodes of two versions would call each other wrong", got, golden)
	}
}

func TestBadRings(t *testing.T) {
	long := NodeID(strings.Repeat("x", 65))
	for _, test := range []struct {
		name   string
		nodes  []Node
		tokens []Token
		want   string
	}{
		{"no nodes", nil, circle("A"), "no nodes"},
		{"no tokens", plain("A"), nil, "0 tokens"},
		{"a node twice", plain("AA"), circle("A"), "used twice"},
		{"no id", []Node{{}}, circle("A"), "id is empty"},
		{"long id", []Node{{ID: long}}, circle("A"), "65 characters"},
		{"bad id", []Node{{ID: "a b"}}, circle("A"), `the character ' '`},
		{"bad weight", []Node{{ID: "A", Weight: -1}}, circle("A"), "weight -1"},
		{"long zone", []Node{{ID: "A", Zone: string(long)}}, circle("A"), "longer than 64"},
		{"stranger", plain("A"), circle("AB"), `owned by "B"`},
		{"same end", plain("A"), []Token{{at(1), "A"}, {at(1), "A"}}, "same position"},
		{"not sorted", plain("A"), []Token{{at(2), "A"}, {at(1), "A"}}, "sort tokens"},
	} {
		if _, err := New(test.nodes, test.tokens); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.name, err, test.want)
		}
	}
}

// A ring keeps its own copies.
func TestImmutable(t *testing.T) {
	nodes, tokens := plain("AB"), circle("AB")
	r := mustNew(t, nodes, tokens)
	nodes[0].ID, tokens[0].Owner = "X", "X"
	if r.Nodes()[0].ID != "A" || r.Owner(0) != "A" {
		t.Error("the ring changed with its arguments")
	}
	list := r.Preference(0, 1)
	_ = append(list, "X")
	if r.Preference(0, 2)[1] != "B" {
		t.Error("appending to a preference list changed the ring")
	}
}

// Zones and data centres are printed as they are: what can't be seen is in none.
func TestLabels(t *testing.T) {
	for label, good := range map[string]bool{
		"": true, "eu-west-1a": true, "münchen": true, "棚": true, strings.Repeat("z", MaxZone): true, strings.Repeat("z", MaxZone+1): false,
		"a b": false, "a\tb": false, "a\x1b[31m": false, "a\u00a0b": false, "a\u200bb": false, "\xff": false,
	} {
		if err := CheckLabel(label); (err == nil) != good {
			t.Errorf("%q: %v", label, err)
		}
	}
}

package ring

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

func nodesNamed(n, zones int) []Node {
	nodes := make([]Node, n)
	for i := range nodes {
		nodes[i] = Node{ID: NodeID(fmt.Sprintf("n%d", i+1))}
		if zones > 0 {
			nodes[i].Zone = fmt.Sprintf("z%d", i%zones)
		}
	}
	return nodes
}

// counts returns how many tokens each owner has.
func counts(tokens []Token) map[NodeID]int {
	c := map[NodeID]int{}
	for _, t := range tokens {
		c[t.Owner]++
	}
	return c
}

// moved returns how many tokens changed hands.
func moved(before, after []Token) int {
	n := 0
	for i := range before {
		if before[i].Owner != after[i].Owner {
			n++
		}
	}
	return n
}

func checkShares(t *rapid.T, tokens []Token, nodes []Node) {
	have, total, sum := counts(tokens), 0, 0
	for _, n := range nodes {
		total += n.weight()
	}
	for _, n := range nodes {
		share := len(tokens) * n.weight()
		if low, high := share/total, (share+total-1)/total; have[n.ID] < low || have[n.ID] > high {
			t.Fatalf("%s (weight %d) has %d tokens, want %d or %d", n.ID, n.weight(), have[n.ID], low, high)
		}
		sum += have[n.ID]
	}
	if sum != len(tokens) {
		t.Fatalf("%d of %d tokens are owned by members", sum, len(tokens))
	}
}

// Section 6.2, strategy 3: after every change each node has its share rounded
// down or up, and no more tokens moved than that takes.
func TestSharesAndMovement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := 1 << rapid.IntRange(0, 8).Draw(t, "log q")
		tokens, err := EqualTokens(q)
		if err != nil {
			t.Fatal(err)
		}
		var nodes []Node
		for step := range rapid.IntRange(1, 12).Draw(t, "steps") {
			what := rapid.IntRange(0, 3).Draw(t, "what")
			if len(nodes) < 2 {
				what = 0
			}
			var next []Token
			switch what {
			case 1:
				i := rapid.IntRange(0, len(nodes)-1).Draw(t, "which")
				next, err = RemoveNode(tokens, nodes, nodes[i].ID)
				nodes = slices.Delete(slices.Clone(nodes), i, i+1)
			case 2:
				nodes[rapid.IntRange(0, len(nodes)-1).Draw(t, "which")].Weight = rapid.IntRange(1, 5).Draw(t, "weight")
				next, err = Rebalance(tokens, nodes)
			default:
				n := Node{ID: NodeID(fmt.Sprintf("n%d", step)), Weight: rapid.IntRange(0, 4).Draw(t, "weight"), Zone: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "zone")}
				next, err = AddNode(tokens, nodes, n)
				nodes = append(nodes, n)
			}
			if err != nil {
				t.Fatal(err)
			}
			checkShares(t, next, nodes)
			if got, want := moved(tokens, next), Least(tokens, nodes); got != want {
				t.Fatalf("step %d of kind %d moved %d tokens, %d would do", step, what, got, want)
			}
			shuffled := slices.Clone(nodes)
			rand.New(rand.NewPCG(uint64(step), 0)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if again, err := Rebalance(tokens, shuffled); err != nil || !slices.Equal(again, next) {
				t.Fatalf("the order of nodes changes the result (error %v)", err)
			}
			tokens = next
		}
	})
}

// With equal weights a newcomer takes Q/S tokens and nobody else gets any.
func TestNewcomerTakesItsShareOnly(t *testing.T) {
	nodes := nodesNamed(9, 0)
	before, err := Assign(1024, nodes)
	if err != nil {
		t.Fatal(err)
	}
	after, err := AddNode(before, nodes, Node{ID: "new"})
	if err != nil {
		t.Fatal(err)
	}
	from := map[NodeID]int{}
	for i := range before {
		if before[i].Owner == after[i].Owner {
			continue
		}
		if after[i].Owner != "new" {
			t.Fatalf("token %d went from %s to %s, who is not new", i, before[i].Owner, after[i].Owner)
		}
		from[before[i].Owner]++
	}
	if n := moved(before, after); n != 102 {
		t.Errorf("%d tokens moved, want 1024/10 rounded down", n)
	}
	for _, n := range nodes { // section 4.2: a roughly equal amount from each
		if from[n.ID] < 11 || from[n.ID] > 12 {
			t.Errorf("%s gave %d tokens, want 11 or 12", n.ID, from[n.ID])
		}
	}
}

// Section 4.2: what a lost node served spreads over all others, and a node of
// twice the weight carries twice the keys.
func TestLoadSpreads(t *testing.T) {
	nodes := nodesNamed(10, 0)
	nodes[9].Weight = 2
	tokens, err := Assign(1024, nodes)
	if err != nil {
		t.Fatal(err)
	}
	r := mustNew(t, nodes, tokens)
	replicas, heirs := map[NodeID]int{}, map[NodeID]int{}
	for p := range r.Q() {
		list := r.Preference(uint32(p), 4)
		for _, id := range list[:3] {
			replicas[id]++
		}
		if slices.Contains(list[:3], "n3") {
			heirs[list[3]]++
		}
	}
	mean := 3 * 1024 / 11
	for _, n := range nodes[:9] {
		if got := replicas[n.ID]; got < mean*85/100 || got > mean*115/100 {
			t.Errorf("%s holds %d partitions, more than 15%% from the mean of %d", n.ID, got, mean)
		}
		if n.ID != "n3" && heirs[n.ID] < 10 {
			t.Errorf("%s takes over %d of the %d partitions of a lost node", n.ID, heirs[n.ID], replicas["n3"])
		}
	}
	if got := replicas["n10"]; got < 2*mean*80/100 {
		t.Errorf("the node of weight 2 holds %d partitions, want about %d", got, 2*mean)
	}
}

// Section 6.2: efficiency is the mean load over that of the fullest node. These
// are floors for 32 tokens a node and more, three replicas.
func TestReplicasAreEven(t *testing.T) {
	for _, test := range []struct {
		nodes, zones int
		floor        float64
	}{{3, 0, 1}, {3, 3, 1}, {4, 0, 0.95}, {5, 0, 0.97}, {6, 3, 0.95}, {10, 0, 0.97}, {30, 0, 0.95}, {30, 3, 0.9}} {
		nodes := nodesNamed(test.nodes, test.zones)
		tokens, err := Assign(1024, nodes)
		if err != nil {
			t.Fatal(err)
		}
		r := mustNew(t, nodes, tokens)
		replicas, most := map[NodeID]int{}, 0
		for p := range r.Q() {
			for _, id := range r.Preference(uint32(p), 3) {
				replicas[id]++
				most = max(most, replicas[id])
			}
		}
		got := 3 * 1024 / float64(test.nodes) / float64(most)
		t.Logf("%d nodes in %d zones: efficiency %.3f", test.nodes, test.zones, got)
		if got < test.floor {
			t.Errorf("%d nodes in %d zones: efficiency %.3f, want at least %.2f", test.nodes, test.zones, got, test.floor)
		}
	}
}

func TestBadPlacement(t *testing.T) {
	for _, q := range []int{-1, 0, 3, 1000, MaxTokens * 2} {
		if _, err := Assign(q, plain("A")); err == nil || !strings.Contains(err.Error(), "power of two") {
			t.Errorf("q=%d: error %v", q, err)
		}
	}
	if _, err := RemoveNode(circle("A"), plain("A"), "A"); err == nil || !strings.Contains(err.Error(), "no nodes") {
		t.Errorf("the last node was removed: error %v", err)
	}
	if _, err := AddNode(circle("A"), plain("A"), Node{ID: "A"}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a node was added twice: error %v", err)
	}
	if _, err := Rebalance(nil, plain("A")); err == nil {
		t.Error("no tokens were spread")
	}
}

// Preference lists are where data lies on disks in use: a change of this file is
// a change of every cluster. Run with -update only when that is meant.
func TestGoldenLists(t *testing.T) {
	var b bytes.Buffer
	for _, test := range []struct{ nodes, zones, q int }{{3, 0, 16}, {5, 0, 32}, {7, 3, 64}} {
		nodes := nodesNamed(test.nodes, test.zones)
		tokens, err := Assign(test.q, nodes)
		if err != nil {
			t.Fatal(err)
		}
		r := mustNew(t, nodes, tokens)
		fmt.Fprintf(&b, "nodes %d zones %d q %d hash %x\n", test.nodes, test.zones, test.q, r.Hash())
		for p := range r.Q() {
			fmt.Fprintf(&b, "%4d %s\n", p, join(r.Owners(uint32(p))))
		}
	}
	const path = "testdata/lists.txt"
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("preference lists differ from %s:\n%s", path, b.Bytes())
	}
}

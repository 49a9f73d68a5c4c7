package ring

import (
	"slices"
	"testing"
)

// requests counts how many partitions each node answers for, in the first three
// places of their lists, with some nodes down: then the next of the walk does.
func requests(r *Ring, down ...NodeID) map[NodeID]int {
	load := map[NodeID]int{}
	for p := range uint32(r.Q()) {
		left := 3
		for _, id := range r.Owners(p) {
			if left > 0 && !slices.Contains(down, id) {
				load[id]++
				left--
			}
		}
	}
	return load
}

func assigned(t *testing.T, q int, nodes []Node) *Ring {
	t.Helper()
	tokens, err := Assign(q, nodes)
	if err != nil {
		t.Fatal(err)
	}
	return mustNew(t, nodes, tokens)
}

// about says whether got is within so many per cent of want.
func about(got, want, percent int) bool {
	return got*100 >= want*(100-percent) && got*100 <= want*(100+percent)
}

// Section 4.2.4 a: what a lost node answered for is answered for by all others,
// roughly equally, and by the node itself again when it is back.
func TestPaper_4_2_4a_LostLoadSpreads(t *testing.T) {
	r := assigned(t, 1024, nodesNamed(10, 0))
	before, lost := requests(r), requests(r, "n4")
	share := before["n4"] / 9
	for _, n := range r.Nodes() {
		if n.ID == "n4" {
			continue
		}
		if more := lost[n.ID] - before[n.ID]; !about(more, share, 60) {
			t.Errorf("%s answers for %d partitions more, an equal share is %d", n.ID, more, share)
		}
	}
	if lost["n4"] != 0 {
		t.Error("a node that is down answers")
	}
}

// Section 4.2.4 b: a new node takes a roughly equal amount from each of the
// others, in tokens and in requests, and a node that leaves for good gives so.
func TestPaper_4_2_4b_NewcomerTakesFromAll(t *testing.T) {
	nodes := nodesNamed(10, 0)
	with, without := assigned(t, 1024, nodes), assigned(t, 1024, nodes[:9])
	after, before := requests(with), requests(without)
	share := after["n10"] / 9
	for _, n := range nodes[:9] {
		if tokens := without.Count(n.ID) - with.Count(n.ID); tokens < 10 || tokens > 13 {
			t.Errorf("%s gave %d tokens", n.ID, tokens)
		}
		if fewer := before[n.ID] - after[n.ID]; !about(fewer, share, 40) {
			t.Errorf("%s answers for %d partitions fewer, an equal share is %d", n.ID, fewer, share)
		}
	}
	left, err := RemoveNode(with.Tokens(), nodes, "n10")
	if err != nil {
		t.Fatal(err)
	}
	gained := counts(left)
	for _, n := range nodes[:9] {
		if more := gained[n.ID] - with.Count(n.ID); more < 10 || more > 13 {
			t.Errorf("%s got %d tokens of the one that left", n.ID, more)
		}
	}
}

// Section 4.2.4 c: the number of tokens follows capacity, and requests follow
// tokens.
func TestPaper_4_2_4c_TokensFollowCapacity(t *testing.T) {
	nodes := nodesNamed(12, 0)
	for i := range nodes {
		nodes[i].Weight = 1 + i%3
	}
	r := assigned(t, 2048, nodes)
	load := requests(r)
	for _, n := range nodes {
		if want := 2048 * n.Weight / 24; r.Count(n.ID) != want && r.Count(n.ID) != want+1 {
			t.Errorf("%s of weight %d has %d tokens, want %d", n.ID, n.Weight, r.Count(n.ID), want)
		}
		if want := 3 * 2048 * n.Weight / 24; !about(load[n.ID], want, 15) {
			t.Errorf("%s of weight %d answers for %d partitions, want about %d", n.ID, n.Weight, load[n.ID], want)
		}
	}
}

// Sections 4.3.5 and 4.6.6: however nodes come and go, the replicas of each
// partition are in as many data centres, and then zones, as there are.
func TestSpreadSurvivesChurn(t *testing.T) {
	place := func(i int) (string, string) { return []string{"e", "w"}[i%2], []string{"x", "y", "z"}[i%3] }
	var nodes []Node
	tokens, err := EqualTokens(256)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 24 {
		n := nodesNamed(i+1, 0)[i]
		n.DC, n.Zone = place(i)
		nodes = append(nodes, n)
		if i%4 == 3 { // one goes
			nodes = slices.Delete(nodes, i/4, i/4+1)
		}
		before := tokens
		if tokens, err = Rebalance(tokens, nodes); err != nil {
			t.Fatal(err)
		}
		if got, want := moved(before, tokens), Least(before, nodes); got != want {
			t.Errorf("step %d moved %d tokens, %d would do", i, got, want)
		}
		r := mustNew(t, nodes, tokens)
		dcs, zones := spreadOf(nodes, nil)
		for p := range uint32(r.Q()) {
			d, z := spreadOf(nodes, r.Preference(p, 3))
			if d != min(dcs, 3) || z != min(zones, 3) {
				t.Fatalf("step %d: the replicas of %d are in %d of %d data centres and %d of %d zones", i, p, d, dcs, z, zones)
			}
		}
	}
}

// spreadOf counts the data centres and zones of some of the nodes; nil: of all.
func spreadOf(nodes []Node, list []NodeID) (dcs, zones int) {
	d, z := map[string]bool{}, map[[2]string]bool{}
	for _, n := range nodes {
		if list == nil || slices.Contains(list, n.ID) {
			d[n.DC], z[[2]string{n.DC, n.Zone}] = true, true
		}
	}
	return len(d), len(z)
}

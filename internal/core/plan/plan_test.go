package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

func of(id, zone string) member.Member {
	return member.Member{Node: ring.Node{ID: ring.NodeID(id), Weight: 1, Zone: zone}, Addr: id + ":7071"}
}

// cluster is the history of a cluster of nodes written as id or id/zone.
func cluster(t testing.TB, q int, nodes string, buckets ...member.NamedBucket) member.History {
	t.Helper()
	var members []member.Member
	for text := range strings.FieldsSeq(nodes) {
		id, zone, _ := strings.Cut(text, "/")
		members = append(members, of(id, zone))
	}
	h, err := member.Genesis("shop", members, q, append(buckets, member.NamedBucket{Bucket: member.DefaultBucket()})...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func join(id string) ouro.Change { return ouro.Change{Verb: ouro.Join, Node: id, Addr: id + ":7071"} }

func verb(v ouro.Verb, id string) ouro.Change { return ouro.Change{Verb: v, Node: id} }

func stage(t testing.TB, h member.History, changes ...ouro.Change) Draft {
	t.Helper()
	d, err := Draft{}.Stage(h, "n1", changes)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func planned(t testing.TB, h member.History, d Draft) ouro.Plan {
	t.Helper()
	p, err := d.Plan(h, "n1", Cost{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func fold(t testing.TB, h member.History) *member.Cluster {
	t.Helper()
	c, err := h.Fold()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A plan tells what moves, how much that is and how long it takes.
func TestPlanOfAJoin(t *testing.T) {
	h := cluster(t, 64, "n1 n2 n3")
	d := stage(t, h, join("n4"))
	p, err := d.Plan(h, "n1", Cost{Bytes: func(p uint32) int64 { return 1000 }, Rate: 100})
	if err != nil {
		t.Fatal(err)
	}
	if p.Node != "n1" || p.Version != Version(h) || len(p.Changes) != 1 || !strings.HasPrefix(p.Changes[0], "add n4 addr=n4:7071") {
		t.Errorf("at %s, version %s, changes %q", p.Node, p.Version, p.Changes)
	}
	if p.Tokens != 64 || p.Moved != 16 || p.Least != 16 {
		t.Errorf("%d of %d moved, %d at least", p.Moved, p.Tokens, p.Least)
	}
	want := []ouro.PlanMember{{ID: "n1", Weight: 1, Before: 22, After: 16}, {ID: "n2", Weight: 1, Before: 21, After: 16}, {ID: "n3", Weight: 1, Before: 21, After: 16}, {ID: "n4", Weight: 1, After: 16}}
	sum := 0
	for i, m := range p.Members {
		sum += m.Before
		if m.ID != want[i].ID || m.After != want[i].After || m.Before < 21 && m.ID != "n4" {
			t.Errorf("%+v", m)
		}
	}
	if sum != 64 {
		t.Errorf("%d were owned before", sum)
	}
	before, copies := fold(t, h).Ring, 0
	for _, m := range p.Moves {
		if !slices.Equal(m.From, texts(before.Preference(m.Partition, 3))) || slices.Equal(m.From, m.To) {
			t.Errorf("%+v", m)
		}
		if slices.Contains(m.To, "n4") {
			copies++
		}
	}
	if p.Lists != len(p.Moves) || p.Copies != copies || p.Bytes != int64(1000*copies) || p.Seconds != float64(10*copies) {
		t.Errorf("%d lists, %d copies (n4 has %d), %d bytes, %g s", p.Lists, p.Copies, copies, p.Bytes, p.Seconds)
	}
	if p := planned(t, h, d); p.Bytes != -1 || p.Seconds != -1 {
		t.Errorf("%d bytes, %g s, though nothing is known", p.Bytes, p.Seconds)
	}
	text := strings.Join(p.Guarantees, "\n")
	for _, want := range []string{"n=3 r=2 w=2 (the default): ", "while it moves quorums are counted in the old list and in the new one", "3 replicas, of which any 1 node may fail"} {
		if !strings.Contains(text, want) {
			t.Errorf("guarantees %s: want %q", text, want)
		}
	}
	if len(p.Warnings) != 0 {
		t.Errorf("warnings %q", p.Warnings)
	}
}

// A plan names also those who leave, and that they own nothing afterwards.
func TestMembersThatLeave(t *testing.T) {
	h := cluster(t, 64, "n1 n2 n3 n4")
	p := planned(t, h, stage(t, h, verb(ouro.Leave, "n2")))
	if len(p.Members) != 4 || p.Members[1].ID != "n2" || p.Members[1].Before != 16 || p.Members[1].After != 0 {
		t.Errorf("members %+v", p.Members)
	}
}

// Every partition is in the guarantees of every kind of bucket once.
func TestGuaranteesNameEveryRange(t *testing.T) {
	one := member.Bucket{N: 1, R: 1, W: 1, Timeout: time.Second}
	h := cluster(t, 64, "n1/a n2/b n3/c", member.NamedBucket{Name: "cache", Bucket: one}, member.NamedBucket{Name: "cart", Bucket: member.DefaultBucket()})
	p := planned(t, h, stage(t, h, join("n4"), ouro.Change{Verb: ouro.Relabel, Node: "n4", Zone: "c"}))
	sums := map[string]int{}
	for _, g := range p.Guarantees {
		name, rest, _ := strings.Cut(g, "): ")
		var n, of int
		if _, err := fmt.Sscanf(rest, "%d of %d partitions", &n, &of); err != nil || of != 64 {
			t.Fatalf("%q: %v", g, err)
		}
		sums[name] += n
	}
	if len(sums) != 2 || sums["n=1 r=1 w=1 (cache"] != 64 || sums["n=3 r=2 w=2 (the default, cart"] != 64 {
		t.Errorf("partitions by kind of bucket: %v", sums)
	}
	text := strings.Join(p.Guarantees, "\n")
	for _, want := range []string{"3 replicas in 3 zones, of which any 1 node or any whole zone may fail", "1 replica in 1 zone, of which no node but not every whole zone may fail", "and nothing moves"} {
		if !strings.Contains(text, want) {
			t.Errorf("guarantees %s: want %q", text, want)
		}
	}
}

// What cannot be had is said out loud (FIELD 2.14, class 15).
func TestImpossibleGuaranteesAreSaid(t *testing.T) {
	for _, test := range []struct {
		name, nodes string
		q           int
		change      ouro.Change
		want        string // "": nothing is to be said
	}{
		{"three zones", "n1/a n2/b n3/c", 64, ouro.Change{Verb: ouro.Join, Node: "n4", Addr: "a:1", Zone: "a"}, ""},
		{"no zones asked for", "n1 n2 n3", 64, join("n4"), ""},
		{"one zone", "n1/a n2/a n3/a", 64, ouro.Change{Verb: ouro.Join, Node: "n4", Addr: "a:1", Zone: "a"}, "all 4 members are in one zone"},
		{"one member of a zone", "n1/a", 64, ouro.Change{Verb: ouro.Relabel, Node: "n1", Zone: "b"}, "there is only 1 member"},
		{"two zones", "n1/a n2/a n3/a", 64, ouro.Change{Verb: ouro.Join, Node: "n4", Addr: "a:1", Zone: "b"}, "only 2 zones"},
		{"a zone that goes", "n1/a n2/b n3/c n4/a", 64, verb(ouro.Leave, "n3"), "only 2 zones"},
		{"some have none", "n1/a n2/b n3/c", 64, join("n4"), "1 member has no zone"},
		{"fewer than n", "n1 n2 n3", 64, verb(ouro.Leave, "n2"), "n=3 is wanted but there are only 2 members"},
		{"few partitions", "n1 n2 n3", 8, join("n4"), "8 partitions for 4 members"},
		{"too few partitions", "n1 n2", 2, join("n4"), "owns no partition"},
	} {
		h := cluster(t, test.q, test.nodes)
		warnings := planned(t, h, stage(t, h, test.change)).Warnings
		if text := strings.Join(warnings, "\n"); test.want == "" && text != "" || !strings.Contains(text, test.want) {
			t.Errorf("%s: warnings %q, want %q", test.name, warnings, test.want)
		}
		if strings.Contains(strings.Join(warnings, "\n"), "all 1 members") {
			t.Errorf("%s: one member can't be spread anywhere: %q", test.name, warnings)
		}
	}
}

// Removing by force says of every range what is lost (RULES R18).
func TestForceRemoveTellsWhatIsLost(t *testing.T) {
	one := member.Bucket{N: 1, R: 1, W: 1, Timeout: time.Second}
	two := member.Bucket{N: 3, R: 1, W: 1, Timeout: time.Second}
	h := cluster(t, 64, "n1 n2 n3 n4", member.NamedBucket{Name: "cache", Bucket: one}, member.NamedBucket{Name: "loose", Bucket: two})
	p := planned(t, h, stage(t, h, verb(ouro.ForceRemove, "n4")))
	text := strings.Join(p.Warnings, "\n")
	for _, want := range []string{
		"n4 will hand over nothing", "n=1 r=1 w=1 (cache): 1 replica of 1 in 16 partitions (", "EVERYTHING in them is lost",
		"n=3 r=1 w=1 (loose): 1 replica of 3", "a write acknowledged with w=1 may be lost", "promises of pw up to 1 lapse",
		"n=3 r=2 w=2 (the default): 1 replica of 3", "writes acknowledged with w=2 are on another replica",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("warnings %s: want %q", text, want)
		}
	}
	p = planned(t, h, stage(t, h, verb(ouro.ForceRemove, "n4"), verb(ouro.ForceRemove, "n3")))
	if text := strings.Join(p.Warnings, "\n"); !strings.Contains(text, "2 replicas of 3") || !strings.Contains(text, "pw up to 2 lapse") {
		t.Errorf("warnings %s", text)
	}
	if text := strings.Join(p.Guarantees, "\n"); !strings.Contains(text, "with n3 and n4 failed for good") && !strings.Contains(text, "with n4 and n3 failed for good") {
		t.Errorf("guarantees %s", text)
	}
	if p := planned(t, h, stage(t, h, verb(ouro.Leave, "n4"))); strings.Contains(strings.Join(p.Warnings, ""), "lost") {
		t.Errorf("one that leaves loses nothing: %q", p.Warnings)
	}
}

// Replacing a node moves what it had, and nothing else.
func TestPlanOfAReplacement(t *testing.T) {
	h := cluster(t, 256, "n1/a n2/b n3/c n4/a n5/b")
	p := planned(t, h, stage(t, h, ouro.Change{Verb: ouro.Replace, Node: "n3", By: "n9", Addr: "n9:7071"}))
	if own := fold(t, h).Ring.Count("n3"); p.Moved != own || p.Least != own {
		t.Errorf("%d moved, %d at least, n3 had %d", p.Moved, p.Least, own)
	}
	for _, m := range p.Moves {
		if i := slices.Index(m.From, "n3"); i < 0 || m.To[i] != "n9" {
			t.Fatalf("%+v", m)
		}
	}
	if p.Copies != p.Lists {
		t.Errorf("%d copies for %d lists", p.Copies, p.Lists)
	}
	if len(p.Warnings) != 0 {
		t.Errorf("warnings %q", p.Warnings)
	}
}

// Changes that follow each other may move more than they must, and that is said.
func TestMovingTooMuchIsSaid(t *testing.T) {
	h := cluster(t, 64, "n1 n2 n3 n4")
	p := planned(t, h, stage(t, h, verb(ouro.Leave, "n4"), join("n5")))
	if p.Least != 16 || p.Moved <= p.Least || !strings.Contains(strings.Join(p.Warnings, "\n"), "where 16 would do") {
		t.Errorf("%d moved, %d at least, warnings %q", p.Moved, p.Least, p.Warnings)
	}
}

func TestRefusedVerbs(t *testing.T) {
	h := cluster(t, 16, "n1 n2")
	gone, err := h.Issue(1000, "n1", member.Change{Kind: member.Add, Member: of("n8", "")}, member.Change{Kind: member.Remove, Member: of("n8", "")})
	if err != nil {
		t.Fatal(err)
	}
	for want, changes := range map[string][]ouro.Change{
		"in use":                            {join("n1")},
		"removed and is fenced":             {join("n8")},
		"give the address":                  {{Verb: ouro.Join, Node: "n3"}},
		"join n5: give the address":         {join("n4"), {Verb: ouro.Join, Node: "n5"}}, // all or none
		"no such member":                    {verb(ouro.Leave, "n9")},
		"the last member":                   {verb(ouro.Leave, "n1"), verb(ouro.Leave, "n2"), verb(ouro.Leave, "n3")},
		"give the node that takes":          {{Verb: ouro.Replace, Node: "n1", Addr: "a:1"}},
		"give a weight from 1":              {verb(ouro.Reweigh, "n1")},
		"weight 20000":                      {{Verb: ouro.Reweigh, Node: "n1", Weight: 20000}},
		"join n5: weight -3":                {{Verb: ouro.Join, Node: "n5", Addr: "n5:7071", Weight: -3}},
		"has the character '\\x1b'":         {{Verb: ouro.Relabel, Node: "n1", Zone: "a\x1b[31m"}},
		"give the new address":              {verb(ouro.Readdress, "n1")},
		"unknown verb \"explode\"":          {verb("explode", "n1")},
		"node id is empty":                  {join("")},
		"remove n2: it was removed already": {verb(ouro.ForceRemove, "n2"), verb(ouro.Leave, "n2")},
		"what is staged here goes before":   {{Verb: ouro.Join, Node: "n3", Addr: "elsewhere:1"}}, // n3 is staged at another
	} {
		d, err := stage(t, gone, join("n3")).Stage(gone, "n1", changes)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
		if d.Len() != 1 {
			t.Errorf("%q: %d changes are staged", want, d.Len())
		}
	}
	if _, err := (Draft{}).Stage(member.History{}, "n1", []ouro.Change{join("n1")}); err == nil || !strings.Contains(err.Error(), "no cluster yet") {
		t.Errorf("error %v", err)
	}
	if _, err := (Draft{}).Stage(h, "n1", make([]ouro.Change, MaxStaged+1)); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("error %v", err)
	}
}

// Who has looked at a plan gives the verb again, to commit it: what can't be done twice
// is staged once, what can be set back and forth as often as it was asked for.
func TestTheSameAgainIsStagedOnce(t *testing.T) {
	h := cluster(t, 16, "n1/a n2/b n3/c n4/a")
	relabel := func(zone string) ouro.Change { return ouro.Change{Verb: ouro.Relabel, Node: "n4", Zone: zone} }
	replace := ouro.Change{Verb: ouro.Replace, Node: "n3", By: "n6", Addr: "n6:7071"}
	once := []ouro.Change{join("n5"), verb(ouro.Leave, "n1"), verb(ouro.ForceRemove, "n2"), replace}
	d := stage(t, h, once...)
	for _, c := range once {
		next, err := d.Stage(h, "n1", []ouro.Change{c})
		if err != nil || next.Len() != len(once) {
			t.Errorf("%s %s again: %d staged, error %v", c.Verb, c.Node, next.Len(), err)
		}
	}
	elsewhere := replace
	elsewhere.Zone = "d"
	if _, err := d.Stage(h, "n1", []ouro.Change{elsewhere}); err == nil {
		t.Error("another place of who replaces is taken for the same")
	}
	if d := stage(t, h, relabel("b"), relabel("c"), relabel("b")); d.Len() != 3 {
		t.Errorf("%q are staged", d.Changes())
	}
}

// A commit is refused where the history is another than the plan's, says why,
// and gives all changes or none.
func TestCommitWantsThePlansVersion(t *testing.T) {
	h := cluster(t, 16, "n1 n2")
	d := stage(t, h, join("n3"), join("n4"))
	version := planned(t, h, d).Version
	changes, err := d.Commit(h, "n1", version)
	if err != nil || len(changes) != 2 {
		t.Fatalf("%d changes, error %v", len(changes), err)
	}
	next, err := h.Issue(1000, "n2", member.Change{Kind: member.Add, Member: of("n5", "")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Commit(next, "n1", version)
	if err == nil || !strings.Contains(err.Error(), "made against "+version) || !strings.Contains(err.Error(), "add n5") {
		t.Errorf("error %v", err)
	}
	if _, err := d.Commit(next, "n1", planned(t, next, d).Version); err != nil {
		t.Errorf("planned again it is refused: %v", err)
	}
	taken, err := next.Issue(2000, "n2", member.Change{Kind: member.Add, Member: of("n4", "")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Commit(taken, "n1", Version(taken)); err == nil || !strings.Contains(err.Error(), "add n4") {
		t.Errorf("one of two makes no sense any more: error %v", err)
	}
	if _, err := d.Stage(taken, "n1", []ouro.Change{verb(ouro.Leave, "n2")}); err == nil || !strings.Contains(err.Error(), "what is staged here makes no sense any more: add n4") {
		t.Errorf("what is staged now is blamed for what was staged before: error %v", err)
	}
	if _, err := d.Plan(taken, "n1", Cost{}); err == nil {
		t.Error("what makes no sense is planned")
	}
	if _, err := (Draft{}).Commit(h, "n1", version); err == nil || !strings.Contains(err.Error(), "nothing is staged") {
		t.Errorf("error %v", err)
	}
	settled, _ := h.Checkpoint(h.Digest())
	if Version(settled) != version {
		t.Error("a checkpoint makes another version")
	}
}

// Two operators commit on two sides of a cut: both are kept, and who has staged
// on a third node plans again.
func TestCommitsOnTwoSidesAreKept(t *testing.T) {
	h := cluster(t, 64, "n1 n2 n3")
	commit := func(at ring.NodeID, wall int64, change ouro.Change) member.History {
		d, err := Draft{}.Stage(h, at, []ouro.Change{change})
		if err != nil {
			t.Fatal(err)
		}
		changes, err := d.Commit(h, at, Version(h))
		if err != nil {
			t.Fatal(err)
		}
		next, err := h.Issue(wall, at, changes...)
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	third := stage(t, h, ouro.Change{Verb: ouro.Reweigh, Node: "n1", Weight: 2})
	version := planned(t, h, third).Version
	one, two := commit("n1", 2000, join("x")), commit("n2", 1000, verb(ouro.Leave, "n3"))
	both := fold(t, one.Union(two))
	if len(both.Members) != 3 || !both.Fenced("n3") || len(both.Skipped) != 0 || both.Ring.Hash() != fold(t, two.Union(one)).Ring.Hash() {
		t.Errorf("members %v, skipped %v", both.Members, both.Skipped)
	}
	if _, err := third.Commit(one.Union(two), "n1", version); err == nil {
		t.Error("what was planned before is committed after")
	}
}

func TestInit(t *testing.T) {
	c, err := Init(member.History{}, "shop", 64, of("n1", ""), member.NamedBucket{Name: "b", Bucket: member.DefaultBucket()})
	if err != nil {
		t.Fatal(err)
	}
	h, err := member.History{}.Issue(1000, "n1", c)
	if err != nil {
		t.Fatal(err)
	}
	if c := fold(t, h); c.Ring.Count("n1") != 64 || c.Name != "shop" || !slices.Equal(c.Defined, []string{"b"}) {
		t.Errorf("founded %+v", c)
	}
	if _, err := Init(h, "shop", 64, of("n1", "")); err == nil || !strings.Contains(err.Error(), "of a cluster already") {
		t.Errorf("error %v", err)
	}
}

// Whatever is planned, no more tokens move than must, each node has its share
// within one token, and the plan is what the commit makes.
func TestPlansAreMinimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := cluster(&testing.T{}, 128, "n1/a n2/b n3/c n4/a")
		for i := range rapid.IntRange(1, 8).Draw(t, "steps") {
			c := drawChange(t, fold(&testing.T{}, h), i)
			d, err := Draft{}.Stage(h, "n1", []ouro.Change{c})
			if err != nil {
				continue // such as removing the last
			}
			p, err := d.Plan(h, "n1", Cost{})
			if err != nil {
				t.Fatal(err)
			}
			if p.Moved != p.Least {
				t.Fatalf("%v moves %d tokens, %d would do", p.Changes, p.Moved, p.Least)
			}
			changes, err := d.Commit(h, "n1", p.Version)
			if err != nil {
				t.Fatal(err)
			}
			if h, err = h.Issue(int64(i), "n1", changes...); err != nil {
				t.Fatal(err)
			}
			checkPlan(t, &p, fold(&testing.T{}, h))
		}
	})
}

func checkPlan(t *rapid.T, p *ouro.Plan, made *member.Cluster) {
	total := 0
	for _, m := range made.Members {
		total += max(m.Weight, 1)
	}
	for _, m := range p.Members {
		if own := made.Ring.Count(ring.NodeID(m.ID)); own != m.After {
			t.Fatalf("%s owns %d, planned were %d", m.ID, own, m.After)
		}
		if _, stays := made.Member(ring.NodeID(m.ID)); !stays {
			continue
		}
		if share := float64(p.Tokens*m.Weight) / float64(total); float64(m.After) <= share-1 || float64(m.After) >= share+1 {
			t.Fatalf("%s owns %d of %d, its share is %.2f", m.ID, m.After, p.Tokens, share)
		}
	}
	for _, m := range p.Moves {
		if !slices.Equal(m.To, texts(made.Ring.Preference(m.Partition, 3))) {
			t.Fatalf("planned %+v, made %v", m, made.Ring.Preference(m.Partition, 3))
		}
	}
}

func drawChange(t *rapid.T, now *member.Cluster, i int) ouro.Change {
	id := string(now.Members[rapid.IntRange(0, len(now.Members)-1).Draw(t, "which")].ID)
	fresh := fmt.Sprintf("x%d", i)
	zone := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "zone")
	switch rapid.IntRange(0, 5).Draw(t, "verb") {
	case 0:
		return ouro.Change{Verb: ouro.Join, Node: fresh, Addr: fresh + ":1", Zone: zone, Weight: rapid.IntRange(0, 3).Draw(t, "weight")}
	case 1:
		return verb(ouro.Leave, id)
	case 2:
		return verb(ouro.ForceRemove, id)
	case 3:
		return ouro.Change{Verb: ouro.Replace, Node: id, By: fresh, Addr: fresh + ":1", Zone: zone}
	case 4:
		return ouro.Change{Verb: ouro.Reweigh, Node: id, Weight: rapid.IntRange(1, 3).Draw(t, "weight")}
	default:
		return ouro.Change{Verb: ouro.Relabel, Node: id, Zone: zone}
	}
}

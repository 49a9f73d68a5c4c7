package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/listing"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/mutants"
)

// TestLists lists keys among faults and changes of the ring; more seeds are run by
// "ouro sim --lists --seeds".
func TestLists(t *testing.T) {
	for _, o := range []Options{{Lists: true, Ops: 600}, {Lists: true, Ops: 400, Ring: RingAlso}} {
		sum := Seeds(Many{From: 1, To: 6, Options: o})
		for i := range sum.Failed {
			t.Errorf("seed %d: %v\n%s", sum.Failed[i].Seed, sum.Failed[i].Violation, sum.Failed[i].Shape)
		}
		if s := &sum.Stats; s.History.Pages < 300 || s.Pages == s.History.Pages {
			t.Errorf("%d pages, %d of them complete", s.Pages, s.History.Pages)
		}
	}
}

// TestMutantsOfLists plants bugs in lists of keys:
//
//	OURO_MUTANTS=1 go test -run MutantsOfLists -timeout 30m ./internal/sim
func TestMutantsOfLists(t *testing.T) {
	const dir = "../core/listing"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "one replica fewer has to tell", Dir: dir, File: "listing.go", Test: "TestAsksAs|TestEveryOrder", Pkg: "../core/listing",
			Old: "	old, next = l.req.R, l.req.NextR\n", New: "	old, next = max(l.req.R-1, 1), l.req.NextR\n",
		},
		{
			Name: "who may have forgotten something counts", Dir: dir, File: "listing.go", Test: "TestEveryOrder", Pkg: "../core/listing",
			Old: "	case f.Recovering || f.Unreadable > 0:\n", New: "	case false:\n",
		},
		{
			Name: "what one replica knows to be deleted is listed for another", Dir: dir, File: "merge.go", Test: "TestListsTell",
			Old: "			merged, _ = causal.JoinStates(merged, s)\n", New: "			if len(s.Versions) > 0 {\n				merged = s\n			}\n",
		},
		{
			Name: "a page of too few says that it is complete", Dir: dir, File: "listing.go", Test: "TestLists$",
			Old: "Complete: why == \"\"", New: "Complete: true",
		},
		{
			Name: "a page goes beyond where a replica stopped", Dir: dir, File: "listing.go", Test: "TestEndsWhere", Pkg: "../core/listing",
			Old: "			page.Until = min(page.Until, h.found.Until)\n", New: "",
		},
	})
}

// TestListsTell is about what one replica missed while it was cut off: another that
// has to tell knows of it, whoever is asked; and without as many nothing is said to
// be complete (FIELD 2.14 #16).
func TestListsTell(t *testing.T) {
	w := newWorld(t, Config{})
	gone, fresh := ouro.Key{Bucket: "b", Name: "gone"}, ouro.Key{Bucket: "b", Name: "fresh"}
	put := must(t, w.Put("A", gone, text("1"), ouro.W(3)))
	w.Cut("A", "C")
	w.Cut("B", "C")
	must(t, w.Delete("A", gone, ouro.WithContext(put.Context), ouro.W(2)))
	must(t, w.Put("B", fresh, text("2"), ouro.W(2)))
	w.RunFor(3 * time.Second)
	if keys, complete := w.keysAt(t, "C", "b"); complete {
		t.Errorf("C alone says that %q is all", keys)
	}
	if keys, complete := w.keysAt(t, "A", "b"); !complete || fmt.Sprint(keys) != "[fresh]" {
		t.Errorf("A lists %q, complete: %v", keys, complete)
	}
	w.Heal("A", "C") // B stays away, and nothing has brought C up to date yet
	w.RunUntil(func() bool { return w.linkOf("C", "A").up && w.linkOf("A", "C").up })
	if keys, complete := w.keysAt(t, "C", "b"); complete && fmt.Sprint(keys) != "[fresh]" {
		t.Errorf("C lists %q and says that is all", keys)
	}
}

// keysAt lists the keys of a bucket at a node.
func (w *World) keysAt(t *testing.T, at ring.NodeID, bucket string) (keys []string, complete bool) {
	t.Helper()
	m := w.mustID(at)
	complete = true
	for part := range uint32(w.cfg.Q) {
		from, _ := node.Span(w.view(m).Ring, part)
		var page *listing.Page
		w.page(m, node.List{Partition: part, Bucket: bucket, From: from, Timeout: time.Second}, func(p *listing.Page) { page = p })
		if !w.RunUntil(func() bool { return page != nil }) {
			t.Fatalf("%s does not answer", at)
		}
		keys, complete = append(keys, page.Names...), complete && page.Complete
	}
	return keys, complete
}

package transfer_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants what would let a move end too early, or let go of what others
// lack.
func TestMutants(t *testing.T) {
	list := []mutants.Mutant{
		{Name: "who lacks something is a source", File: "job.go", Old: "		if !o.Lacking {\n", New: "		if true {\n"},
		{Name: "who failed is a source", File: "job.go", Old: "	case !o.Complete:\n", New: "	case !o.Complete:\n		j.sources = insert(j.sources, o.Peer)\n"},
		{Name: "what was compared is kept over a retry", File: "arrive.go", Old: "	goesOn := before != nil", New: "	if before != nil {\n		j.sources, j.sealed, j.done = before.sources, before.sealed, before.done\n	}\n	goesOn := before != nil"},
		{Name: "a proof is kept over a retry", File: "arrive.go", Old: "before.number == l.Number && before.disk", New: "before.disk"},
		{Name: "a comparison at another number counts", File: "transfer.go", Old: "j.with == o.Peer && j.number == o.Number", New: "j.with == o.Peer"},
		{Name: "one source too few", Dir: "../place", File: "gate.go", Old: "	return old - w + 1, old - r + 1", New: "	return old - w, old - r + 1"},
		{Name: "no seal", Dir: "../place", File: "gate.go", Old: "	return old - w + 1, old - r + 1", New: "	return old - w + 1, min(r, 0)"},
		{Name: "it goes before all have merged it", File: "leave.go", Old: "	if j.over() && j.going == 0 {", New: "	if j.going == 0 {"},
		{Name: "it goes though the list is another by now", File: "leave.go", Old: "before.number == number && slices.Equal", New: "slices.Equal"},
		{Name: "what did not go is forgotten", File: "leave.go", Old: "		t.held.add(p, b)\n", New: "		_ = b\n"},
		{Name: "what an aborted move brought stays", File: "arrive.go", Old: "	case began.Number != 0 && !began.Mixed && !goesOn:\n		t.clear(j.partition, before, c, e)\n", New: "	case began.Number != 0 && !began.Mixed && !goesOn:\n"},
		{Name: "what was on its way in another ring goes", File: "transfer.go", Old: "			a.Mixed = true\n", New: ""},
		{Name: "what was compared in another ring counts", File: "transfer.go", Old: "	t.arrivals, t.leavings = nil, nil\n	for _, a", New: "	for _, a"},
		{Name: "what was there before a move that was aborted goes", File: "leave.go", Old: " && !began.Mixed:\n", New: ":\n"},
		{Name: "what came at this number goes", File: "arrive.go", Old: "	case began.Number == j.number:\n		j.mixed, j.noted = began.Mixed, true\n		return\n", New: ""},
		{Name: "what was there before is taken for what came", File: "arrive.go", Old: "	default:\n		j.mixed = true\n	}\n	t.note(j, e)", New: "	}\n	t.note(j, e)"},
		{Name: "it is compared before the disk knows when it began", File: "job.go", Old: "j.with == \"\" && j.noting == 0 &&", New: "j.with == \"\" &&"},
		{Name: "a bucket's going takes all", File: "leave.go", Old: "len(t.held.of(partition)) == 0 && !l.Holds(c.Self()) {", New: "len(l.Old) > 0 {"},
		{Name: "a partition goes while it arrives", File: "leave.go", Old: " && !l.Holds(c.Self()) {", New: " && len(l.Old) > 0 {"},
		{Name: "all begin with the same", File: "arrive.go", Old: ") % uint64(len(others))", New: ") % 1"},
		{Name: "two comparisons of one partition at a time", File: "transfer.go", Old: " || slices.Contains(busy, j.partition):", New: ":"},
		{Name: "what can't be stored is taken for stored", File: "arrive.go", Old: "j.noting, j.noted = 0, a.Status == replica.Have", New: "j.noting, j.noted = 0, true"},
	}
	for i := range list {
		list[i].Test = "Test[^M]"
	}
	mutants.Run(t, list)
}

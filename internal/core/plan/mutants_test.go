package plan

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs that the tests must notice:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/core/plan
func TestMutants(t *testing.T) {
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "commits a plan made against another history", File: "draft.go", Test: "TestCommit",
			Old: "if v := Version(h); v != version {", New: "if v := Version(h); v == \"\" {",
		},
		{
			Name: "commits what makes no sense any more", File: "draft.go", Test: "TestCommit",
			Old: "	if _, err := d.still(h, at); err != nil {\n		return nil, err\n	}\n	return d.changes, nil", New: "	return d.changes, nil",
		},
		{
			Name: "blames what is staged now for what was staged before", File: "draft.go", Test: "TestCommit",
			Old: "if err != nil && len(d.changes) > 0 {", New: "if false {",
		},
		{
			Name: "stages the same twice", File: "draft.go", Test: "TestTheSameAgain",
			Old: "	return is == want\n", New: "	return false && is == want\n",
		},
		{
			Name: "stages the same once, whatever it is", File: "draft.go", Test: "TestTheSameAgain",
			Old: "	default:\n		return false\n	}\n	return is == want\n", New: "	}\n	return is == want\n",
		},
		{
			Name: "stages what makes no sense", File: "draft.go", Test: "TestRefusedVerbs",
			Old: "	if _, err := next.after(h, at); err != nil {\n		if", New: "	if _, err := next.after(h, at); err != nil && false {\n		if",
		},
		{
			Name: "stages some of the changes", File: "draft.go", Test: "TestRefusedVerbs",
			Old: "		if err != nil {\n			return d, err\n		}\n		if !slices", New: "		if err != nil {\n			return next, err\n		}\n		if !slices",
		},
		{
			Name: "stages without bound", File: "draft.go", Test: "TestRefusedVerbs",
			Old: "len(d.changes)+len(changes) > MaxStaged", New: "false",
		},
		{
			Name: "counts owners and not replicas", File: "plan.go", Test: "TestPlanOfAJoin",
			Old: "p.Lists = len(p.Moves)", New: "p.Lists = p.Moved",
		},
		{
			Name: "counts those who keep a partition as receivers", File: "plan.go", Test: "TestPlanOfAJoin|TestPlanOfAReplacement",
			Old: "if slices.Contains(from, id) {", New: "if false {",
		},
		{
			Name: "takes the slowest receiver's time for the sum", File: "plan.go", Test: "TestPlanOfAJoin",
			Old: "float64(slices.Max(receives))", New: "float64(receives[0])",
		},
		{
			Name: "forgets those who leave", File: "plan.go", Test: "TestPlansAreMinimal|TestForceRemove|TestMembersThatLeave",
			Old: "if _, stays := after.Member(m.ID); !stays {", New: "if false {",
		},
		{
			Name: "a zone may fail that holds the quorum", File: "guarantee.go", Test: "TestGuarantees|TestImpossible",
			Old: "if len(list)-crowded >= quorum {", New: "if crowded > 0 {",
		},
		{
			Name: "says nothing of one zone", File: "warning.go", Test: "TestImpossible",
			Old: "if len(c.Members) > 1 && len(zones) == 1 && n > 1 {", New: "if false {",
		},
		{
			Name: "says nothing of too few members", File: "warning.go", Test: "TestImpossible",
			Old: "len(after.Members)); s != \"\" {", New: "len(after.Members)); false {",
		},
		{
			Name: "one that leaves is taken for lost", File: "warning.go", Test: "TestForceRemove",
			Old: "for _, id := range after.Forced {", New: "for _, id := range after.Removed {",
		},
		{
			Name: "loses no write that w replicas held which all go", File: "warning.go", Test: "TestForceRemove",
			Old: "case b.W <= n:", New: "case b.W < n:",
		},
		{
			Name: "lets n of a bucket change", File: "bucket.go", Test: "TestBucketSettings",
			Old: "case b.N != old.N:", New: "case false:",
		},
		{
			Name: "lets the mode of a bucket change", File: "bucket.go", Test: "TestBucketSettings",
			Old: "case b.Mode() != old.Mode():", New: "case false:",
		},
		{
			Name: "defines again what is defined", File: "bucket.go", Test: "TestBucketSettings",
			Old: "c.Kind = member.Tune", New: "c.Kind = member.Define",
		},
		{
			Name: "founds a cluster where there is one", File: "verbs.go", Test: "TestInit",
			Old: "if h.Count() > 0 {", New: "if false {",
		},
	})
}

package causal_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants the rules about floors and exceptions that were found wrong,
// the first five as they once stood.
func TestMutants(t *testing.T) {
	const laws = "FloorModel|JoinUnderPruning"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "what falls in a join has decided it before", File: "join.go",
			Old: `		a, b = &x, &y
		report.Fell, report.Exceptions = fellX.actors+fellY.actors, fellX.exceptions+fellY.exceptions
	}
	s.Floor = a.Floor
	s.union(a.Claims, b.Claims)
	s.Versions = s.Versions[:0]
	s.survivors(a, b, &report)
	return report
`,
			New: `		_, _, _, _ = x, y, fellX, fellY
	}
	s.union(a.Claims, b.Claims)
	s.Versions = s.Versions[:0]
	s.survivors(a, b, &report)
	s.Floor = min(a.Floor, b.Floor)
	*s, _ = s.fall(max(a.Floor, b.Floor))
	return report
`,
			Test: laws,
		},
		{
			Name: "the entry of a version held stays whole", File: "prune.go",
			Old: "if e.Time > floor {", New: "if e.Time > floor || len(s.heldOf(e.Actor)) > 0 {",
			Test: "TwoRemovalsMeet|" + laws,
		},
		{
			Name: "exceptions outlive the floor", File: "prune.go",
			Old: "		if len(held) > 0 {\n", New: "		out.Exceptions = mergeDots(nil, out.Exceptions, beyond)\n		if len(held) > 0 || len(beyond) > 0 {\n",
			Test: laws,
		},
		{
			Name: "a context's exceptions do not date what is claimed", File: "state.go",
			Old: "		if !old.Covers(d) {\n			s.date(d.Actor, now)\n		}\n", New: "		_ = d\n",
			Test: laws,
		},
		{
			Name: "a removal is not dated", File: "state.go",
			Old: "			s.date(v.Dot.Actor, now)\n			removed++", New: "			removed++",
			Test: laws,
		},
		{
			Name: "a delete does only as much as there is room for", File: "room.go",
			Old: "if holds(r.old.Versions, d) {", New: "if false {",
			Test: laws,
		},
		{
			Name: "no room is made for exceptions", File: "room.go",
			Old: "			return\n		}\n		r.fallTo(t)\n", New: "			return\n		}\n		_ = t\n",
			Test: laws,
		},
		{
			Name: "a context tells anew what fell", File: "room.go",
			Old: "if e.N > s.N(e.Actor) || len(held) > 0 && held[0].Dot.N <= e.N {", New: "if _ = held; true {",
			Test: "H15|PruneAtThreshold",
		},
		{
			Name: "the oldest of a context's exceptions are taken", File: "claims.go",
			Old: "kept := byAge[len(byAge)-n:]", New: "kept := byAge[:n]",
			Test: "ContextIsCut|ContextIsBounded",
		},
		{
			Name: "what one write did claims more than its record", File: "alone.go",
			Old: "case e.N > 0 && e.N <= s.N(e.Actor):", New: "case e.N > 0:",
			Test: "Alone",
		},
		{
			Name: "what one write did has no floor", File: "alone.go",
			Old: "out := State{Floor: s.Floor}", New: "out := State{}",
			Test: "Alone",
		},
	})
}

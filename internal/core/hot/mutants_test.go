package hot

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs that must be noticed:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/core/hot
func TestMutants(t *testing.T) {
	const node, coord, host = "../node", "../coord", "../../host"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "a key may have one more than it may", File: "keys.go", Test: "TestCountsExactly",
			Old: "if n >= k.most {", New: "if n > k.most {",
		},
		{
			Name: "what has ended stays counted", File: "keys.go", Test: "TestCountsExactly",
			Old: "		delete(k.flights, at)\n", New: "",
		},
		{
			Name: "a key that takes a place begins at nothing", File: "sketch.go", Test: "TestSketchBounds",
			Old: "		c.at[i], c.entries[i] = key.Pos, entry{key: *key, over: c.n[i]}\n",
			New: "		c.at[i], c.entries[i] = key.Pos, entry{key: *key}\n		c.n[i] = 0\n",
		},
		{
			Name: "what a place had before is taken for the key's", File: "sketch.go", Test: "TestSketchBounds",
			Old: "entry{key: *key, over: c.n[i]}", New: "entry{key: *key}",
		},
		{
			Name: "any key makes room", File: "sketch.go", Test: "TestSketchBounds",
			Old: "		if n < c.n[least] {\n", New: "		if n > c.n[least] {\n",
		},
		{
			Name: "what was hot stays so", File: "sketch.go", Test: "TestForgets",
			Old: "	if old < generation {\n", New: "	if true {\n",
		},
		{
			Name: "silence is taken for a moment", File: "sketch.go", Test: "TestForgets",
			Old: "counts{began: now - generation}", New: "counts{began: now}",
		},
		{
			Name: "a key like all others is named", File: "keys.go", Test: "TestNamed",
			Old: "|| key.Rate*leastShare < all", New: "|| all < 0",
		},
		{
			Name: "what is refused for another reason stays counted", Dir: node, File: "request.go", Pkg: node, Test: "TestRefusedRequestsAreCountedNoMore",
			Old: "		n.hot.End(r.Key.Pos)\n", New: "",
		},
		{
			Name: "what is answered stays counted", Dir: node, File: "reply.go", Pkg: node, Test: "TestHotKeyIsShedAlone",
			Old: "		n.hot.End(s.common.Key.Pos)\n", New: "",
		},
		{
			Name: "who is refused is not told when to come back", Dir: node, File: "reply.go", Pkg: node, Test: "TestHotKeyIsShedAlone",
			Old: "err.Code == ouro.Overloaded || err.Code == ouro.HotKey", New: "err.Code == ouro.Overloaded",
		},
		{
			Name: "what is too much at one node goes to all others", Dir: coord, File: "forward.go", Pkg: node, Test: "TestHotForwardGoesToNobodyElse",
			Old: "(err.Code == ouro.Overloaded ||", New: "(err.Code == ouro.Overloaded || err.Code == ouro.HotKey ||",
		},
		{
			Name: "one key may fill the inbox", Dir: host, File: "inbox.go", Pkg: host, Test: "TestInboxShedsOneKeyAlone",
			Old: "	return b.waiting[at] >= b.most\n", New: "	return b.waiting[at] >= b.bound\n",
		},
		{
			Name: "what waited before it was counted counts for nothing", Dir: host, File: "inbox.go", Pkg: host, Test: "TestInboxShedsOneKeyAlone",
			Old: "				b.waiting[c.request.Key.Pos]++\n", New: "				_ = c\n",
		},
		{
			Name: "what was taken stays counted", Dir: host, File: "inbox.go", Pkg: host, Test: "TestInboxShedsOneKeyAlone",
			Old: "	b.weight, b.waiting = 0, nil\n", New: "	b.weight = 0\n",
		},
	})
}

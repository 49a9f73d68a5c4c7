package handoff

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs that must be noticed:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/core/handoff
func TestMutants(t *testing.T) {
	const orders = "TestEveryOrder"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "a record goes before its target has synced it", File: "handoff.go", Test: orders,
			Old: "	case a.Status == replica.Have && a.Durable && !a.Pending:\n", New: "	case a.Status == replica.Have && !a.Pending:\n",
		},
		{
			Name: "a record goes because another keeps it for others too", File: "handoff.go", Test: orders,
			Old: "	case a.Status == replica.Have && a.Durable && !a.Pending:\n", New: "	case a.Status == replica.Have && a.Durable:\n",
		},
		{
			Name: "a payment is for whatever is there", Dir: "../replica", File: "pending.go", Test: orders,
			Old: "	if a.Digest != c.op.Digest || len(left) == len(owed) {", New: "	if len(left) == len(owed) {",
		},
		{
			Name: "what is old goes at once", File: "flight.go", Test: orders,
			Old: "	if h.due(now, o) {\n", New: "	if h.due(now, o) {\n		return letGo, nil\n	}\n	if h.due(now, o) {\n",
		},
		{
			Name: "what is old goes when one other has it", File: "flight.go", Test: orders,
			Old: "const copies = 2", New: "const copies = 1",
		},
		{
			Name: "those that take it are not told who missed it", File: "flight.go", Test: orders,
			Old: "	if w == move || w == letGo {\n", New: "	if w == move {\n",
		},
		{
			Name: "the first of two acknowledgements is enough", File: "handoff.go", Test: orders,
			Old: "	if len(f.asked) == 0 {\n		h.pay(f, e)\n", New: "	if !f.paying {\n		h.pay(f, e)\n",
		},
		{
			Name: "the claim of a target that left goes to the first primary", File: "flight.go", Test: orders,
			Old: "		return inherit, slices.Clone(primaries)\n", New: "		return inherit, slices.Clone(primaries[:1])\n",
		},
		{
			Name: "a target that left is taken off before its claim is passed on", File: "flight.go", Test: orders,
			Old: "		op.Pending, op.Targets, op.Kept = true, asked, true\n		e.Ops = append(e.Ops, op)\n", New: "		h.pay(&f, e)\n",
		},
		{
			Name: "a target that left is asked for ever", File: "flight.go", Test: orders,
			Old: "	case serves && o.Target != p.Self() && h.ready(now, o.Target, p):\n", New: "	case o.Target != p.Self() && h.ready(now, o.Target, p):\n",
		},
		{
			Name: "the own storage is given up like a peer", File: "flight.go", Test: "TestOwnStorageIsWaitedFor",
			Old: "return !f.own() && f.sent+f.wait <= now.Mono", New: "return f.sent+f.wait <= now.Mono",
		},
		{
			Name: "who is slow is never waited for any longer", File: "flight.go", Test: "TestASlowTargetIsWaitedFor",
			Old: "	return h.cfg.Wait << min(failures, slowest)\n", New: "	return h.cfg.Wait << min(failures, 0)\n",
		},
		{
			Name: "nothing is looked for after a start", File: "handoff.go", Test: orders,
			Old: "	h := &Handoff{cfg: cfg, seq: cfg.First}\n", New: "	h := &Handoff{cfg: cfg, seq: cfg.First, next: never}\n",
		},
		{
			Name: "the youngest go first", File: "room.go", Test: "TestOldestGoFirst",
			Old: "h.room.short && o.Since <= h.room.cut", New: "h.room.short && o.Since >= h.room.cut",
		},
		{
			Name: "nothing goes for want of room", File: "room.go", Test: "TestOldestGoFirst",
			Old: " || h.room.short && o.Since <= h.room.cut", New: "",
		},
		{
			Name: "a slow target holds up the others", File: "walk.go", Test: "TestSlowTarget",
			Old: "	if until <= now.Mono && alone {\n", New: "	if until <= now.Mono && (alone || true) {\n",
		},
		{
			Name: "a node that failed gets all at once", File: "flight.go", Test: "TestProbe",
			Old: "		if t.failures > 0 {\n", New: "		if false {\n",
		},
		{
			Name: "a node that failed is asked again at once", File: "handoff.go", Test: "TestBackOff",
			Old: "	t.notBefore = now.Mono + wait\n", New: "",
		},
		{
			Name: "the same primaries are offered it for ever", File: "flight.go", Test: "TestOffersTakeTurns",
			Old: "primaries[(h.walks+i)%len(primaries)]", New: "primaries[i]",
		},
	})
}

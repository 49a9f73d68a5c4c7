package canary

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs that must be noticed:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/core/canary
func TestMutants(t *testing.T) {
	const host = "../../host"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "the node that wrote reads, too", File: "canary.go", Test: "TestRounds",
			Old: "	for c.round.reader == c.self {\n", New: "	for c.round.reader == \"\" {\n",
		},
		{
			Name: "two acts at a time", File: "canary.go", Test: "TestRounds",
			Old: "	if c.waiting || c.Deadline() > now.Mono {\n", New: "	if !c.waiting && c.Deadline() > now.Mono {\n",
		},
		{
			Name: "rounds follow each other at once", File: "canary.go", Test: "TestRounds",
			Old: "	c.next = now.Mono + c.cfg.Every\n", New: "	c.next = now.Mono\n",
		},
		{
			Name: "the read does not wait", File: "canary.go", Test: "TestRounds",
			Old: "		return c.round.acked + c.round.delay\n", New: "		return c.round.acked\n",
		},
		{
			Name: "writes are blind", File: "canary.go", Test: "TestRounds",
			Old: "	c.known[c.round.key.Name] = context\n", New: "	c.known[c.round.key.Name] = []byte{}\n",
		},
		{
			Name: "where others stood in counts as well", File: "canary.go", Test: "TestCounts",
			Old: "	if !r.whole || res.Primaries < r.r {\n", New: "	if res.Primaries < 0 {\n",
		},
		{
			Name: "a read counts by the delay that was drawn", File: "canary.go", Test: "TestCounts",
			Old: "		if d <= r.elapsed {\n", New: "		if d <= r.delay {\n",
		},
		{
			Name: "the context of a write that failed is used again", File: "canary.go", Test: "TestFailures",
			Old: "			delete(c.known, r.key.Name) // what is there is not known\n", New: "",
		},
		{
			Name: "keys that it does not hold are its own", File: "canary.go", Test: "TestKeysAreItsOwn",
			Old: "len(all) > 1 && slices.Contains(all, c.self)", New: "len(all) > 1",
		},
		{
			Name: "contexts gather", File: "canary.go", Test: "TestKeysAreItsOwn",
			Old: "		clear(c.known)\n", New: "",
		},
		{
			Name: "canaries count as clients", Dir: host, File: "store.go", Pkg: host, Test: "TestCanariesAreNoClients",
			Old: "	if r.Key.Bucket == canary.Bucket {\n", New: "	if r.Key.Bucket == canary.Bucket+\"s\" {\n",
		},
		{
			Name: "the own disk is taken for a peer", Dir: "../node", File: "staleness.go", Pkg: host, Test: "TestStalenessIsPredictedAndMeasured",
			Old: "		if t.ID != self {\n", New: "		if t.ID != \"\" {\n",
		},
		{
			Name: "who waits for all does not overlap", Dir: "../../telemetry", File: "staleness.go", Pkg: "../../telemetry", Test: "TestStalenessIsShown",
			Old: "		if p.R+p.W > measured.N {\n", New: "		if p.R+p.W > measured.N+1 {\n",
		},
		{
			Name: "counts of another n stay", File: "canary.go", Test: "TestAnotherN",
			Old: "	if c.n != len(all) {", New: "	if c.n == 0 {",
		},
		{
			Name: "a read that shows the one before is fresh", File: "canary.go", Test: "TestCounts",
			Old: "	stale := uint64(1)\n", New: "	stale := uint64(min(len(res.Values), 0))\n",
		},
	})
}

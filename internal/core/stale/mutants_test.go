package stale

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants bugs that must be noticed:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/core/stale
func TestMutants(t *testing.T) {
	const closed, monotone, decides, node = "TestPredictionIsTheClosedForm", "TestPredictionIsMonotone", "TestWhatDecides", "TestNodePredictsByWhatItMeasured"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "the last answer decides alone", File: "trial.go", Test: monotone,
			Old: "r == 0 || there < shown", New: "true",
		},
		{
			Name: "the answers come in the order of the replicas", File: "trial.go", Test: decides,
			Old: "cmp.Compare(order[a], order[b])", New: "0",
		},
		{
			Name: "a read is there at once", File: "trial.go", Test: decides,
			Old: "t[i].Write - t[i].Read;", New: "t[i].Write;",
		},
		{
			Name: "an acknowledgement is there at once", File: "trial.go", Test: decides,
			Old: "acked[i], order[i], first[i] = t[i].Write+t[i].Ack,", New: "acked[i], order[i], first[i] = t[i].Write,",
		},
		{
			Name: "a write is acknowledged by its replicas in their order", File: "trial.go", Test: closed,
			Old: "	slices.Sort(acked[:len(t)])\n", New: "",
		},
		{
			Name: "one more may be stale", File: "predict.go", Test: monotone,
			Old: "return late[may]", New: "return late[min(may+1, len(late)-1)]",
		},
		{
			Name: "a read in the moment in which a write is there is stale", File: "predict.go", Test: monotone,
			Old: "if by > after {", New: "if by >= after {",
		},
		{
			Name: "what was missed is missed by each of r alone", File: "quorum.go", Test: "TestMissed",
			Old: "float64(n-i)", New: "float64(n)",
		},
		{
			Name: "a spread is drawn from by step, not by how often", File: "spread.go", Test: "TestSpreadDraws",
			Old: "	i, found := slices.BinarySearchFunc(s.steps, at,", New: "	at = at % uint64(len(s.steps))\n	i, found := slices.BinarySearchFunc(s.steps, at,",
		},
		{
			Name: "a write takes as long there as a read takes there and back", File: "node.go", Test: node,
			Old: "t[i].Write, _ = p.Reads.split(r)", New: "t[i].Write = p.Reads.Draw(r)",
		},
		{
			Name: "of what a round trip takes longer half is the way there", File: "node.go", Pkg: "../../sim", Test: "TestPredictedStalenessIsMeasured",
			Old: "least/2 + time.Duration(r.Int64N(int64(all-least)+1))", New: "(all + 0*least) / 2",
		},
		{
			Name: "what syncs take longer is split as ways are", File: "node.go", Test: "TestSyncsThatVary",
			Old: "		p.power = 1/share - 1\n", New: "		_ = share\n",
		},
		{
			Name: "the read is done where the write was", File: "node.go", Test: node,
			Old: "t[1].Read, t[1].Answer = 0, m.Own.Reads.Draw(r)", New: "t[0].Read, t[0].Answer = 0, 0",
		},
		{
			Name: "always the same peer is drawn first", File: "node.go", Test: node,
			Old: "i := drawn + r.IntN(len(peers)-drawn)", New: "i := drawn + 0*r.IntN(2)",
		},
	})
}

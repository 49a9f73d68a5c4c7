package steward_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

// TestMutants plants what would let a node forget, or act on what it does not know:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/core/steward
func TestMutants(t *testing.T) {
	const sim, grows = "../../sim", "TestAClusterGrowsAndShrinks"
	mutants.Run(t, []mutants.Mutant{
		{
			Name: "two batches are under way at a time", File: "store.go", Test: "TestNotesAreStoredOneBatchAtATime",
			Old: "if t.flight != nil || len(t.marked) == 0 {", New: "if len(t.marked) == 0 {",
		},
		{
			Name: "the list of members goes over the disk", File: "view.go", Test: "TestHistoryOnDiskGoesOverTheFoundingList",
			Old: "if kept.History.Len() == 0 && s.cfg.Founding.Len() > 0 {", New: "if s.cfg.Founding.Len() > 0 {",
		},
		{
			Name: "disks that were seen before the founding are forgotten", File: "steward.go", Test: "TestWhoWasLinkedToBefore",
			Old: "s.up[l.Peer], s.disks[l.Peer] = true, l.Disk", New: "s.up[l.Peer] = true",
		},
		{
			Name: "a newcomer whose placement comes last counts nobody", File: "chain.go", Test: "TestANewcomerTellsItsEpochWhateverCameFirst",
			Old: "	s.dial(out)\n	s.count(now)\n}\n\n// target", New: "	s.dial(out)\n}\n\n// target",
		},
		{
			Name: "who was linked to before is told no epoch", File: "epochs.go", Test: "TestANewcomerTellsItsEpochWhateverCameFirst",
			Old: "if s.up[id] && !slices.Contains(before, id) {", New: "if false && !slices.Contains(before, id) {",
		},
		{
			Name: "a checkpoint is made without those who are away", File: "checkpoint.go", Pkg: sim, Test: "TestNoCheckpointWhileAMemberIsAway",
			Old: "h.Len() > s.cfg.CheckpointAfter && s.agreed()", New: "h.Len() > s.cfg.CheckpointAfter",
		},
		{
			Name: "a history is as long as it is", File: "checkpoint.go", Pkg: sim, Test: "TestRules_R38_TheHistoryIsFolded",
			Old: "		s.gossip.Checkpoint(p.Checkpoint().Digest, &s.gossips)\n", New: "",
		},
		{
			Name: "removed ids are not in a checkpoint", Dir: "../member", File: "checkpoint.go", Pkg: sim, Test: "TestRules_R38_TheHistoryIsFolded",
			Old: "Removed: f.cluster.Removed, ", New: "",
		},
		{
			Name: "a disk that the links do not know goes on", File: "view.go", Test: "TestWhoForgot",
			Old: "s.view.Unnamed() && !s.cfg.Recovering", New: "false",
		},
		{
			Name: "a node is taken out before it has handed on", File: "chain.go", Pkg: sim, Test: "TestALeaverStaysUntilItHasHandedOn",
			Old: "return c.Number != p.Number() || c.LeftOver > 0 || c.Hints", New: "return false",
		},
		{
			Name: "proofs are not passed on", File: "chain.go", Pkg: sim, Test: grows,
			Old: "			s.chain.Ready(now, in.Partition, in.Proofs, &s.links)\n", New: "",
		},
		{
			Name: "who has joined is not dialled", File: "dial.go", Pkg: sim, Test: grows,
			Old: "			add(s.cluster.Members[i].ID)\n", New: "			_ = i\n",
		},
		{
			Name: "who was met is not dialled", File: "dial.go", Test: "TestWhoeverWasMetIsDialled",
			Old: "	for _, p := range s.book {\n		try(p.ID)\n", New: "	for range s.book {\n",
		},
		{
			Name: "links of who is out are left", File: "dial.go", Test: "TestLinksOfWhoIsOutEnd",
			Old: "		s.gone, s.dialled = n, false\n", New: "		s.gone = n\n",
		},
		{
			Name: "epochs of another ring are taken along", File: "view.go", Pkg: sim, Test: "TestRingsFormedApartMergeThroughFaults",
			Old: "			s.epochs.Anew(&s.reaping)\n", New: "",
		},
		{
			Name: "a node that lost its links founds what it hears of", File: "view.go", Test: "TestWhatAnOperatorFounded",
			Old: "	return s.cfg.Linked && h.Len() > 0", New: "	return false && h.Len() > 0",
		},
		{
			Name: "who was merged follows any chain", File: "view.go", Pkg: sim, Test: "TestPaper_4_8_2_RingsFormedApartMerge",
			Old: "	cfg.Origin = s.origin\n", New: "",
		},
		{
			Name: "a change is acknowledged before it is on disk", File: "operate.go", Test: "TestACommitIsAnsweredWhenItIsOnDisk",
			Old: "if i.seq > s.written {", New: "if false {",
		},
	})
}

package steward_test

import (
	"regexp"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/steward"
)

// TestRefusalsNameNoPackage: what an operator is told is about the cluster, not about
// the program.
func TestRefusalsNameNoPackage(t *testing.T) {
	s, _ := begun(t, steward.Config{Founding: founding(t, "a", "b")}, steward.Disk{})
	stage := func(c ouro.Change) steward.Input { return &steward.Stage{ID: 1, Changes: []ouro.Change{c}} }
	byHand, _ := begun(t, steward.Config{}, steward.Disk{})
	pkg := regexp.MustCompile(`(^|: )(ring|member|plan|place|chain|gossip|steward): `)
	for name, c := range map[string]struct {
		s  *steward.Steward
		in steward.Input
	}{
		"an id of other characters":       {s, stage(ouro.Change{Verb: ouro.Join, Node: "c d", Addr: "c:1"})},
		"a zone with a space":             {s, stage(ouro.Change{Verb: ouro.Join, Node: "c", Addr: "c:1", Zone: "z z"})},
		"an id to be replaced":            {s, stage(ouro.Change{Verb: ouro.Replace, Node: "b b", By: "c", Addr: "c:1"})},
		"a weight too great":              {s, stage(ouro.Change{Verb: ouro.Reweigh, Node: "a", Weight: ring.MaxWeight + 1})},
		"a restart without the own node":  {s, &steward.Restart{ID: 1, Lost: []ring.NodeID{"a"}}},
		"a restart without who never was": {s, &steward.Restart{ID: 1, Lost: []ring.NodeID{"x"}}},
		"a restart of what is no cluster": {byHand, &steward.Restart{ID: 1}},
	} {
		replies, _ := done(c.s, c.in)
		switch {
		case len(replies) != 1 || replies[0].Err == nil:
			t.Errorf("%s: %+v", name, replies)
		case pkg.MatchString(replies[0].Err.Error()):
			t.Errorf("%s: %v", name, replies[0].Err)
		}
	}
}

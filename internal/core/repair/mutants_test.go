package repair_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

func TestMutants(t *testing.T) {
	list := []mutants.Mutant{
		{
			Name: "what is marked is compared while it is paused", File: "turns.go", Test: "TestPause",
			Old: "	if r.cfg.Off || r.paused || r.inTurn()", New: "	if r.cfg.Off || r.inTurn()",
		},
		{
			Name: "what is under way goes on while it is paused", File: "repair.go", Test: "TestPause",
			Old: "on && i >= 0; i-- {", New: "on && i > 99; i-- {",
		},
		{
			Name: "a comparison only pulls", File: "exchange.go",
			Old: "		if a.Digest != f.theirs {", New: "		if false {",
		},
		{
			Name: "a comparison only gives", File: "exchange.go",
			Old: "		if f.there && !t.out.Push {\n			r.do(now, t, f, fetching", New: "		if f.there && !f.here {\n			r.do(now, t, f, fetching",
		},
		{
			Name: "what was fetched is given back in place of what came of it", File: "exchange.go",
			Old: "			r.do(now, t, f, joining, replica.Op{Verb: replica.Join, State: a.State, Stamp: a.Stamp}, e)",
			New: "			r.do(now, t, f, giving, replica.Op{Verb: replica.Join, State: a.State, Stamp: a.Stamp}, e)",
		},
		{
			Name: "a key that only the peer has is left", File: "compare.go",
			Old: "		case o > 0:\n			visit(nil, &b[0])", New: "		case o > 0:",
		},
		{
			Name: "pages after the first are not looked at", File: "talk.go",
			Old: "	case t.moreKeys != \"\":", New: "	case false:",
		},
		{
			Name: "roots after the first page are not looked at", File: "talk.go",
			Old: "	case t.moreRoots != \"\":", New: "	case false:",
		},
		{
			Name: "a page is walked beyond where the other ends", File: "compare.go",
			Old: "if n := t.theirs.Next; n != \"\" && (!more || replica.BucketOrder(n, limit) < 0) {", New: "if n := t.theirs.Next; n != \"\" && !more {",
		},
		{
			Name: "one side's page is enough", File: "compare.go",
			Old: "limit == nil || replica.KeyOrder(&k, limit) < 0 {", New: "limit == nil || replica.KeyOrder(&k, limit) > 0 {",
		},
		{
			Name: "it is complete though keys are on their way", File: "exchange.go",
			Old: "	return len(t.keys) > 0 || len(t.flights) > 0\n", New: "	return len(t.keys) > 0\n",
		},
		{
			Name: "an answer to another question is taken", File: "talk.go",
			Old: "!t.asking || f.ID != id ||", New: "!t.asking || id == 0 && f.ID != id ||",
		},
		{
			Name: "buckets of others are exchanged", File: "compare.go",
			Old: "within && t.about(a.Bucket, p)", New: "within",
		},
		{
			Name: "a key that can't be exchanged is passed over in silence", File: "exchange.go",
			Old: "	t.wrong = words\n", New: "",
		},
		{
			Name: "nobody is told that the peer is recovering", File: "talk.go",
			Old: "t.out.Recovering = t.out.Recovering || t.theirs.Recovering", New: "t.out.Recovering = t.out.Recovering",
		},
		{
			Name: "the stamp of a state is lost", File: "exchange.go",
			Old: "joining, replica.Op{Verb: replica.Join, State: a.State, Stamp: a.Stamp}", New: "joining, replica.Op{Verb: replica.Join, State: a.State}",
		},
		{
			Name: "states are exchanged as fast as they come", File: "exchange.go",
			Old: "t.paced = now.Mono+burst < *r.freeAt(t)", New: "t.paced = false",
		},
		{
			Name: "silence is waited out for ever", File: "repair.go",
			Old: "t.oldest()+r.cfg.Wait <= now.Mono", New: "false && t.oldest() < now.Mono",
		},
		{
			Name: "a mark made meanwhile is taken back", File: "pairs.go",
			Old: "	if p.again {\n		return\n	}\n", New: "",
		},
		{
			Name: "a failed comparison takes the mark back", File: "pairs.go",
			Old: "now.Mono+r.backOff(&p.failures)\n		return\n", New: "now.Mono+r.backOff(&p.failures)\n",
		},
		{
			Name: "a comparison under way is taken for the one asked for", File: "turns.go",
			Old: "		case talks < r.cfg.Talks && r.talkAbout(w.Mark) == nil:", New: "		case r.talkAbout(w.Mark) != nil:\n			r.talkAbout(w.Mark).out.Asked = true\n		case talks < r.cfg.Talks:",
		},
		{
			Name: "marked partitions wait for their turn", File: "turns.go",
			Old: "	if next := r.last + r.cfg.Every; i < 0 && now.Mono < next {", New: "	if next := r.last + r.cfg.Every; now.Mono < next {",
		},
		{
			Name: "a comparison is not fenced", File: "talk.go",
			Old: "	case n == 0 || t.theirs == nil:\n", New: "	case true:\n		t.out.Known = n != 0\n",
		},
		{
			Name: "this node goes on and its comparisons with it", File: "repair.go",
			Old: "		return p.Number(w.Partition) == w.Number\n", New: "		return true\n",
		},
		{
			Name: "who leaves takes what others have", File: "compare.go",
			Old: "(d.here || !t.out.Push)", New: "true",
		},
		{
			Name: "what moves goes as fast as what is compared in turn", File: "pace.go",
			Old: "	if t.out.Number != 0 {\n		rate = r.cfg.MoveRate\n	}\n", New: "",
		},
		{
			Name: "what moved slowly holds up what may go faster", File: "pace.go",
			Old: "	r.moveAt = rescaled(now, r.moveAt, r.cfg.MoveRate, c.MoveRate)\n", New: "",
		},
		{
			Name: "whenever lists change the turns begin anew", File: "repair.go",
			Old: "		r.at, _ = r.find(next)\n", New: "		_ = next\n",
		},
		{
			Name: "one that is silent is asked again as if it were not", File: "peers.go",
			Old: "		p.after = now.Mono + r.backOff(&p.silences)\n", New: "",
		},
		{
			Name: "an operator waits for one that was silent", File: "repair.go",
			Old: "			r.peer(pr.Peer).trust()\n", New: "",
		},
		{
			Name: "what both come to hold is taken for as old as the node", File: "repair.go",
			Old: "pair{Mark: m, since: now.Mono}", New: "pair{Mark: m}",
		},
		{
			Name: "what agreed is taken for what never did", File: "pairs.go",
			Old: ", p.since = 0, t.wall, t.out.Began\n", New: ", p.since = 0, t.wall, p.since\n",
		},
		{
			Name: "a clock that is put back makes it seem well", File: "pairs.go",
			Old: "	w := now.Mono - p.since\n", New: "	w := now.Mono - p.since\n	if p.agreed != 0 {\n		w = 0\n	}\n",
		},
		{
			Name: "heavy states are exchanged as many at a time as light ones", File: "pace.go",
			Old: ", t.came+1, r.cfg.Weight/max(t.weight, 1)), 1)", New: ", t.came+1), 1)",
		},
		{
			Name: "many are asked for before one has come", File: "pace.go",
			Old: "min(window, t.came+1, r", New: "min(window, r",
		},
		{
			Name: "what fails all the time leaves no turn", File: "turns.go",
			Old: "	if r.passed++; i < 0 || r.passed > markedBy {", New: "	if r.passed++; i < 0 {",
		},
		{
			Name: "one who is not there is compared with", File: "turns.go",
			Old: "!pr.marked && p.Usable(pr.Peer) && r", New: "!pr.marked && r",
		},
	}
	for i := range list {
		list[i].Test = "Test[^M]|TestM[^u]"
	}
	mutants.Run(t, list)
}

package scrub_test

import (
	"testing"

	"github.com/ourodb/ouro/internal/mutants"
)

func TestMutants(t *testing.T) {
	const scrub = "scrub.go"
	list := []mutants.Mutant{
		{Name: "as fast as it may", File: scrub, Old: "	if s.hurry || left <= 0 {", New: "	if true {"},
		{Name: "no bound on the rate", File: scrub, Old: "int(min(float64(s.cfg.Rate), max(need, least)))", New: "int(max(need, least, float64(s.cfg.Rate)))"},
		{Name: "a round follows another at once", File: scrub, Old: "		if wait := s.rest(now); wait > 0 {", New: "		if wait := s.rest(now); false {"},
		{Name: "the place is forgotten", File: scrub, Old: "s.walking, s.place, s.round, s.last = n.walking, n.place, n.round, n.last", New: "s.walking, s.round, s.last = n.walking, n.round, n.last"},
		{Name: "the place is noted once", File: scrub, Old: "if s.noted != 0 && now.Mono-s.noted < noteEvery {", New: "if s.noted != 0 {"},
		{Name: "a late round is not hurried", File: scrub, Old: "left := s.cfg.Within/2 - s.passed(now)", New: "left := s.cfg.Within*4"},
		{Name: "what can't be read holds it up for ever", File: scrub, Old: "	if s.failures < tries {\n", New: "	if true {\n"},
		{Name: "what can't be read once is skipped", File: scrub, Old: "	if s.failures < tries {\n", New: "	if false {\n"},
		{Name: "a pause is none", File: scrub, Old: "	if s.off || s.looking {\n", New: "	if s.looking {\n"},
		{Name: "a round that was asked for goes on where it was", File: scrub, Old: "	case s.restart:\n		s.restart = false\n		s.begin(now)\n", New: ""},
		{Name: "findings are not passed on", File: scrub, Old: "	e.Rotten = append(e.Rotten, f.Rotten...)\n", New: ""},
		{Name: "a busy node is not spared", File: scrub, Old: "	case busy:\n", New: "	case false:\n"},
		{Name: "a note is believed that is not whole", File: "note.go", Old: "	if !whole {\n", New: "	if !whole && len(b) == 0 {\n"},
	}
	for i := range list {
		list[i].Test = "Test[^M]"
	}
	mutants.Run(t, list)
}

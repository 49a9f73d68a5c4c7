package host

import (
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/node"
)

// survey looks at what is stored of partitions, for a comparison.
func (s *shard) survey(now clock.Now) {
	if len(s.out.Surveys) == 0 {
		return
	}
	for i := range s.out.Surveys {
		s.disk.Survey(now, &s.out.Surveys[i], &s.out.Facts)
	}
	clear(s.out.Surveys)
	s.out.Surveys = s.out.Surveys[:0]
	if err := s.disk.Err(); err != nil {
		s.host.fail(err)
	}
	s.founds()
}

// founds passes on what was found and may be shown. It comes back through the
// inbox, so that a long comparison takes turns with everything else.
func (s *shard) founds() {
	s.disk.Founds(&s.found)
	for i := range s.found {
		s.in.force(item{input: &node.Found{Found: s.found[i]}, queued: time.Since(s.host.started)})
	}
	clear(s.found)
	s.found = s.found[:0]
}

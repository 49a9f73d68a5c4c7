package listing

import (
	"slices"
	"strings"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/typed"
)

// merge returns the names that a read of those who told would show something of,
// up to a position.
func (l *Listing) merge(now clock.Now, all []*replica.Found, until uint64) []string {
	type named struct {
		key   ring.Key
		state []byte
	}
	var told []named
	for _, f := range all {
		for i := range f.Names {
			key := ring.NewKey(l.req.Bucket, f.Names[i].Name)
			if key.Pos.Hi >= l.req.From && key.Pos.Hi <= until {
				told = append(told, named{key, f.Names[i].State})
			}
		}
	}
	slices.SortStableFunc(told, func(a, b named) int { return replica.KeyOrder(&a.key, &b.key) })
	var names []string
	for i := 0; i < len(told); {
		var merged causal.State
		j := i
		for ; j < len(told) && told[j].key.Name == told[i].key.Name; j++ {
			s, err := causal.DecodeState(told[j].state)
			if err != nil {
				continue // its checksum held, so the sender is of another make; what others tell counts
			}
			merged, _ = causal.JoinStates(merged, s)
		}
		if l.shows(&merged, now.Wall) {
			names = append(names, strings.Clone(told[i].key.Name)) // what was told may be large
		}
		i = j
	}
	return names
}

// shows says whether a client that reads a state is shown anything.
func (l *Listing) shows(s *causal.State, wall int64) bool {
	if l.req.Types {
		return len(typed.Show(s, wall, nil)) > 0
	}
	if l.req.LWW {
		latest, ok := s.Latest()
		return ok && latest.Shown(wall)
	}
	return slices.ContainsFunc(s.Versions, func(v causal.Version) bool { return v.Shown(wall) })
}

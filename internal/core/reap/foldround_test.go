package reap_test

import (
	"encoding/binary"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// round is a round of folding at a node: what it is at, what it was told, and what it
// folds.
type round struct {
	phase step
	link  uint8 // the ring it began under
	told  [2]seen
	dots  uint16 // those to be folded, as [folds.rounds] numbers them
	needs uint8  // the floor from which on it asks again
}

type step uint8

const (
	idle    step = iota
	looking      // asks for the first time
	growing      // waits for an epoch
	asking       // asks again
	folding      // its own storage is to fold
)

// survey is a real reaper at one of the primaries.
type survey struct {
	f    *folds
	r    *reap.Reaper
	m    members
	at   uint8
	e    reap.Effects
	ops  []replica.Op // at the own storage
	asks []reap.Ask
}

// survey begins a round at a primary, by a ring: in 0 A is the first, in 1 B.
func (f *folds) survey(at, link uint8) *survey {
	s := &survey{f: f, at: at, m: members{[]ring.NodeID{ids[link], ids[1-link]}}}
	s.r = reap.NewReaper(reap.Config{Delay: time.Nanosecond, Shares: 1}, ids[at])
	s.r.Found(exploreNow, []replica.Mortal{{Key: exploreKey}}, s.m)
	s.tick()
	return s
}

func (s *survey) tick() {
	later := exploreNow
	later.Mono += time.Millisecond
	s.r.Tick(later, s.m, &s.e)
	s.ops, s.asks = append(s.ops[:0], s.e.Ops...), append(s.asks[:0], s.e.Asks...)
	s.e.Reset()
}

// answer tells it what A and B hold.
func (s *survey) answer(told [2]seen) {
	own, asks := s.ops, s.asks
	if len(own) != 1 || len(asks) != 1 {
		s.f.t.Fatalf("%d and %d are asked", len(own), len(asks))
	}
	for x, id := range map[uint8]uint64{s.at: own[0].ID, 1 - s.at: asks[0].Op.ID} {
		a := replica.Answer{ID: id, Verb: replica.Fold, Status: replica.Have, State: s.f.states.bytes(told[x].state), Stamp: uint64(told[x].stamp)}
		if told[x].state == 0 {
			a.Status, a.State = replica.Absent, nil
		}
		if b := s.f.actors.bytes(told[x].alive); b != nil {
			a.Dot = causal.Dot{Actor: causal.Actor{Run: binary.BigEndian.Uint64(b), Life: binary.BigEndian.Uint64(b[8:])}, N: 1}
		}
		s.r.Answer(exploreNow, ids[x], &a, s.m, &s.e)
	}
	s.ops, s.asks = append(s.ops[:0], s.e.Ops...), append(s.asks[:0], s.e.Asks...)
	s.e.Reset()
}

// grows lets the floor rise until it asks again, and returns where that is; 0: it does
// not.
func (s *survey) grows() uint8 {
	for floor := range uint8(2 * lowest) {
		s.r.Stand(exploreNow, uint64(floor))
		if s.tick(); len(s.ops) > 0 {
			return floor
		}
	}
	return 0
}

// fold is the operation by which its own storage is to fold, if there is any by now.
func (s *survey) fold() *replica.Op {
	for i := range s.ops {
		if s.ops[i].Verb == replica.Fold && len(s.ops[i].Dots) > 0 {
			return &s.ops[i]
		}
	}
	return nil
}

// begins says whether a primary has any round, by a ring.
func (f *folds) begins(at, link uint8) bool {
	return once(f, [2]uint8{at, link}, func() bool { return len(f.survey(at, link).ops) > 0 })
}

// looked is the round after the first answers.
func (f *folds) looked(at, link uint8, told [2]seen) round {
	return once(f, struct {
		string
		at, link uint8
		told     [2]seen
	}{"looked", at, link, told}, func() round {
		s := f.survey(at, link)
		s.answer(told)
		needs := s.grows()
		if needs == 0 {
			return round{}
		}
		op := s.fold()
		if op == nil {
			for x := range told {
				told[x].stamp = 2 * lowest
			}
			s.answer(told)
			op = s.fold()
		}
		if op == nil {
			f.t.Fatal("what all hold is not folded")
		}
		key := []byte{at, link}
		for _, d := range op.Dots {
			key = append(key, d.String()...)
		}
		dots := f.rounds.number(key)
		if int(dots) == len(f.witness) {
			f.witness = append(f.witness, round{told: told})
		}
		return round{phase: growing, link: link, dots: dots, needs: needs}
	})
}

// again is a reaper that is about to ask again in a round.
func (f *folds) again(at uint8, r round) *survey {
	told := f.witness[r.dots].told
	for x := range told {
		told[x].stamp = ancient
	}
	beyond := f.looked(at, r.link, told).needs - ancient // how far the floor must be beyond the votes
	for x := range told {
		told[x].stamp = r.needs - beyond
	}
	s := f.survey(at, r.link)
	s.answer(told)
	if s.grows() == 0 {
		f.t.Fatal("it does not ask again")
	}
	return s
}

// settled says whether it folds after the second answers. Where it does not ask, it does
// whatever they are.
func (f *folds) settled(at uint8, r round) bool {
	return once(f, struct {
		string
		uint8
		r round
	}{"settled", at, r}, func() bool {
		s := f.again(at, r)
		if s.fold() == nil {
			s.answer(r.told)
		}
		return s.fold() != nil
	})
}

// applied is the record of the first primary after it was told to fold.
func (f *folds) applied(p place, r round) uint16 {
	return once(f, struct {
		p     place
		dots  uint16
		needs uint8
	}{p, r.dots, r.needs}, func() uint16 {
		s := f.again(p.node, r)
		if s.fold() == nil {
			told := f.witness[r.dots].told
			for x := range told {
				told[x].stamp = 2 * lowest
			}
			s.answer(told)
		}
		op := s.fold()
		res := f.replica(p).Do(exploreNow, f.records.bytes(p.record), op, nil)
		return f.stored(p, res)
	})
}

// voids says whether a change of the ring ends a round that is at some step.
func (f *folds) voids(at uint8, r round) bool {
	return once(f, struct {
		uint8
		round
	}{at, round{phase: r.phase, link: r.link, dots: r.dots}}, func() bool {
		if r.phase == looking {
			s := f.survey(at, r.link)
			s.r.Changed(exploreNow, func(uint32) bool { return true })
			return !s.r.Answer(exploreNow, ids[at], &replica.Answer{ID: s.ops[0].ID, Verb: replica.Fold, Status: replica.DontKnow}, s.m, &s.e)
		}
		told := f.witness[r.dots].told
		s := f.survey(at, r.link)
		s.answer(told)
		if r.phase == asking {
			s.grows()
		}
		own := s.ops
		s.r.Changed(exploreNow, func(uint32) bool { return true })
		if r.phase == asking && len(own) > 0 {
			return !s.r.Answer(exploreNow, ids[at], &replica.Answer{ID: own[0].ID, Verb: replica.Fold, Status: replica.DontKnow}, s.m, &s.e)
		}
		if s.grows() == 0 { // it looks anew
			return true
		}
		s.answer(told)
		return s.fold() == nil
	})
}

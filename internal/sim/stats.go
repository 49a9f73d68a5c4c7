package sim

import (
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/sim/history"
)

// Stats counts what happened in one world, or in many.
type Stats struct {
	Events  int           `json:"events"`
	Virtual float64       `json:"virtual_seconds"`
	Faults  Faults        `json:"faults"`
	Repairs int           `json:"repairs"`
	Late    int           `json:"late_answers"`
	Known   int           `json:"retries_recognised"`
	Forward int           `json:"forwards"`
	Pruned  int           `json:"prunings"`
	Loose   int           `json:"runs_that_pruned"` // in which siblings were judged less strictly
	History history.Stats `json:"history"`
}

// Faults counts the faults injected, by kind.
type Faults struct {
	Crashes    int `json:"crashes"`
	PowerCuts  int `json:"power_cuts"` // all nodes at once
	Pauses     int `json:"pauses"`
	ClockJumps int `json:"clock_jumps"`
	Wipes      int `json:"wiped_disks"`
	Stalls     int `json:"stalled_disks"`
	SyncErrors int `json:"sync_errors"`
	WriteFails int `json:"failing_writes"`
	ReadFails  int `json:"failing_reads"`
	Cuts       int `json:"cuts"`
	OneWay     int `json:"one_way_cuts"`
	Clogs      int `json:"clogs"`
	Slow       int `json:"slow_nodes"`
	Lost       int `json:"frames_lost"`
	Unsent     int `json:"frames_cut"`
	Duplicated int `json:"frames_duplicated"`
	LinksLost  int `json:"links_lost"`
}

// Injected returns the number of all faults that were injected on purpose,
// frames counted one by one.
func (f *Faults) Injected() int {
	return f.Crashes + f.PowerCuts + f.Pauses + f.ClockJumps + f.Wipes + f.Stalls + f.SyncErrors + f.WriteFails +
		f.ReadFails + f.Cuts + f.OneWay + f.Clogs + f.Slow + f.Lost + f.Duplicated
}

// Add adds the counts of o.
func (s *Stats) Add(o *Stats) {
	s.Events += o.Events
	s.Virtual += o.Virtual
	s.Repairs += o.Repairs
	s.Late += o.Late
	s.Known += o.Known
	s.Forward += o.Forward
	s.Pruned += o.Pruned
	s.Loose += o.Loose
	s.History.Add(o.History)
	s.Faults.add(&o.Faults)
}

func (f *Faults) add(o *Faults) {
	f.Crashes += o.Crashes
	f.PowerCuts += o.PowerCuts
	f.Pauses += o.Pauses
	f.ClockJumps += o.ClockJumps
	f.Wipes += o.Wipes
	f.Stalls += o.Stalls
	f.SyncErrors += o.SyncErrors
	f.WriteFails += o.WriteFails
	f.ReadFails += o.ReadFails
	f.Cuts += o.Cuts
	f.OneWay += o.OneWay
	f.Clogs += o.Clogs
	f.Slow += o.Slow
	f.Lost += o.Lost
	f.Unsent += o.Unsent
	f.Duplicated += o.Duplicated
	f.LinksLost += o.LinksLost
}

// fact counts what the core states.
func (s *Stats) fact(f *fact.Fact) {
	switch f.Kind {
	case fact.Repaired:
		s.Repairs++
	case fact.Late:
		s.Late++
	case fact.Known:
		s.Known++
	case fact.Forwarded:
		s.Forward++
	case fact.Pruned:
		s.Pruned++
	}
}

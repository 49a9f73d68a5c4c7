package sim

import (
	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/sim/history"
)

// Stats counts what happened in one world, or in many.
type Stats struct {
	Events      int           `json:"events"`
	Virtual     float64       `json:"virtual_seconds"`
	Faults      Faults        `json:"faults"`
	Repairs     int           `json:"repairs"`
	RepairsLeft int           `json:"repairs_left"`
	Late        int           `json:"late_answers"`
	Known       int           `json:"retries_recognised"`
	Forward     int           `json:"forwards"`
	Hinted      int           `json:"hints"`
	Handed      int           `json:"hints_handed_over"`
	LetGo       int           `json:"hints_let_go"` // too old, or too much
	Suspect     int           `json:"suspicions"`
	Hedged      int           `json:"hedged_reads"`
	Agreed      int           `json:"comparisons"`
	Apart       int           `json:"failed_comparisons"`
	Moved       int           `json:"compared_repairs"` // keys that comparisons brought up to date
	Exchanged   int64         `json:"compared_bytes"`   // of states, in comparisons
	Agreeing    AgreeStats    `json:"agreed_alone"`
	Pruned      int           `json:"prunings"`
	Loose       int           `json:"runs_that_pruned"` // in which siblings were judged less strictly
	Reaped      int           `json:"tombstones_reaped"`
	Folded      int           `json:"shares_folded"`
	Epochs      int           `json:"epochs_begun"` // counted for each node
	Stale       int           `json:"states_refused_as_too_old"`
	Pages       int           `json:"pages_of_keys"`       // complete or not
	Governed    int           `json:"runs_with_admission"` // in which background work yields
	Shrunk      int           `json:"background_shrinks"`
	HotKeys     int           `json:"runs_with_hot_keys"` // in which one key may have few requests under way
	Shed        int           `json:"hot_requests_refused"`
	Own         OwnStats      `json:"client_coordinated"`
	History     history.Stats `json:"history"`
	Quorums     Quorums       `json:"quorums"`
	Ring        RingStats     `json:"ring"`
}

// OwnStats counts reads that clients coordinated.
type OwnStats struct {
	Begun  int `json:"begun"`
	Agreed int `json:"agreed"`        // the others went to a node then
	Old    int `json:"by_an_old_map"` // of those that agreed
}

// RingStats counts what became of changes of the ring.
type RingStats struct {
	Changes  int   `json:"changes"` // that an operator made and a node kept; the next three are among them
	Joins    int   `json:"joins"`
	Leaves   int   `json:"leaves"`
	Replaces int   `json:"replaces"`
	Links    int   `json:"links"`
	Begun    int   `json:"moves_begun"` // of partitions
	Ended    int   `json:"moves_ended"`
	Aborted  int   `json:"moves_aborted"`
	Bytes    int64 `json:"bytes"` // of states sent in them
	Folded   int   `json:"checkpoints"`
}

// made counts a change of an operator.
func (r *RingStats) made(kind member.Kind) {
	r.Changes++
	switch kind {
	case member.Add:
		r.Joins++
	case member.Remove:
		r.Leaves++
	case member.Replace:
		r.Replaces++
	default:
	}
}

func (r *RingStats) add(o *RingStats) {
	r.Changes += o.Changes
	r.Joins += o.Joins
	r.Leaves += o.Leaves
	r.Replaces += o.Replaces
	r.Links += o.Links
	r.Begun += o.Begun
	r.Ended += o.Ended
	r.Aborted += o.Aborted
	r.Bytes += o.Bytes
	r.Folded += o.Folded
}

// Quorums counts runs by what their clients asked for: those with at least
// [enough] writes of a kind, whatever became of them. A write is strict where it
// asks for primaries (pw), and sloppy where it does not and other nodes may stand
// in for them.
type Quorums struct {
	Sloppy [3]int `json:"sloppy_by_w"` // w of 1, 2, and of 3 or more
	Strict [3]int `json:"strict_by_w"`
	Reads  int    `json:"strict_reads"` // reads with pr
}

// enough is how many operations of a kind make a run count.
const enough = 50

// add adds the counts of o.
func (q *Quorums) add(o *Quorums) {
	for i := range q.Sloppy {
		q.Sloppy[i] += o.Sloppy[i]
		q.Strict[i] += o.Strict[i]
	}
	q.Reads += o.Reads
}

// runs turns counts of operations into counts of runs.
func (q Quorums) runs() Quorums {
	counts := func(n int) int { return min(n/enough, 1) }
	for i := range q.Sloppy {
		q.Sloppy[i], q.Strict[i] = counts(q.Sloppy[i]), counts(q.Strict[i])
	}
	q.Reads = counts(q.Reads)
	return q
}

// asked counts one operation.
func (q *Quorums) asked(op *history.Op) {
	kind := min(op.W, 3) - 1
	switch {
	case op.Verb == history.Get:
		if op.PR > 0 {
			q.Reads++
		}
	case op.PW > 0:
		q.Strict[kind]++
	case op.Sloppy:
		q.Sloppy[kind]++
	}
}

// Faults counts the faults injected, by kind.
type Faults struct {
	Crashes      int `json:"crashes"`
	PowerCuts    int `json:"power_cuts"` // all nodes at once
	Pauses       int `json:"pauses"`
	ClockJumps   int `json:"clock_jumps"`
	Wipes        int `json:"wiped_disks"`
	Restored     int `json:"restored_disks"`
	Early        int `json:"restored_early"` // of them, from before the first epoch
	Copied       int `json:"copied_disks"`
	Rotten       int `json:"rotten_records"`
	RottenLeaves int `json:"rotten_leaves"` // of trees
	Away         int `json:"long_absences"`
	Stalls       int `json:"stalled_disks"`
	SyncErrors   int `json:"sync_errors"`
	WriteFails   int `json:"failing_writes"`
	ReadFails    int `json:"failing_reads"`
	FullDisks    int `json:"full_disks"`
	SlowDisks    int `json:"slow_disks"`
	SlowReads    int `json:"slow_reads"`
	Cuts         int `json:"cuts"`
	OneWay       int `json:"one_way_cuts"`
	Clogs        int `json:"clogs"`
	Slow         int `json:"slow_nodes"`
	Lost         int `json:"frames_lost"`
	Unsent       int `json:"frames_cut"`
	Duplicated   int `json:"frames_duplicated"`
	LinksLost    int `json:"links_lost"`
}

// Injected returns the number of all faults that were injected on purpose,
// frames counted one by one.
func (f *Faults) Injected() int {
	return f.Crashes + f.PowerCuts + f.Pauses + f.ClockJumps + f.Wipes + f.Restored + f.Copied + f.Rotten + f.RottenLeaves + f.Away + f.Stalls + f.SyncErrors + f.WriteFails +
		f.ReadFails + f.FullDisks + f.SlowDisks + f.SlowReads + f.Cuts + f.OneWay + f.Clogs + f.Slow + f.Lost + f.Duplicated
}

// Add adds the counts of o.
func (s *Stats) Add(o *Stats) {
	s.Events += o.Events
	s.Virtual += o.Virtual
	s.Repairs += o.Repairs
	s.RepairsLeft += o.RepairsLeft
	s.Late += o.Late
	s.Known += o.Known
	s.Forward += o.Forward
	s.Hinted += o.Hinted
	s.Handed += o.Handed
	s.LetGo += o.LetGo
	s.Suspect += o.Suspect
	s.Hedged += o.Hedged
	s.Agreed += o.Agreed
	s.Apart += o.Apart
	s.Moved += o.Moved
	s.Exchanged += o.Exchanged
	s.Agreeing.add(&o.Agreeing)
	s.Pruned += o.Pruned
	s.Loose += o.Loose
	s.Reaped += o.Reaped
	s.Folded += o.Folded
	s.Epochs += o.Epochs
	s.Stale += o.Stale
	s.Pages += o.Pages
	s.Governed += o.Governed
	s.Shrunk += o.Shrunk
	s.HotKeys += o.HotKeys
	s.Shed += o.Shed
	s.Own.Begun += o.Own.Begun
	s.Own.Agreed += o.Own.Agreed
	s.Own.Old += o.Own.Old
	s.History.Add(o.History)
	s.Faults.add(&o.Faults)
	s.Quorums.add(&o.Quorums)
	s.Ring.add(&o.Ring)
}

func (f *Faults) add(o *Faults) {
	f.Crashes += o.Crashes
	f.PowerCuts += o.PowerCuts
	f.Pauses += o.Pauses
	f.ClockJumps += o.ClockJumps
	f.Wipes += o.Wipes
	f.Restored += o.Restored
	f.Early += o.Early
	f.Copied += o.Copied
	f.Rotten += o.Rotten
	f.RottenLeaves += o.RottenLeaves
	f.Away += o.Away
	f.Stalls += o.Stalls
	f.SyncErrors += o.SyncErrors
	f.WriteFails += o.WriteFails
	f.ReadFails += o.ReadFails
	f.FullDisks += o.FullDisks
	f.SlowDisks += o.SlowDisks
	f.SlowReads += o.SlowReads
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
	case fact.RepairLeft:
		s.RepairsLeft++
	case fact.Late:
		s.Late++
	case fact.Known:
		s.Known++
	case fact.Forwarded:
		s.Forward++
	case fact.Hinted:
		s.Hinted += f.N
	case fact.HandedOver:
		s.Handed++
	case fact.LetGo:
		s.LetGo++
	case fact.Suspected:
		s.Suspect++
	case fact.Hedged:
		s.Hedged++
	case fact.Agreed:
		s.Agreed++
		s.Moved += f.N
	case fact.NotAgreed:
		s.Apart++
	case fact.Pruned:
		s.Pruned++
	case fact.Reaped:
		s.Reaped++
	case fact.Folded:
		s.Folded += f.N
	case fact.EpochBegun:
		s.Epochs++
	case fact.Refused:
		if f.Note == string(ouro.HotKey) {
			s.Shed++
		}
	case fact.TooOld:
		s.Stale++
	}
}

package ouro

import (
	"context"
	"time"
)

// Repairer shows and steers how one node compares what it holds with what others hold of
// the same partitions (paper, section 4.7). It does so by itself, for ever: nobody has
// to run it.
type Repairer interface {
	// RepairPairs returns how each partition of the node stands with each other node
	// that holds it.
	RepairPairs(ctx context.Context) (RepairPairs, error)
	// RunRepair has everything be compared before what would be next, one pair right
	// after the other, or what run names. It is refused while repair is paused.
	RunRepair(ctx context.Context, run RepairRun) (RepairRun, error)
	// PauseRepair has the node begin no comparison for so long, but for what a
	// recovery or a move asks for, and end what it is at. It is not kept: a node that
	// starts again goes on. 0 ends a pause.
	PauseRepair(ctx context.Context, pause RepairPause) (RepairPause, error)
}

// MaxRepairPause is how long a pause may be.
const MaxRepairPause = 7 * 24 * time.Hour

// RepairRun names what is to be compared at once.
type RepairRun struct {
	Partition *uint32 `json:"partition,omitempty"` // nil: all
	Peer      string  `json:"peer,omitempty"`      // "": with all that hold them
	// Pairs is how many pairs of replicas that is, in the answer.
	Pairs int `json:"pairs,omitempty"`
}

// RepairPause says for how long a node compares nothing of its own accord.
type RepairPause struct {
	Seconds float64   `json:"seconds"`
	Until   time.Time `json:"until,omitzero"` // in the answer
}

// RepairPairs is how each partition of a node stands with each other that holds it.
type RepairPairs struct {
	Node  string       `json:"node"`
	Pairs []RepairPair `json:"pairs"` // by partition, then peer
}

// RepairPair is a partition and another node that holds it.
type RepairPair struct {
	Partition uint32 `json:"partition"`
	Peer      string `json:"peer"`
	// Agreed is when the last complete comparison began; none since the start: zero.
	Agreed  time.Time `json:"agreed,omitzero"`
	Marked  bool      `json:"marked,omitempty"` // it is to be compared before its turn
	Running bool      `json:"running,omitempty"`
	// Error is why the last comparison ended early, at ErrorAt, the last of so many
	// Failures in a row; none if it did not.
	Error    string    `json:"error,omitempty"`
	ErrorAt  time.Time `json:"error_at,omitzero"`
	Failures int       `json:"failures,omitempty"`
}

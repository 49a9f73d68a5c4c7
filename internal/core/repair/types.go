package repair

import (
	"time"

	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Config bounds a [Repair]. Zero fields take the defaults.
type Config struct {
	// Off: nothing is compared but what is asked for.
	Off bool
	// Every is the time between the beginnings of two comparisons in turn; those
	// that are marked follow each other ten times as fast. Default 100 ms.
	Every time.Duration
	// Talks is how many comparisons that were asked for are made at a time, one
	// in turn besides. Default 4.
	Talks int
	// Window is how many keys of a comparison are exchanged at a time, and MoveWindow
	// how many of a partition that moves. Defaults 8 and 32.
	Window, MoveWindow int
	// Weight is how many bytes of states are on their way at a time, as far as the last
	// ones tell, but for a single one. Default 8 MiB, half of what waits for a link.
	Weight int
	// List is how many keys a part of a tree may have to be listed instead of being
	// looked into further. Default 32.
	List int
	// Wait is how long an answer may take, the own storage's too. Default 5 s.
	Wait time.Duration
	// Rate is how many bytes of states a second are exchanged, and MoveRate how many
	// of partitions that move. Defaults 8 MiB and 32 MiB.
	Rate, MoveRate int
	// Settle is how long after a node came back it is compared with: what is kept
	// for it comes first. Default 10 s.
	Settle time.Duration
	// BackOff is how long a partition whose comparison failed is left alone,
	// doubling with each failure in a row up to MaxBackOff. Defaults 1 s and 1 min.
	BackOff, MaxBackOff time.Duration
	// First is what the ids of asks count from.
	First uint64
}

// Paces returns c with the defaults in place of zero fields, for whoever gives its machine
// a share of them.
func (c Config) Paces() Config { return c.withDefaults() }

func (c Config) withDefaults() Config {
	ints := [...]struct {
		v    *int
		none int
	}{{&c.Talks, 4}, {&c.Window, 8}, {&c.MoveWindow, 32}, {&c.Weight, 8 << 20}, {&c.List, 32}, {&c.Rate, 8 << 20}, {&c.MoveRate, 32 << 20}}
	for _, d := range ints {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	times := [...]struct {
		v    *time.Duration
		none time.Duration
	}{
		{&c.Every, 100 * time.Millisecond},
		{&c.Wait, 5 * time.Second},
		{&c.Settle, 10 * time.Second},
		{&c.BackOff, time.Second},
		{&c.MaxBackOff, time.Minute},
	}
	for _, d := range times {
		if *d.v <= 0 {
			*d.v = d.none
		}
	}
	return c
}

// Peers says what is known of other nodes.
type Peers interface {
	// Usable says whether a node is worth asking.
	Usable(ring.NodeID) bool
	// Shares says whether this node and another are both primaries of a bucket's
	// keys in a partition.
	Shares(partition uint32, bucket string, peer ring.NodeID) bool
	// Takes says whether another is a primary of a bucket's keys of which this node
	// is none.
	Takes(partition uint32, bucket string, peer ring.NodeID) bool
	// Whole is the span of the tree of a partition, the same on all nodes.
	Whole(partition uint32) merkle.Span
	// Number is that of a partition's lists, as this node has them.
	Number(partition uint32) uint64
}

// Wish is a comparison that somebody asks for.
type Wish struct {
	replica.Mark
	// Number is that of the partition's lists at which the peer is to show what it
	// holds, and does: at another it refuses (RULES R15, R16). 0: at any. Whoever asks
	// for one need not be in a list.
	Number uint64
	// Push: what is held here is to be merged there, and not the other way round.
	Push bool
}

// Effects is what a [Repair] wants done. Ids count per machine; the owner tells
// them from those of others.
type Effects struct {
	Asks      []Ask            // of peers' storage
	Ops       []replica.Op     // of the own storage
	Questions []Question       // of peers
	Surveys   []replica.Survey // of the own storage
	Done      []Outcome
	Facts     []fact.Fact
}

// Ask is an operation at a peer's storage.
type Ask struct {
	To ring.NodeID
	Op replica.Op
}

// Question is a survey of a peer's storage.
type Question struct {
	To ring.NodeID
	// Number is at which the peer must be to answer; 0: that is no matter.
	Number uint64
	Survey replica.Survey
}

// Reset empties e and keeps its memory.
func (e *Effects) Reset() {
	clear(e.Asks)
	clear(e.Ops)
	clear(e.Questions)
	clear(e.Surveys)
	clear(e.Done)
	clear(e.Facts)
	e.Asks, e.Ops, e.Questions = e.Asks[:0], e.Ops[:0], e.Questions[:0]
	e.Surveys, e.Done, e.Facts = e.Surveys[:0], e.Done[:0], e.Facts[:0]
}

// Outcome is how a comparison ended.
type Outcome struct {
	Wish
	Began time.Duration // nothing that it rests on was asked for before
	Asked bool          // by [Repair.Compare]
	// Complete: all that the peer held when it began is merged here, durably, and
	// what this node held then is merged there. Else Why says what came between.
	// With Push only the latter.
	Complete bool
	Why      string
	// Known: the peer has shown that it is at the number. Behind: it has not heard of
	// it yet, by what it said last.
	Known, Behind bool
	// Recovering: the peer may have lost something it acknowledged, so that its
	// holding no more proves nothing (RULES R10).
	Recovering bool
	// Pulled is how many keys here, Pushed how many there were brought up to
	// date.
	Pulled, Pushed int
	Bytes          int64 // of states that were exchanged
	// Unreadable is how many records of this node, UnreadableThere how many of the
	// peer's, were met in differing leaves and could not be read. What a record
	// there was cannot be told; the outcome may be complete all the same.
	Unreadable, UnreadableThere int
}

// Underway is how far a comparison that moves a partition has come.
type Underway struct {
	Outcome
	// Buckets, and Spans of the one at hand, are how many that differ are left, of
	// those found so far.
	Buckets, Spans int
}

// Pair is how a partition stands with another node that holds it.
type Pair struct {
	replica.Mark
	// Agreed is when the last complete comparison began, wall-clock milliseconds; 0:
	// there was none since this node started.
	Agreed  int64
	Marked  bool // it is to be compared before its turn
	Running bool
	// Failed is why the last comparison ended early, "" if it did not, FailedAt when,
	// wall-clock milliseconds, and Failures how many did in a row.
	Failed   string
	FailedAt int64
	Failures int
}

// Agreement is how far this node has compared itself with another.
type Agreement struct {
	Peer       ring.NodeID
	Partitions int // that both hold
	Never      int // of them, not compared to the end since this node started
	Marked     int // of them, to be compared before their turn
	// Oldest is when the comparison began that is the longest ago of the last
	// complete ones of each partition, wall-clock milliseconds; 0: Never > 0.
	Oldest int64
	// Waits is how long ago that is of whichever partition has not agreed for the
	// longest: of one that never did since both came to hold it, or this node started.
	Waits    time.Duration
	Repaired uint64 // keys brought up to date since this node started, here and there
	// Failed is why the last comparison ended early, "" if it did not; FailedAt is
	// when, wall-clock milliseconds.
	Failed   string
	FailedAt int64
}

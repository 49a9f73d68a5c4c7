package transfer

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// job is a partition on its way here, or left over.
type job struct {
	partition uint32
	number    uint64
	leaving   bool
	since     int64 // wall-clock milliseconds

	peers []ring.NodeID // in the order in which they are tried
	done  []ring.NodeID // who was compared with, sorted
	at    int           // of peers: who is next

	with     ring.NodeID // being compared with
	due      time.Duration
	failures int // in a row
	failed   string
	failedAt int64
	moved    int
	bytes    int64

	// Of an arrival.
	lists    place.Lists
	promises []place.Promise
	disk     uint64
	sources  []ring.NodeID // of done and of this node, who lacks nothing; sorted
	sealed   []ring.NodeID // who knows of the number; sorted
	noting   uint64        // the operation that says at which number it began; 0: none
	noted    bool          // the disk knows that
	proven   bool
	// mixed: what was held before it began is there still; once all of the old list
	// were compared with it is as good as what they gave.
	mixed bool

	// Of what is left over.
	buckets []string // all that is left of the partition
	going   uint64   // the operation by which it goes; 0: none
}

// waits says whether a job could go on now.
func (j *job) waits() bool { return j.with == "" && j.noting == 0 && j.going == 0 && !j.over() }

// over says whether nothing is left to be done but to wait for others.
func (j *job) over() bool {
	if j.leaving {
		return len(j.done) == len(j.peers)
	}
	return j.noted && j.proven && !j.mixed
}

// next returns with whom to compare: who was not yet, or else who lacked something
// when he was.
func (j *job) next(c Cluster) (ring.NodeID, bool) {
	second := -1
	for i := range j.peers {
		at := (j.at + i) % len(j.peers)
		switch id := j.peers[at]; {
		case !c.Usable(id):
		case !slices.Contains(j.done, id):
			j.at = at
			return id, true
		case second < 0 && !j.leaving && !slices.Contains(j.sources, id):
			second = at
		}
	}
	if second < 0 {
		return "", false
	}
	j.at = second
	return j.peers[second], true
}

// compared notes how a comparison ended.
func (j *job) compared(now clock.Now, o *Outcome, cfg Config) {
	j.with = ""
	j.moved += o.Moved
	j.bytes += o.Bytes
	if o.Known {
		j.sealed = insert(j.sealed, o.Peer)
	}
	switch {
	case !o.Complete:
		j.fail(now, o, cmp.Or(o.Why, "not complete"), cfg)
	case j.leaving && o.Unreadable > 0:
		j.fail(now, o, fmt.Sprintf("records here can't be read (%d), and are had from others first", o.Unreadable), cfg)
	case o.Lacking && !j.leaving && slices.Contains(j.done, o.Peer):
		j.fail(now, o, lacks(o), cfg)
	default:
		j.failures, j.failed, j.failedAt, j.due = 0, "", 0, now.Mono
		j.done = insert(j.done, o.Peer)
		if !o.Lacking {
			j.sources = insert(j.sources, o.Peer)
		}
	}
}

// lacks tells what a peer lacks that was asked again.
func lacks(o *Outcome) string {
	if o.Unreadable > 0 {
		return fmt.Sprintf("records there can't be read (%d): its status names them", o.Unreadable)
	}
	return "it lacks something itself still"
}

// fail leaves a peer for the next one, and all of them for a while once each has
// failed.
func (j *job) fail(now clock.Now, o *Outcome, why string, cfg Config) {
	j.wrong(now, fmt.Sprintf("compared with %s: %s", o.Peer, why))
	j.at = (j.at + 1) % len(j.peers)
	j.failures++
	j.due = now.Mono
	switch round := j.failures / len(j.peers); {
	case j.failures%len(j.peers) != 0:
	case o.Behind:
		j.due += cfg.BackOff
	default:
		j.due += min(cfg.BackOff<<min(round-1, 20), cfg.MaxBackOff)
	}
}

// wrong notes a failure.
func (j *job) wrong(now clock.Now, why string) { j.failed, j.failedAt = why, now.Wall }

func (j *job) pending() Pending {
	p := Pending{
		Partition: j.partition, Number: j.number, Leaving: j.leaving, Peers: j.peers, Done: j.done, Needed: len(j.peers),
		Proven: j.proven, With: j.with, Since: j.since, Moved: j.moved, Bytes: j.bytes, Failed: j.failed, FailedAt: j.failedAt,
	}
	if !j.leaving && !j.mixed {
		p.Needed = 0
		for _, promise := range j.promises {
			sources, sealed := j.lists.Need(promise)
			p.Needed = max(p.Needed, sources, sealed)
		}
	}
	return p
}

// lasted is the time since a job began.
func (j *job) lasted(now clock.Now) time.Duration {
	return time.Duration(max(0, now.Wall-j.since)) * time.Millisecond
}

// insert returns a sorted list with id in it. The one given stays as it is.
func insert(ids []ring.NodeID, id ring.NodeID) []ring.NodeID {
	i, found := slices.BinarySearch(ids, id)
	if found {
		return ids
	}
	return slices.Insert(slices.Clone(ids), i, id)
}

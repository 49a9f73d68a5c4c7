package lineage

import (
	"cmp"
	"fmt"
	"slices"
)

// MaxRuns is how many run ids a data folder remembers and shows (RULES R11).
const MaxRuns = 64

// maxRetired is how many disk ids of one node are remembered besides its
// present one. One that was forgotten is taken for a new disk, which is as safe.
const maxRetired = 64

// Disk is what a node shows of its data folder when a link is made (RULES R11,
// R13).
type Disk struct {
	ID     uint64   // drawn when the folder was made, and anew after each loss
	Starts uint64   // how often it was started
	Runs   []uint64 // run ids of its last starts, newest last; at most MaxRuns
	// Recovering: the node knows that it may have forgotten what it acknowledged.
	Recovering bool
	// Replaced are the disk ids that the node had before, as far as it knows.
	Replaced []uint64
}

// Run returns the newest run id, 0 where there is none.
func (d *Disk) Run() uint64 {
	if len(d.Runs) == 0 {
		return 0
	}
	return d.Runs[len(d.Runs)-1]
}

// Seen is what is remembered of a node's data folder.
type Seen struct {
	Node    string
	Disk    uint64
	Starts  uint64   // at the last link
	Run     uint64   // then
	Retired []uint64 // disk ids that came before, oldest first
}

// Verdict says how what a node shows of its data folder follows from what it
// showed before.
type Verdict uint8

// The verdicts. All but Follows mean that there must be no link.
const (
	// Follows: it goes on from there, or the node was never seen.
	Follows Verdict = 1 + iota
	// NewDisk: another disk, of a node that does not know that it lost one. It
	// must come back as recovering.
	NewDisk
	// RolledBack: the folder was restored from a copy, or copied: it was started
	// more often than it shows, or otherwise. It must come back as recovering.
	RolledBack
	// Retired: a disk that was replaced since. It must come back as recovering.
	Retired
	// Twin: another process of this node is alive.
	Twin
)

// Lineage is what a node remembers of the data folders of all others, ordered
// by their ids. It must be on stable storage before anything is counted that
// such a node says, and before anything is acknowledged to it.
type Lineage []Seen

// Of returns what is remembered of a node; false if it is nothing.
func (l Lineage) Of(node string) (Seen, bool) {
	i, found := l.find(node)
	if !found {
		return Seen{}, false
	}
	return l[i], true
}

// Disks returns the last of the disks that a node is known to have had, its present
// one last; at most limit. Told to the node, they become its [Disk.Replaced]: one that
// lost its disk knows of no other way what it had, and a peer that was given an old
// copy of its own may remember it by any of them.
func (l Lineage) Disks(node string, limit int) []uint64 {
	seen, known := l.Of(node)
	if !known {
		return nil
	}
	all := append(slices.Clone(seen.Retired), seen.Disk)
	return all[max(0, len(all)-limit):]
}

func (l Lineage) find(node string) (int, bool) {
	return slices.BinarySearchFunc(l, node, func(s Seen, node string) int { return cmp.Compare(s.Node, node) })
}

// Judge says how what a node shows follows from what is remembered of it. Live
// is the run id of a process of that node to which a link is open, 0: none.
func (l Lineage) Judge(node string, live uint64, now *Disk) Verdict {
	if live != 0 && live != now.Run() {
		return Twin
	}
	seen, known := l.Of(node)
	switch {
	case !known:
		return Follows
	case slices.Contains(seen.Retired, now.ID):
		return Retired
	case now.ID != seen.Disk && !now.Recovering && !slices.Contains(now.Replaced, seen.Disk):
		return NewDisk
	case now.ID == seen.Disk && !now.follows(&seen):
		return RolledBack
	default:
		return Follows
	}
}

// follows says whether the folder was at the start that was seen, and has been
// started as often since as it says. A start so long ago that its run is not
// shown any more cannot be told from that of a copy.
func (d *Disk) follows(seen *Seen) bool {
	if d.Starts < seen.Starts {
		return false
	}
	back := d.Starts - seen.Starts // how many starts ago its newest run was the one seen
	return back < uint64(len(d.Runs)) && d.Runs[uint64(len(d.Runs))-1-back] == seen.Run
}

// With returns what is remembered after a link to a node whose folder follows,
// and whether that is news. The receiver stays as it is.
func (l Lineage) With(node string, now *Disk) (Lineage, bool) {
	i, known := l.find(node)
	if !known {
		return slices.Insert(slices.Clone(l), i, Seen{Node: node, Disk: now.ID, Starts: now.Starts, Run: now.Run()}), true
	}
	next := l[i]
	if next.Disk != now.ID {
		next.Retired = append(slices.Clone(next.Retired), next.Disk)
		next.Retired = next.Retired[max(0, len(next.Retired)-maxRetired):]
	}
	next.Disk, next.Starts, next.Run = now.ID, now.Starts, now.Run()
	if next.Disk == l[i].Disk && next.Starts == l[i].Starts && next.Run == l[i].Run {
		return l, false
	}
	after := slices.Clone(l)
	after[i] = next
	return after, true
}

// Explain tells a node that is refused what is wrong and what comes of it.
func (l Lineage) Explain(node string, v Verdict, now *Disk) string {
	seen, _ := l.Of(node)
	switch v {
	case Twin:
		return fmt.Sprintf("another process that runs as node %s is alive: stop one of the two; a copy of a data folder must never be started beside the original", node)
	case NewDisk:
		return fmt.Sprintf("node %s had disk %016x and shows disk %016x: what it acknowledged may be lost, so it comes back as recovering", node, seen.Disk, now.ID)
	case Retired:
		return fmt.Sprintf("node %s shows disk %016x, which disk %016x has replaced: it is an old copy, so it comes back as recovering", node, now.ID, seen.Disk)
	case RolledBack:
		return fmt.Sprintf("node %s shows start %d of disk %016x, which does not follow from start %d seen before: its data folder was restored or copied, so it comes back as recovering",
			node, now.Starts, now.ID, seen.Starts)
	default:
		return ""
	}
}

package server

import (
	"errors"
	"fmt"
	"time"

	corenode "github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/host"
)

// errAgain ends a node that is to be started again at once, as another disk: it
// learned that it may have forgotten something that it acknowledged.
var errAgain = errors.New("the node comes back as recovering")

// fail ends the node for a reason; the first one counts.
func (n *node) fail(err error) {
	select {
	case n.failed <- err:
	default:
	}
}

// comeBack makes the data folder another disk, and ends the node so that it comes
// back as recovering (RULES R9, R11). The peer knows of that epoch.
func (n *node) comeBack(peer, why string, epoch uint64) {
	n.again.Do(func() {
		n.log.Warn("this node may have forgotten something that it acknowledged: it comes back as recovering, under a new disk id",
			"peer", peer, "why", why)
		n.host.Doubt(true)
		n.host.Refused(epoch)
		back := n.dir.ComeBack
		if n.host.Alone() {
			back = n.dir.Forsake
		}
		if err := back(); err != nil {
			n.fail(err)
			return
		}
		n.fail(errAgain)
	})
}

// linked notes that links name the disks of the members: if the data is lost, this node
// must not help to found its cluster a second time.
func (n *node) linked() {
	if err := n.dir.Link(); err != nil {
		n.fail(err)
	}
}

// forget lets go of what the data knows of the cluster, where the folder says so.
func (n *node) forget() error {
	if !n.dir.Identity().Forget {
		return nil
	}
	if n.dir.Identity().Grown {
		n.log.Warn("this node had founded a cluster of itself, and is of one with others: it forgets its own, and learns of that from them")
	} else {
		n.log.Warn("the folder is marked to forget the links of the cluster: this node learns of those of the others, and its data is compared with theirs")
	}
	if err := host.Forget(n.engine); err != nil {
		return err
	}
	return n.dir.Forgotten()
}

// forgot is comeBack where no peer remembers the disk that this node had, but the
// links do. It may be called while the host is started.
func (n *node) forgot() {
	go n.comeBack("", "the links of the cluster know it by another disk, and this one does not say that anything was lost", n.host.HighestEpoch())
}

// rolledBack sets the data aside, and ends the node so that it starts over as if
// wiped: what it holds is older than what the others have reaped (RULES R22).
func (n *node) rolledBack(why string) {
	n.again.Do(func() {
		n.log.Error("the data of this node was rolled back below what the cluster has reaped: it is set aside and not offered to anybody, and the node starts over as if its disk was lost",
			"why", why, "data", n.dir.Engine())
		n.host.Doubt(true)
		if err := n.dir.StartOver(); err != nil {
			n.fail(err)
			return
		}
		n.fail(errAgain)
	})
}

// confirmed notes that a peer took this disk for one that follows from what it
// remembers, under the disk ids known until then.
func (n *node) confirmed(known []uint64) error {
	if err := n.dir.Confirm(known); err != nil {
		return err
	}
	n.host.Doubt(false)
	return nil
}

// settleDisk makes data and folder belong together. Where they do not, or the
// folder says so, all that this node may hold is recovering. It returns whether the
// node must not count before a peer has been heard: a folder that is new may be
// that of a node that lost its disk, and only the others know.
func (n *node) settleDisk(view *corenode.View) (doubt bool, err error) {
	stored, err := disk.Belongs(n.engine)
	if err != nil {
		return false, err
	}
	last, err := disk.LastStart(n.engine)
	if err != nil {
		return false, err
	}
	id := n.dir.Identity()
	if (stored != uint64(id.DiskID) || last < id.Noted) && !id.Recover && id.Starts > 1 {
		n.log.Warn("the data is not that of this folder: it was lost or replaced, so the node comes back as recovering", "data", n.dir.Engine())
		if err := n.dir.ComeBack(); err != nil {
			return false, err
		}
		id = n.dir.Identity()
	}
	if to := n.dir.Aside(); to != "" {
		n.log.Warn("the data is set aside, as it was rolled back or 'ouro recover --start-over' said so: this node starts over as if its disk was lost; delete the folder once nobody needs it", "folder", to)
	}
	var recovering []uint32
	if id.Recover {
		recovering = view.Lost(id.Q)
	}
	if id.Recover || stored != uint64(id.DiskID) {
		if err := n.found(uint64(id.DiskID), recovering); err != nil {
			return false, err
		}
	}
	if err := n.noteStart(id.Starts); err != nil {
		return false, err
	}
	n.lost = id.Recover && view.Ring.Q() == 0
	if id.Recover && !n.lost {
		if err := n.dir.Marked(); err != nil {
			return false, err
		}
	}
	if err := n.wasAway(view, id.Alive); err != nil {
		return false, err
	}
	if err := n.lostBuffer(); err != nil {
		return false, err
	}
	if n.recovering, err = disk.AnyRecovering(n.engine); err != nil {
		return false, err
	}
	n.recovering = n.recovering || n.lost
	return n.lost || !id.Confirmed && len(view.Ring.Nodes()) > 1, nil
}

// learned makes a node begin again that has learned from others what it holds, and had
// forgotten that it does: it can be marked now as recovering.
func (n *node) learned() {
	n.again.Do(func() {
		n.log.Warn("this node has learned from others what it holds, and had forgotten it: it begins again, with all of that recovering")
		n.host.Doubt(true)
		if !n.lost {
			if err := n.dir.ComeBack(); err != nil {
				n.fail(err)
				return
			}
		}
		n.fail(errAgain)
	})
}

// runningEvery is how often a node notes that it runs.
const runningEvery = time.Minute

// wasAway marks what this node holds where it was down for longer than others keep
// what it missed: it is to be compared before it counts for reads (PAPER 9.10).
func (n *node) wasAway(view *corenode.View, since int64) error {
	down := time.Since(time.UnixMilli(since))
	if since == 0 || down <= n.cfg.Limits.MaxHintAge {
		return nil
	}
	n.log.Warn("this node was away for longer than others keep what it missed: it compares before it counts for reads", "away", down.Round(time.Second))
	return durably(func(synced func(error)) error {
		return disk.Away(n.engine, view.Held(), time.Now().UnixMilli(), synced)
	})
}

// lostBuffer marks what may be gone of the writes that were acknowledged before they
// were on the disk, where the node was not stopped cleanly (RULES R9).
func (n *node) lostBuffer() error {
	return durably(func(synced func(error)) error {
		partitions, err := disk.Lost(n.engine, time.Now().UnixMilli(), synced)
		if err == nil && partitions > 0 {
			n.log.Warn("this node was not stopped cleanly: what was in its write buffer is gone, so in buckets whose durability is not all it compares before it counts for reads",
				"partitions", partitions)
		}
		return err
	})
}

// stoppedCleanly notes that nothing is lost of the write buffer.
func (n *node) stoppedCleanly() error {
	return durably(func(synced func(error)) error { return disk.Stopped(n.engine, synced) })
}

// noteRunning notes now and then, on disk, that the node runs, until it stops.
func (n *node) noteRunning() {
	tick := time.NewTicker(runningEvery)
	defer tick.Stop()
	for {
		if err := n.dir.Running(time.Now().UnixMilli()); err != nil {
			n.log.Warn("that the node runs can't be noted", "error", err)
		}
		select {
		case <-n.ended:
			return
		case <-tick.C:
		}
	}
}

// noteStart notes this start in the data, and then in the folder that the data knows it.
func (n *node) noteStart(start uint64) error {
	if err := durably(func(synced func(error)) error { return disk.NoteStart(n.engine, start, synced) }); err != nil {
		return fmt.Errorf("that the data is used can't be noted in it: %w", err)
	}
	return n.dir.Note()
}

// found stores whose the data is, and waits until that is on the disk.
func (n *node) found(id uint64, recovering []uint32) error {
	err := durably(func(synced func(error)) error {
		return disk.Found(n.engine, id, recovering, time.Now().UnixMilli(), synced)
	})
	if err != nil {
		return fmt.Errorf("whose data it is can't be stored: %w", err)
	}
	return nil
}

// durably changes an engine and waits until that is on the disk. Change has synced called
// as with [store.Engine], if it does not fail itself.
func durably(change func(synced func(error)) error) error {
	synced := make(chan error, 1)
	if err := change(func(err error) { synced <- err }); err != nil {
		return err
	}
	return <-synced
}

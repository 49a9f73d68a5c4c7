package sim

import (
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/ourodb/ouro/internal/core/lineage"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/recovery"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/steward"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/sim/history"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/memory"
)

// folder is what a node's data folder says besides the data: what package datadir
// keeps in a real one. It is on the disk, and what is done to it is done at once.
type folder struct {
	disk      uint64 // 0: it is new
	starts    uint64
	runs      []uint64
	replaced  []uint64
	confirmed bool  // another node has accepted it
	recover   bool  // the data is to be marked as recovering
	linked    bool  // the node has adopted a link, or was refused by one that has
	alive     int64 // wall clock of the node when it was last up
	seen      lineage.Lineage
}

// clone shares nothing that is written to.
func (f *folder) clone() folder {
	c := *f
	c.runs, c.replaced = slices.Clone(f.runs), slices.Clone(f.replaced)
	return c
}

// draw gives the folder of a machine a new disk id.
func (w *World) draw(m *machine) {
	f := &m.folder
	if f.disk != 0 {
		f.replaced = append(f.replaced, f.disk)
		f.recover, f.confirmed = true, true
	}
	f.disk = xxh3.HashSeed([]byte(m.id), m.rand.Uint64()) | 1
}

// open does what is done to a folder before its node serves anything: the start
// is counted, and what may have forgotten something is marked.
func (w *World) open(m *machine) {
	f := &m.folder
	if f.disk == 0 {
		w.draw(m)
	}
	f.starts++
	f.runs = append(f.runs, m.run)
	f.runs = f.runs[max(0, len(f.runs)-lineage.MaxRuns):]
	lost := false // all may be, and it is not known what there was
	stored, err := disk.Belongs(m.disk.Engine)
	if err == nil && stored != f.disk && !f.recover && f.starts > 1 {
		w.tracef("%s: the data is not that of the folder", m.id)
		w.draw(m)
	}
	if err == nil && (f.recover || stored != f.disk) {
		var all []uint32
		if f.recover {
			lost = w.view(m).Ring.Q() == 0
			all = w.view(m).Lost(w.cfg.Q)
		}
		err = disk.Found(m.disk.Engine, f.disk, all, w.clock(m).Wall, func(error) {})
		m.disk.Sync()
		f.recover = lost
	}
	if now := w.clock(m).Wall; err == nil && f.starts > 1 && now-f.alive > hintWindow.Milliseconds() {
		w.tracef("%s was away for long", m.id)
		err = disk.Away(m.disk.Engine, w.view(m).Held(), now, func(error) {})
		m.disk.Sync()
	}
	if err == nil {
		m.lost, err = disk.Lost(m.disk.Engine, w.clock(m).Wall, func(error) {})
		m.disk.Sync()
	}
	if err != nil {
		w.bug("%s: its folder can't be opened: %v", m.id, err)
	}
}

// redial is after what time one that was refused tries again.
const redial = time.Second

// view is what a node knows of its cluster.
func (w *World) view(m *machine) *node.View {
	if !w.cfg.Changes {
		return &node.View{Self: m.id, Ring: w.ring, Buckets: w.cfg.Buckets}
	}
	if m.steward != nil {
		return m.steward.core.View()
	}
	core, err := w.stewardOf(m)
	if err != nil {
		w.bug("%s: %v", m.id, err)
		return &node.View{Self: m.id, Ring: &ring.Ring{}}
	}
	return core.View()
}

// recall tells a process that begins what it may have forgotten.
func (w *World) recall(m *machine) {
	m.replica.SetDoubt(!m.folder.confirmed && len(w.nodes) > 1)
	all, err := m.runner.Recoveries()
	if err != nil {
		w.bug("%s: what is recovering can't be read: %v", m.id, err)
	}
	m.recovering = len(all) > 0 || m.folder.recover
	in := &node.Recovering{}
	for _, p := range all {
		in.Partitions = append(in.Partitions, recovery.Partition{Partition: p.Partition, Progress: p.Progress})
	}
	if len(all) > 0 {
		w.take(m, item{input: in})
	}
}

// shown is what a node shows of its folder.
func (m *machine) shown() *lineage.Disk {
	f := &m.folder
	return &lineage.Disk{ID: f.disk, Starts: f.starts, Runs: f.runs, Recovering: m.recovering, Replaced: f.replaced}
}

// greet judges both ends of a link that is to be made, as the handshake of
// package transport does with the same judgement, and reports whether it may be.
// A dialler that is refused comes back as another disk.
func (w *World) greet(l *link) bool {
	from, to := l.from, l.to
	if to.steward != nil && to.steward.core.Fenced(from.id) {
		w.tracef("%s refuses %s, which was removed", to.id, from.id)
		w.take(from, item{steward: &steward.Removed{}})
		life := from.life
		w.after(redial, func() { // as package transport does: it may be named by a link meanwhile
			if from.alive && from.life == life {
				w.mend(l)
			}
		})
		return false
	}
	if v := to.folder.seen.Judge(string(from.id), 0, from.shown()); v != lineage.Follows {
		w.tracef("%s refuses %s: %s", to.id, from.id, to.folder.seen.Explain(string(from.id), v, from.shown()))
		w.refused(from, to)
		w.comeBack(from)
		return false
	}
	if v := from.folder.seen.Judge(string(to.id), 0, to.shown()); v != lineage.Follows {
		w.tracef("%s hangs up on %s: %s", from.id, to.id, from.folder.seen.Explain(string(to.id), v, to.shown()))
		if w.cfg.Changes { // it has met the dialler, and learns so when it dials that itself
			w.take(to, item{steward: &steward.Met{Peer: steward.Peer{ID: from.id, Addr: string(from.id)}}})
		}
		return false
	}
	known := to.folder.seen.Disks(string(from.id), lineage.MaxRuns)
	to.folder.seen, _ = to.folder.seen.With(string(from.id), from.shown())
	from.folder.seen, _ = from.folder.seen.With(string(to.id), to.shown())
	w.confirm(from, known)
	return true
}

// confirm notes that a peer has accepted a node's disk, by which it knew it under
// the ids known until then.
func (w *World) confirm(m *machine, known []uint64) {
	f := &m.folder
	f.confirmed, m.unheard = true, false
	m.replica.SetDoubt(false)
	for _, disk := range known {
		if disk != f.disk && !slices.Contains(f.replaced, disk) {
			f.replaced = append(f.replaced, disk)
		}
	}
}

// refused tells a node that comes back the epoch of who refused it, and that there are
// links where that one has adopted any.
func (w *World) refused(m, by *machine) {
	if m.steward == nil || by.steward == nil {
		return
	}
	m.folder.linked = m.folder.linked || by.folder.linked
	w.tellSteward(m, w.clock(m), &steward.Refused{Epoch: by.steward.core.Epochs().Highest})
	w.attend(m, w.clock(m))
	m.disk.Sync()
}

// comeBack ends a process that has learned that it may have forgotten something,
// and starts it again as another disk (RULES R9).
func (w *World) comeBack(m *machine) {
	w.tracef("%s comes back as recovering", m.id)
	w.crash(m)
	w.draw(m)
	m.unheard = false
	w.after(w.net.cfg.Reconnect, func() { w.restart(m) })
}

// learns says whether a node has forgotten what it holds by a view, and lets it begin
// again then, as all of that is to be recovering.
func (w *World) learns(m *machine, v *node.View) bool {
	before := m.view
	m.view = v
	if before == nil || !(m.folder.recover && before.Ring.Q() == 0 && v.Ring.Q() > 0) && !w.forgot(m, v.Gained(before)) {
		return false
	}
	life := m.life
	w.after(0, func() {
		switch {
		case !m.alive || m.life != life:
		case m.folder.recover:
			w.crash(m)
			w.after(w.net.cfg.Reconnect, func() { w.restart(m) })
		default:
			w.comeBack(m)
		}
	})
	return true
}

// forgot says whether a node that is to hold partitions has forgotten what it held of
// them, without knowing so.
func (w *World) forgot(m *machine, partitions []uint32) bool {
	marked, err := disk.AllRecover(m.disk.Engine, partitions)
	if err != nil {
		w.bug("%s: %v", m.id, err)
	}
	return !marked
}

// startOver ends a process that has learned that its data is older than what the
// others have reaped, sets the data aside, and starts it again as if wiped (RULES
// R22).
func (w *World) startOver(m *machine) {
	w.tracef("%s sets its data aside and starts over", m.id)
	m.rolledBack, m.unheard, m.rotten = false, false, nil
	w.kill(m, 0)
	m.disk.Engine = blank()
	w.draw(m)
	w.lost()
	w.after(w.net.cfg.Reconnect, func() { w.restart(m) })
}

// image is a copy of a machine's disk.
type image struct {
	data   *memory.Engine
	folder folder
}

func (m *machine) copyDisk() *image { return &image{m.disk.Copy(), m.folder.clone()} }

// whole says whether no node may have forgotten anything that it has not got back
// by now, and nothing is kept for others, of which there may be no second copy.
func (w *World) whole() bool {
	for _, m := range w.serving() {
		if !w.wholeOne(m) || m.keeps() {
			return false
		}
	}
	return true
}

// keeps says whether a node keeps anything for others.
func (m *machine) keeps() bool {
	any := false
	lo, hi := store.PendingRange()
	err := m.disk.Engine.Range(lo, hi, func(_, _ []byte) bool {
		any = true
		return false
	})
	return any || err != nil
}

func (w *World) wholeOne(m *machine) bool {
	recovering, err := disk.AnyRecovering(m.disk.Engine)
	if stored, bad := disk.Belongs(m.disk.Engine); bad != nil || stored != m.folder.disk {
		return false // it was given another node's data, and has not started since
	}
	if err != nil || recovering || m.folder.recover || m.folder.disk == 0 || !m.folder.confirmed && len(w.nodes) > 1 || m.unheard {
		return false
	}
	m.rotten = slices.DeleteFunc(m.rotten, func(key []byte) bool { return !w.isRotten(m, key) })
	return len(m.rotten) == 0
}

// recoverAll waits until all that was forgotten is back, for a while.
func (w *World) recoverAll() {
	end := w.now + recoverPatience
	for !w.whole() && w.broken == nil && w.now < end {
		w.RunFor(w.cfg.Node.Recovery.Wait / 4)
	}
	if w.broken == nil && !w.whole() {
		for _, m := range w.serving() {
			if !w.wholeOne(m) || m.keeps() {
				w.violatef(history.Unavailable, "", "%s has not recovered in %v though everything had healed: partitions %+v, %d records that can't be read",
					m.id, recoverPatience, m.core.Recoveries(w.clock(m).Mono, nil), len(m.rotten))
			}
		}
	}
}

// hintWindow is how long a node may be away before what it missed may be kept by
// nobody.
const hintWindow = 3 * time.Hour

// recoverPatience is within what time everything must be had again once all has
// healed.
const recoverPatience = 10 * time.Minute

// knows checks that a node that recovers says so, and nothing else, to who reads.
func (w *World) knows(m *machine, msg *node.Message) {
	a := &msg.Answer
	if msg.Kind != node.KindAnswer || a.Verb != replica.Read || a.Pending || a.Status != replica.Have && a.Status != replica.Absent {
		return
	}
	if m.replica.RecoversAll(msg.Partition) {
		w.bug("%s recovers in partition %d and answers a read", m.id, msg.Partition)
	}
}

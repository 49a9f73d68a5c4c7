package sim

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/ourodb/ouro/internal/store"
)

// kind is a kind of fault that comes and goes. Loss, repetition and reordering
// of frames are there all the time, where a seed draws them.
type kind int

const (
	kindCrash kind = iota
	kindPower      // all nodes lose power at once
	kindPause
	kindClock
	kindWipe
	kindStall
	kindSyncError
	kindWriteFail
	kindReadFail
	kindFull     // a disk without room, for long
	kindSlowDisk // every sync takes long
	kindCut
	kindOneWay
	kindIsolate
	kindSplit
	kindClog
	kindSwizzle // links stop one by one and go on in another order
	kindSlow
	kindRestore // a node is started from an old copy of its disk
	kindCopy    // a node is started on a copy of another's data
	kindRot     // a record rots on the disk, and maybe leaves of trees
	kindAway    // a node is down for longer than hints are kept
	kinds
)

var kindNames = [...]string{
	"crash", "power", "pause", "clock", "wipe", "stall", "sync-error", "write-fail", "read-fail", "full", "slow-disk",
	"cut", "one-way", "isolate", "split", "clog", "swizzle", "slow",
	"restore", "copy", "rot", "away",
}

func (k kind) String() string { return kindNames[k] }

var allKinds = func() []kind {
	all := make([]kind, kinds)
	for i := range all {
		all[i] = kind(i)
	}
	return all
}()

// nemesis breaks a world again and again and mends what it broke.
type nemesis struct {
	w      *World
	rand   *rand.Rand
	rots   *rand.Rand // which leaves rot
	reads  *rand.Rand // which disks read slowly
	shape  *shape
	active []*wound
	slow   []*wound // disks that read slowly
	stop   bool
	images map[*machine]*image // old copies of disks
	early  bool                // disks are first put back as they were before their first epoch
}

// wound is a fault that has not been taken back.
type wound struct {
	healed bool
	undo   func()
}

func (w *World) unleash(s *shape) *nemesis {
	n := &nemesis{w: w, rand: stream(s.cfg.Seed, streamFaults), rots: stream(s.cfg.Seed, streamScrub+1), reads: stream(s.cfg.Seed, streamAdmit+1), shape: s, images: map[*machine]*image{}}
	n.early = stream(s.cfg.Seed, streamImages).IntN(2) == 0
	if len(s.kinds) > 0 {
		n.next()
	}
	if s.slowReads > 0 {
		n.nextSlow()
	}
	return n
}

// nextSlow lets a disk read slowly now and then, beside all other faults.
func (n *nemesis) nextSlow() {
	n.w.after(spread(n.reads, n.shape.slowReads), func() {
		if n.stop {
			return
		}
		id, by := pick(n.reads, n.w.nodes...).id, pick[time.Duration](n.reads, 1, 5, 20)*time.Millisecond
		n.w.stats.Faults.SlowReads++
		n.w.SlowReads(id, by)
		f := &wound{undo: func() { n.w.SlowReads(id, -by) }}
		n.slow = append(keep(n.slow), f)
		n.w.after(pick[time.Duration](n.reads, 200, 1000, 3000)*time.Millisecond, f.heal)
		n.nextSlow()
	})
}

func (n *nemesis) next() {
	n.w.after(spread(n.rand, n.shape.every), func() {
		if n.stop {
			return
		}
		if n.active = keep(n.active); len(n.active) < n.shape.most {
			n.strike(pick(n.rand, n.shape.kinds...))
		}
		n.next()
	})
}

// end takes every fault back and makes no more.
func (n *nemesis) end() {
	n.stop = true
	for _, f := range append(n.active, n.slow...) {
		f.heal()
	}
	n.active, n.slow = nil, nil
}

func (f *wound) heal() {
	if !f.healed {
		f.healed = true
		f.undo()
	}
}

// heals takes a fault back after a time that is drawn.
func (n *nemesis) heals(undo func()) {
	n.healsAfter(pick[time.Duration](n.rand, 5, 50, 200, 800)*time.Millisecond, undo)
}

// lasts takes back, after a time that is drawn, a fault that outlives crashes.
func (n *nemesis) lasts(undo func()) {
	n.healsAfter(pick[time.Duration](n.rand, 200, 800, 3000)*time.Millisecond, undo)
}

func (n *nemesis) healsAfter(d time.Duration, undo func()) {
	f := &wound{undo: undo}
	n.active = append(n.active, f)
	n.w.after(d+spread(n.rand, d/4), f.heal)
}

func keep(all []*wound) []*wound {
	left := all[:0]
	for _, f := range all {
		if !f.healed {
			left = append(left, f)
		}
	}
	return left
}

func (n *nemesis) node() *machine { return pick(n.rand, n.w.nodes...) }

// strike makes one fault.
func (n *nemesis) strike(k kind) {
	w, m, c := n.w, n.node(), &n.w.stats.Faults
	w.tracef("FAULT %v %s", k, m.id)
	switch k {
	case kindCrash:
		n.crash(m)
	case kindPower:
		if n.rand.IntN(4) > 0 {
			return // it costs much time in which little can go wrong
		}
		c.PowerCuts++
		for _, m := range w.nodes {
			n.crash(m)
		}
	case kindPause:
		c.Pauses++
		w.pause(m)
		n.heals(func() { w.resume(m) })
	case kindClock:
		c.ClockJumps++
		w.jump(m, n.leap())
	case kindAway:
		if m.alive {
			c.Away++
			w.crash(m)
			m.skew += 2 * hintWindow.Milliseconds() // as its clock has it
			n.heals(func() { w.restart(m) })
		}
	case kindWipe, kindRestore, kindCopy, kindRot:
		if w.whole() {
			n.forget(k, m)
		}
	case kindStall, kindSyncError, kindWriteFail, kindReadFail, kindFull, kindSlowDisk:
		n.strikeDisk(k, m)
	default:
		n.strikeLinks(k, m)
	}
}

func (n *nemesis) crash(m *machine) {
	if !m.alive {
		return
	}
	n.w.stats.Faults.Crashes++
	n.w.crash(m)
	n.heals(func() { n.w.restart(m) })
}

var errInjected = errors.New("injected: input/output error")

func (n *nemesis) strikeDisk(k kind, m *machine) {
	w, c := n.w, &n.w.stats.Faults
	switch k {
	case kindStall:
		c.Stalls++
		m.disk.stalls++
		n.heals(func() { w.unstall(m) })
	case kindSyncError:
		if m.alive && m.disk.Pending() > 0 {
			c.SyncErrors++
			m.disk.Fail(errInjected)
			n.heals(func() { w.restart(m) })
		}
	case kindWriteFail:
		c.WriteFails++
		m.disk.failWrite = pick(n.rand, store.ErrFull, errInjected)
		n.heals(func() { m.disk.failWrite = nil })
	case kindReadFail:
		c.ReadFails++
		bits := byte(n.rand.IntN(2))
		m.disk.failRead = func(key []byte) bool { return key[len(key)-1]&1 == bits }
		n.heals(func() { m.disk.failRead = nil })
	case kindFull:
		c.FullDisks++
		full := pick(n.rand, nearlyFull, quiteFull)
		w.fill(m, full)
		n.lasts(func() { w.clear(m, full) })
	case kindSlowDisk:
		c.SlowDisks++
		d := pick[time.Duration](n.rand, 50, 100, 200, 400) * time.Millisecond
		m.disk.slow += d
		n.lasts(func() { m.disk.slow -= d })
	}
}

func (n *nemesis) strikeLinks(k kind, m *machine) {
	w, c := n.w, &n.w.stats.Faults
	switch k {
	case kindSlow:
		c.Slow++
		d := pick[time.Duration](n.rand, 5, 50, 400) * time.Millisecond
		w.slow(m, d)
		n.heals(func() { w.slow(m, -d) })
	case kindClog:
		c.Clogs++
		n.each(n.around(m), w.clog, w.unclog)
	case kindSwizzle:
		n.swizzle()
	case kindCut:
		c.Cuts++
		o := n.node()
		n.each(n.between(m, o), w.cut, w.heal)
	case kindOneWay:
		c.OneWay++
		if l := w.net.link(m.index, n.node().index); l.from != l.to {
			n.each([]*link{l}, w.cut, w.heal)
		}
	case kindIsolate:
		c.Cuts++
		n.each(n.around(m), w.cut, w.heal)
	case kindSplit:
		c.Cuts++
		n.each(n.across(), w.cut, w.heal)
	}
}

// each breaks links and mends them all at once.
func (n *nemesis) each(links []*link, do, undo func(*link)) {
	for _, l := range links {
		do(l)
	}
	n.heals(func() {
		for _, l := range links {
			undo(l)
		}
	})
}

// between returns the links between two nodes.
func (n *nemesis) between(a, b *machine) []*link {
	if a == b {
		return nil
	}
	return []*link{n.w.net.link(a.index, b.index), n.w.net.link(b.index, a.index)}
}

// around returns the links of a node: all, or those of one direction.
func (n *nemesis) around(m *machine) []*link {
	var links []*link
	way := n.rand.IntN(4)
	for _, l := range n.w.net.links {
		if l.from != l.to && (l.from == m && way != 1 || l.to == m && way != 2) {
			links = append(links, l)
		}
	}
	return links
}

// across returns the links between two halves of the nodes.
func (n *nemesis) across() []*link {
	side := 1 + n.rand.IntN(1<<len(n.w.nodes)-2)
	var links []*link
	for _, l := range n.w.net.links {
		if side>>l.from.index&1 != side>>l.to.index&1 {
			links = append(links, l)
		}
	}
	return links
}

// swizzle stops the links of some nodes one after the other and lets them go on
// in another order.
func (n *nemesis) swizzle() {
	n.w.stats.Faults.Clogs++
	step := pick[time.Duration](n.rand, 1, 10, 50) * time.Millisecond
	order := n.rand.Perm(len(n.w.nodes))
	back := n.rand.Perm(len(order))
	at := time.Duration(0)
	stopped := make([][]*link, len(order))
	done := false
	for i, node := range order {
		at += spread(n.rand, step)
		n.w.after(at, func() {
			if !done {
				stopped[i] = n.around(n.w.nodes[node])
				for _, l := range stopped[i] {
					n.w.clog(l)
				}
			}
		})
	}
	free := func(i int) {
		for _, l := range stopped[i] {
			n.w.unclog(l)
		}
		stopped[i] = nil
	}
	for _, i := range back {
		at += spread(n.rand, step)
		n.w.after(at, func() { free(i) })
	}
	all := &wound{undo: func() {
		done = true
		for i := range stopped {
			free(i)
		}
	}}
	n.active = append(n.active, all)
	n.w.after(at, all.heal)
}

// leap draws how far a clock jumps, in ms: ten minutes to and fro half of the
// time, anything up to an hour otherwise.
func (n *nemesis) leap() int64 {
	const tenMinutes = 600_000
	return pick(n.rand, tenMinutes, -tenMinutes, n.rand.Int64N(3600_000), -n.rand.Int64N(3600_000))
}

// jump moves a machine's wall clock, as package host has it: a jump of more
// than two seconds begins a new run (RULES R1).
func (w *World) jump(m *machine, ms int64) {
	m.skew += ms
	if m.alive && (ms > 2000 || ms < -2000) {
		w.begin(m)
		m.replica.NewRun(m.run)
	}
	if m.alive && ms > 2000 { // it may have been suspended: that time counts
		m.born -= time.Duration(ms) * time.Millisecond
		w.wake(m)
	}
}

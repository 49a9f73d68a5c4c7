package sim

import (
	"maps"
	"time"

	"github.com/ourodb/ouro/internal/core/handoff"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/wire"
)

// What breaks and mends a world. Faults of the same kind on the same thing add
// up: it is well again when each has been taken back.

// Crash ends a node's process as a power failure would: all that was not synced
// is lost.
func (w *World) Crash(id ring.NodeID) { w.kill(w.mustID(id), 0) }

// Restart starts a node again on the disk that its crash left.
func (w *World) Restart(id ring.NodeID) { w.restart(w.mustID(id)) }

func (w *World) restart(m *machine) {
	if !m.alive {
		w.start(m)
	}
}

// Wipe replaces the disk of a node that is down by an empty one.
func (w *World) Wipe(id ring.NodeID) { w.wipe(w.mustID(id)) }

func (w *World) wipe(m *machine) {
	w.tracef("%s loses its disk", m.id)
	m.disk.Engine, m.folder, m.rotten = blank(), folder{}, nil
	if m.runner != nil {
		m.runner.Refresh()
	}
	w.lost()
}

// lost notes that another node has lost something, beside those that have not
// got back what they lost before. What one holds that is in no cluster counts for
// nothing.
func (w *World) lost() {
	n := 0
	for _, m := range w.serving() {
		if !w.wholeOne(m) {
			n++
		}
	}
	w.hist.Wiped = max(w.hist.Wiped, n)
}

// Pause makes a node stand still: it neither works nor answers, and what is
// sent to it waits. Its clocks go on.
func (w *World) Pause(id ring.NodeID) { w.pause(w.mustID(id)) }

// Resume takes a pause back.
func (w *World) Resume(id ring.NodeID) { w.resume(w.mustID(id)) }

func (w *World) pause(m *machine) {
	w.tracef("%s stands still", m.id)
	m.paused++
	m.rested = w.now
}

func (w *World) resume(m *machine) {
	w.tracef("%s goes on", m.id)
	m.paused--
	m.rested = w.now
	if m.paused == 0 && m.alive {
		w.wake(m)
	}
}

// Cut stops all traffic between two nodes, both ways.
func (w *World) Cut(a, b ring.NodeID) {
	w.CutOneWay(a, b)
	w.CutOneWay(b, a)
}

// CutOff says whether a [World.Cut] between two nodes is in force.
func (w *World) CutOff(a, b ring.NodeID) bool {
	return w.linkOf(a, b).cuts > 0 && w.linkOf(b, a).cuts > 0
}

// CutOneWay stops what one node sends to another.
func (w *World) CutOneWay(from, to ring.NodeID) { w.cut(w.linkOf(from, to)) }

// Heal takes back a [World.Cut].
func (w *World) Heal(a, b ring.NodeID) {
	w.HealOneWay(a, b)
	w.HealOneWay(b, a)
}

// HealOneWay takes back a [World.CutOneWay].
func (w *World) HealOneWay(from, to ring.NodeID) { w.heal(w.linkOf(from, to)) }

func (w *World) linkOf(from, to ring.NodeID) *link {
	return w.net.link(w.mustID(from).index, w.mustID(to).index)
}

// Slow delays all that a node sends and is sent by d more.
func (w *World) Slow(id ring.NodeID, d time.Duration) { w.slow(w.mustID(id), d) }

func (w *World) slow(m *machine, d time.Duration) {
	for i := range w.nodes {
		w.net.link(m.index, i).slow += d
		w.net.link(i, m.index).slow += d
	}
}

// Stall makes a node's disk take for ever to sync; Unstall takes it back.
func (w *World) Stall(id ring.NodeID) { w.mustID(id).disk.stalls++ }

// Unstall takes a [World.Stall] back.
func (w *World) Unstall(id ring.NodeID) { w.unstall(w.mustID(id)) }

// Fill makes a node's disk full, whatever happens to the node: it still reads.
// MakeRoom takes it back.
func (w *World) Fill(id ring.NodeID) { w.fill(w.mustID(id), quiteFull) }

// MakeRoom takes a [World.Fill] back.
func (w *World) MakeRoom(id ring.NodeID) { w.clear(w.mustID(id), quiteFull) }

// SlowDisk makes every sync of a node's disk take d longer.
func (w *World) SlowDisk(id ring.NodeID, d time.Duration) { w.mustID(id).disk.slow += d }

// FailWrites makes a node's engine refuse every batch with err; nil ends that.
func (w *World) FailWrites(id ring.NodeID, err error) { w.mustID(id).disk.failWrite = err }

// FailReads makes a node's engine fail to read; false ends that.
func (w *World) FailReads(id ring.NodeID, on bool) {
	d := w.mustID(id).disk
	d.failRead = nil
	if on {
		d.failRead = func([]byte) bool { return true }
	}
}

// Held are frames that were taken from a link.
type Held struct {
	world  *World
	link   *link
	bodies [][]byte
}

// Hold takes every frame of a link that match wants off it, until Let is
// called.
func (w *World) Hold(from, to ring.NodeID, match func(m *node.Message) bool) *Held {
	h := &Held{world: w, link: w.linkOf(from, to)}
	h.link.filter = func(body []byte) bool {
		m, err := wire.DecodeMessage(body)
		if err != nil || !match(&m) {
			return false
		}
		w.trace.frame(w.now, "held", h.link.from, h.link.to, body)
		h.bodies = append(h.bodies, body)
		return true
	}
	return h
}

// Len returns how many frames are held.
func (h *Held) Len() int { return len(h.bodies) }

// Let sends on what was held and stops holding.
func (h *Held) Let() {
	h.link.filter = nil
	for _, b := range h.bodies {
		h.world.carry(h.link, b)
	}
	h.bodies = nil
}

// Drop forgets what was held and stops holding.
func (h *Held) Drop() {
	h.link.filter = nil
	h.bodies = nil
}

// Joins matches the messages that carry states to be merged.
func Joins(m *node.Message) bool { return m.Kind == node.KindAsk && len(m.Op.State) > 0 }

// Lose loses the frames that match wants lost, on every link, until it is called
// with nil.
func (w *World) Lose(match func(from, to ring.NodeID, m *node.Message) bool) {
	for _, l := range w.net.links {
		l.filter = nil
		if match == nil {
			continue
		}
		l.filter = func(body []byte) bool {
			m, err := wire.DecodeMessage(body)
			if err != nil || !match(l.from.id, l.to.id, &m) {
				return false
			}
			w.trace.frame(w.now, "lost", l.from, l.to, body)
			return true
		}
	}
}

// Jump moves a node's wall clock; its other clock goes on.
func (w *World) Jump(id ring.NodeID, d time.Duration) { w.jump(w.mustID(id), d.Milliseconds()) }

// SetBucket changes how a bucket behaves, on every node that is up.
func (w *World) SetBucket(name string, b node.Bucket) {
	named := maps.Clone(w.cfg.Buckets.Named)
	if named == nil {
		named = map[string]node.Bucket{}
	}
	named[name] = b
	w.cfg.Buckets.Named = named
	for _, m := range w.nodes {
		if m.alive {
			w.take(m, item{input: w.view(m)})
		}
	}
}

// Kept returns how many bytes a node keeps for others.
func (w *World) Kept(at ring.NodeID) int64 { return w.mustID(at).runner.PendingBytes() }

// Bucket returns how a bucket behaves.
func (w *World) Bucket(name string) node.Bucket { return w.cfg.Buckets.Of(name) }

// Backlog returns what a node says that it keeps for others.
func (w *World) Backlog(at ring.NodeID) []handoff.Backlog { return w.mustID(at).core.Backlog(nil) }

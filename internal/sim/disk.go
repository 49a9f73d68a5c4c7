package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/memory"
)

// DiskConfig says how long a disk takes to sync. Zero values mean 500 µs.
type DiskConfig struct {
	Sync   time.Duration // of every sync; default 500 µs
	Jitter time.Duration // mean of what is added to it, exponentially spread
	// Window is for how long what nobody waits for stays in memory; default 50 ms.
	Window time.Duration
}

func (c *DiskConfig) setDefaults() {
	if c.Sync == 0 {
		c.Sync = 500 * time.Microsecond
	}
	if c.Window == 0 {
		c.Window = 50 * time.Millisecond
	}
}

// platter is a node's disk: it outlives the node's processes. It shows the
// engine below it to the node, refuses what it is told to refuse, and lets an
// observer see all that is stored.
type platter struct {
	*memory.Engine
	now       func() time.Duration
	applied   []time.Duration         // when each that is pending was
	stored    func(key, value []byte) // called for every record that is stored
	failWrite error                   // what every Apply returns, if set
	failRead  func(key []byte) bool   // Gets that fail
	full      int                     // reasons for which batches that store something are refused
	slow      time.Duration           // what every sync takes longer
	read      time.Duration           // what every read takes
	reads     int                     // so many were made
	spent     time.Duration           // what reads have taken in this turn
	syncing   int                     // batches in the sync that is under way
	urgent    bool                    // somebody waits for what is pending
	timed     bool                    // a write of what nobody waits for is scheduled
	stalls    int                     // reasons for which a sync that is under way does not end
	late      *event                  // the end of a sync, which waits for the stalls
}

var _ store.Engine = (*platter)(nil)

var errRead = errors.New("injected: read error")

func newPlatter(now func() time.Duration) *platter {
	return &platter{Engine: blank(), now: now}
}

// blank is a disk on which nothing is.
func blank() *memory.Engine { return memory.New(memory.Options{Manual: true}) }

// SyncTo syncs the first n of the batches that are not.
func (p *platter) SyncTo(n int) {
	p.applied = p.applied[min(n, len(p.applied)):]
	p.Engine.SyncTo(n)
}

// Sync syncs all of them.
func (p *platter) Sync() { p.SyncTo(p.Pending()) }

// unsynced returns when the first of those that a crash would lose was applied,
// where it leaves the first keep of them; false: it would lose none.
func (p *platter) unsynced(keep int) (since time.Duration, any bool) {
	if keep >= len(p.applied) {
		return 0, false
	}
	return p.applied[keep], true
}

// Get implements [store.Engine].
func (p *platter) Get(key []byte, fn func(value []byte)) (bool, error) {
	p.spent += p.read
	p.reads++
	if p.failRead != nil && p.failRead(key) {
		return false, fmt.Errorf("get: %w", errRead)
	}
	return p.Engine.Get(key, fn)
}

// Range implements [store.Engine].
func (p *platter) Range(lo, hi []byte, fn func(key, value []byte) bool) error {
	p.spent += p.read
	p.reads++
	return p.Engine.Range(lo, hi, fn)
}

// Apply implements [store.Engine].
func (p *platter) Apply(b *store.Batch, synced func(error)) error {
	if p.failWrite != nil {
		return fmt.Errorf("apply: %w", p.failWrite)
	}
	if p.full > 0 && stores(b) {
		return fmt.Errorf("apply: %w", store.ErrFull)
	}
	if err := p.Engine.Apply(b, synced); err != nil {
		return err
	}
	p.urgent = p.urgent || !b.Lazy
	p.applied = append(p.applied, p.now())
	for i := range b.Changes {
		if c := &b.Changes[i]; c.Op == store.Set && p.stored != nil {
			p.stored(c.Key, c.Value)
		}
	}
	return nil
}

// stores says whether a batch needs room; one that only deletes makes some.
func stores(b *store.Batch) bool {
	return slices.ContainsFunc(b.Changes, func(c store.Change) bool { return c.Op == store.Set })
}

// crash leaves what was synced and the first keep of the other batches. A disk
// that is full or slow stays so.
func (p *platter) crash(keep int) {
	p.Engine, p.applied = p.Engine.Crash(keep), nil
	p.syncing, p.urgent, p.timed, p.late, p.failWrite, p.failRead = 0, false, false, nil, nil, nil
}

// fullness says how full a disk is.
type fullness int

const (
	nearlyFull fullness = iota // the node sees it coming and takes no more writes (disk.Runner.SetFull)
	quiteFull                  // the engine refuses them, too
)

// fill makes a machine's disk full; clear takes it back. It outlives the node's
// processes.
func (w *World) fill(m *machine, f fullness) {
	w.tracef("the disk of %s is full", m.id)
	m.full++
	if f == quiteFull {
		m.disk.full++
	}
	m.tellFull()
}

func (w *World) clear(m *machine, f fullness) {
	w.tracef("the disk of %s has room again", m.id)
	m.full--
	if f == quiteFull {
		m.disk.full--
	}
	m.tellFull()
}

// tellFull tells the node how its disk is, as package host's watcher does.
func (m *machine) tellFull() {
	if m.runner != nil {
		m.runner.SetFull(m.full > 0)
	}
}

// sync begins to sync what is applied, unless a sync is under way: what is
// applied meanwhile is for the next one, as with a log. What nobody waits for stays
// in memory for a while, as in package buffer.
func (w *World) sync(m *machine) {
	d := m.disk
	switch {
	case d.syncing > 0 || d.Pending() == 0:
		return
	case !d.urgent:
		w.syncLater(m)
		return
	}
	d.urgent = false
	d.syncing = d.Pending()
	took := w.cfg.Disk.Sync + d.slow + spread(w.diskRand, w.cfg.Disk.Jitter)
	w.queue.push(event{at: w.now + took, what: evSynced, node: m.index, life: m.life, n: d.syncing})
}

func (w *World) syncLater(m *machine) {
	if m.disk.timed {
		return
	}
	m.disk.timed = true
	life := m.life
	w.after(w.cfg.Disk.Window, func() {
		if m.alive && m.life == life {
			m.disk.timed, m.disk.urgent = false, true
			w.sync(m)
		}
	})
}

// synced ends a sync.
func (w *World) synced(e *event) {
	m := w.nodes[e.node]
	if !m.alive || m.life != e.life {
		return
	}
	if m.disk.stalls > 0 {
		late := *e
		m.disk.late = &late
		return
	}
	m.disk.syncing = 0
	m.disk.SyncTo(e.n)
	w.sync(m)
}

// unstall takes away one reason for which a disk does not sync.
func (w *World) unstall(m *machine) {
	if m.disk.stalls--; m.disk.stalls > 0 || m.disk.late == nil {
		return
	}
	e := *m.disk.late
	m.disk.late, e.at = nil, w.now
	w.queue.push(e)
}

// spread draws an exponentially spread time.
func spread(r *rand.Rand, mean time.Duration) time.Duration {
	if mean == 0 {
		return 0
	}
	return time.Duration(r.ExpFloat64() * float64(mean))
}

package sim

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/steward"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
)

// keeper runs a machine's steward beside its one shard, as package host does.
type keeper struct {
	core *steward.Steward
	out  steward.Out
}

// begins starts a steward on what the disk has kept.
func (w *World) begins(m *machine) {
	m.steward = nil
	if !w.cfg.Reap && !w.cfg.Changes {
		return
	}
	core, err := w.stewardOf(m)
	if err != nil {
		w.bug("%s: %v", m.id, err)
		return
	}
	m.steward = &keeper{core: core}
	core.Begin(w.clock(m), &m.steward.out)
	w.attend(m, w.clock(m))
}

// stewardOf makes a steward of what the disk has kept.
func (w *World) stewardOf(m *machine) (*steward.Steward, error) {
	kept := steward.Disk{Notes: map[steward.Note][]byte{}}
	for _, n := range steward.Notes() {
		if b := w.note(m, n); b != nil {
			kept.Notes[n] = b
		}
	}
	var err error
	if kept.Holds, err = disk.Holds(m.disk.Engine); err != nil {
		w.bug("%s: %v", m.id, err)
	}
	cfg := steward.Config{Self: m.id, Epochs: w.cfg.Epochs, Seed: m.run}
	if w.cfg.Changes {
		w.changing(m, &cfg)
		cfg.Recovering, cfg.Linked = m.recovering, m.folder.linked
	} else {
		cfg.Fixed = w.view(m)
	}
	return steward.New(w.clock(m), cfg, kept)
}

// note returns what a node's disk keeps under a note, nil where it keeps nothing.
func (w *World) note(m *machine, n steward.Note) (b []byte) {
	if _, err := m.disk.Engine.Get(store.NoteKey(byte(n)), func(v []byte) { b = slices.Clone(v) }); err != nil {
		w.bug("%s: %v", m.id, err)
	}
	return b
}

// tellSteward gives a steward one input; what it wants is carried out with the
// turn.
func (w *World) tellSteward(m *machine, now clock.Now, in steward.Input) {
	if m.steward != nil {
		m.steward.core.Step(now, in, &m.steward.out)
	}
}

// attend carries out what a steward wants, until it wants no more.
func (w *World) attend(m *machine, now clock.Now) {
	s := m.steward
	if s == nil {
		return
	}
	w.heed(m, now)
	if s.core.Deadline() <= now.Mono {
		s.core.Step(now, steward.Tick{}, &s.out)
	}
	for s.out.Stand.Seq != 0 {
		stand := s.out.Stand
		s.out.Stand = reap.Stand{}
		m.replica.Stand(stand.Standing)
		m.core.Step(now, &node.Standing{Standing: stand.Standing}, &m.out)
		lowest, keeps := m.core.Lowest(m.runner.LowestStamp())
		s.core.Step(now, &steward.Stood{Seq: stand.Seq, Lowest: lowest, Keeps: keeps}, &s.out)
	}
	m.out.Sends = append(m.out.Sends, s.out.Sends...)
	m.out.Facts = append(m.out.Facts, s.out.Facts...)
	m.rolledBack, m.forgot = m.rolledBack || s.out.RolledBack, m.forgot || s.out.Forgot
	w.follow(m)
	if len(s.out.Store) > 0 {
		w.keepNotes(m, s.out.Store, s.out.Seq)
	}
	s.out.Reset()
}

// heed passes on what the node wants of its steward, and has for it.
func (w *World) heed(m *machine, now clock.Now) {
	s := m.steward
	if m.out.Want > 0 {
		s.core.Step(now, &steward.Want{Epoch: m.out.Want}, &s.out)
		m.out.Want = 0
	}
	for i := range m.out.Proven {
		p := &m.out.Proven[i]
		s.core.Step(now, &steward.Ready{Partition: p.Partition, Proofs: p.Proofs}, &s.out)
	}
	m.out.Proven = m.out.Proven[:0]
	for _, f := range m.out.Fetches {
		s.core.Step(now, &steward.Fetch{Peer: f.From}, &s.out)
	}
	m.out.Fetches = m.out.Fetches[:0]
	if m.out.Clean != nil {
		s.core.Step(now, &steward.Clean{Clean: *m.out.Clean}, &s.out)
		m.out.Clean = nil
	}
}

// keepNotes writes to the disk what a steward wants kept. A disk that refuses it
// is asked again.
func (w *World) keepNotes(m *machine, records []steward.Record, seq uint64) {
	w.keepFirst(m, records)
	life := m.life
	var b store.Batch
	for _, r := range records {
		b.Set(store.NoteKey(byte(r.Note)), r.Value)
	}
	err := m.disk.Apply(&b, func(err error) {
		switch {
		case m.life != life:
		case err != nil:
			m.failed = true
			w.wake(m)
		default:
			w.take(m, item{steward: &steward.Stored{Seq: seq}})
		}
	})
	if err != nil {
		w.after(w.cfg.Epochs.Tell, func() {
			if m.alive && m.life == life {
				w.keepNotes(m, records, seq)
				w.sync(m)
			}
		})
	}
}

// inEpoch says whether what the disk has of the epochs, behind the origin of the
// history that they are by, is of any.
func inEpoch(note []byte) bool {
	d, err := reap.DecodeDurable(note[min(16, len(note)):])
	return err == nil && d.Epoch > 0
}

// keepFirst copies a disk that is whole and holds something before it is told its
// first epoch: what is put back in its place knows none (RULES R22).
func (w *World) keepFirst(m *machine, records []steward.Record) {
	began := slices.ContainsFunc(records, func(r steward.Record) bool { return r.Note == steward.EpochNote && inEpoch(r.Value) })
	kept := false
	_, err := m.disk.Engine.Get(store.NoteKey(byte(steward.EpochNote)), func(v []byte) { kept = inEpoch(v) })
	if !began || kept || err != nil {
		return
	}
	if holds, err := disk.Holds(m.disk.Engine); err == nil && holds && w.wholeOne(m) {
		m.first = m.copyDisk()
	}
}

package sim

import (
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
)

// steward keeps the epoch of a machine's node, beside its one shard, as package
// host has it.
type steward struct {
	epochs *reap.Epochs
	out    reap.EpochEffects
}

// found starts a steward on what the disk has kept.
func (w *World) found(m *machine) {
	if !w.cfg.Reap {
		m.steward = nil
		return
	}
	found, err := stands(m.disk.Engine)
	if err != nil {
		w.bug("%s: %v", m.id, err)
	}
	cfg := w.cfg.Epochs
	cfg.Seed = m.run
	m.steward = &steward{epochs: reap.NewEpochs(cfg, m.id, w.members(), found)}
	m.steward.epochs.Begin(&m.steward.out)
	w.attend(m, w.clock(m))
}

// stands returns what an engine says of the epochs.
func stands(e store.Engine) (found reap.Disk, err error) {
	var bad error
	if _, err = e.Get(store.EpochKey(), func(v []byte) { found.Durable, bad = reap.DecodeDurable(v) }); err == nil {
		err = bad
	}
	if err == nil {
		found.Holds, err = disk.Holds(e)
	}
	return found, err
}

func (w *World) members() []ring.NodeID {
	var ids []ring.NodeID
	for _, n := range w.ring.Nodes() {
		ids = append(ids, n.ID)
	}
	return ids
}

// hear takes what another node tells of the epochs.
func (w *World) hear(m *machine, now clock.Now, from *machine, show *reap.Show) {
	if m.steward != nil {
		m.steward.epochs.Hear(now, from.id, show, &m.steward.out)
	}
}

// attend carries out what a steward wants, until it wants no more.
func (w *World) attend(m *machine, now clock.Now) {
	s := m.steward
	if s == nil {
		return
	}
	if m.out.Want > 0 {
		s.epochs.Want(now, m.out.Want, &s.out)
		m.out.Want = 0
	}
	if s.epochs.Deadline() <= now.Mono {
		s.epochs.Tick(now, &s.out)
	}
	for s.out.Stand.Seq != 0 {
		stand := s.out.Stand
		s.out.Stand.Seq = 0
		m.replica.Stand(stand.Standing)
		lowest, keeps := m.runner.LowestStamp()
		m.core.Step(now, &node.Standing{Standing: stand.Standing}, &m.out)
		s.epochs.Stood(now, 0, stand.Seq, lowest, keeps, &s.out)
	}
	for i := range s.out.Tells {
		t := s.out.Tells[i]
		m.out.Sends = append(m.out.Sends, node.Send{To: t.To, Message: node.Message{Kind: node.KindEpochs, Show: &t.Show}})
	}
	m.out.Facts = append(m.out.Facts, s.out.Facts...)
	m.rolledBack = m.rolledBack || s.out.RolledBack
	if s.out.Storing {
		w.keepEpoch(m, s.out.Store)
	}
	s.out.Reset()
}

// keepEpoch writes an epoch to the disk; when it is synced it may be shown. A
// disk that refuses it is asked again.
func (w *World) keepEpoch(m *machine, d reap.Durable) {
	if found, err := stands(m.disk.Engine); err == nil && found.Epoch == 0 && found.Holds && w.wholeOne(m) {
		m.first = m.copyDisk()
	}
	life := m.life
	var b store.Batch
	b.Set(store.EpochKey(), reap.AppendDurable(nil, d))
	err := m.disk.Apply(&b, func(err error) {
		if m.life == life && err == nil {
			w.take(m, item{epoch: &d})
		}
	})
	if err != nil {
		w.after(w.cfg.Epochs.Tell, func() {
			if m.alive && m.life == life {
				w.keepEpoch(m, d)
				w.sync(m)
			}
		})
	}
}

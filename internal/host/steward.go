package host

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/wire"
)

// steward keeps the epoch of the node, by which tombstones are reaped, on a
// goroutine of its own: one for all shards, which stand where it says.
type steward struct {
	host    *Host
	epochs  *reap.Epochs
	out     reap.EpochEffects
	status  atomic.Pointer[reap.Status]
	storing int      // epochs on their way to the disk
	onIdle  []func() // called once when none is any more

	mu   sync.Mutex
	todo []func(now clock.Now)
	wake chan struct{}
}

var errRolledBack = errors.New("the data folder is an old copy: other nodes have seen this one in a later epoch; " +
	"move the folder away and start the node with an empty one, so that it is filled from the others")

// maxGossip is how much of what peers tell may wait for the steward; more is
// dropped, and told again.
const maxGossip = 1024

// newSteward goes on from what the engine has kept, and puts the shards, which
// have not started, where they stand.
func newSteward(h *Host, view *node.View) (*steward, error) {
	found, err := stands(h.engine)
	if err != nil {
		return nil, fmt.Errorf("host: read the epoch: %w", err)
	}
	cfg := h.cfg.Epochs
	cfg.Seed, cfg.Shards = newRun(), len(h.shards)
	s := &steward{host: h, wake: make(chan struct{}, 1)}
	s.epochs = reap.NewEpochs(cfg, view.Self, members(view), found)
	s.epochs.Begin(&s.out)
	for _, sh := range h.shards {
		sh.stand(h.now(), s.out.Stand)
	}
	s.out.Stand = reap.Stand{}
	s.publish()
	return s, nil
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

func members(v *node.View) []ring.NodeID {
	var ids []ring.NodeID
	for _, n := range v.Ring.Nodes() {
		ids = append(ids, n.ID)
	}
	return ids
}

// do lets the steward do something, soon.
func (s *steward) do(fn func(now clock.Now)) {
	s.mu.Lock()
	s.todo = append(s.todo, fn)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// hear takes what a member tells of the epochs.
func (s *steward) hear(from ring.NodeID, show *reap.Show) {
	s.mu.Lock()
	full := len(s.todo) >= maxGossip
	s.mu.Unlock()
	if full {
		s.host.cfg.Observer.Refused("steward")
		return
	}
	s.do(func(now clock.Now) { s.epochs.Hear(now, from, show, &s.out) })
}

func (s *steward) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.turn()
		wait := time.Hour
		if at := s.epochs.Deadline(); at < 1<<63-1 {
			wait = max(at-s.host.now().Mono, 0)
		}
		timer.Reset(wait)
		select {
		case <-s.wake:
		case <-timer.C:
		case <-s.host.stop:
			return
		}
	}
}

func (s *steward) turn() {
	s.mu.Lock()
	todo := s.todo
	s.todo = nil
	s.mu.Unlock()
	now := s.host.now()
	for _, fn := range todo {
		fn(now)
	}
	if s.epochs.Deadline() <= now.Mono {
		s.epochs.Tick(now, &s.out)
	}
	s.carry()
	s.publish()
	if s.storing == 0 {
		for _, fn := range s.onIdle {
			fn()
		}
		s.onIdle = nil
	}
}

func (s *steward) publish() {
	status := s.epochs.Status()
	s.status.Store(&status)
}

// carry carries out what the machine wants.
func (s *steward) carry() {
	h := s.host
	if stand := s.out.Stand; stand.Seq != 0 {
		for _, sh := range h.shards {
			sh.in.force(item{do: func(s *shard) { s.stand(h.now(), stand) }, queued: time.Since(h.started)})
		}
	}
	for _, t := range s.out.Tells {
		frame := appendFrame(nil, &node.Message{Kind: node.KindEpochs, Show: &t.Show})
		if err := h.send(t.To, frame); err != nil {
			h.cfg.Observer.Refused("link")
		}
	}
	if len(s.out.Facts) > 0 {
		h.cfg.Observer.Observe(s.out.Facts)
	}
	if s.out.Storing {
		s.storing++
		s.keep(s.out.Store)
	}
	switch {
	case !s.out.RolledBack:
	case h.cfg.RolledBack != nil:
		h.cfg.RolledBack()
	default:
		h.fail(errRolledBack)
	}
	s.out.Reset()
}

// keep writes an epoch to the engine; it is shown when it is synced. An engine
// that refuses it is asked again.
func (s *steward) keep(d reap.Durable) {
	var b store.Batch
	b.Set(store.EpochKey(), reap.AppendDurable(nil, d))
	err := s.host.engine.Apply(&b, func(err error) {
		if err != nil {
			s.host.fail(err)
			return
		}
		s.do(func(now clock.Now) {
			s.storing--
			s.epochs.Stored(now, d, &s.out)
		})
	})
	if err != nil {
		s.host.cfg.Log.Warn("the epoch could not be stored; reaping waits", "error", err)
		time.AfterFunc(time.Second, func() { s.do(func(clock.Now) { s.keep(d) }) })
	}
}

// overhear takes what is for the steward out of the messages of a member.
func (h *Host) overhear(from ring.NodeID, bodies [][]byte) [][]byte {
	left := bodies
	for i, body := range bodies {
		if len(body) == 0 || node.Kind(body[0]) != node.KindEpochs {
			if len(left) != len(bodies) {
				left = append(left, body)
			}
			continue
		}
		if len(left) == len(bodies) {
			left = append(make([][]byte, 0, len(bodies)), bodies[:i]...)
		}
		if m, err := wire.DecodeMessage(body); err == nil {
			h.steward.hear(from, m.Show)
		}
	}
	return left
}

// stand puts a shard where the steward says, and tells it what is kept here.
func (s *shard) stand(now clock.Now, stand reap.Stand) {
	s.replica.Stand(stand.Standing)
	lowest, keeps := s.disk.LowestStamp()
	s.core.Step(now, &node.Standing{Standing: stand.Standing}, &s.out)
	if st := s.host.steward; st != nil {
		st.do(func(now clock.Now) { st.epochs.Stood(now, s.index, stand.Seq, lowest, keeps, &st.out) })
	}
}

// sweep looks through some of the own records; what it finds comes back through
// the inbox.
func (s *shard) sweep() {
	for i := range s.out.Sweeps {
		w := &s.out.Sweeps[i]
		found := &node.Swept{Sweep: s.disk.Sweep(w.From, w.Limit)}
		s.in.force(item{input: found, queued: time.Since(s.host.started)})
	}
	clear(s.out.Sweeps)
	s.out.Sweeps = s.out.Sweeps[:0]
}

// want passes on to the steward that an epoch is waited for.
func (s *shard) want() {
	if epoch := s.out.Want; epoch > 0 {
		st := s.host.steward
		st.do(func(now clock.Now) { st.epochs.Want(now, epoch, &st.out) })
	}
}

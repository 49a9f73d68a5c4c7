package host

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/ring"
	core "github.com/ourodb/ouro/internal/core/steward"
	"github.com/ourodb/ouro/internal/wire"
)

// steward runs package steward on a goroutine of its own: what the node knows of
// its cluster, one for all shards, which act on the views that it gives them.
type steward struct {
	host  *Host
	core  *core.Steward
	out   core.Out
	known atomic.Pointer[known]

	mu      sync.Mutex
	todo    []core.Input
	asked   uint64
	waiting map[uint64]chan core.Reply // who waits for which reply
	wake    chan struct{}
}

// known is what a steward knows, for other goroutines.
type known struct {
	cluster *member.Cluster // nil: the node is in none, or in one that never changes
	place   *place.Placement
	links   chain.Status
	ended   []*place.Link // the last links that were chosen, the newest last
	version string        // of the history
	staged  []string      // by operators, here
	apart   []core.Apart  // nodes of clusters that can't be merged
	peers   []core.Peer   // to whom there are links
	epochs  reap.Status
}

var errRolledBack = errors.New("the data folder is an old copy: other nodes have seen this one in a later epoch; " +
	"move the folder away and start the node with an empty one, so that it is filled from the others")

// maxGossip is how much of what peers tell may wait for the steward; more is
// dropped, and told again.
const maxGossip = 1024

// newSteward goes on from what the engine has kept.
func newSteward(h *Host) (*steward, error) {
	found, err := recall(h.engine)
	if err != nil {
		return nil, err
	}
	cfg := h.cfg.Steward
	cfg.Seed, cfg.Epochs.Shards = newRun(), h.cfg.Shards
	now := h.now()
	s := &steward{host: h, wake: make(chan struct{}, 1), waiting: map[uint64]chan core.Reply{}}
	if s.core, err = core.New(now, cfg, found); err != nil {
		return nil, err
	}
	s.publish()
	return s, nil
}

// begin puts the shards, which have not started, where they stand.
func (s *steward) begin() {
	s.core.Begin(s.host.now(), &s.out)
	for _, sh := range s.host.shards {
		sh.stand(s.host.now(), s.out.Stand)
	}
	s.out.Stand = reap.Stand{}
}

// do tells the steward something, soon.
func (s *steward) do(in core.Input) {
	s.mu.Lock()
	s.todo = append(s.todo, in)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// ask tells the steward something that it answers; who waits no longer calls forget.
func (s *steward) ask(in func(id uint64) core.Input) (answer <-chan core.Reply, forget func()) {
	reply := make(chan core.Reply, 1)
	s.mu.Lock()
	s.asked++
	id := s.asked
	s.waiting[id] = reply
	s.mu.Unlock()
	s.do(in(id))
	return reply, func() { s.answer(id) }
}

// answer takes who waits for a reply off the list.
func (s *steward) answer(id uint64) chan core.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply := s.waiting[id]
	delete(s.waiting, id)
	return reply
}

// hear takes what a peer tells the steward.
func (s *steward) hear(in *core.Told) {
	s.mu.Lock()
	full := len(s.todo) >= maxGossip
	s.mu.Unlock()
	if full {
		s.host.cfg.Observer.Refused("steward")
		return
	}
	s.do(in)
}

// run is the steward's goroutine.
func (s *steward) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.turn()
		timer.Reset(min(max(s.core.Deadline()-s.host.now().Mono, 0), time.Hour))
		select {
		case <-s.wake:
		case <-timer.C:
		case <-s.host.stop:
			return
		}
	}
}

// turn gives the core what waits for it, and carries out what comes of that.
func (s *steward) turn() {
	s.mu.Lock()
	todo := s.todo
	s.todo = nil
	s.mu.Unlock()
	now := s.host.now()
	for _, in := range todo {
		s.core.Step(now, in, &s.out)
	}
	if s.core.Deadline() <= now.Mono {
		s.core.Step(now, core.Tick{}, &s.out)
	}
	s.publish()
	s.carry()
}

// publish shows other goroutines what the core knows.
func (s *steward) publish() {
	k := &known{cluster: s.core.Cluster(), place: s.core.Place(), links: s.core.Links(), ended: s.core.Ended(), epochs: s.core.Epochs()}
	k.version, k.staged = s.core.Version(), s.core.Staged()
	k.apart, k.peers = s.core.Apart(), s.core.Peers()
	s.known.Store(k)
}

// carry carries out what the core wants.
func (s *steward) carry() {
	h, out := s.host, &s.out
	if stand := out.Stand; stand.Seq != 0 { // before the view: who joins mints nothing in an epoch of before
		for _, sh := range h.shards {
			sh.in.force(item{do: func(s *shard) { s.stand(h.now(), stand) }, queued: time.Since(h.started)})
		}
	}
	if out.View != nil && h.fits(out.View) {
		h.setView(out.View)
	}
	s.reachOut()
	if len(out.Facts) > 0 {
		h.cfg.Observer.Observe(out.Facts)
	}
	for _, r := range out.Replies {
		if reply := s.answer(r.ID); reply != nil {
			reply <- r
		}
	}
	if len(out.Store) > 0 {
		s.keep(out.Store, out.Seq)
	}
	switch {
	case !out.RolledBack:
	case h.cfg.RolledBack != nil:
		h.cfg.RolledBack()
	default:
		h.fail(errRolledBack)
	}
	if out.Forgot && h.cfg.Forgot != nil {
		h.cfg.Forgot()
	}
	out.Reset()
}

// reachOut has links made and nodes sought as the core wants, and sends what it says
// to other stewards.
func (s *steward) reachOut() {
	h, out := s.host, &s.out
	if out.Dial && h.cfg.Dial != nil {
		h.cfg.Dial(out.Peers)
	}
	if h.cfg.Seek != nil {
		for _, seed := range out.Seeks {
			h.cfg.Seek(seed)
		}
	}
	for i := range out.Sends {
		if err := h.send(out.Sends[i].To, appendFrame(nil, &out.Sends[i].Message)); err != nil {
			h.cfg.Observer.Refused("link")
		}
	}
}

// overhear takes what is for the steward out of the messages of a peer, and lets
// through what the peer may ask of the shards.
func (h *Host) overhear(from ring.NodeID, bodies [][]byte) [][]byte {
	view := h.view.Load()
	return slices.DeleteFunc(bodies, func(body []byte) bool {
		if len(body) == 0 {
			return true
		}
		kind := node.Kind(body[0])
		if !core.Takes(kind) {
			return !core.Admits(view, from, kind)
		}
		if m, err := wire.DecodeMessage(body); err == nil {
			h.steward.hear(&core.Told{From: from, Message: &m})
		}
		return true
	})
}

// Met tells the host where a node was found, or that it has said so itself; seed is
// where it was sought, "": nowhere.
func (h *Host) Met(id, addr, seed string) {
	h.steward.do(&core.Met{Peer: core.Peer{ID: ring.NodeID(id), Addr: addr}, Seed: seed})
}

// Removed tells the host that another node refuses this one because it was removed.
func (h *Host) Removed() { h.steward.do(&core.Removed{}) }

// want passes on to the steward what a shard wants of it, and has for it.
func (s *shard) want() {
	st, out := s.host.steward, &s.out
	if out.Want > 0 {
		st.do(&core.Want{Epoch: out.Want})
	}
	for i := range out.Proven {
		st.do(&core.Ready{Partition: out.Proven[i].Partition, Proofs: out.Proven[i].Proofs})
	}
	for _, f := range out.Fetches {
		st.do(&core.Fetch{Peer: f.From})
	}
	if out.Clean != nil {
		st.do(&core.Clean{Shard: s.index, Clean: *out.Clean})
	}
}

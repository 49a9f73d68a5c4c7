package transport

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Handler takes what a [Transport] has to tell. Its methods are called from many
// goroutines, but for one peer Up and Down come strictly in turn, and for one
// session Frames come one after the other, in the order they were sent. They
// must not wait for Close. While Frames has not returned the link is not read,
// which slows the sender down.
type Handler interface {
	// Check accepts or refuses whoever is at the other end of a new link. It is
	// called for links made and accepted, after cluster, version and ids have
	// been found right (RULES R11). Live is the run of another process of the
	// same node to which a link is open, 0: none; a process that died without a
	// word is taken for alive until its link has been silent for the link
	// timeout. It returns the disk that the node was known by until now, 0: none,
	// which is told to a dialler, as an error is.
	Check(h Hello, live uint64) (knows []uint64, err error)

	// Refused says that a peer which was dialled refused the link, at every
	// attempt anew.
	Refused(peer string, err *RefusedError)

	// Denied says that this side refused a link, at every attempt anew: to a peer that
	// it dialled, or of whoever dialled from addr. Peer is who it says it is, "" where
	// it did not get so far.
	Denied(peer, addr string, err *RefusedError)

	// Up says that frames can be sent to a peer; session is new with each link.
	Up(peer string, session uint64, h Hello)

	// Down says that the link reported by Up is gone. What was under way on it
	// may or may not have arrived.
	Down(peer string, session uint64, err error)

	// Frames hands over the bodies that have come on one link, memory included:
	// neither the slice nor the bytes are touched again. The session is that of
	// this incoming link. On a client's link reply sends whole frames back, with
	// the errors of Send; on a member's it is nil.
	Frames(peer string, session uint64, bodies [][]byte, reply func(frames []byte) error)
}

// Transport holds the links of one node. Its methods may be called from any
// goroutine.
type Transport struct {
	cfg     Config
	handler Handler
	notices notices
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	sessions atomic.Uint64
	peers    atomic.Pointer[map[string]*peer] // replaced whole, under mu
	faults   atomic.Pointer[map[string]Fault] // nil: never any; replaced whole, under mu
	expelled atomic.Pointer[func(node string) bool]
	refused  atomic.Uint64
	clients  counters

	mu        sync.Mutex
	closed    bool
	listeners map[net.Listener]struct{}
	lobby     lobby                // accepted, handshake under way
	links     map[*link]struct{}   // all that are open
	incoming  map[string]*link     // accepted from members, by id
	accepted  int                  // accepted links among links
	counts    map[string]*counters // by member, kept over removal
}

// New returns a transport without peers. It must be closed.
func New(cfg Config, h Handler) (*Transport, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	t := &Transport{
		cfg: cfg, handler: h,
		notices:   notices{log: cfg.Log},
		listeners: map[net.Listener]struct{}{},
		lobby:     lobby{most: cfg.MaxHandshakes},
		links:     map[*link]struct{}{},
		incoming:  map[string]*link{},
		counts:    map[string]*counters{},
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.peers.Store(&map[string]*peer{})
	t.running.Go(t.beat)
	return t, nil
}

// SetPeers says which members there are and where: id to address. Links to
// those that are new are made, links to those that are gone are closed, and a
// changed address means a new link. The node's own id is skipped.
func (t *Transport) SetPeers(addrs map[string]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	old := *t.peers.Load()
	next := make(map[string]*peer, len(addrs))
	for id, addr := range addrs {
		if id == t.cfg.Self.Node {
			continue
		}
		if p := old[id]; p != nil && p.addr == addr {
			next[id] = p
			continue
		}
		next[id] = newPeer(t, id, addr, t.counterOf(id), old[id])
	}
	for id, p := range old {
		if next[id] != p {
			p.cancel()
		}
	}
	t.peers.Store(&next)
	for id, p := range next {
		if old[id] != p {
			t.running.Go(p.run)
		}
	}
}

// Expel ends the links of the nodes that out names, which the handler refuses by now,
// and keeps ending those whose handshake is under way.
func (t *Transport) Expel(out func(node string) bool) {
	t.expelled.Store(&out)
	for _, l := range t.openLinks() {
		if t.isOut(l) {
			l.close(ErrExpelled)
		}
	}
}

// Recheck asks the handler anew about whoever is at the other end of every open link:
// what it was told at the handshake may count by now. A link that it refuses ends, and
// is told why when it is made anew.
func (t *Transport) Recheck() {
	for _, l := range t.openLinks() {
		if l.other.Client {
			continue
		}
		if _, err := t.check(l.other); err != nil {
			l.close(fmt.Errorf("transport: %w", err))
		}
	}
}

func (t *Transport) isOut(l *link) bool {
	out := t.expelled.Load()
	return out != nil && !l.other.Client && (*out)(l.other.Node)
}

// counterOf returns the counters of a member; mu is held.
func (t *Transport) counterOf(id string) *counters {
	c := t.counts[id]
	if c == nil {
		c = &counters{}
		t.counts[id] = c
	}
	return c
}

// Send queues a copy of frames, which are whole frames made by [AppendFrame] or
// [EndFrame], for a peer. It never waits for the network. [ErrDown] means that
// there is no link, [ErrFull] that too much waits on it, [ErrTooLarge] and
// [ErrFraming] that frames must not be sent at all; then none of them is. No
// frames ask whether there is a link.
func (t *Transport) Send(to string, frames []byte) error {
	p := (*t.peers.Load())[to]
	if p == nil {
		return ErrDown
	}
	n, err := checkFrames(frames, t.cfg.MaxFrame)
	if err != nil {
		return err
	}
	if n > 0 && t.faults.Load() != nil { // of dev clusters only
		return t.sendFaulty(p, frames, n)
	}
	return p.send(frames, n)
}

// beat keeps links alive and finds the dead ones.
func (t *Transport) beat() {
	tick := time.NewTicker(t.cfg.KeepAlive)
	defer tick.Stop()
	limit := int(t.cfg.LinkTimeout / t.cfg.KeepAlive)
	for {
		select {
		case <-t.ctx.Done():
			return
		case <-tick.C:
		}
		for _, l := range t.openLinks() {
			l.beat(limit, t.fault(l).DropOut)
		}
	}
}

func (t *Transport) openLinks() []*link {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.links))
}

// Close ends all links and waits until nothing of the transport runs.
func (t *Transport) Close() error {
	t.cancel()
	t.mu.Lock()
	t.closed = true
	for ln := range t.listeners {
		_ = ln.Close() // Serve reports what went wrong while it was of use
	}
	for _, g := range t.lobby.guests {
		_ = g.conn.Close() // its handshake fails
	}
	links := slices.Collect(maps.Keys(t.links))
	t.mu.Unlock()
	for _, l := range links {
		l.close(ErrClosed)
	}
	t.running.Wait()
	return nil
}

// Stats returns what has been counted so far.
func (t *Transport) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Stats{Clients: t.clients.stats("clients"), Accepted: t.accepted, Refused: t.refused.Load()}
	peers := *t.peers.Load()
	for id, c := range t.counts {
		ps := c.stats(id)
		if p := peers[id]; p != nil {
			if l := p.link.Load(); l != nil {
				ps.Up, ps.PendingBytes = true, l.out.size()
			}
		}
		s.Peers = append(s.Peers, ps)
	}
	slices.SortFunc(s.Peers, func(a, b PeerStats) int { return strings.Compare(a.Peer, b.Peer) })
	return s
}

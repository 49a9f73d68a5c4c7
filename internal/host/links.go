package host

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	core "github.com/ourodb/ouro/internal/core/steward"
	"github.com/ourodb/ouro/internal/transport"
	"github.com/ourodb/ouro/internal/wire"
)

// clientPrefix begins the names under which links that belong to no member are
// known to the core. It is outside the alphabet of node ids.
const clientPrefix = "client/"

func isClient(id ring.NodeID) bool { return strings.HasPrefix(string(id), clientPrefix) }

// linkTable knows which peers can be sent to, where clients reach them, and how
// clients that came over a node link are answered.
type linkTable struct {
	mu      sync.Mutex
	peers   map[ring.NodeID]bool
	clients map[ring.NodeID]func(frames []byte) error
	serves  map[ring.NodeID]string // where clients reach them
}

func (t *linkTable) up(peer ring.NodeID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.peers[peer]
}

func (t *linkTable) set(peer ring.NodeID, up bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.peers == nil {
		t.peers = map[ring.NodeID]bool{}
	}
	t.peers[peer] = up
}

// client remembers how to answer a client's link. A new one is the occasion to
// forget those that are closed: they refuse even nothing. So the table is no
// larger than the number of links the transport allows.
func (t *linkTable) client(id ring.NodeID, reply func([]byte) error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.clients[id]; known {
		return
	}
	if t.clients == nil {
		t.clients = map[ring.NodeID]func([]byte) error{}
	}
	maps.DeleteFunc(t.clients, func(_ ring.NodeID, r func([]byte) error) bool { return r(nil) != nil })
	t.clients[id] = reply
}

func (t *linkTable) answer(id ring.NodeID) func([]byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.clients[id]
}

// Up tells the host that a peer can be sent to, and which disk it has shown.
func (h *Host) Up(peer string, disk uint64) { h.link(ring.NodeID(peer), true, disk) }

// Down tells the host that it no longer can.
func (h *Host) Down(peer string) { h.link(ring.NodeID(peer), false, 0) }

func (h *Host) link(peer ring.NodeID, up bool, disk uint64) {
	h.links.set(peer, up)
	h.tellAll(func() node.Input { return &node.Link{Peer: peer, Up: up} })
	h.steward.do(&core.Link{Peer: peer, Up: up, Disk: disk})
}

func clientID(session uint64) ring.NodeID {
	return ring.NodeID(clientPrefix + strconv.FormatUint(session, 10))
}

// Frames takes messages that arrived over a link and owns their memory. Where
// reply is set the link is a client's, and is answered through it.
func (h *Host) Frames(peer string, session uint64, bodies [][]byte, reply func(frames []byte) error) {
	from := ring.NodeID(peer)
	if reply != nil {
		from = clientID(session)
		h.links.client(from, reply)
		if bodies = onlyForwards(bodies); len(bodies) == 0 {
			h.cfg.Observer.Refused("client link")
			return
		}
	} else if bodies = h.overhear(from, bodies); len(bodies) == 0 {
		return
	}
	if len(h.shards) == 1 {
		h.enqueue(h.shards[0], &frames{from, session, bodies})
		return
	}
	parts := make([][][]byte, len(h.shards))
	for _, body := range bodies {
		if p, ok := wire.PartitionOf(body); ok {
			i := int(p) % len(parts)
			parts[i] = append(parts[i], body)
		}
	}
	for i, part := range parts {
		if len(part) > 0 {
			h.enqueue(h.shards[i], &frames{from, session, part})
		}
	}
}

// onlyForwards keeps what a client may send over a node link: requests to be
// coordinated. What members ask of each other's storage is not for clients.
func onlyForwards(bodies [][]byte) [][]byte {
	return slices.DeleteFunc(bodies, func(body []byte) bool {
		return len(body) == 0 || node.Kind(body[0]) != node.KindForward
	})
}

// enqueue puts messages into a shard's inbox. Where it is full, new work is
// refused at once and what finishes old work is let in.
func (h *Host) enqueue(s *shard, f *frames) {
	queued := time.Since(h.started)
	if s.in.offer(item{frames: f, queued: queued}, f.weight(s.in.bound)) {
		return
	}
	h.cfg.Observer.Refused("inbox")
	finish, refusals := f.bodies[:0:0], []byte(nil)
	for _, body := range f.bodies {
		m, err := wire.DecodeMessage(body)
		if err != nil {
			continue
		}
		if no, ok := refuse(&m); ok {
			refusals = appendFrame(refusals, &no)
		} else if m.Kind == node.KindAnswer || m.Kind == node.KindReturn {
			finish = append(finish, body)
		}
	}
	if len(finish) > 0 {
		s.in.force(item{frames: &frames{f.from, f.session, finish}, queued: queued})
	}
	if len(refusals) > 0 {
		// A refusal that is lost is counted as silence by the one who asked.
		_ = h.send(f.from, refusals)
	}
}

// refuse returns the overloaded answer to a message that asks for work and
// expects an answer.
func refuse(m *node.Message) (node.Message, bool) {
	switch {
	case m.Kind == node.KindAsk && !m.Op.Silent:
		return node.Message{Kind: node.KindAnswer, Partition: m.Partition, Answer: replica.Answer{
			ID: m.Op.ID, Verb: m.Op.Verb, Status: replica.Failed, Reason: replica.Overloaded,
		}}, true
	case m.Kind == node.KindForward:
		err := ouro.Errorf(ouro.Overloaded, ouro.NotDone, "the coordinator's queue is full: come back later")
		err.RetryAfter = time.Second
		return node.Message{Kind: node.KindReturn, Partition: m.Partition, Reply: &node.Reply{ID: m.Request.ID, Err: err}}, true
	default:
		return node.Message{}, false
	}
}

// send passes frames to a peer, or to a client that came over a node link.
func (h *Host) send(to ring.NodeID, frames []byte) error {
	if !isClient(to) {
		err := h.cfg.Links.Send(string(to), frames)
		if err == nil {
			h.sent.Add(uint64(len(frames)))
		}
		return err
	}
	reply := h.links.answer(to)
	if reply == nil {
		return transport.ErrDown
	}
	return reply(frames)
}

// Sent returns how many bytes were passed on for other nodes since the start.
func (h *Host) Sent() uint64 { return h.sent.Load() }

// appendFrame appends a message as one frame.
func appendFrame(dst []byte, m *node.Message) []byte {
	dst, at := transport.BeginFrame(dst)
	return transport.EndFrame(wire.AppendMessage(dst, m), at)
}

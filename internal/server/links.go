package server

import (
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ourodb/ouro/internal/config"
	"github.com/ourodb/ouro/internal/core/lineage"
	"github.com/ourodb/ouro/internal/datadir"
	"github.com/ourodb/ouro/internal/host"
	"github.com/ourodb/ouro/internal/telemetry"
	"github.com/ourodb/ouro/internal/transport"
)

// linkHandler passes what the links have to tell to the host and to telemetry,
// and decides who may be at the other end.
type linkHandler struct {
	node    *node
	host    *host.Host // set before anything is served
	metrics *telemetry.Metrics

	removed sync.Once
	mu      sync.Mutex
	seen    lineage.Lineage
	twins   map[string]time.Time // since when a peer refuses this process for another of the same node
}

var _ transport.Handler = (*linkHandler)(nil)

func newLinkHandler(n *node) *linkHandler {
	return &linkHandler{
		node: n, metrics: n.metrics,
		seen: lineageOf(n.dir.Identity().Peers), twins: map[string]time.Time{},
	}
}

// Check implements [transport.Handler].
func (l *linkHandler) Check(h transport.Hello, live uint64) (knows []uint64, err error) {
	if h.Client {
		return nil, nil
	}
	if l.host.Fenced(h.Node) {
		return nil, &transport.RefusedError{Code: transport.Removed, Message: fmt.Sprintf(
			"node %s was removed from this cluster and is fenced for ever: stop it; its machine may join again with an empty data folder and a new --id", h.Node)}
	}
	if config.Dialable(h.Addr) {
		l.host.Met(h.Node, h.Addr, "")
	}
	if !l.host.Member(h.Node) {
		return nil, nil // it may be joined some day; nothing counts before that
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	d := lineage.Disk{ID: h.Disk, Starts: h.Starts, Runs: h.Runs, Recovering: h.Recovering, Replaced: h.Replaced}
	verdict := l.seen.Judge(h.Node, live, &d)
	if verdict != lineage.Follows {
		no := &transport.RefusedError{Code: transport.ComeBack, Message: l.seen.Explain(h.Node, verdict, &d), Epoch: l.host.HighestEpoch(), Linked: l.host.Linked()}
		if verdict == lineage.Twin {
			no.Code, no.Epoch, no.Linked = transport.Twin, 0, false
		}
		return nil, no
	}
	knows = l.seen.Disks(h.Node, transport.MaxRuns)
	next, news := l.seen.With(h.Node, &d)
	if news {
		if err := l.node.dir.Remember(peersOf(next)); err != nil {
			l.node.log.Error("what was seen of another node can't be stored, so there is no link to it", "peer", h.Node, "error", err)
			return nil, err
		}
	}
	l.seen = next
	return knows, nil
}

// lineageOf is what a data folder remembers of its peers, as package lineage has it.
func lineageOf(peers []datadir.Peer) lineage.Lineage {
	var l lineage.Lineage
	for _, p := range peers {
		s := lineage.Seen{Node: p.Node, Disk: uint64(p.DiskID), Starts: p.Starts, Run: uint64(p.Run)}
		for _, r := range p.Retired {
			s.Retired = append(s.Retired, uint64(r))
		}
		l = append(l, s)
	}
	slices.SortFunc(l, func(a, b lineage.Seen) int { return strings.Compare(a.Node, b.Node) })
	return l
}

func peersOf(l lineage.Lineage) []datadir.Peer {
	var peers []datadir.Peer
	for _, s := range l {
		p := datadir.Peer{Node: s.Node, DiskID: datadir.ID(s.Disk), Starts: s.Starts, Run: datadir.ID(s.Run)}
		for _, r := range s.Retired {
			p.Retired = append(p.Retired, datadir.ID(r))
		}
		peers = append(peers, p)
	}
	return peers
}

// twinPatience is how long a peer may say that another process of this node is
// alive before this one believes it: longer than a link is kept to a process that
// died without a word.
const twinPatience = 8 * time.Second

// Refused implements [transport.Handler].
func (l *linkHandler) Refused(peer string, err *transport.RefusedError) {
	switch err.Code {
	default:
		l.node.troubles.tell("by "+peer, fmt.Sprintf("node %s refuses this one (%v): %s", peer, err.Code, err.Message))
	case transport.ComeBack:
		if err.Linked {
			l.node.linked()
		}
		l.node.comeBack(peer, err.Message, err.Epoch)
	case transport.Removed:
		l.removed.Do(func() { l.node.log.Error("this node was removed from its cluster", "peer", peer, "why", err.Message) })
		l.host.Removed()
	case transport.Twin:
		l.mu.Lock()
		since, known := l.twins[peer]
		if !known {
			since = time.Now()
			l.twins[peer] = since
		}
		l.mu.Unlock()
		if time.Since(since) >= twinPatience {
			l.node.fail(&TwinError{peer, err.Message})
		}
	}
}

// Denied implements [transport.Handler]. Who was removed comes again and again and is
// no trouble.
func (l *linkHandler) Denied(peer, addr string, err *transport.RefusedError) {
	if err.Code == transport.Removed || err.Code == transport.NotOuro || err.Code == transport.ComeBack {
		return
	}
	if host, _, e := net.SplitHostPort(addr); e == nil {
		addr = host // the port of a dialler is another each time
	}
	l.node.troubles.tell("from "+peer+" "+addr, fmt.Sprintf("a link to or from node %q at %s is refused here (%v): %s", peer, addr, err.Code, err.Message))
}

// Up implements [transport.Handler].
func (l *linkHandler) Up(peer string, _ uint64, h transport.Hello) {
	l.node.troubles.end("by " + peer)
	l.mu.Lock()
	delete(l.twins, peer)
	l.mu.Unlock()
	if err := l.node.confirmed(h.Knows); err != nil {
		l.node.fail(err)
		return
	}
	l.metrics.Link(peer, true)
	l.host.Serves(peer, h.Clients)
	l.host.Up(peer, h.Disk)
}

// Down implements [transport.Handler].
func (l *linkHandler) Down(peer string, _ uint64, _ error) {
	l.metrics.Link(peer, false)
	l.host.Down(peer)
}

// Frames implements [transport.Handler].
func (l *linkHandler) Frames(peer string, session uint64, bodies [][]byte, reply func([]byte) error) {
	l.host.Frames(peer, session, bodies, reply)
}

// linkFaults lets the admin port of a dev node break its links.
type linkFaults struct {
	links *transport.Transport
	log   *slog.Logger
}

// SetFault implements admin.Faulter.
func (f linkFaults) SetFault(peer string, dropOut, dropIn bool, delay time.Duration) {
	if err := f.links.SetFault(peer, transport.Fault{DropOut: dropOut, DropIn: dropIn, Delay: delay}); err != nil {
		f.log.Error("a fault could not be set", "peer", peer, "error", err)
	}
}

// ClearFaults implements admin.Faulter.
func (f linkFaults) ClearFaults() { f.links.ClearFaults() }

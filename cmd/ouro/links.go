package main

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/host"
	"github.com/ourodb/ouro/internal/telemetry"
	"github.com/ourodb/ouro/internal/transport"
)

// linkHandler passes what the links have to tell to the host and to telemetry,
// and decides who may be at the other end.
type linkHandler struct {
	host    *host.Host // set before anything is served
	metrics *telemetry.Metrics
	members *member.Cluster

	mu   sync.Mutex
	seen map[string]transport.Hello // the newest start of each peer
}

var _ transport.Handler = (*linkHandler)(nil)

func newLinkHandler(n *node, members *member.Cluster) *linkHandler {
	return &linkHandler{metrics: n.metrics, members: members, seen: map[string]transport.Hello{}}
}

// Check implements [transport.Handler].
func (l *linkHandler) Check(h transport.Hello) error {
	if h.Client {
		return nil
	}
	if _, ok := l.members.Member(ring.NodeID(h.Node)); !ok {
		return fmt.Errorf("node %s is not a member of this cluster: start every node with the same --members", h.Node)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := follows(l.seen[h.Node], h); err != nil {
		return err
	}
	l.seen[h.Node] = h
	return nil
}

// follows reports how what a node shows of its starts contradicts what it showed
// before: then its data folder was restored or copied, and it may have forgotten
// what it acknowledged (RULES R11).
func follows(before, now transport.Hello) error {
	if before.Starts == 0 || len(before.Runs) == 0 {
		return nil
	}
	const advice = "its data folder was restored, copied or emptied, so it may have forgotten what it acknowledged; stop it and put its newest folder back (docs/operate.md says what to do where that is lost)"
	if now.Starts < before.Starts {
		return fmt.Errorf("node %s shows start %d, and showed start %d before: %s", now.Node, now.Starts, before.Starts, advice)
	}
	back := now.Starts - before.Starts // how many starts ago its newest run was the one seen
	if back >= uint64(len(now.Runs)) {
		if len(now.Runs) == transport.MaxRuns {
			return nil // too long ago to tell
		}
		return fmt.Errorf("node %s does not show the run it had before: %s", now.Node, advice)
	}
	if now.Runs[uint64(len(now.Runs))-1-back] != before.Runs[len(before.Runs)-1] {
		return fmt.Errorf("node %s shows another run for start %d than before: %s", now.Node, before.Starts, advice)
	}
	return nil
}

// Up implements [transport.Handler].
func (l *linkHandler) Up(peer string, _ uint64, _ transport.Hello) {
	l.metrics.Link(peer, true)
	l.host.Up(peer)
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

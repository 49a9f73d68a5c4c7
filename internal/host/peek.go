package host

import (
	"context"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

const (
	// peekCalls is how many replicas are looked at at once, beyond which it is refused.
	peekCalls = 32
	// peekPatience is how long a member may take to say what it holds.
	peekPatience = 3 * time.Second
)

// peek is a look at a replica under way.
type peek struct {
	ask  node.Peek
	came chan node.Peeked
}

// lose ends a look of which nothing will come.
func (p *peek) lose() { close(p.came) }

// ReplicaAt implements [ouro.Inspector].
func (h *Host) ReplicaAt(ctx context.Context, member string, key ouro.Key) (ouro.ReplicaInfo, error) {
	info := ouro.ReplicaInfo{Node: member, Bucket: key.Bucket, Key: key.Name}
	owners, err := h.Owners(key)
	if err != nil {
		return ouro.ReplicaInfo{}, err
	}
	at, self := ring.NodeID(member), h.view.Load().Self
	if !slices.ContainsFunc(h.members(), func(m Member) bool { return m.Node.ID == at }) {
		return ouro.ReplicaInfo{}, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%.64q is no member that this node knows", member)
	}
	if err := h.stranger(); err != nil && at != self {
		return ouro.ReplicaInfo{}, err
	}
	if at != self && !h.links.up(at) {
		info.Status, info.Reason = "failed", "this node has no link to it"
		return info, nil
	}
	select {
	case h.peeking <- struct{}{}:
		defer func() { <-h.peeking }()
	default:
		return ouro.ReplicaInfo{}, ouro.Errorf(ouro.Overloaded, ouro.NotDone, "%d replicas are being looked at, as many as this node looks at at once: come back later", peekCalls)
	}
	p := &peek{came: make(chan node.Peeked, 1), ask: node.Peek{
		At: at, Key: ring.NewKey(key.Bucket, key.Name), Kept: !slices.Contains(owners.Primaries, member),
	}}
	ctx, cancel := context.WithTimeout(ctx, peekPatience)
	defer cancel()
	return h.look(ctx, owners.Partition, p, info)
}

// look has a shard ask, and waits for what comes.
func (h *Host) look(ctx context.Context, partition uint32, p *peek, info ouro.ReplicaInfo) (ouro.ReplicaInfo, error) {
	s := h.shardOf(partition)
	begin := func(s *shard) {
		s.ticket++
		p.ask.ID = s.ticket
		s.peeks[s.ticket] = p
		s.core.Step(s.now(), &p.ask, &s.out)
	}
	if h.closing.Load() || !s.in.offer(item{do: begin, lost: p.lose, queued: time.Since(h.started)}, 1) {
		return ouro.ReplicaInfo{}, ouro.Errorf(ouro.Overloaded, ouro.NotDone, "the node is too busy, or stops: come back later")
	}
	select {
	case got, ok := <-p.came:
		if !ok {
			return ouro.ReplicaInfo{}, ouro.Errorf(ouro.Overloaded, ouro.NotDone, "the node stops: ask another")
		}
		return h.describeAnswer(info, &got.Answer), nil
	case <-ctx.Done():
		s.in.force(item{do: func(s *shard) { delete(s.peeks, p.ask.ID) }, queued: time.Since(h.started)})
		info.Status, info.Reason = "failed", "it gave no answer"
		return info, nil
	}
}

// peeked passes on what members said to those who wait for it.
func (s *shard) peeked() {
	for i := range s.out.Peeked {
		got := s.out.Peeked[i]
		if p, ok := s.peeks[got.ID]; ok && p.ask.At == got.From {
			delete(s.peeks, got.ID)
			p.came <- got
		}
	}
}

// describeAnswer fills in what a member said.
func (h *Host) describeAnswer(info ouro.ReplicaInfo, a *replica.Answer) ouro.ReplicaInfo {
	info.Kept = a.Pending
	switch {
	case a.Status == replica.Absent:
		info.Status = "absent"
		return info
	case a.Status == replica.Failed:
		info.Status, info.Reason = "failed", a.Reason.String()
		return info
	case a.State == nil:
		info.Status, info.Reason = "dont_know", "it may have forgotten what it had acknowledged, and recovers"
		return info
	}
	state, err := causal.DecodeState(a.State)
	if err != nil {
		info.Status, info.Reason = "failed", err.Error()
		return info
	}
	info = h.describeState(info, &state)
	if a.Status == replica.DontKnow {
		info.Status, info.Reason = "dont_know", "it may have forgotten some of it, and recovers"
	}
	return info
}

package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/ourodb/ouro/internal/core/admit"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/handoff"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/scrub"
	"github.com/ourodb/ouro/internal/sim/workload"
)

// shape is what a seed draws before anything happens: the cluster, the load,
// and which kinds of fault there are. Each seed lacks some kinds altogether, so
// that rare combinations get room (swarm testing).
type shape struct {
	cfg     Config
	buckets []string
	kinds   []kind
	every   time.Duration // mean time between faults
	// slowReads is the mean time between disks that read slowly; 0: none do.
	slowReads time.Duration
	most      int // faults at a time
	clients   int
	retry     float64 // how often an unknown outcome is followed by another attempt
	loads     []assigned
	ring      ringShape
	calm      bool // no fault whatever
	types     bool // clients of data types besides
	lists     bool // keys are listed meanwhile
	own       bool // clients coordinate reads
	alone     bool // at the end replicas are to agree by comparison, with no reads
	// unhinted: nobody ever keeps anything for another.
	unhinted bool
}

// assigned is a workload and how many of the clients run it.
type assigned struct {
	work    workload.Workload
	clients int
	lone    bool // its lone keys may be judged as such
}

// pick draws one of the choices.
func pick[T any](r *rand.Rand, choices ...T) T { return choices[r.IntN(len(choices))] }

// draw draws a shape. Nodes above 0 fixes their number.
func draw(o *Options) shape {
	r := stream(o.Seed, streamShape)
	var s shape
	s.lists, s.own = o.Lists, o.Own
	s.calm = r.IntN(16) == 0 || o.Calm
	s.drawCluster(r, o)
	s.drawNetwork(r)
	s.drawBounds(r)
	if !s.calm {
		s.drawFaults(r, o)
	}
	s.drawLoad(r)
	s.drawReaping(r)
	s.drawTrees(stream(o.Seed, streamTrees))
	s.drawScrub(stream(o.Seed, streamScrub))
	if !o.Durable {
		s.drawDurability(stream(o.Seed, streamRelax))
	}
	if !s.calm {
		s.drawAdmission(stream(o.Seed, streamAdmit))
		s.drawHot(stream(o.Seed, streamHot))
	}
	if o.Ring != RingFixed {
		s.drawRing(stream(o.Seed, streamRing+1), o)
	}
	if o.Types {
		s.types = true
		s.cfg.Replica.MaxShares, s.cfg.Node.Reap.Shares = 2, 2
		b := drawBucket(stream(o.Seed, streamTypes+1), len(s.cfg.Nodes))
		b.Types = true
		s.cfg.Buckets.Named[typedBucket] = b
	}
	return s
}

// drawReaping draws how fast tombstones go, if they do. Where everything must
// succeed a state must not grow too old on its way.
func (s *shape) drawReaping(r *rand.Rand) {
	s.cfg.Reap = r.IntN(4) > 0
	s.cfg.Epochs.Every = pick[time.Duration](r, 30, 100, 500) * time.Millisecond
	s.cfg.Epochs.Tell = pick[time.Duration](r, 10, 50) * time.Millisecond
	if s.calm {
		s.cfg.Epochs.Every = time.Second
	}
	s.cfg.Node.Reap = reap.Config{
		Delay: pick[time.Duration](r, 1, 20, 200) * time.Millisecond, Every: time.Second, Wait: 500 * time.Millisecond,
		BackOff: 20 * time.Millisecond, MaxBackOff: 500 * time.Millisecond, Window: pick(r, 2, 64), MaxKeys: pick(r, 3, 1000),
	}
}

func (s *shape) drawCluster(r *rand.Rand, o *Options) {
	n := 3 + r.IntN(3)
	if o.Nodes > 0 {
		n = o.Nodes
	}
	for i := range n {
		s.cfg.Nodes = append(s.cfg.Nodes, ring.Node{ID: ring.NodeID(string(rune('A' + i)))})
	}
	s.cfg.Seed = o.Seed
	s.cfg.Q = pick(r, 8, 16, 32) // every node owns some
	s.cfg.Buckets.Default = drawBucket(r, n)
	s.cfg.Buckets.Named = map[string]member.Bucket{"other": drawBucket(r, n)}
	s.buckets = []string{"main", "other"}
}

// drawBucket draws the numbers of a bucket. The usual ones come up most.
func drawBucket(r *rand.Rand, nodes int) node.Bucket {
	n := min(pick(r, 1, 2, 3, 3, 3, 3, 4), nodes)
	b := node.Bucket{N: n, R: n/2 + 1, W: n/2 + 1, Timeout: pick[time.Duration](r, 100, 250, 500, 1000) * time.Millisecond}
	if r.IntN(3) == 0 {
		b.R, b.W = 1+r.IntN(n), 1+r.IntN(n)
	}
	if r.IntN(3) == 0 {
		b.PR, b.PW = r.IntN(b.R+1), 1+r.IntN(b.W)
	}
	b.MaxSiblings = pick(r, 0, 0, 0, 3, 10)
	return b
}

func (s *shape) drawNetwork(r *rand.Rand) {
	c := &s.cfg.Net
	c.Delay = pick[time.Duration](r, 50, 200, 1000, 5000) * time.Microsecond
	c.Jitter = pick(r, 0, c.Delay/4, c.Delay, 4*c.Delay)
	c.Reorder = r.IntN(2) == 0
	c.Detect = pick[time.Duration](r, 20, 100, 500) * time.Millisecond
	c.Reconnect = pick[time.Duration](r, 1, 20, 50) * time.Millisecond
	s.cfg.Disk.Sync = pick[time.Duration](r, 100, 500, 3000, 20000) * time.Microsecond
	s.cfg.Disk.Jitter = pick(r, 0, s.cfg.Disk.Sync)
	s.cfg.Turn = pick[time.Duration](r, 5, 50, 500) * time.Microsecond
	if s.calm { // then everything must succeed, so there must be time for it
		s.cfg.Buckets.Default.Timeout = time.Second
		b := s.cfg.Buckets.Named["other"]
		b.Timeout = time.Second
		s.cfg.Buckets.Named["other"] = b
		return
	}
	if r.IntN(2) == 0 {
		c.Loss = pick(r, 0.001, 0.01, 0.05)
	}
	if r.IntN(2) == 0 {
		c.Duplicate = pick(r, 0.001, 0.02, 0.1)
	}
}

func (s *shape) drawBounds(r *rand.Rand) {
	s.cfg.Node.RepairWait = pick[time.Duration](r, 5, 100) * time.Millisecond
	s.cfg.Replica = replica.Config{Seed: 1 + r.Uint64()}
	if r.IntN(8) == 0 { // prune and drop exceptions as soon as may be
		l := causal.Limits{Exceptions: 1 + r.IntN(2), Prune: 2 + r.IntN(2), PruneAge: 200}
		l.PruneHard = l.Prune + pick(r, 0, 2)
		s.cfg.Replica.Limits = l
	}
	if r.IntN(8) == 0 {
		s.cfg.Replica.TokenMax = 16
	}
	if !s.calm && r.IntN(8) == 0 {
		s.cfg.Node.MaxInFlight = 2
	}
	if !s.calm && r.IntN(8) == 0 {
		s.cfg.Runner.MaxBatches = 2
	}
	s.drawHints(r)
	s.drawComparing(r)
}

// drawComparing draws whether nodes compare themselves with each other among the
// faults, at a pace at which something comes of it.
func (s *shape) drawComparing(r *rand.Rand) {
	s.cfg.Compare, _ = r.IntN(2) == 0, r.IntN(2) // so that what follows is drawn as ever
	s.cfg.Node.Repair = repair.Config{
		Every:  pick[time.Duration](r, 10, 50) * time.Millisecond,
		Window: pick(r, 1, 8), Wait: pick[time.Duration](r, 100, 500) * time.Millisecond,
		Settle: 20 * time.Millisecond, BackOff: 10 * time.Millisecond, MaxBackOff: 200 * time.Millisecond,
	}
	if r.IntN(4) == 0 {
		s.cfg.Node.MaxSurveys = 1
	}
}

// drawTrees draws how fine the leaves of trees are, of each node for itself, how
// many of them are in memory, and how far comparisons look into them. There are so
// few keys that with the usual numbers a tree has one leaf. Nearly all seeds end with
// replicas that agree by comparison alone, and in half of them nobody ever keeps a
// hint.
func (s *shape) drawTrees(r *rand.Rand) {
	for range 8 {
		s.cfg.LeafKeys = append(s.cfg.LeafKeys, pick(r, 1, 1, 2, 4, 32))
	}
	s.cfg.Runner.Leaves = pick(r, 3, 20, 1000)
	s.cfg.Node.Repair.List = pick(r, 1, 1, 3, 32)
	s.alone = r.IntN(8) > 0
	if s.unhinted = !s.calm && r.IntN(2) == 0; s.unhinted {
		s.cfg.Runner.MaxPending = -1
	}
}

// drawScrub draws whether nodes read back what they store while clients work, and in
// how large slices.
func (s *shape) drawScrub(r *rand.Rand) {
	s.cfg.Scrub = r.IntN(2) == 0
	s.cfg.Node.Scrub = scrub.Config{Within: pick[time.Duration](r, 1, 5, 60) * time.Second, Slice: pick(r, 1<<10, 8<<10, 64<<10)}
}

// drawDurability draws when the replicas of each bucket acknowledge, and for how long
// what nobody waits for stays in memory.
func (s *shape) drawDurability(r *rand.Rand) {
	s.cfg.Disk.Window = pick[time.Duration](r, 1, 20, 200) * time.Millisecond
	s.cfg.Buckets.Default.Durability = pick(r, member.All, member.All, member.One, member.Buffered)
	b := s.cfg.Buckets.Named["other"]
	b.Durability = pick(r, member.All, member.One, member.Buffered)
	s.cfg.Buckets.Named["other"] = b
}

// drawAdmission draws whether nodes hold back what they do in the background where their
// disks are slow, by a window that such a spell outlives, and how slow disks read.
func (s *shape) drawAdmission(r *rand.Rand) {
	if r.IntN(4) > 0 {
		return
	}
	s.cfg.Admit = true
	s.cfg.Node.Admit = admit.Config{Window: pick[time.Duration](r, 2, 5, 20) * time.Second, Threshold: pick[time.Duration](r, 1, 5, 50) * time.Millisecond}
	s.slowReads = pick[time.Duration](r, 0, 300, 1000) * time.Millisecond
}

// drawHot draws whether one key may have as few requests under way at a node as clients
// that share keys exceed.
func (s *shape) drawHot(r *rand.Rand) {
	if r.IntN(8) == 0 {
		s.cfg.Node.MaxPerKey = 1 + r.IntN(2)
	}
}

// drawHints draws how much is kept for nodes that can't be reached, and how long
// at least, so that it is too old or too much while they still can't.
func (s *shape) drawHints(r *rand.Rand) {
	if r.IntN(2) == 0 {
		s.cfg.Node.Handoff = handoff.Config{
			Every:  pick[time.Duration](r, 20, 100, 500) * time.Millisecond,
			MaxAge: pick[time.Duration](r, 10, 100, 500) * time.Millisecond,
			Window: pick(r, 4, 64), PerTarget: pick(r, 1, 4),
			Wait: pick[time.Duration](r, 20, 500) * time.Millisecond, BackOff: 20 * time.Millisecond, MaxBackOff: 500 * time.Millisecond,
		}
	}
	if r.IntN(4) == 0 {
		s.cfg.Runner.MaxPending = pick[int64](r, 1, 4, 16) << 10
	}
}

func (s *shape) drawFaults(r *rand.Rand, o *Options) {
	for _, k := range allKinds {
		p := 2
		if k == kindWipe {
			p = 8
		}
		if r.IntN(p) == 0 {
			s.kinds = append(s.kinds, k)
		}
	}
	s.every = pick[time.Duration](r, 30, 100, 300) * time.Millisecond
	s.most = pick(r, 1, 2, 4)
}

func (s *shape) drawLoad(r *rand.Rand) {
	s.clients = 2 + r.IntN(12)
	s.retry = pick(r, 0, 0.3, 0.8)
	think := pick[time.Duration](r, 1, 5, 20) * time.Millisecond
	left := s.clients
	give := func(w workload.Workload, n int, lone bool) {
		n = min(n, left)
		if n > 0 {
			left -= n
			s.loads = append(s.loads, assigned{w, n, lone})
		}
	}
	if r.IntN(2) == 0 {
		b := s.cfg.Buckets.Default
		give(&workload.Alone{Bucket: s.buckets[0], Size: 40, Think: think}, 1+r.IntN(3), b.R+b.W > b.N)
	}
	if r.IntN(3) == 0 {
		give(&workload.Clash{Key: clashKey, Size: 40, Think: think}, 2, false)
	}
	for _, b := range s.buckets {
		n := (left + 1) / 2
		if b == s.buckets[1] {
			n = left
		}
		keys := pick(r, 1, 3, 10, 40)
		give(&workload.Shared{
			Bucket: b, Keys: keys, Hot: min(r.IntN(3), keys), Gets: pick(r, 0.2, 0.5, 0.8), Deletes: pick(r, 0, 0.1, 0.3),
			Blind: pick(r, 0.02, 0.2, 0.5), Stale: pick(r, 0, 0.2, 0.6), Size: pick(r, 0, 30, 200), Think: think,
			Vary: pick(r, 0, 0.2), N: s.cfg.Buckets.Of(b).N,
		}, n, false)
	}
}

var clashKey = keyIn("main", "clash")

// String tells the shape in one line.
func (s *shape) String() string {
	d, o := s.cfg.Buckets.Default, s.cfg.Buckets.Of("other")
	names := make([]string, len(s.kinds))
	for i, k := range s.kinds {
		names[i] = k.String()
	}
	pace := "nothing reaped"
	if s.cfg.Reap {
		pace = fmt.Sprintf("epochs of %v", s.cfg.Epochs.Every)
	}
	ring := ""
	if s.cfg.Changes {
		ring = fmt.Sprintf(", %d spare nodes, %d changes of the ring", len(s.cfg.Spares), s.ring.changes)
	}
	if s.cfg.Admit {
		ring += fmt.Sprintf(", background yields to reads of %v within %v", s.cfg.Node.Admit.Threshold, s.cfg.Node.Admit.Window)
	}
	if s.cfg.Node.MaxPerKey > 0 {
		ring += fmt.Sprintf(", %d requests of a key at a time", s.cfg.Node.MaxPerKey)
	}
	return fmt.Sprintf("%d nodes, q=%d, main %v %v, other %v %v, %d clients, %s, loss %g, duplicates %g, reorder %v, compared %v, agree alone %v, hints %v, faults: %s",
		len(s.cfg.Nodes), s.cfg.Q, tellNumbers(&d), d.Timeout, tellNumbers(&o), o.Timeout, s.clients, pace,
		s.cfg.Net.Loss, s.cfg.Net.Duplicate, s.cfg.Net.Reorder, s.cfg.Compare, s.alone, !s.unhinted, strings.Join(names, " ")) + ring
}

func tellNumbers(b *node.Bucket) string {
	s := fmt.Sprintf("(%d,%d,%d)", b.N, b.R, b.W)
	if b.PR > 0 || b.PW > 0 {
		s += fmt.Sprintf(" pr=%d pw=%d", b.PR, b.PW)
	}
	if b.Durability != member.All {
		s += fmt.Sprintf(" %v", b.Durability)
	}
	return s
}

// drawRing draws how the ring changes, and how fast nodes agree on it. Half of the
// buckets are strict.
func (s *shape) drawRing(r *rand.Rand, o *Options) {
	s.cfg.Changes, s.calm = true, false
	s.cfg.Q = pick(r, 8, 16, 32, 64)
	for i := range 1 + r.IntN(max(1, 7-len(s.cfg.Nodes))) {
		s.cfg.Spares = append(s.cfg.Spares, ring.Node{ID: ring.NodeID(string(rune('A' + len(s.cfg.Nodes) + i))), Weight: 1})
	}
	for i := range s.cfg.Nodes {
		s.cfg.Nodes[i].Weight = 1
	}
	s.ring = ringShape{changes: 1 + r.IntN(5), every: pick[time.Duration](r, 50, 200, 800) * time.Millisecond}
	s.cfg.Gossip.Every = pick[time.Duration](r, 20, 100, 400) * time.Millisecond
	c := &s.cfg.Chain
	c.Every, c.Wait, c.MaxBackOff = pick[time.Duration](r, 20, 200)*time.Millisecond, pick[time.Duration](r, 50, 300)*time.Millisecond, time.Second
	c.Gather, c.Patience = pick[time.Duration](r, 10, 200)*time.Millisecond, pick[time.Duration](r, 200, 1000)*time.Millisecond
	c.Tell, c.MaxMoving = pick[time.Duration](r, 100, 500)*time.Millisecond, pick(r, 1, 4, 128)
	t := &s.cfg.Node.Transfer
	t.Parallel, t.BackOff, t.MaxBackOff = 1+r.IntN(4), 20*time.Millisecond, 500*time.Millisecond
	if b := &s.cfg.Buckets.Default; r.IntN(2) == 0 {
		b.R, b.W = max(b.R, b.N/2+1), max(b.W, b.N/2+1)
		b.PR, b.PW = b.N/2+1, b.N/2+1
	}
	if o.Seed%8 == 4 || o.Seed%8 == 6 { // nothing is drawn: other seeds stay what they were
		s.cfg.CheckpointAfter = 1 + int(o.Seed/8%4)
	}
	if o.Ring == RingOnly {
		s.kinds = nil
		s.cfg.Net.Loss, s.cfg.Net.Duplicate = 0, 0
	}
}

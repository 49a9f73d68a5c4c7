package node

import (
	"time"

	"github.com/ourodb/ouro/internal/core/admit"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/coord"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/handoff"
	"github.com/ourodb/ouro/internal/core/hot"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/recovery"
	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/scrub"
	"github.com/ourodb/ouro/internal/core/transfer"
)

// Node is one shard of a node.
type Node struct {
	cfg  Config
	view *View
	up   map[ring.NodeID]bool // peers with a link; none to begin with

	// Requests that this node coordinates, or has passed on.
	slots     slots
	inFlight  int // without a reply
	lingering int // with one
	effects   coord.Effects
	replicas  [coord.MaxSlots + 2]coord.Replica
	ids       []ring.NodeID // of a walk, while it is looked along
	listings  listings
	health    health
	hedges    allowance
	mends     mends

	// What peers ask.
	asks     asks
	surveys  asks
	parked   []parked
	taken    taken
	standing replica.Standing

	// What nobody waits for: each machine, its effects, and what it has another do.
	handoff    *handoff.Handoff
	hints      handoff.Effects
	repair     *repair.Repair
	repairs    repair.Effects
	recovery   *recovery.Recovery
	recoveries recovery.Effects
	compares   []recovery.Compare // to be begun by repair
	outcomes   []repair.Outcome   // of those
	transfer   *transfer.Transfer
	transfers  transfer.Effects
	brings     []transfer.Compare // to be begun by repair
	brought    []repair.Outcome   // of those
	placed     bool               // the transfer knows of the first view
	clean      Clean              // as told last
	told       bool               // it was
	reaper     *reap.Reaper
	reaping    reap.Effects
	scrub      *scrub.Scrub
	scrubs     scrub.Effects
	archives   archives

	// How much of the node any of it may have.
	admit *admit.Admit
	paces paces // the full ones
	hot   *hot.Keys
}

// New returns a node that has no link to any peer.
func New(cfg Config, view *View) *Node {
	cfg = cfg.withDefaults()
	cfg.Sealer = cfg.Sealer.Fork()
	n := &Node{cfg: cfg, view: view, up: map[ring.NodeID]bool{}}
	n.slots.turn = cfg.Run & (1<<turnBits - 1)
	n.asks.bound = cfg.MaxForeign
	n.asks.turn = uint32(cfg.Run)
	n.surveys.bound, n.surveys.turn = cfg.MaxSurveys, n.asks.turn
	n.listings.last = cfg.Run >> 16
	n.taken.bound = cfg.MaxForwards
	cfg.Handoff.First = cfg.Run >> 16
	n.handoff = handoff.New(cfg.Handoff)
	cfg.Recovery.First = cfg.Run >> 16
	n.recovery = recovery.New(cfg.Recovery)
	n.health = newHealth(view.Self)
	cfg.Repair.First = cfg.Run >> 16
	n.repair = repair.New(cfg.Repair)
	n.assign(clock.Now{}, &Out{})
	for _, m := range cfg.Marks {
		n.repair.Mark(clock.Now{}, m, true, reachable{n, clock.Now{}}, &n.repairs)
	}
	if cfg.HedgeShare > 0 {
		n.hedges = newAllowance(hedgeBurst)
	}
	n.mends = mends{bound: cfg.MaxReadRepairs, rate: float64(cfg.ReadRepairRate), may: newAllowance(float64(cfg.ReadRepairRate))}
	cfg.Reap.First = cfg.Run >> 16
	n.reaper = reap.NewReaper(cfg.Reap, view.Self)
	n.scrub = scrub.New(cfg.Scrub)
	cfg.Transfer.First = cfg.Run >> 16
	n.transfer = transfer.New(cfg.Transfer)
	n.admit = admit.New(cfg.Admit)
	n.hot = hot.New(cfg.MaxPerKey)
	n.paces = pacesOf(&cfg)
	n.archives.setRate(n.paces.archive)
	return n
}

// Step takes an input and appends its effects to out.
func (n *Node) Step(now clock.Now, in Input, out *Out) {
	before := len(out.Ops)
	if !n.placed {
		n.place(now, out)
	}
	n.overslept(now)
	n.overdue(now, out)
	switch in := in.(type) {
	case *Request:
		n.accept(now, in, origin{id: in.ID}, out)
	case *Delivery:
		n.deliver(now, in, out)
	case *Completion:
		n.complete(now, &in.Answer, out)
	case *View:
		n.setView(now, in, out)
	case *Link:
		n.link(now, in, out)
	case *List:
		n.list(now, in, out)
	case *Peek:
		n.peek(in, out)
	case *Page:
		n.hintsPage(now, in, out)
	case *Found:
		n.surveyed(now, in, out)
	case *Recovering:
		n.recover(now, in, out)
	case *Comparing:
		n.comparing(now, in.On, out)
	case *Swept:
		n.swept(now, in, out)
	case *Mortals:
		n.reaper.Found(now, in.Found, holders{n})
	case *Standing:
		n.stand(now, in, out)
	case *MoveRate:
		n.setMoveRate(now, in.Bytes)
	case *Load:
		n.load(now, &in.Sample)
	case *Shed:
		n.hot.Refuse(now, &in.Key, in.N)
	case *Scrubbed, *Scrubbing, *ScrubNow:
		n.scrubInput(now, in, out)
	case Tick:
	}
	n.expire(now, out)
	n.keeps(out.Ops[before:])
	tellApart(out.Ops[before:])
}

// Deadline returns when a [Tick] is wanted, as time since the process started,
// and whether one is.
func (n *Node) Deadline() (time.Duration, bool) {
	at := min(n.handoff.Deadline(), n.recovery.Deadline(), n.repair.Deadline(), n.reaper.Deadline(), n.transfer.Deadline(), n.scrub.Deadline(), n.parkDeadline(), n.listingsDeadline())
	ok := at < 1<<63-1
	if t, due := n.health.deadline(); due && (!ok || t < at) {
		at, ok = t, true
	}
	if len(n.slots.heap) > 0 && (!ok || n.slots.heap[0].deadline < at) {
		return n.slots.heap[0].deadline, true
	}
	return at, ok
}

// InFlight returns how many client requests this node coordinates or has
// passed on and not yet answered.
func (n *Node) InFlight() int { return n.inFlight }

// overdue ends the requests whose time is over. It comes before an input is
// looked at: a node that stood still must not count then what came meanwhile,
// since who lost its disk waits only as long as a request may take (RULES R10).
func (n *Node) overdue(now clock.Now, out *Out) {
	for len(n.slots.heap) > 0 && n.slots.heap[0].deadline <= now.Mono {
		s := n.slots.heap[0]
		s.machine.Tick(now, &n.effects)
		n.drain(now, s, out)
	}
}

func (n *Node) expire(now clock.Now, out *Out) {
	n.overdue(now, out)
	n.unpark(now, out)
	n.hintsTick(now, out)
	n.listingsTick(now, out)
	n.recoveryTick(now, out)
	n.watch(now, out)
	n.repairTick(now, out)
	n.compared(now, out)
	n.transferTick(now, out)
	n.moved(now, out)
	n.reapTick(now, out)
	n.scrubTick(now, out)
}

// link tells everybody that a link was made, or fell.
func (n *Node) link(now clock.Now, l *Link, out *Out) {
	n.requestsLink(now, l, out)
	n.hintsLink(now, l, out)
	n.repairLink(now, l, out)
	if l.Up {
		n.transferBack(now, l.Peer, out)
		return
	}
	n.reaper.Down(now, l.Peer, holders{n}, &n.reaping)
	n.drainReaping(now, out)
}

func (n *Node) requestsLink(now clock.Now, l *Link, out *Out) {
	n.health.link(l.Peer, l.Up)
	if l.Up {
		n.up[l.Peer] = true
		n.recovery.Back(now)
		return
	}
	delete(n.up, l.Peer)
	n.listingsDown(now, l.Peer, out)
	for _, s := range n.slots.all {
		if s.machine != nil {
			s.machine.Down(now, l.Peer, &n.effects)
			n.drain(now, s, out)
		}
	}
}

// deliver takes a message of a peer.
func (n *Node) deliver(now clock.Now, d *Delivery, out *Out) {
	switch m := &d.Message; m.Kind {
	case KindAsk:
		n.serve(now, d.From, m, out)
	case KindAnswer:
		n.answered(now, d.From, m, out)
	case KindForward:
		n.takeForward(now, d, out)
	case KindReturn:
		n.takeReturn(now, d.From, m, out)
	case KindSurvey:
		n.serveSurvey(now, d.From, m, out)
	case KindFound:
		n.learn(now, d.From, m, out)
		m.Found.Number = m.Number
		if askerOf(m.Found.ID) == byListing {
			n.listingFound(now, d.From, m.Found, out)
			return
		}
		n.repairFound(now, d.From, m.Found, out)
	default:
		drop(now, out, d.From, "unknown kind of message")
	}
}

// drop states that a message was not used.
func drop(now clock.Now, out *Out, from ring.NodeID, why string) {
	out.Facts = append(out.Facts, fact.Fact{Kind: fact.Dropped, At: now.Mono, Peer: string(from), Note: why})
}

package node

import (
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/listing"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// List asks for a page of the keys of a bucket in one partition, from a position
// on. Any node may be asked.
type List struct {
	ID        uint64 // ticket of whoever asks; the page carries it
	Partition uint32
	Bucket    string
	From      uint64 // upper half of a position in the partition
	Prefix    string // only keys that begin with it
	R         ouro.Count
	Timeout   time.Duration // 0: the bucket's
}

// Listed answers a [List]; each gets exactly one.
type Listed struct {
	ID   uint64
	Page listing.Page
}

func (*List) input() {}

// listings are the pages under way.
type listings struct {
	all     []*listed
	last    uint64 // numbers them, beginning anew with each process
	effects listing.Effects
}

// listed is one of them.
type listed struct {
	ticket  uint64
	request listing.Request
	asked   List
	machine listing.Listing
}

// Span returns the upper halves of the first and the last position in a partition.
// Where partitions are unequal it is that of the whole ring.
func Span(r *ring.Ring, partition uint32) (first, last uint64) {
	bits := r.Bits()
	if bits == 0 {
		return 0, ^uint64(0)
	}
	first = uint64(partition) << (64 - bits)
	return first, first | ^uint64(0)>>bits
}

// list begins a page.
func (n *Node) list(now clock.Now, in *List, out *Out) {
	l := &listed{ticket: in.ID, asked: *in}
	why := n.requestPage(l)
	switch {
	case why != "":
	case len(n.listings.all) >= n.cfg.MaxListings:
		why = "the node makes as many lists already as it may"
	default:
		n.listings.all = append(n.listings.all, l)
		l.machine.Start(now, &l.request, n.reaches(now), &n.listings.effects)
		n.drainListing(now, l, out)
		return
	}
	last := in.From
	if n.view.Ring != nil && int(in.Partition) < n.view.Ring.Q() {
		_, last = Span(n.view.Ring, in.Partition)
	}
	out.Listed = append(out.Listed, Listed{ID: in.ID, Page: listing.Page{Until: last, Why: why}})
}

// requestPage says what a page is made of by the view in force, or why none can be
// made.
func (n *Node) requestPage(l *listed) string {
	in := &l.asked
	if n.view.Ring == nil || int(in.Partition) >= n.view.Ring.Q() {
		return "the node is in no cluster with such a partition"
	}
	first, last := Span(n.view.Ring, in.Partition)
	if in.From < first || in.From > last {
		return "the position is not in the partition"
	}
	b := n.bucket(in.Bucket)
	lists := n.view.Lists(in.Partition, b.N)
	lists.Number = n.view.Number(in.Partition)
	if len(lists.Old) == 0 {
		return "no node holds the partition"
	}
	n.listings.last++
	l.request = listing.Request{
		ID: n.listings.last & (1<<askerShift - 1), Self: n.view.Self, Partition: in.Partition, Bucket: in.Bucket, From: in.From, Last: last, Prefix: in.Prefix,
		LWW: b.LWW, Types: b.Types, Lists: lists, R: askedOf(in, b, len(lists.Old)), Timeout: in.Timeout,
	}
	if lists.Moving() {
		l.request.NextR = askedOf(in, b, len(lists.New))
	}
	if in.Timeout <= 0 {
		l.request.Timeout = min(b.Timeout, member.MaxTimeout)
	}
	return ""
}

// askedOf is how many replicas have to tell in a list of some length.
func askedOf(in *List, b member.Bucket, length int) int {
	b = member.EffectiveBucket(b, length)
	return max(1, min(in.R.Or(max(b.R, b.PR)), length))
}

// reaches says whether a node is expected to answer.
func (n *Node) reaches(now clock.Now) func(ring.NodeID) bool {
	return func(id ring.NodeID) bool {
		r := n.replica(now, id, reading)
		return r.Up && !r.Doubt && !r.Late
	}
}

// listingFound takes what somebody told to the page that waits for it.
func (n *Node) listingFound(now clock.Now, from ring.NodeID, f *replica.Found, out *Out) {
	id := unmarked(f.ID)
	i := slices.IndexFunc(n.listings.all, func(l *listed) bool { return l.machine.ID() == id })
	if i < 0 || !n.listings.all[i].machine.Found(now, n.other(from), f, &n.listings.effects) {
		drop(now, out, from, "names that nobody waits for")
		return
	}
	n.drainListing(now, n.listings.all[i], out)
}

// eachListing does something for every page under way, which may end.
func (n *Node) eachListing(now clock.Now, out *Out, do func(l *listed)) {
	for _, l := range slices.Clone(n.listings.all) {
		do(l)
		n.drainListing(now, l, out)
	}
}

// listingsMoved lets pages begin anew whose partition has other lists by now.
func (n *Node) listingsMoved(now clock.Now, out *Out) {
	n.eachListing(now, out, func(l *listed) {
		if l.machine.Number() == n.view.Number(l.machine.Partition()) {
			return
		}
		if why := n.requestPage(l); why == "" {
			l.machine.Restart(now, &l.request, n.reaches(now), &n.listings.effects)
		}
	})
}

func (n *Node) listingsDown(now clock.Now, peer ring.NodeID, out *Out) {
	n.eachListing(now, out, func(l *listed) { l.machine.Down(now, peer, &n.listings.effects) })
}

func (n *Node) listingsTick(now clock.Now, out *Out) {
	if n.listingsDeadline() <= now.Mono {
		n.eachListing(now, out, func(l *listed) { l.machine.Tick(now, &n.listings.effects) })
	}
}

func (n *Node) listingsDeadline() time.Duration {
	at := time.Duration(1<<63 - 1)
	for _, l := range n.listings.all {
		at = min(at, l.machine.Deadline())
	}
	return at
}

func (n *Node) drainListing(now clock.Now, l *listed, out *Out) {
	e := &n.listings.effects
	for i := 0; i < len(e.Asks); i++ { // it may grow
		a := e.Asks[i]
		s := a.Survey
		s.ID = byListing.mark(s.ID)
		switch {
		case a.To == "":
			out.Surveys = append(out.Surveys, s)
		case !n.up[a.To]:
			l.machine.Down(now, a.To, &n.listings.effects) // may ask others, which follow
		default:
			n.send(out, a.To, Message{Kind: KindSurvey, Partition: s.Partition, Number: a.Number, Survey: &s})
		}
	}
	if e.Page != nil {
		out.Listed = append(out.Listed, Listed{ID: l.ticket, Page: *e.Page})
		if i := slices.Index(n.listings.all, l); i >= 0 {
			n.listings.all = slices.Delete(n.listings.all, i, i+1)
		}
	}
	e.Reset()
}

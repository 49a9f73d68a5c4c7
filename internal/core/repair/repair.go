package repair

import (
	"cmp"
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

const (
	never    = time.Duration(1<<63 - 1)
	markedBy = 10                    // by how much marked partitions follow each other faster
	idle     = time.Second           // how often a usable node is looked for
	burst    = 10 * time.Millisecond // by how much sending may be ahead of its rate
)

// Repair is the machine.
type Repair struct {
	cfg    Config
	seq    uint64
	pairs  []pair // by partition, then peer
	peers  []peer // by id
	talks  []*talk
	asked  []Wish // comparisons that somebody waits for, in order
	paused bool   // an operator wants no others

	at     int           // the pair whose turn is next
	last   time.Duration // when the last comparison that nobody asked for began
	passed int           // marked ones that began since one in turn
	wake   time.Duration // when something may begin
	// What was exchanged so far has had its time: in turn, and of partitions that
	// move.
	sendAt, moveAt time.Duration
}

// pair is a partition and another node that holds it.
type pair struct {
	replica.Mark
	agreed   int64         // when the last complete comparison began, wall-clock ms; 0: none
	since    time.Duration // that, or, if there was none, when both came to hold it
	due      time.Duration // marked: not before
	failures uint8         // in a row
	failed   string        // why the last comparison ended early; "": it did not
	failedAt int64         // when that was, wall-clock ms
	marked   bool
	durable  bool // the mark is stored
	again    bool // it was marked since the comparison under way began
}

// New returns a machine that compares nothing yet: see [Repair.Assign].
func New(cfg Config) *Repair {
	cfg = cfg.withDefaults()
	return &Repair{cfg: cfg, seq: cfg.First, wake: never, last: -never / 2}
}

// Assign says which partitions this node holds with whom, each pair once.
// Comparisons of others end.
func (r *Repair) Assign(now clock.Now, held []replica.Mark, p Peers, e *Effects) {
	pairs := make([]pair, len(held))
	for i, m := range held {
		pairs[i] = pair{Mark: m, since: now.Mono}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return order(a.Mark, b.Mark) })
	for i := range pairs {
		if old, ok := r.find(pairs[i].Mark); ok {
			pairs[i] = r.pairs[old]
		}
	}
	next, more := r.next()
	if r.pairs, r.at = pairs, 0; more { // it goes on where it was, however often lists change
		r.at, _ = r.find(next)
	}
	for i := len(r.talks) - 1; i >= 0; i-- {
		if t := r.talks[i]; !r.may(t.out.Wish, p) {
			r.end(now, t, "the ring changed", e)
		}
	}
	r.run(now, p, e)
}

// Mark says that a partition is to be compared with a node before its turn: that
// node is known to lack something. Durable marks are stored and are taken back
// there, with [replica.Agreed], when both agree.
func (r *Repair) Mark(now clock.Now, m replica.Mark, durable bool, p Peers, e *Effects) {
	if i, ok := r.find(m); ok {
		r.mark(&r.pairs[i], now.Mono)
		r.pairs[i].durable = r.pairs[i].durable || durable
		r.run(now, p, e)
	}
}

func (r *Repair) mark(p *pair, due time.Duration) {
	if !p.marked || due < p.due {
		p.due = due
	}
	p.marked, p.again = true, true
}

// Compare compares a partition with a node, beginning now or, if both are being
// compared already, right after that. The outcome is told with Asked set, at
// once where the node can't be reached.
func (r *Repair) Compare(now clock.Now, w Wish, p Peers, e *Effects) {
	if !slices.Contains(r.asked, w) {
		r.asked = append(r.asked, w)
	}
	r.run(now, p, e)
}

// may says whether a comparison has a reason still.
func (r *Repair) may(w Wish, p Peers) bool {
	if w.Number != 0 {
		return p.Number(w.Partition) == w.Number
	}
	_, ok := r.find(w.Mark)
	return ok
}

// SetMoveRate says how many bytes of states a second are exchanged of partitions
// that move, from now on; 0: as many as by default. What was exchanged already takes
// its time at this rate, too.
func (r *Repair) SetMoveRate(now clock.Now, rate int) {
	c := Config{MoveRate: rate}.withDefaults()
	r.moveAt = rescaled(now, r.moveAt, r.cfg.MoveRate, c.MoveRate)
	r.cfg.MoveRate = c.MoveRate
}

// rescaled returns until when to wait for what was exchanged at one rate, if that is
// another from now on: who was slow must not stay so for as long as it would have taken.
func rescaled(now clock.Now, at time.Duration, from, to int) time.Duration {
	if at <= now.Mono {
		return at
	}
	return now.Mono + time.Duration(float64(at-now.Mono)*float64(from)/float64(to))
}

// SetPace says how far apart two comparisons in turn begin from now on, and how many
// bytes of states a second are exchanged but for partitions that move; 0: as by
// default.
func (r *Repair) SetPace(now clock.Now, every time.Duration, rate int) {
	c := Config{Every: every, Rate: rate}.withDefaults()
	r.sendAt = rescaled(now, r.sendAt, r.cfg.Rate, c.Rate)
	r.cfg.Every, r.cfg.Rate = c.Every, c.Rate
}

// Back tells that a node can be reached again: what it may have missed is
// compared when it has had time to get what was kept for it.
func (r *Repair) Back(now clock.Now, id ring.NodeID, p Peers, e *Effects) {
	r.peer(id).trust()
	for i := range r.pairs {
		if r.pairs[i].Peer == id {
			r.mark(&r.pairs[i], now.Mono+r.cfg.Settle)
		}
	}
	r.run(now, p, e)
}

// Down tells that a node can't be reached: nothing will come from it.
func (r *Repair) Down(now clock.Now, id ring.NodeID, p Peers, e *Effects) {
	for i := len(r.talks) - 1; i >= 0; i-- {
		if r.talks[i].out.Peer == id {
			r.end(now, r.talks[i], "its link fell", e)
		}
	}
	r.run(now, p, e)
}

// Pause makes the machine begin nothing but what is asked for, whatever is marked, and
// end what is under way, or goes on with that.
func (r *Repair) Pause(now clock.Now, on bool, p Peers, e *Effects) {
	r.paused = on
	for i := len(r.talks) - 1; on && i >= 0; i-- {
		if t := r.talks[i]; !t.out.Asked {
			r.end(now, t, "paused", e)
		}
	}
	r.run(now, p, e)
}

// Round marks every pair, or those of a partition, or with a peer, so that they are
// compared before what is not marked, one right after the other, and returns how many
// these are. A partition below 0 is any, likewise no peer.
func (r *Repair) Round(now clock.Now, partition int, peer ring.NodeID, p Peers, e *Effects) int {
	n := 0
	for i := range r.pairs {
		if pr := &r.pairs[i]; (partition < 0 || pr.Partition == uint32(partition)) && (peer == "" || pr.Peer == peer) {
			r.peer(pr.Peer).trust()
			r.mark(pr, now.Mono)
			n++
		}
	}
	r.run(now, p, e)
	return n
}

// SetOff makes the machine compare nothing but what is asked for, or ends that.
func (r *Repair) SetOff(now clock.Now, off bool, p Peers, e *Effects) {
	r.cfg.Off = off
	r.run(now, p, e)
}

// Turns says whether comparisons are made that nobody asked for.
func (r *Repair) Turns() bool { return !r.cfg.Off && !r.paused && len(r.pairs) > 0 }

// Deadline returns when [Repair.Tick] is due; the greatest time there is: not
// before something else happens.
func (r *Repair) Deadline() time.Duration {
	at := r.wake
	for _, t := range r.talks {
		at = min(at, t.deadline(r))
	}
	return at
}

// Tick gives up what has waited too long and goes on.
func (r *Repair) Tick(now clock.Now, p Peers, e *Effects) {
	for i := len(r.talks) - 1; i >= 0; i-- {
		t := r.talks[i]
		if t.oldest()+r.cfg.Wait <= now.Mono {
			r.end(now, t, t.silent(), e)
		} else {
			r.advance(now, t, p, e)
		}
	}
	r.run(now, p, e)
}

// Found takes what a survey found, at a peer or, where from is "", at the own
// storage; false if nobody waits for it.
func (r *Repair) Found(now clock.Now, from ring.NodeID, f *replica.Found, p Peers, e *Effects) bool {
	for _, t := range r.talks {
		if t.takeFound(from, f) {
			r.compared(now, t, p, e)
			r.run(now, p, e)
			return true
		}
	}
	return false
}

// Answer takes the answer to an operation, of a peer or, where from is "", of
// the own storage; false if nobody waits for it.
func (r *Repair) Answer(now clock.Now, from ring.NodeID, a *replica.Answer, p Peers, e *Effects) bool {
	for _, t := range r.talks {
		if i := t.flight(from, a); i >= 0 {
			r.exchanged(now, t, i, a, e)
			if !t.over {
				r.advance(now, t, p, e)
			}
			r.run(now, p, e)
			return true
		}
	}
	return false
}

// run begins what may begin.
func (r *Repair) run(now clock.Now, p Peers, e *Effects) {
	r.runAsked(now, p, e)
	r.wake = never
	if r.cfg.Off || r.paused || r.inTurn() || len(r.pairs) == 0 {
		return
	}
	i := r.due(now, p)
	if next := r.last + r.cfg.Every; i < 0 && now.Mono < next {
		r.wake = min(r.wake, next)
		return
	}
	if r.passed++; i < 0 || r.passed > markedBy { // those that fail may be due for ever
		r.passed = 0
		if at := r.turn(now, p); at >= 0 {
			i = at
		}
	}
	if i < 0 {
		r.wake = min(r.wake, now.Mono+max(r.cfg.Every, idle)) // somebody may be of use by then
		return
	}
	r.last, r.wake = now.Mono, never
	r.begin(now, Wish{Mark: r.pairs[i].Mark}, false, e)
}

// next returns the pair whose turn is next; false where there is none.
func (r *Repair) next() (replica.Mark, bool) {
	if len(r.pairs) == 0 {
		return replica.Mark{}, false
	}
	return r.pairs[r.at%len(r.pairs)].Mark, true
}

// turn returns the pair whose turn it is, or -1.
func (r *Repair) turn(now clock.Now, p Peers) int {
	for range r.pairs {
		at := r.at % len(r.pairs)
		r.at = at + 1
		if pr := &r.pairs[at]; !pr.marked && p.Usable(pr.Peer) && r.peer(pr.Peer).after <= now.Mono && r.talkAbout(pr.Mark) == nil {
			return at
		}
	}
	return -1
}

// due returns the marked pair that is due the longest, or -1, and sets when the
// next one will be.
func (r *Repair) due(now clock.Now, p Peers) int {
	first := -1
	for i := range r.pairs {
		pr := &r.pairs[i]
		if !pr.marked || !p.Usable(pr.Peer) || r.talkAbout(pr.Mark) != nil {
			continue
		}
		if at := max(pr.due, r.peer(pr.Peer).after, r.last+r.cfg.Every/markedBy); at > now.Mono {
			r.wake = min(r.wake, at)
		} else if first < 0 || pr.due < r.pairs[first].due {
			first = i
		}
	}
	return first
}

// runAsked begins what somebody waits for.
func (r *Repair) runAsked(now clock.Now, p Peers, e *Effects) {
	talks := 0
	for _, t := range r.talks {
		if t.out.Asked {
			talks++
		}
	}
	left := r.asked[:0]
	for _, w := range r.asked {
		switch {
		case !r.may(w, p) && w.Number != 0:
			r.refuse(now, w, "the ring changed", e)
		case !r.may(w, p):
			r.refuse(now, w, "both do not hold the partition", e)
		case !p.Usable(w.Peer):
			r.refuse(now, w, "it can't be reached", e)
		case talks < r.cfg.Talks && r.talkAbout(w.Mark) == nil:
			r.begin(now, w, true, e)
			talks++
		default:
			left = append(left, w)
		}
	}
	r.asked = left
}

// refuse answers who asked for a comparison that can't begin.
func (r *Repair) refuse(now clock.Now, w Wish, why string, e *Effects) {
	e.Done = append(e.Done, Outcome{Wish: w, Began: now.Mono, Asked: true, Why: why})
}

// inTurn reports whether a comparison that nobody asked for is under way.
func (r *Repair) inTurn() bool {
	return slices.ContainsFunc(r.talks, func(t *talk) bool { return !t.out.Asked })
}

func (r *Repair) talkAbout(m replica.Mark) *talk {
	for _, t := range r.talks {
		if t.out.Mark == m {
			return t
		}
	}
	return nil
}

func (r *Repair) begin(now clock.Now, w Wish, asked bool, e *Effects) {
	if i, ok := r.find(w.Mark); ok {
		r.pairs[i].again = false
	}
	t := &talk{wall: now.Wall, out: Outcome{Wish: w, Began: now.Mono, Asked: asked}}
	r.talks = append(r.talks, t)
	r.ask(now, t, replica.Survey{Look: replica.Roots}, e)
}

// end ends a comparison, as complete where why is "".
func (r *Repair) end(now clock.Now, t *talk, why string, e *Effects) {
	t.over = true
	r.talks = slices.DeleteFunc(r.talks, func(o *talk) bool { return o == t })
	t.out.Why, t.out.Complete = why, why == ""
	e.Done = append(e.Done, t.out)
	about := r.peer(t.out.Peer)
	about.repaired += uint64(t.out.Pulled + t.out.Pushed)
	about.failed, about.failedAt = why, now.Wall
	r.heard(now, about, why)
	f := fact.Fact{Kind: fact.Agreed, At: now.Mono, Lasted: now.Mono - t.out.Began, Peer: string(t.out.Peer), N: t.out.Pulled + t.out.Pushed, Note: why}
	if why != "" {
		f.Kind = fact.NotAgreed
	}
	e.Facts = append(e.Facts, f)
	i, ok := r.find(t.out.Mark)
	if !ok || t.out.Push {
		return
	}
	pr := &r.pairs[i]
	pr.failed, pr.failedAt = why, now.Wall
	if why != "" {
		pr.marked, pr.due = true, now.Mono+r.backOff(&pr.failures)
		return
	}
	pr.failures, pr.agreed, pr.since = 0, t.wall, t.out.Began
	if pr.again {
		return
	}
	pr.marked = false
	if pr.durable {
		pr.durable = false
		e.Ops = append(e.Ops, replica.Op{Verb: replica.Agreed, Partition: pr.Partition, Missed: pr.Peer, Silent: true})
	}
}

// Underway appends to dst how far the comparisons at a number have come.
func (r *Repair) Underway(dst []Underway) []Underway {
	for _, t := range r.talks {
		if t.out.Number != 0 {
			dst = append(dst, Underway{t.out, len(t.buckets), len(t.spans) + len(t.lists)})
		}
	}
	return dst
}

func order(a, b replica.Mark) int {
	return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Peer, b.Peer))
}

func (r *Repair) find(m replica.Mark) (int, bool) {
	return slices.BinarySearchFunc(r.pairs, m, func(p pair, m replica.Mark) int { return order(p.Mark, m) })
}

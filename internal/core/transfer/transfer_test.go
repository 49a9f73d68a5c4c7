package transfer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/transfer"
)

// world is a machine, node D, and all that it knows of its cluster. Bucket "b" has
// three replicas, "two" has two.
type world struct {
	t     testing.TB
	m     *transfer.Transfer
	now   clock.Now
	lists map[uint32]*place.Lists
	down  map[ring.NodeID]bool
	w, r  int
	disk  uint64
	e     transfer.Effects

	compares []transfer.Compare
	ops      []replica.Op
	proven   []transfer.Proven
}

func newWorld(t testing.TB, held replica.Holdings) *world {
	w := &world{t: t, lists: map[uint32]*place.Lists{}, down: map[ring.NodeID]bool{}, w: 2, r: 2, disk: 4, now: clock.Now{Mono: time.Second, Wall: 1000}}
	w.m = transfer.New(transfer.Config{Held: held})
	return w
}

func (w *world) Self() ring.NodeID { return "D" }

func (w *world) Usable(id ring.NodeID) bool { return !w.down[id] }

func (w *world) Lists(p uint32) *place.Lists {
	if l := w.lists[p]; l != nil {
		return l
	}
	return &place.Lists{}
}

func (w *world) n(bucket string) int {
	if bucket == "two" {
		return 2
	}
	return 3
}

func (w *world) Role(p uint32, bucket string) transfer.Role {
	switch l := w.Lists(p).First(w.n(bucket)); {
	case slices.Contains(l.Old, "D"):
		return transfer.Holder
	case slices.Contains(l.New, "D"):
		return transfer.Newcomer
	default:
		return transfer.None
	}
}

func (w *world) Holders(p uint32, bucket string) []ring.NodeID {
	l := w.Lists(p).First(w.n(bucket))
	return l.All(nil)
}

// ids makes a list of "ABC".
func ids(letters string) []ring.NodeID {
	var all []ring.NodeID
	for _, c := range letters {
		all = append(all, ring.NodeID(c))
	}
	return all
}

// at puts partition 1 where it is from now on; moving: to "" it does not move.
func (w *world) at(number uint64, from, to string) {
	w.put(1, number, from, to)
	w.assign()
}

// adrift tells that it is in no ring that it knows the placement of.
func (w *world) adrift() {
	w.m.Adrift(&w.e)
	w.drain()
}

func (w *world) put(p uint32, number uint64, from, to string) {
	w.lists[p] = &place.Lists{Number: number, Old: ids(from), New: ids(to)}
}

// assign tells the machine what the lists ask of it.
func (w *world) assign() {
	var tasks []transfer.Task
	var all []uint32
	for p := range w.lists {
		all = append(all, p)
	}
	slices.Sort(all)
	for _, p := range all {
		l := w.lists[p]
		if !l.Moving() {
			continue
		}
		var promises []place.Promise
		for n := 2; n <= 3; n++ {
			if pr := (place.Promise{N: n, W: min(w.w, n), R: min(w.r, n)}); slices.Contains(l.Provers(nil, pr), "D") {
				promises = append(promises, pr)
			}
		}
		if len(promises) > 0 {
			tasks = append(tasks, transfer.Task{Partition: p, Promises: promises, Disk: w.disk})
		}
	}
	w.m.Assign(w.now, tasks, w, &w.e)
	w.drain()
}

func (w *world) drain() {
	w.compares = append(w.compares, w.e.Compares...)
	w.ops = append(w.ops, w.e.Ops...)
	w.proven = append(w.proven, w.e.Proven...)
	w.e.Reset()
}

// did returns what was asked of the own storage since it was last asked for, in
// words, and answers it.
func (w *world) did(reason ...replica.Reason) string {
	var all []string
	ops := w.ops
	w.ops = nil
	for _, op := range ops {
		a := replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Have, Durable: true}
		if len(reason) > 0 {
			a.Status, a.Reason = replica.Failed, reason[0]
		}
		word := fmt.Sprintf("vacate %d", op.Partition)
		if op.Verb == replica.Arrive {
			number, mixed := replica.ReadArrival(op.State)
			word = fmt.Sprintf("arrive %d@%d", op.Partition, number)
			if len(op.State) == 0 {
				word = fmt.Sprintf("arrived %d", op.Partition)
			} else if mixed {
				word += " mixed"
			}
		}
		if op.Key.Bucket != "" {
			word += "/" + op.Key.Bucket
		}
		all = append(all, word)
		if !op.Silent {
			w.m.Complete(w.now, &a, w, &w.e)
			w.drain()
		}
	}
	return strings.Join(all, ", ")
}

// next returns the comparison asked for, the only one.
func (w *world) next() transfer.Compare {
	w.t.Helper()
	if len(w.compares) != 1 {
		w.t.Fatalf("asks for %v", w.compares)
	}
	c := w.compares[0]
	w.compares = nil
	return c
}

func (w *world) end(o transfer.Outcome) {
	w.m.Compared(w.now, &o, w, &w.e)
	w.drain()
}

func complete(c transfer.Compare) transfer.Outcome {
	return transfer.Outcome{Compare: c, Known: true, Complete: true}
}

func failed(c transfer.Compare, why string) transfer.Outcome {
	return transfer.Outcome{Compare: c, Why: why}
}

// all completes whatever comparison is asked for and returns with whom they were.
func (w *world) all() string {
	var with []string
	for len(w.compares) > 0 {
		c := w.compares[0]
		w.compares = w.compares[1:]
		with = append(with, string(c.Peer))
		w.end(complete(c))
	}
	slices.Sort(with)
	return strings.Join(with, "")
}

// tick lets time pass until the machine wants it.
func (w *world) tick() {
	w.now.Mono = max(w.now.Mono, w.m.Deadline())
	w.m.Tick(w.now, w, &w.e)
	w.drain()
}

func (w *world) want(what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func holds(partition uint32, buckets ...string) replica.Holdings {
	var h replica.Holdings
	for _, b := range buckets {
		h.Buckets = append(h.Buckets, replica.Holding{Partition: partition, Bucket: b})
	}
	return h
}

// TestNewcomerProves: a newcomer compares with as many of the old list as the gate
// wants for the smallest pw and pr, one after the other, and with no more.
func TestNewcomerProves(t *testing.T) {
	for _, s := range []struct{ w, r, compared int }{{2, 2, 2}, {3, 1, 3}, {1, 3, 3}, {3, 3, 1}} {
		w := newWorld(t, replica.Holdings{})
		w.w, w.r = s.w, s.r
		w.at(7, "ABC", "ABD")
		w.want("first", w.did(), "arrive 1@7")
		for i := range s.compared {
			if len(w.proven) > 0 {
				t.Errorf("w=%d r=%d: proven after %d", s.w, s.r, i)
			}
			c := w.next()
			if c.Partition != 1 || c.Number != 7 || c.Push {
				t.Errorf("asks for %+v", c)
			}
			w.end(complete(c))
		}
		if len(w.proven) != 1 || len(w.compares) != 0 {
			t.Fatalf("w=%d r=%d: %+v, asks for %v", s.w, s.r, w.proven, w.compares)
		}
		if err := w.lists[1].Gate(w.proven[0].Proofs, func(ring.NodeID) uint64 { return w.disk }); err != nil {
			t.Error(err)
		}
		if p := w.m.Pending(nil); len(p) != 1 || !p[0].Proven || p[0].Needed != s.compared || w.m.LeftOver() != 0 {
			t.Errorf("pending %+v, left over %d", p, w.m.LeftOver())
		}
		w.at(8, "ABD", "")
		w.want("when it is over", w.did(), "arrived 1")
		if p := w.m.Pending(nil); len(p) != 0 {
			t.Errorf("pending %+v", p)
		}
	}
}

// TestNotYetNoted: nothing is compared before the disk knows at which number that
// began.
func TestNotYetNoted(t *testing.T) {
	w := newWorld(t, replica.Holdings{})
	w.at(7, "ABC", "ABD")
	if len(w.compares) > 0 {
		t.Errorf("asks for %v", w.compares)
	}
	w.want("first", w.did(replica.IOError), "arrive 1@7")
	w.tick()
	w.want("then", w.did(), "arrive 1@7 mixed")
	w.want("compared", w.all(), "ABC") // what came meanwhile can't be told from what was there before
	w.want("in the end", w.did(), "arrive 1@7")
	if len(w.proven) != 1 || w.m.LeftOver() != 0 {
		t.Errorf("proven %v, left over %d", w.proven, w.m.LeftOver())
	}
}

// TestSourceThatLacks: who recovers is no source, but it seals.
func TestSourceThatLacks(t *testing.T) {
	w := newWorld(t, replica.Holdings{})
	w.at(7, "ABC", "ABD")
	w.did()
	for range 2 {
		o := complete(w.next())
		o.Lacking = true
		w.end(o)
	}
	if len(w.proven) > 0 {
		t.Errorf("proven by those who lack something: %v", w.proven)
	}
	w.end(complete(w.next()))
	if len(w.proven) > 0 {
		t.Errorf("proven with one source: %v", w.proven)
	}
	c := w.next() // one of those who lacked something is asked again
	o := complete(c)
	o.Lacking = true
	w.end(o)
	other := w.next()
	if other.Peer == c.Peer {
		t.Errorf("asks %s twice in a row", c.Peer)
	}
	w.end(complete(other))
	if len(w.proven) != 1 || len(w.proven[0].Proofs[0].Sources) != 2 || len(w.proven[0].Proofs[0].Sealed) != 3 {
		t.Errorf("proven %+v", w.proven)
	}
}

// TestFailures: who fails is passed over, all are left alone for a while once each
// has failed, and the next success forgets that.
func TestFailures(t *testing.T) {
	w := newWorld(t, replica.Holdings{})
	w.at(7, "ABC", "ABD")
	w.did()
	var asked []string
	for range 3 {
		c := w.next()
		asked = append(asked, string(c.Peer))
		w.end(failed(c, "no answer"))
	}
	slices.Sort(asked)
	if strings.Join(asked, "") != "ABC" || len(w.compares) != 0 {
		t.Errorf("asked %v, then %v", asked, w.compares)
	}
	before := w.now.Mono
	w.tick()
	if w.now.Mono-before != 500*time.Millisecond {
		t.Errorf("waits %v", w.now.Mono-before)
	}
	for range 3 {
		w.end(failed(w.next(), "no answer"))
	}
	before = w.now.Mono
	w.tick()
	if w.now.Mono-before != time.Second {
		t.Errorf("then waits %v", w.now.Mono-before)
	}
	if p := w.m.Pending(nil)[0]; !strings.Contains(p.Failed, "no answer") || p.With == "" {
		t.Errorf("pending %+v", p)
	}
	want := w.twoOf(w.m.Pending(nil)[0].With)
	w.want("compared", w.all(), want)
	if p := w.m.Pending(nil)[0]; p.Failed != "" || !p.Proven {
		t.Errorf("pending %+v", p)
	}
}

// twoOf are a peer and the one after it in the order of this partition.
func (w *world) twoOf(first ring.NodeID) string {
	peers := w.m.Pending(nil)[0].Peers
	at := slices.Index(peers, first)
	two := []string{string(first), string(peers[(at+1)%3])}
	slices.Sort(two)
	return strings.Join(two, "")
}

// TestBrokenOff: a comparison that broke off is none, though the peer has shown
// that it knows of the number.
func TestBrokenOff(t *testing.T) {
	w := newWorld(t, replica.Holdings{})
	w.at(7, "ABC", "ABD")
	w.did()
	for range 3 {
		o := failed(w.next(), "its link fell")
		o.Known = true
		w.end(o)
	}
	if len(w.proven) > 0 {
		t.Errorf("proven %+v", w.proven)
	}
}

// TestOneAtATime: what arrives of a partition and what is left over of it take
// turns.
func TestOneAtATime(t *testing.T) {
	w := newWorld(t, holds(1, "two"))
	w.at(7, "ABC", "ABD")
	w.did()
	arrival := w.next()
	w.end(complete(arrival))
	if len(w.compares) != 1 || len(w.m.Pending(nil)) != 2 {
		t.Errorf("asks for %v of %+v", w.compares, w.m.Pending(nil))
	}
	w.all()
	w.want("in the end", w.did(), "vacate 1/two")
}

// TestNobodyToAsk: a job whose peers are down waits for one to come back.
func TestNobodyToAsk(t *testing.T) {
	w := newWorld(t, replica.Holdings{})
	w.down["A"], w.down["B"], w.down["C"] = true, true, true
	w.at(7, "ABC", "ABD")
	w.did()
	if d := w.m.Deadline(); d != 1<<63-1 || len(w.compares) > 0 {
		t.Errorf("deadline %v, asks for %v", d, w.compares)
	}
	delete(w.down, "B")
	w.m.Back(w.now, "B", w, &w.e)
	w.drain()
	if c := w.next(); c.Peer != "B" {
		t.Errorf("asks %s", c.Peer)
	}
}

// TestAnotherNumber: nothing counts that was compared at another number.
func TestAnotherNumber(t *testing.T) {
	w := newWorld(t, replica.Holdings{})
	w.at(7, "ABC", "ABD")
	w.did()
	w.end(complete(w.next()))
	late := w.next()
	w.at(9, "ABC", "ABD") // somebody's disk was named anew
	w.want("noted", w.did(), "arrive 1@9")
	for w.m.Pending(nil)[0].With != late.Peer { // the same is asked at both numbers
		c := w.next()
		w.end(failed(c, "no answer"))
	}
	w.end(complete(late))
	if p := w.m.Pending(nil)[0]; len(w.proven) > 0 || len(p.Done) > 0 || p.With != late.Peer {
		t.Fatalf("what was compared at 7 counts: %+v, %+v", p, w.proven)
	}
	want := w.twoOf(w.m.Pending(nil)[0].With)
	w.want("compared anew", w.all(), want)
	if len(w.proven) != 1 || w.proven[0].Proofs[0].Number != 9 {
		t.Errorf("proven %+v", w.proven)
	}
}

// TestAnotherPromise: a bucket that comes meanwhile may ask for more.
func TestAnotherPromise(t *testing.T) {
	w := newWorld(t, replica.Holdings{})
	w.at(7, "ABC", "ABD")
	w.did()
	w.all()
	w.proven = nil
	w.w = 1
	w.assign()
	if len(w.proven) > 0 {
		t.Errorf("proven %+v", w.proven)
	}
	w.all()
	if len(w.proven) != 1 || len(w.proven[0].Proofs[0].Sources) != 3 {
		t.Errorf("proven %+v", w.proven)
	}
}

// TestAborted: what came by a move that was aborted goes at once.
func TestAborted(t *testing.T) {
	w := newWorld(t, replica.Holdings{})
	w.at(7, "ABC", "ABD")
	w.did()
	w.m.Keeps(1, "b")
	w.at(8, "ABC", "")
	if w.m.LeftOver() != 1 {
		t.Errorf("left over %d before it is gone", w.m.LeftOver())
	}
	w.want("at once", w.did(replica.Overloaded), "vacate 1")
	w.tick()
	w.assign()
	w.want("again", w.did(), "vacate 1")
	if w.m.LeftOver() != 0 || len(w.m.Pending(nil)) != 0 {
		t.Errorf("left over %d, pending %v", w.m.LeftOver(), w.m.Pending(nil))
	}
}

// TestAbortedWhileAway: a node that was away during an abort and the next move
// keeps nothing of what came before.
func TestAbortedWhileAway(t *testing.T) {
	held := holds(1, "b")
	held.Arrivals = []replica.Arrival{{Partition: 1, Number: 7}}
	w := newWorld(t, held)
	w.at(9, "ABC", "ABD")
	w.want("first", w.did(), "vacate 1/b, arrive 1@9")
	want := w.twoOf(w.m.Pending(nil)[0].With)
	w.want("then", w.all(), want)
	if len(w.proven) != 1 {
		t.Errorf("proven %+v", w.proven)
	}
}

// TestArrivingInAnotherRing: what came in a ring that was merged into another is offered
// to all who hold the partition there, or stays where this node is to hold it, whatever
// numbers the links have.
func TestArrivingInAnotherRing(t *testing.T) {
	for number := uint64(5); number <= 7; number++ {
		w := newWorld(t, replica.Holdings{})
		w.at(6, "ABC", "ABD")
		w.did()
		w.m.Keeps(1, "b")
		w.adrift()
		w.want("adrift", w.did(), "arrive 1@6 mixed")
		w.at(number, "ABC", "")
		w.want("with no part in it", w.did(), "")
		if p := w.m.Pending(nil); w.m.LeftOver() != 1 || len(p) != 1 || !p[0].Leaving || len(p[0].Peers) != 3 {
			t.Errorf("at %d it is not offered: %+v", number, p)
		}
		w.at(number, "ABC", "ABD")
		w.did()
		if p := w.m.Pending(nil); w.m.LeftOver() != 1 || len(p) != 1 || p[0].Leaving || len(p[0].Done) != 0 {
			t.Errorf("at %d it does not mix with what comes: %+v", number, p)
		}
	}
	w := newWorld(t, replica.Holdings{})
	w.at(6, "ABC", "ABD")
	w.did()
	w.end(complete(w.next()))
	w.adrift()
	w.at(6, "ABC", "ABD")
	if p := w.m.Pending(nil); len(p) != 1 || len(p[0].Done) != 0 {
		t.Errorf("what was compared counts: %+v", p)
	}
}

// TestGoesOn: after a restart a newcomer keeps what came at this number, and
// proves it anew.
func TestGoesOn(t *testing.T) {
	held := holds(1, "b")
	held.Arrivals = []replica.Arrival{{Partition: 1, Number: 9}}
	w := newWorld(t, held)
	w.at(9, "ABC", "ABD")
	w.want("first", w.did(), "")
	w.all()
	if len(w.proven) != 1 || w.m.LeftOver() != 0 {
		t.Errorf("proven %+v", w.proven)
	}
}

// TestComesBack: who left and did not let go before it is to come back keeps what
// it has, and counts as one with something left over until all were compared with.
func TestComesBack(t *testing.T) {
	w := newWorld(t, holds(1, "b"))
	w.at(9, "ABC", "ABD")
	w.want("first", w.did(), "arrive 1@9 mixed")
	w.end(complete(w.next()))
	w.end(complete(w.next()))
	if len(w.proven) != 1 || w.m.LeftOver() != 1 {
		t.Errorf("after two: proven %d, left over %d", len(w.proven), w.m.LeftOver())
	}
	w.end(complete(w.next()))
	w.want("in the end", w.did(), "arrive 1@9")
	if len(w.proven) != 1 || w.m.LeftOver() != 0 {
		t.Errorf("proven %d, left over %d", len(w.proven), w.m.LeftOver())
	}
}

// TestLeaver: a leaver gives what it has to everybody who is in the list now, and
// lets go only then.
func TestLeaver(t *testing.T) {
	w := newWorld(t, holds(1, "b", "c"))
	w.at(6, "ABD", "")
	w.at(7, "ABD", "ABC")
	if len(w.compares) > 0 {
		t.Errorf("leaves before the move has ended: %v", w.compares)
	}
	w.at(8, "ABC", "")
	for i := range 3 {
		if w.want("too early", w.did(), ""); w.m.LeftOver() != 1 {
			t.Errorf("left over %d", w.m.LeftOver())
		}
		c := w.next()
		if !c.Push || c.Number != 8 {
			t.Errorf("asks for %+v", c)
		}
		if i == 1 {
			w.end(failed(c, "no answer"))
			c = w.next()
		}
		w.end(complete(c))
	}
	w.want("in the end", w.did(), "vacate 1")
	if w.m.LeftOver() != 0 || len(w.m.Pending(nil)) != 0 {
		t.Errorf("left over %d, pending %v", w.m.LeftOver(), w.m.Pending(nil))
	}
}

// TestLeaverWaits: one member that can't be reached keeps the leaver's data alive;
// a later list is asked anew.
func TestLeaverWaits(t *testing.T) {
	w := newWorld(t, holds(1, "b"))
	w.down["C"] = true
	w.at(8, "ABC", "")
	w.want("reached", w.all(), "AB")
	w.now.Wall += 5000
	if p := w.m.Pending(nil); len(p) != 1 || p[0].Since != 1000 || p[0].Failed == "" || p[0].FailedAt != 1000 || len(p[0].Done) != 2 || p[0].Needed != 3 {
		t.Errorf("pending %+v", p)
	}
	w.at(10, "ABE", "")
	w.want("of the next list", w.all(), "ABE")
	w.want("in the end", w.did(), "vacate 1")
}

// TestLeftOfOneBucket: a node that is in the list, but too far behind for a bucket
// of fewer replicas, lets go of that bucket alone.
func TestLeftOfOneBucket(t *testing.T) {
	w := newWorld(t, holds(1, "b", "two"))
	w.at(8, "ABD", "")
	w.want("reached", w.all(), "AB")
	w.want("in the end", w.did(), "vacate 1/two")
	w.at(9, "ADB", "AXD") // the first two: A D, then A X
	if len(w.compares) > 0 {
		t.Errorf("asks for %v", w.compares)
	}
}

// TestNewForOneBucket: a node that goes up in the list is new for a bucket of
// fewer replicas, and is a source of its own for the others.
func TestNewForOneBucket(t *testing.T) {
	w := newWorld(t, holds(1, "b"))
	w.at(8, "ABD", "ADB")
	w.want("first", w.did(), "arrive 1@8")
	w.all()
	if len(w.proven) != 1 || len(w.proven[0].Proofs) != 1 || w.proven[0].Proofs[0].N != 2 {
		t.Fatalf("proven %+v", w.proven)
	}
	if err := w.lists[1].Check(&w.proven[0].Proofs[0], w.disk); err != nil {
		t.Error(err)
	}
}

// TestBounded: so many comparisons at a time, and of one partition one.
func TestBounded(t *testing.T) {
	w := newWorld(t, replica.Holdings{})
	for p := range uint32(20) {
		w.put(p, 7, "ABC", "ABD")
	}
	w.assign()
	w.did()
	if len(w.compares) != 4 || w.m.Deadline() != 1<<63-1 {
		t.Errorf("%d comparisons under way, the next at %v", len(w.compares), w.m.Deadline())
	}
	for i, c := range w.compares {
		for _, o := range w.compares[:i] {
			if o.Partition == c.Partition {
				t.Errorf("partition %d twice", c.Partition)
			}
		}
	}
	w.all()
	if len(w.proven) != 20 {
		t.Errorf("%d proven", len(w.proven))
	}
}

// TestPaper_4_9_4: the load of handing over is spread over the others: of those
// who are asked first, and so give most, each within a factor of 2 of the mean.
func TestPaper_4_9_4(t *testing.T) {
	w := newWorld(t, replica.Holdings{})
	first := map[ring.NodeID]int{}
	const partitions = 600
	for p := range uint32(partitions) {
		w.put(p, 7, []string{"ABC", "BCA", "EFG", "GAF"}[p%4], "ABD")
	}
	w.assign()
	w.did()
	seen := map[uint32]bool{}
	for len(w.compares) > 0 {
		c := w.compares[0]
		w.compares = w.compares[1:]
		if !seen[c.Partition] {
			seen[c.Partition] = true
			first[c.Peer]++
		}
		w.end(complete(c))
	}
	for _, id := range ids("ABCEFG") {
		share := 100. // of 600 over A B C, B C A, E F G and G A F
		switch id {
		case "A":
			share = 150
		case "E":
			share = 50
		}
		if n := float64(first[id]); n < share/2 || n > share*2 {
			t.Errorf("%s is asked first %v times, its share is %v", id, n, share)
		}
	}
}

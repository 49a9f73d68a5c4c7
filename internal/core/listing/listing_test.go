package listing

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

const all = ^uint64(0)

// dot is event n of the actor with this run.
func dot(run, n uint64) causal.Dot { return causal.Dot{Actor: causal.Actor{Run: run, Life: 1}, N: n} }

// outline makes a state that has seen 1..n of actor 1 and holds these versions.
func outline(n uint64, versions ...causal.Version) []byte {
	s := causal.State{Versions: versions}
	s.Vector = []causal.Entry{{Actor: causal.Actor{Run: 1, Life: 1}, N: n, Time: 1}}
	return s.Append(nil)
}

func version(n uint64) causal.Version { return causal.Version{Dot: dot(1, n), Stamp: causal.Stamp(n)} }

// sorted are names of bucket b in the order of the ring.
func sorted(names ...string) []string {
	slices.SortFunc(names, func(a, b string) int {
		x, y := ring.NewKey("b", a), ring.NewKey("b", b)
		return replica.KeyOrder(&x, &y)
	})
	return names
}

// run is a listing with what it wanted done.
type run struct {
	t *testing.T
	l Listing
	e Effects
	// asked has everybody who was asked, in order.
	asked []ring.NodeID
}

func begin(t *testing.T, req Request, down ...ring.NodeID) *run {
	r := &run{t: t}
	req.Self, req.Bucket, req.Last, req.Timeout = "a", "b", all, time.Second
	r.l.Start(clock.Now{}, &req, func(id ring.NodeID) bool { return !slices.Contains(down, id) }, &r.e)
	r.note()
	return r
}

func (r *run) note() {
	for _, a := range r.e.Asks {
		if a.To == "" {
			a.To = "a"
		}
		r.asked = append(r.asked, a.To)
	}
	r.e.Asks = r.e.Asks[:0]
}

func (r *run) found(from ring.NodeID, f replica.Found) {
	r.t.Helper()
	f.Look = replica.Names
	if f.Status == 0 {
		f.Status = replica.Have
	}
	if f.Until == 0 {
		f.Until = all
	}
	if !r.l.Found(clock.Now{}, from, &f, &r.e) {
		r.t.Fatalf("what %s found is not taken", from)
	}
	r.note()
}

func (r *run) page(want string) {
	r.t.Helper()
	if r.e.Page == nil {
		r.t.Fatal("no page yet")
	}
	if got := fmt.Sprint(r.e.Page.Complete, r.e.Page.Names); got != want {
		r.t.Errorf("%s (%s), want %s", got, r.e.Page.Why, want)
	}
}

func abc(r int) Request { return Request{Lists: place.Lists{Old: []ring.NodeID{"b", "a", "c"}}, R: r} }

func named(name string, state []byte) replica.Named { return replica.Named{Name: name, State: state} }

func TestAsksAsManyAsMustTellTheNearestFirst(t *testing.T) {
	r := begin(t, abc(2), "b")
	if fmt.Sprint(r.asked) != "[a c]" {
		t.Errorf("asked %v", r.asked)
	}
	r.found("", replica.Found{Names: []replica.Named{named("k", outline(1, version(1)))}})
	if r.e.Page != nil {
		t.Fatal("one of two is a page")
	}
	r.found("c", replica.Found{})
	r.page("true [k]")
}

// What one replica holds and another knows to be replaced or deleted is merged as a
// read would.
func TestMergesAsAReadDoes(t *testing.T) {
	r := begin(t, abc(2))
	names := sorted("deleted", "live", "apart", "empty")
	states := map[string][2][]byte{
		"deleted": {outline(1, version(1)), outline(1)},
		"live":    {outline(1, version(1)), outline(2, version(2))},
		"apart":   {outline(1, version(1)), nil},
		"empty":   {outline(1), outline(1)},
	}
	var one, two []replica.Named
	for _, n := range names {
		one = append(one, named(n, states[n][0]))
		if states[n][1] != nil {
			two = append(two, named(n, states[n][1]))
		}
	}
	r.found("", replica.Found{Names: one})
	r.found("b", replica.Found{Names: two})
	r.page(fmt.Sprint("true ", sorted("live", "apart")))
}

func TestExpiredAndDeletedLastWritersAreNotListed(t *testing.T) {
	gone, later := version(1), version(2)
	gone.Expiry = 10
	later.Deleted = true
	req := abc(1)
	req.LWW = true
	r := &run{t: t}
	req.Self, req.Bucket, req.Last, req.Timeout = "a", "b", all, time.Second
	r.l.Start(clock.Now{}, &req, func(ring.NodeID) bool { return true }, &r.e)
	f := replica.Found{Look: replica.Names, Status: replica.Have, Until: all}
	for _, n := range sorted("expired", "deleted", "not yet") {
		switch n {
		case "expired":
			f.Names = append(f.Names, named(n, outline(1, gone)))
		case "deleted":
			f.Names = append(f.Names, named(n, outline(2, version(1), later)))
		default:
			young := gone
			young.Expiry = 12
			f.Names = append(f.Names, named(n, outline(1, young)))
		}
	}
	r.l.Found(clock.Now{Wall: 11}, "", &f, &r.e)
	r.page("true [not yet]")
}

// A page ends where the first of its replicas stopped telling: beyond it the other
// alone knows what there is.
func TestEndsWhereTheFirstStops(t *testing.T) {
	names := sorted("k1", "k2", "k3", "k4")
	var told []replica.Named
	for _, n := range names {
		told = append(told, named(n, outline(1, version(1))))
	}
	r := begin(t, abc(2))
	until := ring.NewKey("b", names[1]).Pos.Hi
	r.found("", replica.Found{Names: told})
	r.found("b", replica.Found{Names: told[:2], Until: until})
	r.page(fmt.Sprint("true ", names[:2]))
	if r.e.Page.Until != until {
		t.Errorf("until %x, want %x", r.e.Page.Until, until)
	}
}

func TestTooFewIsNotComplete(t *testing.T) {
	r := begin(t, abc(2))
	r.found("", replica.Found{Names: []replica.Named{named("k", outline(1, version(1)))}, Recovering: true})
	r.found("b", replica.Found{})
	r.l.Down(clock.Now{}, "c", &r.e)
	r.page("false [k]")
	r = begin(t, abc(2))
	r.l.Down(clock.Now{}, "b", &r.e)
	r.found("", replica.Found{})
	r.note()
	r.l.Tick(clock.Now{Mono: time.Second}, &r.e)
	r.page("false []")
}

func TestRecordsThatCannotBeReadDoNotCount(t *testing.T) {
	r := begin(t, abc(1))
	r.found("", replica.Found{Unreadable: 1})
	if fmt.Sprint(r.asked) != "[a b]" {
		t.Errorf("asked %v", r.asked)
	}
	r.found("b", replica.Found{})
	r.page("true []")
}

// While a partition moves, both lists have to tell, and what a newcomer holds shows
// nothing (RULES R14).
func TestBothListsTell(t *testing.T) {
	req := abc(2)
	req.Lists.New, req.NextR = []ring.NodeID{"b", "a", "d"}, 2
	r := begin(t, req, "a")
	r.found("", replica.Found{Names: []replica.Named{named("k", outline(1, version(1)))}})
	if r.e.Page != nil {
		t.Fatal("one of each list is a page")
	}
	r.l.Down(clock.Now{}, "b", &r.e)
	r.note()
	r.found("c", replica.Found{})
	if r.e.Page != nil {
		t.Fatal("the new list is not asked")
	}
	r.found("d", replica.Found{Names: []replica.Named{named("only here", outline(1, version(1)))}})
	r.page("true [k]")
}

func TestWhoRefusesIsAskedAgain(t *testing.T) {
	r := begin(t, abc(3))
	r.found("", replica.Found{})
	r.found("b", replica.Found{})
	r.found("c", replica.Found{Status: replica.Failed, Reason: replica.Overloaded})
	if at := r.l.Deadline(); at != again {
		t.Errorf("deadline %v", at)
	}
	r.l.Tick(clock.Now{Mono: again}, &r.e)
	r.note()
	r.found("c", replica.Found{})
	r.page("true []")
	if r.l.Found(clock.Now{}, "c", &replica.Found{Look: replica.Names}, &r.e) {
		t.Error("a page that is over takes more")
	}
}

func TestHedges(t *testing.T) {
	r := begin(t, abc(2))
	r.l.Tick(clock.Now{Mono: hedgeAfter}, &r.e)
	r.note()
	if fmt.Sprint(r.asked) != "[a b c]" {
		t.Errorf("asked %v", r.asked)
	}
}

// Whatever the order in which things happen, there is one page, and a complete one
// rests on enough that count.
func TestEveryOrder(t *testing.T) {
	events := []string{"a", "b", "c", "a weak", "b failed", "c down", "tick", "end"}
	var walk func(done []string)
	walk = func(done []string) {
		req := abc(2)
		req.Self, req.Bucket, req.Last, req.Timeout = "a", "b", all, time.Second
		var l Listing
		var e Effects
		l.Start(clock.Now{}, &req, func(ring.NodeID) bool { return true }, &e)
		var mono time.Duration
		good, pages := map[string]bool{}, 0
		for _, ev := range done {
			before := l.Done()
			now := clock.Now{Mono: mono}
			ok := false
			switch ev {
			case "a", "b", "c":
				from := ring.NodeID(ev)
				if ev == "a" {
					from = ""
				}
				ok = l.Found(now, from, &replica.Found{Look: replica.Names, Status: replica.Have, Until: all}, &e)
			case "a weak":
				l.Found(now, "", &replica.Found{Look: replica.Names, Status: replica.Have, Until: all, Recovering: true}, &e)
			case "b failed":
				l.Found(now, "b", &replica.Found{Look: replica.Names, Status: replica.Failed}, &e)
			case "c down":
				l.Down(now, "c", &e)
			case "tick":
				mono = hedgeAfter
				l.Tick(clock.Now{Mono: mono}, &e)
			case "end":
				mono = time.Second
				l.Tick(clock.Now{Mono: mono}, &e)
			}
			if ok {
				good[ev] = true
			}
			if e.Page != nil {
				pages++
				if e.Page.Complete != (len(good) >= 2) || before {
					t.Fatalf("%q: page %+v after %v", done, *e.Page, good)
				}
			}
			e.Reset()
		}
		if pages > 1 || pages == 0 && (l.Done() || slices.Contains(done, "end")) {
			t.Fatalf("%q: %d pages", done, pages)
		}
		if len(done) == 6 {
			return
		}
		for _, ev := range events {
			if !slices.Contains(done, ev) {
				walk(append(slices.Clone(done), ev))
			}
		}
	}
	walk(nil)
}

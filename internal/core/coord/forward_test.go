package coord

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/ring"
)

// TestForward plays what may come of a forward to b, c and d, with ten seconds
// for it and a patience of one. A step is who does what; what comes of it is to
// whom the request goes ("c", or "c!" as a retry) or how it ends.
// Who has had a request is not asked again when the lists change, also if it is in
// the new ones; its word still counts.
func TestRerouteAsksNobodyTwice(t *testing.T) {
	now := clock.Now{Mono: time.Second}
	r := ForwardRequest{Common: Common{Ticket: testTicket, Self: "a", Numbers: Numbers{N: 3, Timeout: time.Minute}}, Write: true}
	var f Forward
	var e Effects
	f.Start(now, &r, []Replica{{ID: "b", Up: true}, {ID: "c", Up: true}}, &e)
	e.Reset()
	if f.Outdated(&e); !e.Again {
		t.Fatal("it does not care for the new lists")
	}
	e.Reset()
	f.Reroute(&r.Common, []Replica{{ID: "b", Up: true}, {ID: "a", Up: true}})
	busy := ouro.Errorf(ouro.Overloaded, ouro.NotDone, "busy")
	if _, end, ok := f.Return(now, "b", busy, false, &e); end || !ok {
		t.Fatalf("the word of who had it: end %v, taken %v", end, ok)
	}
	if len(e.Passes) != 1 || e.Passes[0].To != "a" || !f.Done() {
		t.Fatalf("passed to %+v", e.Passes)
	}
}

func TestForward(t *testing.T) { // RULES R30, R31
	for _, c := range []struct {
		name  string
		write bool
		first string
		steps string // "step=what comes of it"
	}{
		{"a link that falls", true, "b", "b down=c!; c down=d!; d ok=done"},
		{"a read is no retry", false, "b", "b down=c; c ok=done"},
		{"one that hangs", true, "b", "wait=c!; c ok=done"},
		{"two that hang", true, "b", "wait=c!; wait=d!; d ok=done"},
		{"the last is given all the time", true, "b", "wait=c!; wait=d!; wait=timeout unknown"},
		{"a read in vain", false, "b", "wait=c; wait=d; wait=timeout not_done"},
		{"late, but the first", true, "b", "wait=c!; b ok=done"},
		{"nobody twice", true, "b", "wait=c!; b ok=done; c ok=refused; b ok=refused"},
		{"a full disk is no retry", true, "b", "b disk_full not_done=c; c ok=done"},
		{"nor is a full queue", true, "b", "b overloaded not_done=c; c overloaded not_done=d; d ok=done"},
		{"a disk that failed may have done it", true, "b", "b internal unknown=c!; c ok=done"},
		{"all are full", true, "b", "b disk_full not_done=c; c disk_full not_done=d; d disk_full not_done=disk_full not_done"},
		{"what one did not do, another may have", true, "b", "wait=c!; c disk_full not_done=d!; d disk_full not_done=; b overloaded not_done=overloaded unknown"},
		{"one that refuses late is not passed on for again", true, "b", "wait=c!; b overloaded not_done=; c ok=done"},
		{"what another node can't do better", true, "b", "b too_many_siblings not_done=too_many_siblings not_done"},
		{"what another may yet do", true, "b", "wait=c!; c too_many_siblings not_done=too_many_siblings unknown"},
		{"a refusal of the last, with nobody to wait for", true, "b", "b down=c!; c down=d!; d internal not_done=internal unknown"},
		{"a stranger", true, "b", "z ok=refused; c ok=refused; b ok=done"},
	} {
		for _, doubt := range []bool{false, true} { // where all are, it goes to one after another as well
			t.Run(fmt.Sprintf("%s, doubt %v", c.name, doubt), func(t *testing.T) { playForward(t, c.write, doubt, c.first, c.steps) })
		}
	}
}

func playForward(t *testing.T, write, doubt bool, first, steps string) {
	now := clock.Now{Mono: time.Second}
	var e Effects
	f := new(Forward)
	r := ForwardRequest{Common: Common{Ticket: testTicket, Self: "a", Numbers: Numbers{N: 3, Timeout: 10 * time.Second}}, Write: write}
	var hops []Replica
	for _, id := range []ring.NodeID{"b", "c", "d"} {
		hops = append(hops, Replica{ID: id, Up: true, Doubt: doubt, Patience: time.Second})
	}
	f.Start(now, &r, hops, &e)
	if got := forwardTold(&e, f); got != first {
		t.Fatalf("start: %q", got)
	}
	for _, st := range strings.Split(steps, "; ") {
		step, want, _ := strings.Cut(st, "=")
		e.Reset()
		got := forwardStep(f, step, &now, &e)
		if got == "" {
			got = forwardTold(&e, f)
		}
		if got != want {
			t.Fatalf("%s: %q, want %q", step, got, want)
		}
	}
}

// forwardStep takes a step, and returns what it comes to where it is a reply.
func forwardStep(f *Forward, step string, now *clock.Now, e *Effects) string {
	w := strings.Fields(step)
	if step == "wait" {
		now.Mono = f.Deadline()
		f.Tick(*now, e)
		return ""
	}
	who := ring.NodeID(w[0])
	if w[1] == "down" {
		f.Down(*now, who, e)
		return ""
	}
	var err *ouro.Error
	if w[1] != "ok" {
		err = ouro.Errorf(ouro.Code(w[1]), ouro.ParseOutcome(w[2]), "so says %s", who)
	}
	told, end, ok := f.Return(*now, who, err, false, e)
	switch {
	case !ok:
		return "refused"
	case end && told == nil:
		return "done"
	case end:
		return fmt.Sprint(told.Code, " ", told.Outcome)
	}
	return ""
}

func forwardTold(e *Effects, f *Forward) string {
	var told []string
	for _, p := range e.Passes {
		s := string(p.To)
		if p.Retry {
			s += "!"
		}
		told = append(told, s)
	}
	if e.Replied {
		told = append(told, fmt.Sprint(e.Reply.Err.Code, " ", e.Reply.Err.Outcome))
		if !f.Done() {
			told = append(told, "and goes on")
		}
	}
	return strings.Join(told, ", ")
}

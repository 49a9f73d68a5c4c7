package coord

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
)

// stage plays a script against a machine of three replicas, of which a is the
// coordinator, and writes down what comes of each step.
type stage struct {
	t   *testing.T
	l   *lattice
	m   subject
	now clock.Now
	e   Effects
}

func (s *stage) start(verb string, n Numbers, up string, retry bool) {
	replicas := make([]Replica, 3)
	for i := range replicas {
		replicas[i] = Replica{ID: nodeName(i), Up: strings.Contains(up, string(nodeName(i)))}
	}
	c := Common{Ticket: testTicket, Self: "a", Numbers: n}
	switch verb {
	case "get":
		g := new(Get)
		g.Start(s.now, &GetRequest{Common: c, RepairWait: time.Second}, replicas, &s.e)
		s.m = g
	default:
		p := new(Put)
		p.Start(s.now, &PutRequest{Common: c, Delete: verb == "delete", Context: testContext, Token: 7, Retry: retry}, replicas, &s.e)
		s.m = p
	}
}

// play carries out one step: "wait", "down b", or an answer as "b join durable".
func (s *stage) play(step string) {
	f := strings.Fields(step)
	switch f[0] {
	case "wait":
		s.now.Mono = s.m.Deadline()
		s.m.Tick(s.now, &s.e)
		return
	case "down":
		s.m.Down(s.now, nodeName(int(f[1][0]-'a')), &s.e)
		return
	}
	i, r := int(f[0][0]-'a'), round(0)
	for r = 1; r < rounds-1 && r.String() != strings.ReplaceAll(f[1], "-", " "); r++ {
	}
	a := s.answer(f[2])
	a.ID, a.Verb = opID(r, i), r.asks()
	if !s.m.Answer(s.now, nodeName(i), &a, &s.e) {
		s.t.Fatalf("%q is not taken", step)
	}
}

func (s *stage) answer(what string) replica.Answer {
	have := replica.Answer{Status: replica.Have}
	switch what {
	case "stored":
		have.State, have.Dot = testState, testDot
	case "durable":
		have.Durable = true
	case "buffered":
		have.Relaxed = true
	case "found":
		have.Found, have.Dot, have.State = true, testDot, testState
	case "received":
	case "absent", "unknown":
		return replica.Answer{Status: replica.Absent}
	case "dontknow":
		return replica.Answer{Status: replica.DontKnow}
	case "overloaded":
		return replica.Answer{Status: replica.Failed, Reason: replica.Overloaded}
	case "ioerror":
		return replica.Answer{Status: replica.Failed, Reason: replica.IOError}
	default: // "digest-1", "state-1"
		id := int8(what[len(what)-1] - '0')
		have.Digest = sumOf(id)
		if strings.HasPrefix(what, "state") {
			have.State = []byte(s.l.raw[id])
		}
	}
	return have
}

// told puts the effects into words and forgets them.
func (s *stage) told() string { return s.withOwed(nil) }

// withOwed is told with the primaries that each ask is owed to.
func (s *stage) withOwed(owed []string) string {
	var out []string
	for i, a := range s.e.Asks {
		w := string(a.To) + " " + round(a.Op.ID&(1<<AskBits-1)>>placeBits).String()
		if a.Op.Full {
			w += " full"
		}
		if a.Op.Silent {
			w = string(a.To) + " repair"
		}
		if i < len(owed) && owed[i] != "" {
			w += " for " + owed[i]
		}
		out = append(out, w)
	}
	if s.e.Replied {
		r := s.e.Reply
		switch {
		case r.Err != nil:
			out = append(out, fmt.Sprintf("%s %s context=%v", r.Err.Code, r.Err.Outcome, r.HasContext))
		case r.Quorum.Unsettled:
			out = append(out, fmt.Sprintf("ok %d siblings, %d acks, unsettled", len(r.Siblings), r.Quorum.Acks))
		default:
			out = append(out, fmt.Sprintf("ok %d siblings, %d acks", len(r.Siblings), r.Quorum.Acks))
		}
	}
	if s.m.Done() {
		out = append(out, "end")
	}
	s.e.Reset()
	return strings.Join(out, "; ")
}

func TestTransitions(t *testing.T) {
	get := Numbers{N: 3, R: 2, W: 2, Timeout: time.Minute}
	strict := Numbers{N: 3, R: 2, W: 2, PR: 2, Timeout: time.Minute}
	all := Numbers{N: 3, R: 3, W: 3, Timeout: time.Minute}
	one := Numbers{N: 3, R: 1, W: 1, Timeout: time.Minute}
	durable := Numbers{N: 3, R: 1, W: 1, DW: 3, Timeout: time.Minute}
	const write, reads, recalls = "a write", "a read full; b read; c read", "a recall; b recall; c recall"
	type steps [][2]string // what happens, what comes of it
	for _, c := range []struct {
		name    string
		verb    string
		numbers Numbers
		up      string
		retry   bool
		first   string
		steps   steps
	}{
		{"a put writes here first, then there (4.5.6)", "put", get, "abc", false, write, steps{
			{"a write stored", "b join; c join"},
			{"b join durable", ""},
			{"a write durable", "ok 0 siblings, 2 acks"},
			{"c join durable", "end"},
		}},
		{"two others may be faster than the own log", "put", get, "abc", false, write, steps{
			{"a write stored", "b join; c join"},
			{"b join durable", ""},
			{"c join durable", "ok 0 siblings, 2 acks"},
			{"wait", "end"},
		}},
		{"dw counts like w", "put", durable, "abc", false, write, steps{
			{"a write stored", "b join; c join"},
			{"a write durable", ""},
			{"b join received", ""},
			{"b join durable", ""},
			{"c join durable", "ok 0 siblings, 3 acks; end"},
		}},
		{"a put without enough replicas is not begun", "put", all, "ab", false, "quorum_unavailable not_done context=false; end", nil},
		{"a put that loses too many is unknown at once", "put", get, "ab", false, write, steps{
			{"a write stored", "b join"},
			{"down b", "quorum_unavailable unknown context=false; end"},
		}},
		{"a put refused by the own disk is not done", "put", get, "abc", false, write, steps{
			{"a write overloaded", "overloaded not_done context=false; end"},
		}},
		{"a put whose own disk fails is unknown", "put", get, "abc", false, write, steps{
			{"a write stored", "b join; c join"},
			{"a write ioerror", "internal unknown context=false; end"},
		}},
		{"a put's time is over (5.6)", "put", get, "abc", false, write, steps{
			{"a write stored", "b join; c join"},
			{"a write durable", ""},
			{"wait", "timeout unknown context=false; end"},
		}},
		{"a request stored before is spread again (R29)", "put", get, "abc", false, write, steps{
			{"a write found", "b join; c join"},
			{"a write durable", ""},
			{"c join durable", "ok 0 siblings, 2 acks"},
			{"b join overloaded", "end"},
		}},
		{"a retry elsewhere asks around first (R30)", "put", get, "abc", true, recalls, steps{
			{"a recall unknown", ""},
			{"b recall unknown", write},
			{"a write stored", "b join; c join"},
			{"wait", "timeout unknown context=false; end"},
		}},
		{"a retry finds its request", "delete", get, "abc", true, recalls, steps{
			{"c recall found", "c fetch full"},
			{"c fetch state-1", "a join; b join"},
			{"a join durable", "ok 0 siblings, 2 acks"},
			{"b join durable", "end"},
		}},
		{"a retry refused here may be done elsewhere", "put", get, "abc", true, recalls, steps{
			{"down b", ""},
			{"down c", "quorum_unavailable unknown context=false; end"},
		}},
		{"equal replicas (5.5)", "get", get, "abc", false, reads, steps{
			{"b read digest-1", ""},
			{"a read state-1", "ok 1 siblings, 2 acks"},
			{"c read digest-1", "end"},
		}},
		{"a late stale replica is repaired (5.7)", "get", get, "abc", false, reads, steps{
			{"a read state-1", ""},
			{"b read digest-1", "ok 1 siblings, 2 acks"},
			{"c read absent", "c repair; end"},
		}},
		{"a reply past the wait is not repaired", "get", get, "abc", false, reads, steps{
			{"a read state-1", ""},
			{"b read absent", "ok 1 siblings, 2 acks"},
			{"wait", "b repair; end"},
		}},
		{"different states are merged (4.5.7)", "get", get, "abc", false, reads, steps{
			{"a read state-1", ""},
			{"c read digest-2", "c read again full"},
			{"c read-again state-2", "ok 2 siblings, 2 acks"},
			{"b read digest-1", "a repair; b repair; c repair; end"},
		}},
		{"a newer reply in hand is never passed over (H16)", "get", get, "abc", false, reads, steps{
			{"a read absent", ""},
			{"b read digest-1", "b read again full"},
			{"c read absent", ""},
			{"b read-again state-1", "a repair; c repair; ok 1 siblings, 3 acks; end"},
		}},
		{"the state is asked of another (5.5)", "get", get, "abc", false, reads, steps{
			{"b read digest-1", ""},
			{"c read digest-1", "b read again full"},
			{"b read-again ioerror", ""},
			{"a read state-1", "ok 1 siblings, 2 acks; end"},
		}},
		{"don't know and errors do not count (H23)", "get", get, "abc", false, reads, steps{
			{"a read dontknow", ""},
			{"b read absent", ""},
			{"c read ioerror", "quorum_unavailable not_done context=false; end"},
		}},
		{"too few in time (5.5)", "get", get, "abc", false, reads, steps{
			{"a read state-1", ""},
			{"wait", "timeout not_done context=false; end"},
		}},
		{"too few to begin with", "get", all, "ac", false, "quorum_unavailable not_done context=false; end", nil},
		{"nothing anywhere", "get", one, "abc", false, reads, steps{
			{"a read absent", "not_found not_done context=false"},
			{"b read absent", ""},
			{"c read absent", "end"},
		}},
		{"a tombstone has a context", "get", get, "abc", false, reads, steps{
			{"a read state-3", ""},
			{"b read digest-3", "not_found not_done context=true"},
		}},
		{"a strict read repairs first (R32)", "get", strict, "abc", false, reads, steps{
			{"a read state-1", ""},
			{"b read absent", "b settle; c settle"},
			{"c settle durable", "ok 1 siblings, 2 acks"},
		}},
		{"a strict read that can't is unsettled", "get", strict, "ab", false, "a read full; b read", steps{
			{"a read absent", ""},
			{"b read digest-1", "b read again full"},
			{"b read-again state-1", "a settle"},
			{"a settle overloaded", "ok 1 siblings, 2 acks, unsettled; end"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &stage{t: t, l: newLattice(), now: clock.Now{Mono: time.Second, Wall: 1000}}
			s.start(c.verb, c.numbers, c.up, c.retry)
			if got := s.told(); got != c.first {
				t.Fatalf("start: %q, want %q", got, c.first)
			}
			for _, st := range c.steps {
				s.play(st[0])
				if got := s.told(); got != st[1] {
					t.Fatalf("%s: %q, want %q", st[0], got, st[1])
				}
			}
		})
	}
}

func TestShow(t *testing.T) {
	v := func(stamp causal.Stamp, expiry int64, deleted bool) causal.Version {
		return causal.Version{Dot: causal.Dot{Actor: causal.Actor{Run: uint64(stamp)}, N: 1}, Stamp: stamp << 16, Expiry: expiry, Deleted: deleted, Value: []byte{byte(stamp)}}
	}
	by := func(stamp causal.Stamp, request, sum uint64) causal.Version {
		w := v(stamp, 0, false)
		w.Request, w.Sum.Lo = request, sum
		return w
	}
	for _, c := range []struct {
		name     string
		lww      bool
		versions []causal.Version
		want     string
	}{
		{"all", false, []causal.Version{v(1, 0, false), v(2, 0, false)}, "\x01\x02"},
		{"but the expired (R36)", false, []causal.Version{v(1, 1000, false), v(2, 1001, false)}, "\x02"},
		{"one of what a request stored twice (R31)", false, []causal.Version{by(1, 7, 1), by(2, 7, 1), by(3, 8, 1)}, "\x01\x03"},
		{"both where its values differ", false, []causal.Version{by(1, 7, 1), by(2, 7, 2)}, "\x01\x02"},
		{"the greatest (R23)", true, []causal.Version{v(3, 0, false), v(2, 0, false)}, "\x03"},
		{"a delete hides the older", true, []causal.Version{v(2, 0, false), v(3, 0, true)}, ""},
		{"so does one that has expired", true, []causal.Version{v(2, 0, false), v(3, 5, false)}, ""},
	} {
		var got string
		for _, s := range show(causal.State{Versions: c.versions}, c.lww, 1000) {
			got += string(s.Data)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestForwardIsNotPassedOnAfterItsTime(t *testing.T) { // RULES R30
	now := clock.Now{Mono: time.Second}
	hops := []Replica{{ID: "b", Up: true}, {ID: "c", Up: true}}
	r := ForwardRequest{Common: Common{Ticket: testTicket, Self: "a", Numbers: Numbers{N: 3, Timeout: time.Minute}}}
	var f Forward
	var e Effects
	f.Start(now, &r, hops, &e)
	e.Reset()
	now.Mono += time.Minute
	f.Down(now, "b", &e)
	if len(e.Passes) != 0 || !e.Replied || e.Reply.Err.Code != ouro.TimedOut || !f.Done() {
		t.Fatalf("%+v", e)
	}
}

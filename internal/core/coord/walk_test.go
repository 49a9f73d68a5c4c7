package coord

import (
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/ring"
)

// walkStage is a stage whose machine has three primaries, a to c, and nodes d
// and e that may stand in. Small letters of up are healthy, capitals in doubt.
func walkStage(t *testing.T, verb string, self ring.NodeID, n Numbers, up string, more bool) *stage {
	s := &stage{t: t, l: newLattice(), now: clock.Now{Mono: time.Second, Wall: 1000}}
	n.N, n.Timeout = 3, time.Second
	common := Common{Ticket: testTicket, Self: self, Numbers: n, More: more}
	list := walkOf(up)
	if more {
		list = list[:3]
	}
	if verb == "get" {
		g := new(Get)
		g.Start(s.now, &GetRequest{Common: common, RepairWait: time.Second}, list, &s.e)
		s.m = g
		return s
	}
	p := new(Put)
	p.Start(s.now, &PutRequest{Common: common, Context: testContext, Token: 7, Retry: verb == "retry"}, list, &s.e)
	s.m = p
	return s
}

func walkOf(up string) []Replica {
	var list []Replica
	for i := range 5 {
		r := Replica{ID: nodeName(i), Patience: 100 * time.Millisecond}
		for _, c := range up {
			if c|0x20 == rune(r.ID[0]) {
				r.Up, r.Doubt = true, c < 'a'
			}
		}
		list = append(list, r)
	}
	return list
}

func TestStandIns(t *testing.T) { // paper, sections 4.5 and 4.6
	type steps [][2]string
	for _, c := range []struct {
		name, verb string
		self       ring.NodeID
		numbers    Numbers
		up         string
		more       bool
		first      string
		steps      steps
	}{
		{"a dead primary's place is taken", "put", "a", Numbers{R: 1, W: 3}, "acde", false, "a write", steps{
			{"a write durable", "c join; d join for b"},
			{"c join durable", ""},
			{"d join durable", "ok 0 siblings, 3 acks; end; 2 primaries"},
		}},
		{"a silent primary's place is taken", "put", "a", Numbers{R: 1, W: 2}, "abcde", false, "a write", steps{
			{"a write durable", "b join; c join"},
			{"wait", "d join for b; e join for c"},
			{"e join durable", "ok 0 siblings, 2 acks; 1 primaries"},
		}},
		{"the walk is asked for where it is needed", "put", "a", Numbers{R: 1, W: 3}, "abcde", true, "a write", steps{
			{"a write durable", "b join; c join"},
			{"b join overloaded", "more"},
			{"extend", "d join for b"},
			{"d join overloaded", "e join for b"},
			{"c join durable", ""},
			{"e join durable", "ok 0 siblings, 3 acks; end; 2 primaries"},
		}},
		{"one in doubt is passed over", "put", "a", Numbers{R: 1, W: 2}, "aBcd", false, "a write", steps{
			{"a write durable", "c join; d join for b"},
		}},
		{"but not where it is the last", "put", "a", Numbers{R: 1, W: 2}, "aB", false, "a write", steps{
			{"a write durable", "b join"},
		}},
		{"nor where pw needs it", "put", "a", Numbers{R: 1, W: 1, PW: 3}, "aBcd", false, "a write", steps{
			{"a write durable", "b join; c join; d join for b"},
		}},
		{
			"pw counts primaries alone", "put", "a",
			Numbers{R: 1, W: 1, PW: 2},
			"ade", false,
			"quorum_unavailable not_done context=false; end; 0 primaries", nil,
		},
		{"pw is judged after, too", "put", "a", Numbers{R: 1, W: 2, PW: 2}, "abde", false, "a write", steps{
			{"a write durable", "b join; d join for c"},
			{"d join durable", ""},
			{"down b", "e join for b; quorum_unavailable unknown context=false; end; 1 primaries"},
		}},
		{"the last node of all takes it", "put", "e", Numbers{R: 1, W: 1}, "e", false, "e write for abc", steps{
			{"e write durable", "ok 0 siblings, 1 acks; end; 0 primaries"},
		}},
		{"one of them stores it durably, and the others need not", "put", "a", Numbers{R: 1, W: 2, DW: 1, Relaxed: true}, "abc", false, "a write", steps{
			{"a write stored", "b join; c join"},
			{"b join buffered", ""},
			{"c join buffered", ""},
			{"a write durable", "ok 0 siblings, 3 acks; end; 3 primaries"},
		}},
		{"a slow durable write is asked of another", "put", "a", Numbers{R: 1, W: 2, DW: 1, Relaxed: true}, "abc", false, "a write", steps{
			{"a write stored", "b join; c join"},
			{"b join buffered", ""},
			{"c join buffered", ""},
			{"wait", "b sync"},
			{"b sync durable", "ok 0 siblings, 2 acks; 2 primaries"},
		}},
		{"and of a stand-in where there is one", "put", "a", Numbers{R: 1, W: 2, DW: 1, Relaxed: true}, "abcd", false, "a write", steps{
			{"a write stored", "b join; c join"},
			{"b join buffered", ""},
			{"wait", "d join for a"},
			{"d join durable", "ok 0 siblings, 2 acks; 1 primaries"},
		}},
		{"nobody waits for a disk where none need have it", "put", "a", Numbers{R: 1, W: 2, Relaxed: true}, "abc", false, "a write", steps{
			{"a write buffered", "b join; c join"},
			{"b join buffered", "ok 0 siblings, 2 acks; 2 primaries"},
			{"c join received", ""},
			{"c join durable", "end"},
		}},
		{"stand-ins are asked for the request", "retry", "a", Numbers{R: 1, W: 2}, "acd", false, "a recall; c recall; d recall", steps{
			{"d recall found", "d fetch full"},
		}},
		{"a read asks the stand-in", "get", "a", Numbers{R: 2, W: 1}, "acd", false, "a read full; c read; d read", steps{
			{"a read absent", ""},
			{"d read digest-1", "d read again full"},
			{"d read-again state-1", "ok 1 siblings, 2 acks; 1 primaries"},
			{"c read digest-1", "a repair; end"},
		}},
		{"an empty stand-in waits for the primaries", "get", "a", Numbers{R: 2, W: 1}, "acd", false, "a read full; c read; d read", steps{
			{"a read absent", ""},
			{"d read absent", ""},
			{"c read digest-1", "c read again full"},
		}},
		{"but not for the silent", "get", "a", Numbers{R: 2, W: 1}, "acd", false, "a read full; c read; d read", steps{
			{"a read absent", ""},
			{"d read absent", ""},
			{"wait", "not_found not_done context=false; 1 primaries"},
		}},
		{
			"pr counts primaries alone", "get", "a",
			Numbers{R: 2, W: 1, PR: 2},
			"ade", false,
			"quorum_unavailable not_done context=false; end; 0 primaries", nil,
		},
		{"a read without any primary says so", "get", "e", Numbers{R: 1, W: 1}, "e", false, "e read full", steps{
			{"e read absent", "not_found not_done context=false; end; 0 primaries; no primary"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := walkStage(t, c.verb, c.self, c.numbers, c.up, c.more)
			check := func(what, want string) {
				t.Helper()
				got := s.walkTold()
				if got != want {
					t.Fatalf("%s: %q, want %q", what, got, want)
				}
			}
			check("start", c.first)
			for _, st := range c.steps {
				if st[0] == "extend" {
					s.m.(interface {
						Extend(clock.Now, []Replica, *Effects)
					}).Extend(s.now, walkOf(c.up), &s.e)
				} else {
					if st[0] == "a write durable" && !c.numbers.Relaxed || st[0] == "e write durable" {
						s.apply(st[0][:1])
					}
					s.play(st[0])
				}
				check(st[0], st[1])
			}
		})
	}
}

// apply stores at the coordinator, which spreads the state.
func (s *stage) apply(at string) { s.play(at + " write stored") }

// walkTold is told, with whom a stand-in stands in for, and what else a walk
// adds.
func (s *stage) walkTold() string {
	extra := ""
	if s.e.More {
		extra += "more"
	}
	if s.e.Replied {
		extra += "; " + string(rune('0'+s.e.Reply.Quorum.Primaries)) + " primaries"
	}
	if slices.ContainsFunc(s.e.Facts, func(f fact.Fact) bool { return f.Kind == fact.NoPrimary }) {
		extra += "; no primary"
	}
	for i := range s.e.Asks {
		a := &s.e.Asks[i]
		i := int(a.Op.ID & (1<<placeBits - 1))
		if a.Op.Pending != (i >= 3) {
			s.t.Fatalf("%s is asked with pending=%v", a.To, a.Op.Pending)
		}
	}
	var owed []string
	for _, a := range s.e.Asks {
		w := ""
		for _, id := range a.Op.Targets {
			w += string(id)
		}
		owed = append(owed, w)
	}
	return s.withOwed(owed) + extra
}

package recovery_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/recovery"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// The model of R9 and R10 (models/recovering), with the machine of this package
// in each replica: one partition of n replicas, one write that is acknowledged
// when w of them have it, one later read of r that counts, and disks lost in
// between, at any moment and also while others recover. Every order of what can
// happen is tried. A write that all who acknowledged it have lost before one of
// them was current again is lawfully lost (RULES R18).

type scope struct{ n, w, r, wipes int }

const longest = time.Minute // that a request may take

// universe is one state of the model. It is made anew by replaying what led to it.
type universe struct {
	scope
	now   clock.Now
	nodes []*modelNode
	wiped int

	acked, lost uint // of the write; lost: by a replica that lost its disk since
	over        bool // the request has ended, acknowledged or not
	done        bool // acknowledged

	replied uint // to the read
	saw     bool
	read    bool // the read has ended
}

// modelNode is one replica.
type modelNode struct {
	has     bool
	machine *recovery.Recovery // nil: it is current
	with    ring.NodeID        // being compared with
	peer    ring.NodeID        // the one it may compare with next
	need    recovery.Need
}

func nameOf(i int) ring.NodeID { return ring.NodeID(string(rune('A' + i))) }

func (m *modelNode) Named() bool                                 { return true }
func (m *modelNode) Usable(id ring.NodeID) bool                  { return id == m.peer }
func (m *modelNode) Needs(uint32) []recovery.Need                { return []recovery.Need{m.need} }
func (m *modelNode) NeedOf(uint32, string) (recovery.Need, bool) { return m.need, true }

func begin(s scope) *universe {
	u := &universe{scope: s}
	for i := range s.n {
		m := &modelNode{need: recovery.Need{Count: s.n - s.w + 1}}
		for j := range s.n {
			if j != i {
				m.need.Others = append(m.need.Others, nameOf(j))
			}
		}
		u.nodes = append(u.nodes, m)
	}
	return u
}

// move is something that can happen.
type move struct {
	what string // wipe, store, time, begin, compared, reply
	i, j int
}

func (m move) String() string {
	i, j := nameOf(m.i), nameOf(m.j)
	switch m.what {
	case "wipe":
		return fmt.Sprintf("%s loses its disk", i)
	case "store":
		return fmt.Sprintf("%s stores and acknowledges the write", i)
	case "time":
		return "as much time passes as a request may take"
	case "begin":
		return fmt.Sprintf("%s begins to compare with %s", i, j)
	case "compared":
		return fmt.Sprintf("%s has compared", i)
	default:
		return fmt.Sprintf("%s answers the read", i)
	}
}

// moves lists what can happen.
func (u *universe) moves() []move {
	var all []move
	for i, m := range u.nodes {
		if u.wiped < u.wipes {
			all = append(all, move{"wipe", i, 0})
		}
		if !u.over && (u.acked>>i&1 == 0 || u.lost>>i&1 == 1) {
			all = append(all, move{"store", i, 0})
		}
		if u.done && m.machine == nil && u.replied>>i&1 == 0 {
			all = append(all, move{"reply", i, 0})
		}
		switch {
		case m.machine == nil:
		case m.with != "":
			all = append(all, move{"compared", i, 0})
		default:
			for j := range u.nodes {
				if j != i {
					all = append(all, move{"begin", i, j})
				}
			}
		}
	}
	return append(all, move{"time", 0, 0})
}

// do lets a move happen.
func (u *universe) do(mv move) {
	m, bit := u.nodes[mv.i], uint(1)<<mv.i
	switch mv.what {
	case "wipe":
		u.wiped++
		u.lost |= u.acked & bit
		m.has, m.with, m.peer = false, "", ""
		m.machine = recovery.New(recovery.Config{Wait: longest, Parallel: 1})
		u.step(m, func(e *recovery.Effects) { m.machine.Start(u.now, []recovery.Partition{{}}, e) })
	case "store":
		m.has = true
		u.acked |= bit
		u.lost &^= bit
		if ones(u.acked) >= u.w {
			u.done, u.over = true, true
			u.forgive()
		}
	case "time":
		u.now.Mono += longest
		u.over = true // who has not been answered by now gives up
		for _, m := range u.nodes {
			if m.machine != nil {
				m.peer = ""
				u.step(m, func(e *recovery.Effects) { m.machine.Tick(u.now, m, e) })
			}
		}
	case "begin":
		m.peer = nameOf(mv.j)
		m.machine.Back(u.now)
		u.step(m, func(e *recovery.Effects) { m.machine.Tick(u.now, m, e) })
	case "compared":
		u.compared(m)
	case "reply":
		u.replied |= bit
		u.saw = u.saw || m.has
		u.read = ones(u.replied) >= u.r
	}
}

// compared ends a comparison: what the other has by now is merged.
func (u *universe) compared(m *modelNode) {
	other := u.nodes[m.with[0]-'A']
	with := m.with
	m.has, m.with, m.peer = m.has || other.has, "", ""
	u.step(m, func(e *recovery.Effects) {
		m.machine.Compared(u.now, 0, with, true, other.machine != nil, "", m, e)
	})
}

// step runs a machine and carries out its effects.
func (u *universe) step(m *modelNode, fn func(e *recovery.Effects)) {
	var e recovery.Effects
	fn(&e)
	for len(e.Compares)+len(e.Ops) > 0 {
		compares, ops := e.Compares, e.Ops
		e = recovery.Effects{}
		for _, c := range compares {
			m.with = c.Peer
		}
		for _, op := range ops {
			if op.Verb == replica.Recover && len(op.State) == 0 {
				m.machine.Complete(u.now, &replica.Answer{ID: op.ID, Verb: op.Verb, Status: replica.Have}, m, &e)
			}
		}
	}
	if !m.machine.Busy() {
		m.machine, m.with = nil, ""
		u.forgive()
	}
}

// forgive forgets a loss once its replica is current again with what it lost.
func (u *universe) forgive() {
	for i, m := range u.nodes {
		if u.done && m.has && m.machine == nil {
			u.lost &^= u.acked & (1 << i)
		}
	}
}

// lawful says that everybody who acknowledged the write lost it.
func (u *universe) lawful() bool { return u.done && u.acked&^u.lost == 0 }

// key tells states apart.
func (u *universe) key() string {
	var b strings.Builder
	fmt.Fprint(&b, u.wiped, u.acked, u.lost, u.over, u.done, u.replied, u.saw)
	for _, m := range u.nodes {
		fmt.Fprint(&b, "|", m.has, m.with)
		if m.machine == nil {
			continue
		}
		for _, l := range m.machine.Left(u.now.Mono, nil) {
			slices.SortFunc(l.Sources, func(a, b replica.Source) int { return strings.Compare(string(a.Node), string(b.Node)) })
			fmt.Fprint(&b, l.Waits > 0, l.Sources, l.With)
		}
	}
	return b.String()
}

func ones(x uint) int {
	n := 0
	for ; x != 0; x &= x - 1 {
		n++
	}
	return n
}

// explore tries everything and returns how many states there are, and what led to
// a read that missed the write, if anything does.
func explore(s scope) (states int, trace []move) {
	seen := map[string]bool{}
	paths := [][]move{nil}
	for len(paths) > 0 {
		path := paths[0]
		paths = paths[1:]
		for _, mv := range replay(s, path).moves() {
			next := append(slices.Clone(path), mv)
			u := replay(s, next)
			if u.lawful() || u.read && u.saw || u.over && !u.done {
				continue
			}
			if u.read {
				return states, next
			}
			if k := u.key(); !seen[k] {
				seen[k] = true
				states++
				paths = append(paths, next)
			}
		}
	}
	return states, nil
}

func replay(s scope, path []move) *universe {
	u := begin(s)
	for _, mv := range path {
		u.do(mv)
	}
	return u
}

// fullModel is the variable that asks for the larger scopes, which take a minute
// and more.
const fullModel = "OURO_MODEL_FULL"

// TestModelRecovering is the model over every order: no read that counts misses
// what was acknowledged.
func TestModelRecovering(t *testing.T) {
	scopes := []scope{{3, 2, 2, 2}, {3, 1, 3, 2}, {3, 3, 1, 2}}
	if os.Getenv(fullModel) != "" {
		scopes = append(scopes, scope{3, 2, 2, 3}, scope{4, 3, 2, 2})
	}
	for _, s := range scopes {
		states, trace := explore(s)
		t.Logf("n=%d w=%d r=%d, %d wipes: %d states", s.n, s.w, s.r, s.wipes, states)
		if trace == nil {
			continue
		}
		for i, mv := range trace {
			t.Logf("%3d %v", i+1, mv)
		}
		t.Errorf("n=%d w=%d r=%d: a read misses what was acknowledged", s.n, s.w, s.r)
	}
}

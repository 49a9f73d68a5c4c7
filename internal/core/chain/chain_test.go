package chain_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

func named(k *cluster) func() bool {
	return func() bool {
		for _, m := range k.nodes {
			if p := m.c.Placement(); p == nil || !p.Named() {
				return false
			}
		}
		return true
	}
}

func TestTheFoundersNameTheirDisks(t *testing.T) {
	for n := 1; n <= 5; n++ {
		k := newCluster(t, 1, 16, ids{"A", "B", "C", "D", "E"}[:n]...)
		if !k.run(5*time.Second, named(k)) {
			t.Fatalf("%d founders: %s", n, k.state())
		}
		if k.linked != 1 {
			t.Errorf("%d founders made %d links", n, k.linked)
		}
	}
}

// All founders have a say in the first link, not just most of them.
func TestTheFirstLinkNeedsAllFounders(t *testing.T) {
	k := newCluster(t, 1, 16, "A", "B", "C")
	k.crash(k.machine("C"))
	k.machine("A").c.Disk(k.now, "C", 3, &chain.Effects{})
	if k.run(time.Minute, func() bool { return k.linked > 0 }) {
		t.Error("two of three named the disks")
	}
	k.boot(k.machine("C"))
	if !k.run(10*time.Second, named(k)) {
		t.Error(k.state())
	}
}

// A sixth node joins: many partitions move side by side, and few messages are
// needed (issue 4, safety).
func TestAJoinNeedsFewMessages(t *testing.T) {
	const q = 1024
	five := ids{"A", "B", "C", "D", "E"}
	k := newCluster(t, 1, q, five...)
	if !k.run(5*time.Second, named(k)) {
		t.Fatal(k.state())
	}
	k.work = 20 * time.Second
	k.add("F", chain.Durable{})
	before, links := total(k), k.linked
	k.aim(k.wants(q, append(five, "F")...))
	k.mustArrive(time.Hour)
	t.Logf("a sixth node at Q=%d, moves of 20 s to 40 s: %d links, %d messages, %d bytes, in %v", q, k.linked-links, total(k)-before, k.bytes, k.now.Mono)
	t.Log(k.sent)
	if n := total(k) - before; n > 5000 {
		t.Errorf("%d messages", n)
	}
}

func total(k *cluster) (n int) {
	for kind := chain.Tell; kind <= chain.Page; kind++ {
		n += k.sent[kind]
	}
	return n
}

func TestJoinLeaveReplace(t *testing.T) {
	const q = 32
	for seed := range uint64(20) {
		k := newCluster(t, seed, q, "A", "B", "C")
		k.loss = 20
		if !k.run(time.Minute, named(k)) {
			t.Fatal(k.state())
		}
		k.add("D", chain.Durable{})
		k.add("E", chain.Durable{})
		k.aim(k.wants(q, "A", "B", "C", "D", "E"))
		k.mustArrive(10 * time.Minute)
		k.aim(k.wants(q, "B", "C", "D", "E"))
		k.mustArrive(10 * time.Minute)
		k.add("F", chain.Durable{})
		k.aim(k.wants(q, "B", "C", "D", "F"))
		k.mustArrive(10 * time.Minute)
		if k.alarms > 0 {
			t.Errorf("seed %d: %d alarms", seed, k.alarms)
		}
	}
}

// Whatever crashes, is wiped or cut off, nobody adopts two links of one number,
// and in quiet all arrive.
func TestFaults(t *testing.T) {
	const q = 16
	all := ids{"A", "B", "C", "D", "E"}
	for seed := range uint64(60) {
		k := newCluster(t, seed, q, all[:3]...)
		k.loss = 10
		k.run(time.Duration(k.rand.IntN(3000))*time.Millisecond, func() bool { return false })
		k.add("D", chain.Durable{})
		k.add("E", chain.Durable{})
		var last time.Duration
		for range 30 {
			m := k.nodes[k.rand.IntN(len(k.nodes))]
			switch k.rand.IntN(7) {
			case 0:
				k.crash(m)
			case 1, 2:
				if k.down[m.id] {
					k.boot(m)
				}
			case 3: // at most a minority forgets until all have a name again
				if k.now.Mono-last > 20*time.Second && named(k)() && k.named() {
					k.wipe(m)
					last = k.now.Mono
				}
			case 4:
				a, b := k.rand.IntN(5), k.rand.IntN(5)
				k.cut = func(x, y ring.NodeID) bool { return x == all[a] || y == all[b] }
			case 5:
				k.cut = func(_, _ ring.NodeID) bool { return false }
			case 6:
				n := 3 + k.rand.IntN(3)
				k.aim(k.wants(q, all[:n]...))
			}
			k.run(time.Duration(k.rand.IntN(4000))*time.Millisecond, func() bool { return false })
		}
		k.cut = func(_, _ ring.NodeID) bool { return false }
		k.loss = 0
		for _, m := range k.nodes {
			if k.down[m.id] {
				k.boot(m)
			}
		}
		k.aim(k.wants(q, all...))
		k.mustArrive(10 * time.Minute)
		if k.alarms > 0 {
			t.Errorf("seed %d: %d alarms", seed, k.alarms)
		}
	}
}

// named says whether every member is named with the disk that it has.
func (k *cluster) named() bool {
	for _, m := range k.nodes {
		p := m.c.Placement()
		if p == nil {
			return false
		}
		if me, ok := p.Member(m.id); ok && me.Disk != m.disk {
			return false
		}
	}
	return true
}

// Without a majority nothing is chosen, and nothing grows.
func TestWithoutAMajorityNothingHappens(t *testing.T) {
	const q = 16
	k := newCluster(t, 3, q, "A", "B", "C")
	if !k.run(5*time.Second, named(k)) {
		t.Fatal(k.state())
	}
	k.add("D", chain.Durable{})
	k.crash(k.machine("B"))
	k.crash(k.machine("C"))
	links, before := k.linked, total(k)
	k.aim(k.wants(q, "A", "B", "C", "D"))
	k.run(time.Hour, func() bool { return false })
	if k.linked != links {
		t.Error("a minority chose a link")
	}
	if n := total(k) - before; n > 3000 {
		t.Errorf("%d messages in an hour", n)
	}
	if len(k.queue) > 10 {
		t.Errorf("%d events wait", len(k.queue))
	}
	k.boot(k.machine("B"))
	k.boot(k.machine("C"))
	k.mustArrive(10 * time.Minute)
}

// Who leaves has a say as long as those who stay can't choose a link by themselves:
// one of them may have lost its disk, and only a link gives it a say again.
func TestALeaverHelpsWhoLostItsDisk(t *testing.T) {
	const q = 16
	k := newCluster(t, 5, q, "A", "B", "C")
	if !k.run(5*time.Second, named(k)) {
		t.Fatal(k.state())
	}
	target := k.wants(q, "A", "B")
	target.Members = ids{"A", "B", "C"}
	k.aim(target)
	k.mustArrive(10 * time.Minute)
	k.crash(k.machine("B"))
	k.aim(k.wants(q, "A", "B"))
	k.run(time.Minute, func() bool { return false })
	k.wipe(k.machine("B")) // and it is started
	k.mustArrive(10 * time.Minute)
	if n := len(k.machine("A").c.Placement().Members()); n != 2 {
		t.Errorf("%d members are left", n)
	}
}

// Who leaves in several links is a member until it has let go what the last of them
// took from it, though it had nothing to let go before that (seed 474 of the ring
// among faults).
func TestALeaverLetsGoFirst(t *testing.T) {
	const q = 16
	for seed := range uint64(20) {
		k := newCluster(t, seed, q, "A", "B", "C", "D")
		k.cfg.MaxMoving, k.work = 2, 5*time.Second
		for _, m := range k.nodes {
			k.boot(m)
		}
		k.aim(k.wants(q, "A", "B", "C"))
		k.mustArrive(10 * time.Minute)
		if k.linked < 5 {
			t.Fatalf("seed %d: D left in %d links", seed, k.linked)
		}
	}
}

// Who holds nothing, and hears after that that it has left, says so: nobody asks it.
func TestALeaverThatHoldsNothingSaysSo(t *testing.T) {
	const q = 16
	k := newCluster(t, 4, q, "A", "B", "C", "D")
	idle := k.wants(q, "A", "B", "C")
	idle.Members = append(idle.Members, "D")
	k.aim(idle)
	k.mustArrive(time.Minute)
	k.run(time.Minute, func() bool { return false })
	k.aim(k.wants(q, "A", "B", "C"))
	k.mustArrive(time.Minute)
}

// An operator gives up a dead node for ever, and then a majority.
func TestMembersAreGivenUp(t *testing.T) {
	const q = 16
	k := newCluster(t, 3, q, "A", "B", "C", "D", "E")
	if !k.run(5*time.Second, named(k)) {
		t.Fatal(k.state())
	}
	restart := func(m *machine, lost ...ring.NodeID) (err error) {
		k.step(m, func(out *chain.Effects) { err = m.c.Restart(k.now, lost, out) })
		return err
	}
	k.crash(k.machine("A"))
	for _, lost := range []ids{nil, {"A"}} {
		if err := restart(k.machine("D"), lost...); err == nil {
			t.Errorf("the chain restarts without %v though four of five go on", lost)
		}
	}
	target := k.wants(q, "B", "C", "D", "E")
	target.Forced = ids{"A"}
	k.aim(target)
	k.mustArrive(10 * time.Minute)
	k.crash(k.machine("B"))
	k.crash(k.machine("C"))
	k.aim(k.wants(q, "D", "E"))
	if k.run(time.Minute, k.arrived) {
		t.Error("two of four went on")
	}
	d := k.machine("D")
	for _, wrong := range []ids{{"D"}, {"B", "C", "Z"}, {"B", "C", "E"}} { // itself, nobody, and one that is there
		if err := restart(d, wrong...); err == nil {
			t.Errorf("the chain restarts without %v", wrong)
		}
	}
	if err := restart(d, "B", "C"); err != nil {
		t.Error(err)
	}
	k.mustArrive(10 * time.Minute)
	if p := d.c.Placement(); p.Number() < 1<<32 {
		t.Errorf("number %d", p.Number())
	}
}

// Two chains of one number, or of two foundings, are an alarm, and neither follows
// the other (RULES R12).
func TestChainsThatDivergedStayApart(t *testing.T) {
	k := newCluster(t, 3, 16, "A", "B")
	if !k.run(5*time.Second, named(k)) {
		t.Fatal(k.state())
	}
	a := k.machine("A").c
	p := a.Placement()
	other := p.Hash()
	other[0]++
	origin := p.Origin()
	origin[0]++
	for name, m := range map[string]*chain.Message{
		"hash":   {Kind: chain.Tell, Number: p.Number(), Origin: p.Origin(), Hash: other},
		"origin": {Kind: chain.Tell, Number: p.Number() + 5, Origin: origin, Hash: other},
		"first":  {Kind: chain.Tell, Number: p.Number() + 5, Origin: p.Origin(), Hash: other, First: other},
	} {
		var out chain.Effects
		b := chain.New(chain.Config{}, "A", 1, k.machine("A").d, k.rand)
		b.Hear(k.now, "B", m, &out)
		if len(out.Facts) != 1 || out.Facts[0].Kind != fact.Diverged || b.Status().Diverged != "B" || len(out.Sends) > 0 {
			t.Errorf("%s: %+v", name, out)
		}
	}
}

// Who was merged into another ring knows of no placement yet, and does not take that
// of the ring it was in from those who have not heard of the other.
func TestNoChainButTheOwnIsFollowed(t *testing.T) {
	k := newCluster(t, 3, 16, "A", "B")
	if !k.run(5*time.Second, named(k)) {
		t.Fatal(k.state())
	}
	p := k.machine("A").c.Placement()
	m := chain.Message{Kind: chain.Tell, Number: p.Number(), Origin: p.Origin(), Hash: p.Hash()}
	for origin, fetches := range map[place.Hash]int{{}: 1, p.Origin(): 1, {9}: 0} {
		var out chain.Effects
		chain.New(chain.Config{Origin: origin}, "C", 3, chain.Durable{}, k.rand).Hear(k.now, "B", &m, &out)
		if len(out.Sends) != fetches {
			t.Errorf("of chain %x: %+v", origin, out.Sends)
		}
	}
}

// diverging is a cluster, its member A, and what is told by who goes by another chain.
func diverging(t *testing.T, ids ...ring.NodeID) (*cluster, *chain.Chain, chain.Message) {
	t.Helper()
	k := newCluster(t, 3, 16, ids...)
	if !k.run(5*time.Second, named(k)) {
		t.Fatal(k.state())
	}
	a := k.machine("A").c
	p := a.Placement()
	return k, a, chain.Message{Kind: chain.Tell, Number: p.Number(), Origin: p.Origin()}
}

// What diverged and is one again is no alarm any more.
func TestAnAlarmEnds(t *testing.T) {
	k, a, m := diverging(t, "A", "B")
	var out chain.Effects
	a.Hear(k.now, "B", &m, &out)
	if a.Status().Diverged != "B" {
		t.Fatal("no alarm")
	}
	m.Hash = a.Placement().Hash()
	a.Hear(k.now, "B", &m, &out)
	if a.Status().Diverged != "" {
		t.Error("the alarm stays")
	}
}

// Two that go by another chain are each an alarm, once.
func TestEachAlarmIsRaisedOnce(t *testing.T) {
	k, a, m := diverging(t, "A", "B", "C")
	var out chain.Effects
	for range 3 {
		a.Hear(k.now, "B", &m, &out)
		a.Hear(k.now, "C", &m, &out)
	}
	if len(out.Facts) != 2 || a.Status().Diverged != "B" {
		t.Errorf("%+v, %+v", out.Facts, a.Status())
	}
	m.Hash = a.Placement().Hash()
	a.Hear(k.now, "B", &m, &out)
	if a.Status().Diverged != "C" {
		t.Errorf("once B is one of them again: %+v", a.Status())
	}
}

// A node that the history has join is taken in once it has said that it is of this
// chain, or of none: it may be of another cluster of one name, and would follow no
// link. What it said ends with the link to it.
func TestANodeOfAnotherChainIsNotTakenIn(t *testing.T) {
	k := newCluster(t, 3, 16, "A")
	if !k.run(5*time.Second, named(k)) {
		t.Fatal(k.state())
	}
	a := k.machine("A").c
	p := a.Placement()
	votes := func(m *chain.Message) bool {
		var out chain.Effects
		if m != nil {
			a.Hear(k.now, "X", m, &out)
		}
		for range 20 {
			k.now.Mono += time.Second
			a.Tick(k.now, &out)
		}
		return out.Storing
	}
	var out chain.Effects
	a.Target(k.now, k.wants(16, "A", "X"), &out)
	a.Disk(k.now, "X", 77, &out)
	a.Link(k.now, "X", true, &out)
	if out.Storing || votes(nil) {
		t.Error("it is voted for before it has said anything")
	}
	if s := a.Status(); !strings.Contains(s.Waits, "X has not said") {
		t.Errorf("what is waited for: %q", s.Waits)
	}
	origin := p.Origin()
	origin[0]++
	if votes(&chain.Message{Kind: chain.Tell, Number: 9, Origin: origin}) || a.Status().Diverged != "X" {
		t.Error("one of another chain is voted for")
	}
	a.Link(k.now, "X", false, &out)
	a.Target(k.now, k.wants(16, "A"), &out)
	if a.Status().Diverged != "" {
		t.Error("there is an alarm for one that is gone, and no member")
	}
	a.Target(k.now, k.wants(16, "A", "X"), &out)
	a.Link(k.now, "X", true, &out)
	if !votes(&chain.Message{Kind: chain.Tell}) {
		t.Error("one of no chain is not voted for")
	}
}

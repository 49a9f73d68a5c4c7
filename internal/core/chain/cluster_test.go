package chain_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

type ids = []ring.NodeID

var usual = place.Promise{N: 3, W: 2, R: 2}

// machine is a node of a cluster.
type machine struct {
	id    ring.NodeID
	disk  uint64
	life  int
	c     *chain.Chain
	d     chain.Durable     // what is on disk
	d0    chain.Durable     // what a new disk begins with
	asked map[uint32]uint64 // for which number a partition has been proved
	at    *place.Placement  // what it adopted last
	lets  int               // how often it has yet to let go what it held by lists before
}

// cluster is some machines and a network that delays, drops and repeats.
type cluster struct {
	t       testing.TB
	rand    *rand.Rand
	now     clock.Now
	cfg     chain.Config
	nodes   []*machine
	down    map[ring.NodeID]bool
	cut     func(a, b ring.NodeID) bool
	loss    int // of 100 messages
	queue   []event
	seq     int
	target  *chain.Target
	hashes  map[uint64]place.Hash
	work    time.Duration // how long a newcomer takes to prove
	sent    map[chain.Kind]int
	bytes   int
	linked  int
	newDisk uint64
	alarms  int
}

type event struct {
	at  time.Duration
	seq int
	do  func()
}

func newCluster(t testing.TB, seed uint64, q int, founders ...ring.NodeID) *cluster {
	k := &cluster{
		t: t, rand: rand.New(rand.NewPCG(seed, 7)), down: map[ring.NodeID]bool{}, cut: func(_, _ ring.NodeID) bool { return false },
		hashes: map[uint64]place.Hash{}, sent: map[chain.Kind]int{}, work: time.Second, target: &chain.Target{Members: founders, Promises: []place.Promise{usual}},
	}
	p := founded(t, q, 3, founders...)
	for _, id := range founders {
		k.add(id, chain.Durable{Placement: p})
	}
	return k
}

func founded(t testing.TB, q, n int, founders ...ring.NodeID) *place.Placement {
	t.Helper()
	return place.Founded(place.Hash{7}, assigned(t, q, founders...), n)
}

func assigned(t testing.TB, q int, members ...ring.NodeID) *ring.Ring {
	t.Helper()
	var nodes []ring.Node
	for _, id := range members {
		nodes = append(nodes, ring.Node{ID: id})
	}
	tokens, err := ring.Assign(q, nodes)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ring.New(nodes, tokens)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lists are those of a ring.
func lists(r *ring.Ring, n int) (all []ids) {
	for i := range uint32(r.Q()) {
		all = append(all, r.Preference(i, n))
	}
	return all
}

func (k *cluster) add(id ring.NodeID, d chain.Durable) {
	k.newDisk++
	m := &machine{id: id, disk: k.newDisk, d: d, d0: d}
	k.nodes = append(k.nodes, m)
	k.boot(m)
}

func (k *cluster) boot(m *machine) {
	m.life++
	m.asked = map[uint32]uint64{}
	m.c = chain.New(k.cfg, m.id, m.disk, m.d, k.rand)
	var out chain.Effects
	m.c.Target(k.now, k.target, &out)
	k.down[m.id] = false
	for _, o := range k.nodes {
		if o == m || k.down[o.id] {
			continue
		}
		m.c.Disk(k.now, o.id, o.disk, &out)
		m.c.Link(k.now, o.id, true, &out)
		k.step(o, func(out *chain.Effects) {
			o.c.Disk(k.now, m.id, m.disk, out)
			o.c.Link(k.now, m.id, true, out)
		})
	}
	k.did(m, &out)
}

func (k *cluster) crash(m *machine) {
	if k.down[m.id] {
		return
	}
	k.down[m.id] = true
	m.life++
	for _, o := range k.nodes {
		if !k.down[o.id] {
			k.step(o, func(out *chain.Effects) { o.c.Link(k.now, m.id, false, out) })
		}
	}
}

// wipe lets a machine come back with an empty disk.
func (k *cluster) wipe(m *machine) {
	k.crash(m)
	k.newDisk++
	m.disk, m.d = k.newDisk, chain.Durable{}
	if m.d0.Placement != nil && k.linked == 0 {
		m.d = m.d0
	}
	k.boot(m)
}

func (k *cluster) step(m *machine, f func(*chain.Effects)) {
	var out chain.Effects
	f(&out)
	k.did(m, &out)
}

func (k *cluster) after(d time.Duration, do func()) {
	k.seq++
	k.queue = append(k.queue, event{k.now.Mono + d, k.seq, do})
}

func (k *cluster) delay() time.Duration {
	return time.Duration(k.rand.IntN(20)) * time.Millisecond
}

func (k *cluster) did(m *machine, out *chain.Effects) {
	life := m.life
	if out.Storing {
		s := out.Store
		vote, err := chain.DecodeVote(chain.AppendVote(nil, &s.Vote))
		if err != nil {
			k.t.Fatal(err)
		}
		k.after(k.delay(), func() {
			if m.life != life {
				return
			}
			m.d.Vote = vote
			if s.Placement != nil {
				p, err := chain.DecodePlacement(chain.AppendPlacement(nil, s.Placement))
				if err != nil {
					k.t.Fatal(err)
				}
				m.d.Placement = p
			}
			k.step(m, func(out *chain.Effects) { m.c.Stored(k.now, s.Seq, out) })
		})
	}
	for _, s := range out.Sends {
		k.deliver(m, s)
	}
	for _, f := range out.Facts {
		if f.Kind == fact.Diverged {
			k.alarms++
		}
	}
	if p := out.Adopted; p != nil {
		k.adopted(m, p)
	}
}

func (k *cluster) adopted(m *machine, p *place.Placement) {
	if m.d.Placement.Hash() != p.Hash() {
		k.t.Fatalf("%s goes by %d and has %d on disk", m.id, p.Number(), m.d.Placement.Number())
	}
	if h, ok := k.hashes[p.Number()]; ok && h != p.Hash() {
		k.t.Fatalf("two links of number %d", p.Number())
	} else if !ok {
		k.hashes[p.Number()] = p.Hash()
		k.linked++
		k.leave(p)
	}
	for i := range uint32(p.Q()) {
		l := p.Of(i)
		if l.Moving() && m.asked[i] != l.Number {
			k.prove(m, i, l)
		}
	}
	for i := range uint32(p.Q()) {
		if m.at != nil && m.at.Of(i).Holds(m.id) && !p.Of(i).Holds(m.id) {
			m.lets++
			k.after(k.work, func() { m.lets-- })
			break
		}
	}
	m.at = p
	for _, d := range []time.Duration{k.work / 4, k.work + time.Millisecond} {
		k.after(d, func() { k.step(m, func(out *chain.Effects) { m.c.Clean(k.now, m.lets == 0, out) }) })
	}
}

// leave checks that who is a member no more has let go all that it held, unless it can
// not be asked.
func (k *cluster) leave(p *place.Placement) {
	for _, m := range k.nodes {
		if _, there := p.Member(m.id); !there && m.at != nil && m.lets > 0 && !slices.Contains(k.target.Forced, m.id) {
			if _, was := m.at.Member(m.id); was {
				k.t.Errorf("%s leaves by number %d and has not let go what it held", m.id, p.Number())
			}
		}
	}
}

// prove lets a machine compare, which is not what these tests are about.
func (k *cluster) prove(m *machine, i uint32, l *place.Lists) {
	var all []place.Proof
	for _, p := range k.target.Promises {
		if !slices.Contains(l.Provers(nil, p), m.id) {
			continue
		}
		f := l.First(p.N)
		sources, sealed := l.Need(p)
		sorted := slices.Sorted(slices.Values(f.Old))
		all = append(all, place.Proof{
			Who: m.id, Disk: m.disk, Number: l.Number, N: p.N, W: p.W, R: p.R,
			Sources: sorted[:sources], Sealed: sorted[:sealed],
		})
	}
	if len(all) == 0 {
		return
	}
	m.asked[i] = l.Number
	life := m.life
	k.after(k.work+time.Duration(k.rand.Int64N(int64(k.work)+1)), func() {
		if m.life == life {
			k.step(m, func(out *chain.Effects) { m.c.Ready(k.now, i, all, out) })
		}
	})
}

func (k *cluster) deliver(m *machine, s chain.Send) {
	to := k.machine(s.To)
	if to == nil {
		return
	}
	b := chain.AppendMessage(nil, s.Message)
	k.sent[s.Message.Kind]++
	k.bytes += len(b)
	if len(b) > 300<<10 {
		k.t.Fatalf("a message of %d bytes", len(b))
	}
	times := 1
	if k.rand.IntN(100) < k.loss {
		times = k.rand.IntN(3)
	}
	for range times {
		k.after(k.delay(), func() {
			if k.down[to.id] || k.cut(m.id, to.id) {
				return
			}
			got, err := chain.DecodeMessage(b)
			if err != nil {
				k.t.Fatal(err)
			}
			k.step(to, func(out *chain.Effects) { to.c.Hear(k.now, m.id, got, out) })
		})
	}
}

func (k *cluster) machine(id ring.NodeID) *machine {
	for _, m := range k.nodes {
		if m.id == id {
			return m
		}
	}
	return nil
}

// run lets time pass until done, or so long; it says whether it was done.
func (k *cluster) run(long time.Duration, done func() bool) bool {
	end := k.now.Mono + long
	for !done() {
		at, first := end, -1
		for i, e := range k.queue {
			if e.at < at || first >= 0 && e.at == at && e.seq < k.queue[first].seq {
				at, first = e.at, i
			}
		}
		var tick *machine
		for _, m := range k.nodes {
			if d := m.c.Deadline(); !k.down[m.id] && d < at {
				at, tick = d, m
			}
		}
		k.now.Wall += (max(at, k.now.Mono) - k.now.Mono).Milliseconds()
		k.now.Mono = max(at, k.now.Mono)
		switch {
		case tick != nil:
			k.step(tick, func(out *chain.Effects) { tick.c.Tick(k.now, out) })
			if tick.c.Deadline() <= k.now.Mono {
				k.t.Fatalf("%s is due again at once", tick.id)
			}
		case first >= 0:
			do := k.queue[first].do
			k.queue[first] = k.queue[len(k.queue)-1]
			k.queue = k.queue[:len(k.queue)-1]
			do()
		default:
			return false
		}
	}
	return true
}

// aim gives all machines another target: members placed by a ring of them. Who is not
// among these has left.
func (k *cluster) aim(t *chain.Target) {
	t.Removed = nil
	for _, m := range k.nodes {
		if !slices.Contains(t.Members, m.id) {
			t.Removed = append(t.Removed, m.id)
		}
	}
	slices.Sort(t.Removed)
	k.target = t
	for _, m := range k.nodes {
		if !k.down[m.id] {
			k.step(m, func(out *chain.Effects) { m.c.Target(k.now, t, out) })
		}
	}
}

func (k *cluster) wants(q int, members ...ring.NodeID) *chain.Target {
	return &chain.Target{Lists: lists(assigned(k.t, q, members...), 3), Members: members, Promises: []place.Promise{usual}}
}

// arrived says whether all machines that are up have adopted the target.
func (k *cluster) arrived() bool {
	var hash place.Hash
	for _, m := range k.nodes {
		p := m.c.Placement()
		if k.down[m.id] || !slices.Contains(k.target.Members, m.id) {
			continue
		}
		if p == nil || len(p.Members()) != len(k.target.Members) || hash != (place.Hash{}) && p.Hash() != hash {
			return false
		}
		hash = p.Hash()
		if me, _ := p.Member(m.id); me.Disk != m.disk {
			return false
		}
		for i, want := range k.target.Lists {
			if l := p.Of(uint32(i)); l.Moving() || !slices.Equal(l.Old, want) {
				return false
			}
		}
	}
	return true
}

func (k *cluster) state() string {
	s := ""
	for _, m := range k.nodes {
		st := m.c.Status()
		s += fmt.Sprintf("%s: disk %d, down %v, number %d, moving %d, ready %d, acceptor %v, waits %q\n",
			m.id, m.disk, k.down[m.id], st.Number, st.Moving, st.Ready, st.Acceptor, st.Waits)
	}
	return s
}

func (k *cluster) mustArrive(long time.Duration) {
	k.t.Helper()
	if !k.run(long, k.arrived) {
		k.t.Fatalf("not there after %v:\n%s", long, k.state())
	}
}

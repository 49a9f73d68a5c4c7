package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/dev"
	"github.com/ourodb/ouro/internal/sim/history"
)

// The numbers of a run: how many clients, on how many keys, how long between
// their operations, and how long a request may take.
const (
	chaosNodes   = 5
	chaosClients = 8
	chaosKeys    = 24
	chaosThink   = 15 * time.Millisecond
	chaosTimeout = time.Second
)

// Nodes are killed, stopped, parted and slowed down while clients put, get and
// delete; then everything heals, what was kept for others is handed over, every
// replica of every key is equal, and the simulator's checker judges what the
// clients saw: nothing that was acknowledged is lost, nothing that was replaced
// or deleted is back. Fifteen seconds of it, or two minutes with OURO_E2E_FULL=1.
func TestChaos(t *testing.T) {
	length := 15 * time.Second
	if os.Getenv("OURO_E2E_FULL") != "" {
		length = 2 * time.Minute
	}
	c := start(t, "", chaosNodes)
	seed := uint64(time.Now().UnixNano()) % 1e6
	t.Logf("seed %d: it draws what is asked and what breaks, not when", seed)
	l := newLoad(c, seed)
	n := &nemesis{c: c, rand: rand.New(rand.NewPCG(seed, 2)), wounds: map[string]int{}}
	l.start(chaosClients)
	for end := time.Now().Add(length); time.Now().Before(end); {
		n.strike()
	}
	n.heal()
	l.stop()
	t.Logf("%d operations: %d done, %d not done, %d unknown; %v; %v", l.rec.ops, l.done.Load(), l.refused.Load(), l.unknown.Load(), l.failed, n.wounds)
	if l.done.Load() < int64(l.rec.ops)/2 {
		t.Errorf("only %d of %d operations were done: there is little to check", l.done.Load(), l.rec.ops)
	}
	c.noHints()
	stats, broken := l.rec.judge(l.final)
	if broken != nil {
		t.Errorf("%v", broken)
		c.keep()
	}
	t.Logf("%d reads checked, %d of them strictly, %d with siblings, at most %d", stats.Reads, stats.Strict, stats.Conflicts, stats.Siblings)
	c.equalReplicas("chaos", chaosKeys)
	c.noAlarms()
}

// nemesis breaks a cluster and mends what it broke.
type nemesis struct {
	c      *cluster
	rand   *rand.Rand
	turn   int
	wounds map[string]int
}

// do has the supervisor of the cluster do something.
func (n *nemesis) do(cmd dev.Command) {
	n.c.t.Helper()
	if _, err := dev.Call(n.c.Dir, cmd); err != nil {
		n.c.t.Errorf("%+v: %v", cmd, err)
	}
}

// strike breaks one node, or two, and mends them. Every kind has its turn.
func (n *nemesis) strike() {
	order := n.rand.Perm(chaosNodes)
	one := []int{order[0] + 1}
	two := []int{order[0] + 1, order[1] + 1}
	wait := func(least, most int) {
		time.Sleep(time.Duration(least+n.rand.IntN(most-least)) * time.Millisecond)
	}
	kinds := []struct {
		name string
		hurt func()
	}{
		{"kill", func() {
			n.do(dev.Command{Verb: dev.Kill, Nodes: one})
			wait(300, 2000)
			n.do(dev.Command{Verb: dev.Start, Nodes: one})
		}},
		{"pause", func() {
			n.do(dev.Command{Verb: dev.Pause, Nodes: one})
			wait(300, 2500)
			n.do(dev.Command{Verb: dev.Resume, Nodes: one})
		}},
		{"cut", func() {
			n.do(dev.Command{Verb: dev.Cut, Nodes: one})
			wait(300, 2000)
			n.do(dev.Command{Verb: dev.Heal, Nodes: one})
		}},
		{"one-way", func() {
			n.do(dev.Command{Verb: dev.Cut, Nodes: one, OneWay: true})
			wait(300, 2000)
			n.do(dev.Command{Verb: dev.Heal, Nodes: one})
		}},
		{"slow", func() {
			n.do(dev.Command{Verb: dev.Slow, Nodes: one, By: time.Duration(20+n.rand.IntN(400)) * time.Millisecond})
			wait(300, 1500)
			n.do(dev.Command{Verb: dev.Heal, Nodes: one})
		}},
		{"split", func() {
			n.do(dev.Command{Verb: dev.Cut, Nodes: two})
			wait(300, 2000)
			n.do(dev.Command{Verb: dev.Heal, Nodes: two})
		}},
		{"kill two", func() {
			n.do(dev.Command{Verb: dev.Kill, Nodes: two})
			wait(100, 1000)
			n.do(dev.Command{Verb: dev.Start, Nodes: two})
		}},
		{"kill behind a cut", func() {
			n.do(dev.Command{Verb: dev.Cut, Nodes: one})
			wait(100, 800)
			n.do(dev.Command{Verb: dev.Kill, Nodes: one})
			n.do(dev.Command{Verb: dev.Heal, Nodes: one})
			wait(100, 800)
			n.do(dev.Command{Verb: dev.Start, Nodes: one})
		}},
	}
	k := kinds[n.turn%len(kinds)]
	n.turn++
	n.wounds[k.name]++
	k.hurt()
	wait(50, 300)
}

// heal takes everything back. All is healed after each strike already, unless
// the supervisor failed to.
func (n *nemesis) heal() { n.do(dev.Command{Verb: dev.Heal}) }

// load is clients that use some keys through all nodes.
type load struct {
	c       *cluster
	rec     *recorder
	seed    uint64
	bucket  string // where the keys are
	stores  []*asked
	over    chan struct{}
	clients sync.WaitGroup

	done, refused, unknown atomic.Int64

	stubborn bool         // what fails is asked of other nodes, until a deadline
	vain     atomic.Int64 // attempts that failed where another was made

	mu     sync.Mutex
	seen   map[string][]*operation // the last answers with a context, by key
	failed map[ouro.Code]int

	phase atomic.Int32              // of the run
	took  map[int32][]time.Duration // by what was done, by phase
}

// asked is a node that clients use.
type asked struct {
	id string
	*client.Client
}

func newLoad(c *cluster, seed uint64) *load {
	l := &load{c: c, rec: newRecorder(), seed: seed, bucket: "chaos", over: make(chan struct{}), seen: map[string][]*operation{}, failed: map[ouro.Code]int{}, took: map[int32][]time.Duration{}}
	l.lastAt(c)
	return l
}

// lastAt has the nodes of a cluster asked from now on.
func (l *load) lastAt(c *cluster) {
	var stores []*asked
	for _, n := range c.Nodes {
		s, err := client.New(n.Client)
		if err != nil {
			c.t.Fatal(err)
		}
		stores = append(stores, &asked{n.ID, s})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stores = stores
}

// asks lets only these of the nodes be asked from now on.
func (l *load) asks(ids ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var stores []*asked
	for _, s := range l.stores {
		if slices.Contains(ids, s.id) {
			stores = append(stores, s)
		}
	}
	l.stores = stores
}

// p99 is how long all but one in a hundred of what was done in a phase took.
func (l *load) p99(phase int32) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	took := slices.Sorted(slices.Values(l.took[phase]))
	if len(took) == 0 {
		return 0
	}
	return took[len(took)*99/100]
}

func (l *load) start(clients int) {
	for i := range clients {
		l.clients.Go(func() { l.client(i) })
	}
}

// stop ends the clients, once their last operations are answered.
func (l *load) stop() {
	close(l.over)
	l.clients.Wait()
}

func (l *load) client(id int) {
	r := rand.New(rand.NewPCG(l.seed, uint64(100+id)))
	for {
		select {
		case <-l.over:
			return
		case <-time.After(time.Duration(r.ExpFloat64() * float64(chaosThink))):
		}
		op, at := l.draw(id, r)
		l.do(op, at, 20+r.IntN(200))
	}
}

// draw draws an operation and the node that is asked.
func (l *load) draw(id int, r *rand.Rand) (op *operation, at *asked) {
	name := r.IntN(chaosKeys)
	if r.IntN(3) == 0 {
		name = r.IntN(2) // what many use at a time
	}
	op = &operation{Op: history.Op{Client: id, Verb: history.Get, Key: fmt.Sprintf("%s/k%d", l.bucket, name), N: 3, R: 2, W: 2, Sloppy: true}}
	if r.IntN(5) == 0 {
		op.R, op.W = 1+r.IntN(3), 1+r.IntN(3)
	}
	if r.IntN(2) == 0 {
		op.Verb = history.Put
		if r.IntN(10) > 0 {
			op.from = l.known(op.Key, r)
		}
		if op.from != nil && r.IntN(6) == 0 {
			op.Verb = history.Delete
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return op, l.stores[r.IntN(len(l.stores))]
}

// known draws an answer to go on from: the last one mostly.
func (l *load) known(key string, r *rand.Rand) *operation {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.seen[key]
	if len(all) == 0 {
		return nil
	}
	if r.IntN(4) == 0 {
		return all[r.IntN(len(all))]
	}
	return all[len(all)-1]
}

// remember keeps the last answers with a context.
func (l *load) remember(op *operation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := append(l.seen[op.Key], op)
	l.seen[op.Key] = all[max(0, len(all)-8):]
}

// do does one operation: once, unless the load is stubborn.
func (l *load) do(op *operation, at *asked, size int) {
	opts := []ouro.Option{ouro.Timeout(chaosTimeout)}
	l.rec.begin(op)
	if op.Verb == history.Get {
		opts = append(opts, ouro.R(op.R))
	} else {
		opts = append(opts, ouro.W(op.W), ouro.Blind(), ouro.Explain(), ouro.RequestID(fmt.Sprintf("load-%d-%d", l.seed, op.id)))
	}
	if op.from != nil {
		opts = append(opts, ouro.WithContext(op.from.result.Context))
	}
	phase, begun := l.phase.Load(), time.Now()
	res, err := l.send(op, at, size, opts)
	tries, unsure := 1, false
	for ; l.stubborn && failed(err) && time.Since(begun) < stubbornFor; tries++ {
		unsure = unsure || outcomeOf(err) != ouro.NotDone
		l.vain.Add(1)
		l.count(err)
		at = l.another(at)
		res, err = l.send(op, at, size, opts)
	}
	took := time.Since(begun)
	if unsure && failed(err) {
		err = fmt.Errorf("after %d attempts: %v", tries, err) // the last one does not know of the others
	}
	l.rec.end(op, res, at.id, err)
	op.again = op.again || tries > 1
	switch op.result.Outcome {
	case history.OK:
		l.done.Add(1)
		l.mu.Lock()
		l.took[phase] = append(l.took[phase], took)
		l.mu.Unlock()
		if len(res.Context) > 0 {
			l.remember(op)
		}
		return
	case history.Fail:
		l.refused.Add(1)
	default:
		l.unknown.Add(1)
	}
	l.count(err)
}

// stubbornFor is how long a stubborn client goes on with one operation.
const stubbornFor = 10 * time.Second

// failed says whether another node might do better.
func failed(err error) bool { return err != nil && ouro.CodeOf(err) != ouro.NotFound }

// send sends an operation to a node, once.
func (l *load) send(op *operation, at *asked, size int, opts []ouro.Option) (ouro.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*chaosTimeout)
	defer cancel()
	bucket, name, _ := strings.Cut(op.Key, "/")
	key := ouro.Key{Bucket: bucket, Name: name}
	switch op.Verb {
	case history.Get:
		return at.Get(ctx, key, opts...)
	case history.Put:
		return at.Put(ctx, key, ouro.Value{Data: history.Value(op.id, op.Key, size)}, opts...)
	default:
		return at.Delete(ctx, key, opts...)
	}
}

func (l *load) count(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed[ouro.CodeOf(err)]++
}

// another returns the node that is asked after one.
func (l *load) another(at *asked) *asked {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.stores, func(s *asked) bool { return s.id == at.id })
	return l.stores[(i+1)%len(l.stores)]
}

// final reads a key from all its replicas through every node.
func (l *load) final(name string) map[string][][]byte {
	bucket, rest, _ := strings.Cut(name, "/")
	shown := map[string][][]byte{}
	for _, s := range l.stores {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		res, err := s.Get(ctx, ouro.Key{Bucket: bucket, Name: rest}, ouro.R(3), ouro.Timeout(20*time.Second))
		cancel()
		if err != nil && ouro.CodeOf(err) != ouro.NotFound {
			l.c.t.Errorf("%s can't be read at %s though all is healed: %v", name, s.id, err)
			continue
		}
		values := [][]byte{}
		for j := range res.Siblings {
			values = append(values, res.Siblings[j].Data)
		}
		shown[s.id] = values
	}
	return shown
}

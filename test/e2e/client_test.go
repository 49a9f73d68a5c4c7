package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// shoppers add to carts through one client, on and on.
type shoppers struct {
	t     *testing.T
	carts *client.Values[[]string]
	calls atomic.Int64
	worst atomic.Int64 // nanoseconds that the slowest call took
	stop  chan struct{}
	all   sync.WaitGroup

	mu    sync.Mutex
	added map[string][]string // by cart, what was acknowledged
}

// callDeadline is what each call is given: no call may fail before.
const callDeadline = 30 * time.Second

func union(carts [][]string) ([]string, error) {
	items := slices.Concat(carts...)
	slices.Sort(items)
	return slices.Compact(items), nil
}

func goShopping(t *testing.T, store ouro.Store) *shoppers {
	s := &shoppers{t: t, stop: make(chan struct{}), added: map[string][]string{}}
	s.carts = &client.Values[[]string]{Store: store, Codec: client.JSON[[]string](), Resolve: union}
	for w := range 4 {
		s.all.Go(func() { s.shop(w) })
	}
	return s
}

func cartKey(name string) ouro.Key { return ouro.Key{Bucket: "carts", Name: name} }

// shop adds items, reads carts, one and several at once, until it is told to stop.
func (s *shoppers) shop(w int) {
	for i := 0; ; i++ {
		select {
		case <-s.stop:
			return
		case <-time.After(2 * time.Millisecond):
		}
		cart, item := fmt.Sprint("cart", i%5), fmt.Sprintf("%d.%d", w, i)
		s.call("add", func(ctx context.Context) error {
			_, _, err := s.carts.Update(ctx, cartKey(cart), func(items []string) ([]string, error) { return union([][]string{items, {item}}) })
			if err == nil {
				s.mu.Lock()
				s.added[cart] = append(s.added[cart], item)
				s.mu.Unlock()
			}
			return err
		})
		if i%4 != 0 {
			continue
		}
		s.call("many", func(ctx context.Context) error {
			keys, items := []ouro.Key{}, []ouro.Item{}
			for n := range 8 {
				k := ouro.Key{Bucket: "many", Name: fmt.Sprint(w, "/", n)}
				keys, items = append(keys, k), append(items, ouro.Item{Key: k, Value: ouro.Value{Data: []byte(item)}})
			}
			answers := append(client.PutMany(ctx, s.carts.Store, items), client.GetMany(ctx, s.carts.Store, keys)...)
			for _, a := range answers {
				if a.Err != nil {
					return a.Err
				}
			}
			return nil
		})
	}
}

// call makes one call, which must not fail.
func (s *shoppers) call(what string, do func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), callDeadline)
	defer cancel()
	began := time.Now()
	if err := do(ctx); err != nil {
		s.t.Errorf("a call (%s) failed after %v: %v", what, time.Since(began), err)
	}
	s.calls.Add(1)
	for took := int64(time.Since(began)); ; {
		worst := s.worst.Load()
		if took <= worst || s.worst.CompareAndSwap(worst, took) {
			return
		}
	}
}

// more waits until so many calls more are done.
func (s *shoppers) more(after string) {
	s.t.Helper()
	want := s.calls.Load() + 40
	eventually(s.t, "the client goes on after "+after, func() bool { return s.calls.Load() >= want })
}

// elsewhere stops a node and starts it with another address for each port.
func (c *ringed) elsewhere(id string, sig unix.Signal, ask string) {
	c.t.Helper()
	c.at[id].stop(c.t, sig)
	c.ports[id] = freePorts(c.t, 3)
	c.begin(id, "--seeds", c.ports[ask][1]).ready(c.t)
}

// A client goes on through nodes that join and leave, through restarts of all and
// the change of every address, and no call of it fails (paper, sections 4.8 and 6.4).
// Of what it added nothing is lost.
func TestClientOutlivesEveryAddress(t *testing.T) {
	c := newRinged(t, "--q", "32")
	ids, members := []string{"n1", "n2", "n3"}, ""
	for _, id := range ids {
		c.ports[id] = freePorts(t, 3)
		members += "," + c.located(id)
	}
	for _, id := range ids {
		c.begin(id, "--members", members[1:])
	}
	for _, id := range ids {
		c.at[id].ready(t).foundAll(t, 3)
	}
	seeds := []string{c.at["n1"].client, c.at["n2"].client}
	cluster, err := client.Connect(seeds)
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	s := goShopping(t, cluster)
	s.more("the start")

	c.begin("n4", "--seeds", c.ports["n1"][1])
	c.op("n1", "cluster", "join", c.located("n4"), "--commit")
	s.more("a join")
	c.agree("n1", "n2", "n3", "n4")
	for i, id := range []string{"n1", "n2", "n3", "n4"} {
		c.elsewhere(id, unix.SIGTERM, []string{"n4", "n1"}[min(i, 1)])
		c.at[id].foundAll(t, 4)
		s.more(id + " restarted elsewhere")
	}
	for _, addr := range seeds {
		for _, at := range c.at {
			if at.client == addr {
				t.Fatalf("%s is still a node's", addr)
			}
		}
	}
	c.op("n1", "cluster", "leave", "n2", "--commit")
	s.more("a leave")
	c.agree("n1", "n3", "n4")
	c.at["n2"].stop(t, unix.SIGTERM)
	s.more("the end of who left")
	c.elsewhere("n3", unix.SIGKILL, "n1")
	s.more("a kill")
	close(s.stop)
	s.all.Wait()

	r, _ := cluster.Ring()
	t.Logf("%d calls, the slowest took %v; the ring in the end: %+v", s.calls.Load(), time.Duration(s.worst.Load()), r.Nodes)
	for cart, items := range s.added {
		got, _, err := s.carts.Get(t.Context(), cartKey(cart), ouro.R(3))
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			if !slices.Contains(got, item) {
				t.Errorf("%s has lost %s", cart, item)
			}
		}
	}
	for _, at := range c.at {
		if log := at.log.String(); strings.Contains(log, "panic") {
			t.Errorf("a node's log:\n%s", log)
		}
	}
}

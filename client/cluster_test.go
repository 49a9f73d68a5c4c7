package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/conformance"
)

func TestClusterConformance(t *testing.T) {
	f := newFleet(t, 5)
	c := f.connect([]string{"d"})
	conformance.Run(t, c, conformance.Limits{Value: 1 << 20, Siblings: 100})
	conformance.RunKeys(t, c, conformance.Limits{})
	conformance.RunTypes(t, c)
	other := newFleet(t, 3).connect([]string{"a"})
	conformance.RunForeign(t, c, other)
}

// TestPaper_3_1_ZeroHops: a client that knows the ring asks replicas alone, and all
// of them.
func TestPaper_3_1_ZeroHops(t *testing.T) {
	f := newFleet(t, 5)
	c := f.connect([]string{"a"}, client.Hedge(false))
	for _, n := range f.nodes {
		n.asked.Store(0)
	}
	for i := range 200 {
		key := f.key(i)
		for name, do := range map[string]func() (ouro.Result, error){
			"put": func() (ouro.Result, error) {
				return c.Put(t.Context(), key, ouro.Value{Data: []byte("v")}, ouro.Blind())
			},
			"get": func() (ouro.Result, error) { return c.Get(t.Context(), key) },
		} {
			before := map[string]int64{}
			for id, n := range f.nodes {
				before[id] = n.asked.Load()
			}
			res, err := do()
			if err != nil && ouro.CodeOf(err) != ouro.NotFound {
				t.Fatal(err)
			}
			for id, n := range f.nodes {
				if n.asked.Load() > before[id] && (!slices.Contains(f.replicas(key), id) || res.Coordinator != id) {
					t.Fatalf("the %s of %s went to %s, which passed it to %s", name, key, id, res.Coordinator)
				}
			}
		}
	}
	for id, n := range f.nodes {
		if n.asked.Load() < 4 {
			t.Errorf("of 400 requests node %s had %d", id, n.asked.Load())
		}
	}
}

// TestPaper_6_4_3_RefreshAtOnce: an answer that shows another coordinator, or a
// connection that is refused, makes the client look for the ring at once; otherwise
// it asks after a while.
func TestPaper_6_4_3_RefreshAtOnce(t *testing.T) {
	f := newFleet(t, 5)
	c := f.connect([]string{"a"}, client.RefreshEvery(time.Hour))
	f.moveAll(7)
	f.await("the ring that answers show to be old is asked for again", func() bool {
		for i := range 20 {
			_, _ = c.Get(t.Context(), f.key(i))
		}
		r, _ := c.Ring()
		return r.Placement == 7
	})
	f.moveAll(8)
	f.await("and where puts show it", func() bool {
		for i := range 20 {
			_, _ = c.Put(t.Context(), f.key(i), ouro.Value{}, ouro.Blind())
		}
		r, _ := c.Ring()
		return r.Placement == 8
	})
	b := f.nodes["b"]
	b.srv.Close()
	b.listen()
	f.await("so is one with an address at which nobody is", func() bool {
		for i := range 20 {
			_, _ = c.Get(t.Context(), f.key(i))
		}
		r, _ := c.Ring()
		return slices.ContainsFunc(r.Nodes, func(n ouro.RouteNode) bool { return n.Clients == b.srv.Listener.Addr().String() })
	})
	often := f.connect([]string{"a"}, client.RefreshEvery(10*time.Millisecond))
	f.mu.Lock()
	f.routes.Placement = 9
	f.mu.Unlock()
	f.await("without a request", func() bool { r, _ := often.Ring(); return r.Placement == 9 })
}

// Every address changes, one after the other and then all at once but the seed's: no
// call fails.
func TestAddressesChange(t *testing.T) {
	f := newFleet(t, 3)
	c := f.connect([]string{"a"}, client.RefreshEvery(50*time.Millisecond))
	var calls atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		defer close(failed)
		for i := 0; ctx.Err() == nil; i++ {
			call, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			_, err := c.Put(call, f.key(i), ouro.Value{Data: []byte("v")})
			cancel()
			if err != nil {
				failed <- err
				return
			}
			calls.Add(1)
		}
	}()
	step := func(what string) {
		before := calls.Load()
		f.await("calls go on after "+what, func() bool { return calls.Load() > before+20 || len(failed) > 0 })
		f.await("the ring is known after "+what, func() bool {
			r, _ := c.Ring()
			return slices.Equal(r.Nodes, f.nodes["a"].Routes().Nodes)
		})
	}
	step("the start")
	for _, id := range []string{"b", "c"} {
		f.nodes[id].srv.Close()
		f.nodes[id].listen()
		step("a change of " + id)
	}
	f.nodes["b"].srv.Close()
	f.nodes["c"].srv.Close()
	f.nodes["b"].listen()
	f.nodes["c"].listen()
	step("a change of two")
	f.nodes["a"].srv.Close() // the seed is gone for ever: the ring is enough
	f.nodes["a"].listen()
	step("a change of the seed")
	stop()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}

// The seeds are tried for ever: neither a client that began before its cluster, nor
// one whose every node is gone, gives up.
func TestSeedsAreTriedForEver(t *testing.T) {
	f := newFleet(t, 3)
	seed := httptest.NewUnstartedServer(f.nodes["a"])
	addr := seed.Listener.Addr().String()
	c, err := client.Connect([]string{addr})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	seed.Listener.Close()
	late, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = c.Put(late, f.key(1), ouro.Value{}, ouro.Blind())
	if e := new(ouro.Error); !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &e) || e.Outcome != ouro.NotDone {
		t.Fatalf("without a cluster: %v", err)
	}
	for _, n := range f.nodes {
		n.srv.Close()
	}
	for _, n := range f.nodes {
		n.listen()
	}
	again := &http.Server{Handler: f.nodes["a"]} //nolint:gosec // a test's
	defer again.Close()
	l := relisten(t, addr)
	go func() { _ = again.Serve(l) }()
	if _, err := c.Put(t.Context(), f.key(1), ouro.Value{Data: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	f.await("the seed tells the ring", func() bool { _, ok := c.Ring(); return ok })
	for _, n := range f.nodes { // all are elsewhere at once
		n.srv.Close()
		n.listen()
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	if _, err := c.Put(ctx, f.key(1), ouro.Value{Data: []byte("w")}); err != nil {
		t.Fatal(err)
	}
}

// TestRetriesAreStoredOnce: an answer that is lost makes the client repeat the put
// under the same id, marked as a repetition; there is one version then.
func TestRetriesAreStoredOnce(t *testing.T) {
	f := newFleet(t, 3)
	c := f.connect([]string{"a"})
	var lost atomic.Int64
	for _, n := range f.nodes {
		n.does(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut || lost.Add(1) > 3 {
				return false
			}
			n.does(nil)
			n.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		})
	}
	if _, err := c.Put(t.Context(), f.key(1), ouro.Value{Data: []byte("v")}, ouro.Blind()); err != nil {
		t.Fatal(err)
	}
	res, err := f.store.Get(t.Context(), f.key(1))
	if err != nil || len(res.Siblings) != 1 || lost.Load() == 0 {
		t.Errorf("%d versions, %v, after %d lost answers", len(res.Siblings), err, lost.Load())
	}
	ids := map[string]int{}
	firsts := 0
	for _, n := range f.nodes {
		for _, s := range n.sends {
			id, attempt, _ := strings.Cut(s, " ")
			ids[id]++
			if attempt == "1" {
				firsts++
			}
		}
	}
	if len(ids) != 1 || firsts > 2 { // the first attempt is seen twice, by the wrapper and by what it wraps
		t.Errorf("request ids %v, %d of them called the first attempt", ids, firsts)
	}
}

// What never left is sent elsewhere as what it is: the first attempt.
func TestRefusedIsNotSent(t *testing.T) {
	f := newFleet(t, 3)
	c := f.connect([]string{"a"})
	f.nodes["b"].srv.Close()
	f.nodes["c"].srv.Close()
	for i := range 20 {
		if _, err := c.Put(t.Context(), f.key(i), ouro.Value{Data: []byte("v")}, ouro.Blind()); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range f.nodes["a"].sends {
		if !strings.HasSuffix(s, " 1") {
			t.Errorf("a put says %q", s)
		}
	}
}

// A node that takes requests and never answers costs a read next to nothing, and a
// write the time for one attempt.
func TestHangingNode(t *testing.T) {
	f := newFleet(t, 3)
	c := f.connect([]string{"a"}, client.AttemptTimeout(300*time.Millisecond))
	release := make(chan struct{})
	defer close(release)
	var hung atomic.Int64
	f.nodes["b"].does(func(_ http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		hung.Add(1)
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return true
	})
	for i := range 60 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if _, err := c.Put(ctx, f.key(i), ouro.Value{Data: []byte("v")}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Get(ctx, f.key(i)); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	if hung.Load() == 0 || hung.Load() > 60 {
		t.Errorf("of 180 requests %d went to the node that hangs", hung.Load())
	}
}

// A read that meets a node that hangs is answered by another, long before the client
// gives the first one up.
func TestReadsAreHedged(t *testing.T) {
	f := newFleet(t, 3)
	c := f.connect([]string{"a"}, client.AttemptTimeout(time.Minute))
	for i := range 20 {
		if _, err := c.Put(t.Context(), f.key(i), ouro.Value{Data: []byte("v")}); err != nil {
			t.Fatal(err)
		}
	}
	hung := f.nodes["b"].hangs(func(r *http.Request) bool { return r.URL.Path != "/ring" })
	// How often it is chosen depends on how fast it was: one read in 24 at least.
	for i := 0; i < 2000 && hung.Load() < 3; i++ {
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		began := time.Now()
		if _, err := c.Get(ctx, f.key(i%20)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 10*time.Second { // a node gets half of the time
			t.Fatal("a read took ", took)
		}
		cancel()
	}
	if hung.Load() == 0 {
		t.Error("no read met the node that hangs")
	}
}

// An error that can't become better is returned at once; one of a single node is not.
func TestWhatIsRetried(t *testing.T) {
	f := newFleet(t, 3)
	c := f.connect([]string{"a"})
	if _, err := c.Get(t.Context(), f.key(1)); ouro.CodeOf(err) != ouro.NotFound {
		t.Errorf("nothing there: %v", err)
	}
	if _, err := c.Put(t.Context(), f.key(1), ouro.Value{}, ouro.WithContext(ouro.Context("bad"))); ouro.CodeOf(err) != ouro.BadContext {
		t.Errorf("a bad context: %v", err)
	}
	refuse := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/ring" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Ouro-Coordinator", "x")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"code":"overloaded","message":"busy","outcome":"not_done","retryable":true}`)
		return true
	}
	f.nodes["a"].does(refuse)
	f.nodes["b"].does(refuse)
	for i := range 10 {
		if _, err := c.Put(t.Context(), f.key(i), ouro.Value{Data: []byte("v")}); err != nil {
			t.Errorf("two of three are busy: %v", err)
		}
	}
	f.nodes["c"].does(refuse)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := c.Put(ctx, f.key(1), ouro.Value{}, ouro.Blind())
	if !errors.Is(err, context.DeadlineExceeded) || ouro.CodeOf(err) != ouro.Overloaded || ouro.OutcomeOf(err) == ouro.Done { // the end may come in the middle of an attempt
		t.Errorf("all are busy: %v", err)
	}
}

// What a node refuses because of one hot key is tried elsewhere and later, and is not
// held against the node: other keys are asked for there as ever.
func TestHotKeyIsNoFaultOfTheNode(t *testing.T) {
	f := newFleet(t, 1)
	c := f.connect([]string{"a"})
	var refused atomic.Int64
	f.nodes["a"].does(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/ring" || refused.Add(1) > 3 {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"code":"hot_key","message":"hot","outcome":"not_done","retryable":true}`)
		return true
	})
	if _, err := c.Put(t.Context(), f.key(1), ouro.Value{Data: []byte("v")}); err != nil || refused.Load() < 4 {
		t.Errorf("asked %d times: %v", refused.Load(), err)
	}
	refused.Store(-1 << 40)
	var err error
	for range 20 { // its time may end while it is asked, which tells less
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		if _, err = c.Put(ctx, f.key(1), ouro.Value{}, ouro.Blind()); ouro.CodeOf(err) == ouro.HotKey {
			cancel()
			break
		}
		cancel()
	}
	if ouro.CodeOf(err) != ouro.HotKey {
		t.Error(err)
	}
	if client.Resting(c) {
		t.Error("the node is left alone")
	}
}

// A node of another cluster that took over an address is asked for nothing.
func TestForeignNode(t *testing.T) {
	f, other := newFleet(t, 3), newFleet(t, 1)
	other.cluster = "00000000000000f2"
	other.routes.ClusterID = other.cluster
	c := f.connect([]string{"a"})
	f.mu.Lock()
	f.routes.Nodes[1].Clients = other.nodes["a"].srv.Listener.Addr().String()
	f.routes.Placement++
	f.mu.Unlock()
	f.nodes["b"].srv.Close()
	f.await("the wrong address is known", func() bool {
		_, _ = c.Get(t.Context(), f.key(1))
		r, _ := c.Ring()
		return r.Placement == 1
	})
	for i := range 30 {
		if _, err := c.Put(t.Context(), f.key(i), ouro.Value{Data: []byte("v")}, ouro.Blind()); err != nil {
			t.Fatal(err)
		}
		if _, err := other.store.Get(t.Context(), f.key(i)); ouro.CodeOf(err) != ouro.NotFound {
			t.Fatalf("the other cluster has %s: %v", f.key(i), err)
		}
	}
	if r, _ := c.Ring(); r.ClusterID != f.cluster {
		t.Errorf("the ring is of cluster %s", r.ClusterID)
	}
	if _, err := client.Connect(nil); ouro.CodeOf(err) != ouro.BadRequest {
		t.Errorf("no seeds: %v", err)
	}
	if _, err := client.Connect([]string{"ftp://x"}); ouro.CodeOf(err) != ouro.BadRequest {
		t.Errorf("a bad seed: %v", err)
	}
}

// Keys are told by any node, and by the next where one does not tell to the end.
func TestClusterKeys(t *testing.T) {
	f := newFleet(t, 3)
	c := f.connect([]string{"a"})
	for _, id := range []string{"a", "b"} {
		f.nodes[id].srv.Close()
	}
	var cut atomic.Int64
	f.nodes["c"].does(func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.URL.Path == "/ring" || cut.Add(1) > 3:
			return false
		case cut.Load() == 1:
			w.Header().Set("Content-Length", "1000")
		case cut.Load() == 2:
			w.Header().Set("Content-Type", "application/json")
		default:
			w.WriteHeader(http.StatusBadGateway) // a proxy
		}
		_, _ = io.WriteString(w, `{"keys":["told`)
		return true
	})
	page, err := c.Keys(t.Context(), "b", ouro.KeysQuery{})
	if err != nil || !slices.Equal(page.Keys, []string{"told by c"}) || cut.Load() < 4 {
		t.Errorf("%+v, %v, asked %d times", page, err, cut.Load())
	}
}

// A node that hangs costs a request with a deadline half of its time at most, so that
// another node can answer, and is left alone then: none fails.
func TestHangingNodeAndDeadlines(t *testing.T) {
	f := newFleet(t, 3)
	c := f.connect([]string{"a"}, client.AttemptTimeout(time.Minute))
	hung := f.nodes["b"].hangs(func(r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		return r.URL.Path != "/ring"
	})
	item := func(i int) []ouro.Item { return []ouro.Item{{Key: f.key(i), Value: ouro.Value{Data: []byte("v")}}} }
	ways := []func(ctx context.Context, i int) error{
		func(ctx context.Context, i int) error {
			_, err := c.Put(ctx, f.key(i), ouro.Value{Data: []byte("v")}, ouro.Blind())
			return err
		},
		func(ctx context.Context, i int) error { return c.PutMany(ctx, item(i), ouro.Blind())[0].Err },
		func(ctx context.Context, _ int) error {
			_, err := c.Keys(ctx, "b", ouro.KeysQuery{})
			return err
		},
		func(ctx context.Context, i int) error {
			_, err := c.Get(ctx, f.key(i))
			return err
		},
	}
	for i := range 80 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if err := ways[i%len(ways)](ctx, i-i%len(ways)); err != nil {
			t.Errorf("request %d: %v", i, err)
		}
		cancel()
	}
	if hung.Load() == 0 || hung.Load() > 40 {
		t.Errorf("of 80 requests %d went to the node that hangs", hung.Load())
	}
}

// Where deadlines leave no time for a second node, one that hangs is asked seldom.
func TestHangingNodeAndShortDeadlines(t *testing.T) {
	f := newFleet(t, 3)
	c := f.connect([]string{"a"})
	for i := range 40 { // how long they usually take is known
		if _, err := c.Put(t.Context(), f.key(i), ouro.Value{}, ouro.Blind()); err != nil {
			t.Fatal(err)
		}
	}
	hung := f.nodes["b"].hangs(func(r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body)
		return r.URL.Path != "/ring"
	})
	for i := range 100 {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Millisecond)
		_, _ = c.Put(ctx, f.key(i), ouro.Value{}, ouro.Blind())
		cancel()
	}
	if hung.Load() > 15 {
		t.Errorf("of 100 requests %d went to the node that hangs", hung.Load())
	}
}

// Where no address that nodes tell can be reached from here, as behind a forwarded port,
// the seeds are asked, and first once that is known.
func TestAddressesOfAnotherNetwork(t *testing.T) {
	f := newFleet(t, 3)
	f.mu.Lock()
	for i := range f.routes.Nodes {
		f.routes.Nodes[i].Clients = fmt.Sprint("127.0.0.1:", i+1) // nobody listens there
	}
	f.mu.Unlock()
	c := f.connect([]string{"a"})
	for i := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if _, err := c.Put(ctx, f.key(i), ouro.Value{Data: []byte("v")}); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
}

// Many more requests at once than there are connections wait for those, and not for the
// nodes: what a node is sent it has time to answer.
func TestMoreRequestsThanConnections(t *testing.T) {
	f := newFleet(t, 1)
	c := f.connect([]string{"a"}, client.MaxConns(2), client.AttemptTimeout(300*time.Millisecond))
	var sent, given atomic.Int64
	f.nodes["a"].does(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/ring" {
			return false
		}
		_, _ = io.Copy(io.Discard, r.Body)
		sent.Add(1)
		time.Sleep(100 * time.Millisecond)
		if r.Context().Err() != nil {
			given.Add(1)
		}
		return false
	})
	ctx, cancel := context.WithTimeout(t.Context(), 1200*time.Millisecond)
	defer cancel()
	var done, refused atomic.Int64
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			switch _, err := c.Put(ctx, f.key(i), ouro.Value{}, ouro.Blind()); ouro.OutcomeOf(err) {
			case ouro.Done:
				done.Add(1)
			case ouro.NotDone:
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if done.Load() < 10 || done.Load()+refused.Load() < 56 {
		t.Errorf("%d were done and %d not", done.Load(), refused.Load())
	}
	if given.Load() > 4 {
		t.Errorf("the node was sent %d requests, and for %d nobody waited any more", sent.Load(), given.Load())
	}
	if client.Resting(c) {
		t.Error("the node is left alone")
	}
}

// A cluster that refuses on and on is not asked for its ring on and on.
func TestRingIsNotAskedForInVain(t *testing.T) {
	f := newFleet(t, 3)
	c := f.connect([]string{"a"}, client.RefreshEvery(time.Hour))
	for _, n := range f.nodes {
		n.does(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/ring" {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"code":"quorum_unavailable","message":"alone","outcome":"not_done","retryable":true}`)
			return true
		})
	}
	for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := c.Get(ctx, f.key(1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		cancel()
	}
	var asked int64
	for _, n := range f.nodes {
		asked += n.rings.Load()
	}
	if asked < 2 || asked > 7 { // at first, then after .1, .2, .4 and .8 s at most
		t.Errorf("the ring was asked for %d times", asked)
	}
}

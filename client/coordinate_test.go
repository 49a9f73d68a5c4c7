package client_test

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/conformance"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/local"
)

// ownCopy is what a node does instead of answering for its own copy as it should.
type ownCopy func(n *fake, key ouro.Key, res ouro.Result, by string, err error) (ouro.Result, string, error)

// GetLocal implements [ouro.LocalReader]: all nodes of a fleet have one store, so that
// their copies are the same.
func (n *fake) GetLocal(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, string, error) {
	n.copied.Add(1)
	res, err := n.Oracle.Get(ctx, key, opts...)
	res.Coordinator = n.id
	res.Quorum.Acks, res.Quorum.Primaries = 1, 1
	if !slices.Contains(n.fleet.replicas(key), n.id) {
		return res, "", ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "node %s has no copy", n.id)
	}
	w := n.word(res)
	by := w.String()
	if f := n.own.Load(); f != nil {
		return (*f)(n, key, res, by, err)
	}
	return res, by, err
}

func (n *fake) word(res ouro.Result) local.Word {
	var all []byte
	for _, s := range res.Siblings {
		all = append(append(strconv.AppendInt(all, int64(len(s.Data)), 10), ':'), s.Data...)
	}
	r := n.Routes()
	w := local.Word{Number: r.Placement, N: r.N, Need: r.R + int(n.fleet.more.Load()), Mode: "siblings", State: causal.SumValue(0, "", all)}
	if w.Absent = len(res.Siblings) == 0; w.Absent {
		w.State = causal.Sum{}
	}
	return w
}

// coordinating is a fleet whose reads two replicas must answer.
func coordinating(t *testing.T, nodes int) *fleet {
	f := newFleet(t, nodes)
	f.routes.R = 2
	return f
}

// copies is how often nodes were asked for their own copies, and reads for others.
func (f *fleet) counts() (copies, placed int64) {
	for _, n := range f.nodes {
		copies, placed = copies+n.copied.Load(), placed+n.placed.Load()
	}
	return copies, placed
}

// TestClientCoordinatesConformance: reads that the client coordinates are reads.
func TestClientCoordinatesConformance(t *testing.T) {
	f := coordinating(t, 5)
	c := f.connect([]string{"d"}, client.CoordinateReads(client.Itself))
	conformance.Run(t, c, conformance.Limits{Value: 1 << 20, Siblings: 100})
	if copies, placed := f.counts(); copies == 0 || placed > copies {
		t.Errorf("%d own copies, and %d reads at nodes", copies, placed)
	}
}

// TestPaper_6_4_ClientCoordinatesReads: it asks as many replicas as must answer, no
// node coordinates unless they are late, and what it returns is what they hold.
func TestPaper_6_4_ClientCoordinatesReads(t *testing.T) {
	f := coordinating(t, 5)
	c := f.connect([]string{"a"}, client.CoordinateReads(client.Itself), client.Hedge(false))
	alone, whole := 0, atomic.Int64{}
	for _, n := range f.nodes {
		n.does(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Query().Get("local") == "true" {
				whole.Add(1)
			}
			return false
		})
	}
	for i := range 100 {
		key := f.key(i)
		for _, v := range []string{"v", "w"} {
			if _, err := c.Put(t.Context(), key, ouro.Value{Data: []byte(v)}, ouro.Blind()); err != nil {
				t.Fatal(err)
			}
		}
		copies, placed := f.counts()
		res, err := c.Get(t.Context(), key)
		if err != nil || len(res.Siblings) != 2 {
			t.Fatalf("%+v, %v", res, err)
		}
		if also, more := f.counts(); also == copies+2 && more == placed { // else a node was asked besides
			alone++
			if res.Quorum.Acks != 2 || res.Quorum.Primaries != 2 || !slices.Contains(f.replicas(key), res.Coordinator) {
				t.Errorf("%+v by %s", res.Quorum, res.Coordinator)
			}
		}
		if _, err := c.Put(t.Context(), key, ouro.Value{Data: []byte("x")}, ouro.WithContext(res.Context)); err != nil {
			t.Fatal(err)
		}
		if res, err := c.Get(t.Context(), key); err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != "x" {
			t.Fatalf("after a write under its context: %+v, %v", res, err)
		}
	}
	if n := whole.Load(); n == 0 || n > 200 {
		t.Errorf("of 200 reads %d copies came whole", n)
	}
	if alone < 20 {
		t.Errorf("%d of 100 reads had two copies and no node that coordinated", alone)
	}
	if _, err := c.Get(t.Context(), ouro.Key{Bucket: "b", Name: "none"}); ouro.CodeOf(err) != ouro.NotFound {
		t.Errorf("nothing there: %v", err)
	}
}

// TestReadsThatAreNotTheClients: one that a replica alone answers, that is to be
// explained, or of which the numbers are not known, and any where the client was told
// so.
func TestReadsThatAreNotTheClients(t *testing.T) {
	f := coordinating(t, 5)
	f.routes.Reads = map[string]int{"one": 1, "b": 2}
	c := f.connect([]string{"a"}, client.CoordinateReads(client.Itself))
	never := f.connect([]string{"a"}, client.CoordinateReads(client.AtNodes))
	for name, get := range map[string]func() (ouro.Result, error){
		"r=1":          func() (ouro.Result, error) { return c.Get(t.Context(), f.key(1), ouro.R(1), ouro.PR(1)) },
		"a bucket's r": func() (ouro.Result, error) { return c.Get(t.Context(), ouro.Key{Bucket: "one", Name: "k"}) },
		"explain":      func() (ouro.Result, error) { return c.Get(t.Context(), f.key(1), ouro.Explain()) },
		"r=4":          func() (ouro.Result, error) { return c.Get(t.Context(), f.key(1), ouro.R(4)) },
		"never":        func() (ouro.Result, error) { return never.Get(t.Context(), f.key(1)) },
	} {
		for range 20 {
			if _, err := get(); ouro.CodeOf(err) != ouro.NotFound && name != "r=4" {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if copies, _ := f.counts(); copies > 0 {
			t.Fatalf("%s: replicas were asked for their own copies", name)
		}
	}
}

// TestMoreThanTheRingSays: replicas say how many must answer. Where that is more than the
// client knew, a node coordinates.
func TestMoreThanTheRingSays(t *testing.T) {
	f := coordinating(t, 5)
	c := f.connect([]string{"a"}, client.CoordinateReads(client.Itself), client.Hedge(false))
	f.more.Store(1)
	for i := range 20 {
		_, before := f.counts()
		if _, err := c.Get(t.Context(), f.key(i)); ouro.CodeOf(err) != ouro.NotFound {
			t.Fatal(err)
		}
		if _, placed := f.counts(); placed != before+1 {
			t.Fatalf("read %d was coordinated by %d nodes", i, placed-before)
		}
	}
	if copies, _ := f.counts(); copies == 0 {
		t.Error("no replica was asked")
	}
}

// TestOwnCopiesThatAreNoRead: where replicas do not say the same, or one says nothing, a
// node coordinates the read. What one of them holds here is old.
func TestOwnCopiesThatAreNoRead(t *testing.T) {
	altered := func(change func(*local.Word)) ownCopy {
		return func(n *fake, _ ouro.Key, res ouro.Result, _ string, err error) (ouro.Result, string, error) {
			w := n.word(res)
			change(&w)
			return stale(res), w.String(), err
		}
	}
	for name, flaw := range map[string]ownCopy{
		"the lists have moved":      altered(func(w *local.Word) { w.Number++ }),
		"the lists were others":     altered(func(w *local.Word) { w.Number-- }),
		"of another chain":          altered(func(w *local.Word) { w.Chain[0]++ }),
		"the copies differ":         altered(func(w *local.Word) { w.State.Lo++ }),
		"one has none":              altered(func(w *local.Word) { w.State, w.Absent = causal.Sum{}, true }),
		"the bucket is of one mode": altered(func(w *local.Word) { w.Mode = "lww" }),
		"more must answer":          altered(func(w *local.Word) { w.Need = 3 }),
		"one recovers": func(_ *fake, _ ouro.Key, res ouro.Result, _ string, _ error) (ouro.Result, string, error) {
			return stale(res), "", ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "it recovers")
		},
		"one does not say by what right": func(_ *fake, _ ouro.Key, res ouro.Result, _ string, err error) (ouro.Result, string, error) {
			return stale(res), "", err
		},
		"one is in trouble": func(_ *fake, _ ouro.Key, res ouro.Result, by string, _ error) (ouro.Result, string, error) {
			return res, by, ouro.Errorf(ouro.Internal, ouro.NotDone, "no more")
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := coordinating(t, 3)
			f.routes.Placement = 5
			c := f.connect([]string{"a"}, client.CoordinateReads(client.Itself))
			for i := range 10 {
				if _, err := c.Put(t.Context(), f.key(i), ouro.Value{Data: []byte("new")}); err != nil {
					t.Fatal(err)
				}
			}
			b := f.nodes["b"]
			b.own.Store(&flaw)
			b.copied.Store(0)
			_, before := f.counts()
			for i := 0; i < 60 || b.copied.Load() == 0 && i < 5000; i++ { // how often it is asked depends on how quick it was
				res, err := c.Get(t.Context(), f.key(i%10))
				if err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != "new" {
					t.Fatalf("read %d: %+v, %v", i, res, err)
				}
			}
			_, placed := f.counts()
			if n := b.copied.Load(); n == 0 || n > placed-before {
				t.Errorf("it was asked %d times, and %d reads were coordinated by nodes", n, placed-before)
			}
		})
	}
}

// stale is a result that shows what was there before.
func stale(res ouro.Result) ouro.Result {
	res.Siblings = []ouro.Sibling{{Value: ouro.Value{Data: []byte("old")}}}
	return res
}

// TestUnwillingIsLeftAlone: who does not answer for its own copy is not asked for a
// while, and the ring is looked for.
func TestUnwillingIsLeftAlone(t *testing.T) {
	f := coordinating(t, 3)
	c := f.connect([]string{"a"}, client.CoordinateReads(client.Itself), client.RefreshEvery(time.Hour))
	flaw := ownCopy(func(_ *fake, _ ouro.Key, res ouro.Result, _ string, _ error) (ouro.Result, string, error) {
		return res, "", ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "it recovers")
	})
	b := f.nodes["b"]
	b.own.Store(&flaw)
	f.mu.Lock()
	f.routes.Placement = 4
	f.mu.Unlock()
	began := time.Now()
	for i := 0; i < 2000 && b.copied.Load() == 0; i++ {
		_, _ = c.Get(t.Context(), f.key(i%10))
	}
	for i := range 300 {
		_, _ = c.Get(t.Context(), f.key(i%10))
	}
	if n, most := b.copied.Load(), 1+int64(time.Since(began)/(400*time.Millisecond)); n == 0 || n > most {
		t.Errorf("it was asked %d times, at most %d were due", n, most)
	}
	f.await("the ring is looked for", func() bool { r, _ := c.Ring(); return r.Placement == 4 })
}

// TestHotKeyIsOfTheKey: a node that refuses one key for being hot, or a request for what
// it asks, answers for its copies of others.
func TestHotKeyIsOfTheKey(t *testing.T) {
	f := coordinating(t, 3)
	c := f.connect([]string{"a"}, client.CoordinateReads(client.Itself))
	hot := f.key(0)
	flaw := ownCopy(func(n *fake, key ouro.Key, res ouro.Result, by string, err error) (ouro.Result, string, error) {
		if key == hot {
			return res, "", ouro.HotKeyError(key, n.id, 1)
		}
		return res, by, err
	})
	for _, n := range f.nodes {
		n.own.Store(&flaw)
	}
	for range 20 {
		for _, get := range []func() (ouro.Result, error){
			func() (ouro.Result, error) { return c.Get(t.Context(), hot) },
			func() (ouro.Result, error) { return c.Get(t.Context(), f.key(1), ouro.R(9)) },
		} {
			if _, err := get(); err == nil {
				t.Fatal("it shows something")
			}
		}
		before, _ := f.counts()
		if _, err := c.Get(t.Context(), f.key(1)); ouro.CodeOf(err) != ouro.NotFound {
			t.Fatal(err)
		}
		if after, _ := f.counts(); after == before {
			t.Fatal("nobody is asked for a copy of another key")
		}
	}
}

// TestCopyThatHangs: a replica that does not answer for its own copy delays a read, and
// fails none.
func TestCopyThatHangs(t *testing.T) {
	f := coordinating(t, 3)
	c := f.connect([]string{"a"}, client.CoordinateReads(client.Itself), client.AttemptTimeout(time.Minute))
	for i := range 10 {
		if _, err := c.Put(t.Context(), f.key(i), ouro.Value{Data: []byte("v")}); err != nil {
			t.Fatal(err)
		}
	}
	hung := f.nodes["b"].hangs(func(r *http.Request) bool { return r.URL.Query().Get("local") != "" })
	for i := 0; i < 2000 && hung.Load() < 3; i++ {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		res, err := c.Get(ctx, f.key(i%10))
		if err != nil || !bytes.Equal(res.Siblings[0].Data, []byte("v")) {
			t.Fatalf("%+v, %v", res, err)
		}
		cancel()
	}
	if hung.Load() == 0 {
		t.Error("no read met the copy that hangs")
	}
}

// TestWhicheverIsQuicker: a client coordinates reads where nodes take long to, and
// leaves them to nodes where copies take long to be told, as that changes.
func TestWhicheverIsQuicker(t *testing.T) {
	f := coordinating(t, 3)
	c := f.connect([]string{"a"}, client.Hedge(false))
	slow := func(local bool) {
		for _, n := range f.nodes {
			n.does(func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodGet && r.URL.Path != "/ring" && (r.URL.Query().Get("local") != "") == local {
					time.Sleep(20 * time.Millisecond)
				}
				return false
			})
		}
	}
	// most says whether most of a few reads were coordinated so.
	most := func(byClient bool) bool {
		_, before := f.counts()
		for i := range 32 {
			if _, err := c.Get(t.Context(), f.key(i)); ouro.CodeOf(err) != ouro.NotFound {
				t.Fatal(err)
			}
		}
		_, after := f.counts()
		return (after-before < 16) == byClient
	}
	slow(false)
	f.await("the client coordinates", func() bool { return most(true) })
	slow(true)
	f.await("nodes coordinate", func() bool { return most(false) })
	slow(false)
	f.await("the client coordinates again", func() bool { return most(true) })
}

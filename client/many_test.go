package client_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

func (f *fleet) items(n int) (keys []ouro.Key, items []ouro.Item) {
	for i := range n {
		keys = append(keys, f.key(i))
		items = append(items, ouro.Item{Key: f.key(i), Value: ouro.Value{Data: fmt.Append(nil, i)}})
	}
	return keys, items
}

// Several requests go to their replicas in groups: many more items than requests.
func TestManyGoInGroups(t *testing.T) {
	f := newFleet(t, 5)
	c := f.connect([]string{"a"}, client.AttemptTimeout(20*time.Second)) // a group that is given up goes on one by one
	keys, items := f.items(1000)
	for i, a := range c.PutMany(t.Context(), items, ouro.Blind()) {
		if a.Err != nil {
			t.Fatalf("put %d: %v", i, a.Err)
		}
	}
	for i, a := range c.GetMany(t.Context(), keys) {
		if a.Err != nil || string(a.Result.Siblings[0].Data) != fmt.Sprint(i) || a.Result.Coordinator != f.nodes[a.Result.Coordinator].coordinator(keys[i]) {
			t.Fatalf("get %d: %+v, %v", i, a.Result, a.Err)
		}
	}
	all := int64(0)
	for _, n := range f.nodes {
		all += n.asked.Load()
	}
	if all > 40 {
		t.Errorf("2000 items took %d requests", all)
	}
}

// Nodes that are down, that end their answers early, and that lose them after all was
// done cost no item, and store none twice.
func TestManySurvive(t *testing.T) {
	f := newFleet(t, 3)
	c := f.connect([]string{"a"}, client.AttemptTimeout(2*time.Second))
	f.nodes["a"].srv.Close()
	var lost, cut atomic.Int64
	b, n := f.nodes["b"], f.nodes["c"]
	b.does(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/many" {
			return false
		}
		lost.Add(1)
		b.does(nil)
		b.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	n.does(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/many" {
			return false
		}
		cut.Add(1)
		n.does(nil)
		rec := httptest.NewRecorder()
		n.ServeHTTP(rec, r)
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
		return true
	})
	_, items := f.items(150)
	for i, a := range c.PutMany(t.Context(), items, ouro.Blind()) {
		if a.Err != nil {
			t.Errorf("put %d: %v", i, a.Err)
		}
	}
	for i := range items {
		res, err := f.store.Get(t.Context(), items[i].Key)
		if err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != fmt.Sprint(i) {
			t.Errorf("%s: %+v, %v", items[i].Key, res.Siblings, err)
		}
	}
	if lost.Load() == 0 || cut.Load() == 0 {
		t.Errorf("%d answers lost, %d cut", lost.Load(), cut.Load())
	}
}

// Without a context several puts read first, as one does.
func TestManyReadFirst(t *testing.T) {
	f := newFleet(t, 3)
	c := f.connect([]string{"a"})
	keys, items := f.items(20)
	for range 2 {
		for _, a := range c.PutMany(t.Context(), items) {
			if a.Err != nil {
				t.Fatal(a.Err)
			}
		}
	}
	for _, a := range c.GetMany(t.Context(), keys) {
		if a.Err != nil || len(a.Result.Siblings) != 1 {
			t.Fatalf("%+v, %v", a.Result, a.Err)
		}
	}
}

// One item that no node takes costs the others nothing.
func TestManyWithOneThatIsRefused(t *testing.T) {
	f := newFleet(t, 3)
	one, err := client.New(f.nodes["b"].srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, items := f.items(30)
	items[7].Value.ContentType = strings.Repeat("x", 300)
	for name, b := range map[string]ouro.Batcher{"cluster": f.connect([]string{"a"}), "client": one} {
		for i, a := range b.PutMany(t.Context(), items, ouro.Blind()) {
			want := ouro.Code("")
			if i == 7 {
				want = ouro.BadRequest
			}
			if ouro.CodeOf(a.Err) != want {
				t.Errorf("%s, item %d: %v", name, i, a.Err)
			}
		}
	}
}

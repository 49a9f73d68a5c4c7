package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/frontend/web"
	"github.com/ourodb/ouro/internal/oracle"
)

// Nothing that anybody adds is lost, though all add at once and every third answer is
// lost on its way.
func TestNothingAddedIsLost(t *testing.T) {
	inner := web.New(web.Config{}, oracle.New(oracle.Config{}))
	var n atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && n.Add(1)%3 == 0 {
			inner.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		inner.ServeHTTP(w, r)
	}))
	defer srv.Close()
	cluster, err := client.Connect([]string{srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	carts, want := Carts(cluster), Cart{"milk": 1}
	var wg sync.WaitGroup
	for shopper := range 5 {
		for i := range 6 {
			want[fmt.Sprintf("item %d of %d", i, shopper)] = i + 1
		}
		wg.Go(func() {
			for i := range 6 {
				if _, err := Add(t.Context(), carts, "alice", fmt.Sprintf("item %d of %d", i, shopper), i+1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got, err := Add(t.Context(), carts, "alice", "milk", 1)
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("in the cart are %v, %v", got, err)
	}
	if got, err = Remove(t.Context(), carts, "alice", "milk"); err != nil || got["milk"] != 0 || len(got) != len(want)-1 {
		t.Errorf("without milk there are %v, %v", got, err)
	}
}

// The merge has no order, and contains all that any version has.
func TestMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		carts := rapid.SliceOfN(rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.IntRange(1, 5)), 1, 4).Draw(t, "carts")
		var versions []Cart
		for _, c := range carts {
			versions = append(versions, c)
		}
		all, _ := merge(versions)
		for _, v := range versions {
			for item, n := range v {
				if all[item] < n {
					t.Fatalf("%v lacks what %v has", all, v)
				}
			}
		}
		slices.Reverse(versions)
		first, _ := merge(versions[:1])
		rest, _ := merge(versions[1:])
		again, _ := merge([]Cart{rest, first})
		if !maps.Equal(all, again) {
			t.Fatalf("%v in one order, %v in another", all, again)
		}
	})
}

package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ourodb/ouro/internal/store"
)

func testSetGetDelete(t *testing.T, s Subject) {
	e := open(t, s)
	wantNone(t, e, "a")
	set(t, e, "a", "1", "b", "2")
	want(t, e, "a", "1")
	want(t, e, "b", "2")
	set(t, e, "a", "3")
	want(t, e, "a", "3")
	apply(t, e, func(b *store.Batch) { b.Delete([]byte("a")); b.Delete([]byte("never there")) })
	wantNone(t, e, "a")
	want(t, e, "b", "2")
}

func testOddKeysAndValues(t *testing.T, s Subject) {
	e := open(t, s)
	big := make([]byte, 1<<20)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range big {
		big[i] = byte(random.Uint32())
	}
	pairs := []string{
		"empty", "", "\x00", "nul", "\x00\x00", "nul nul", "a\x00b", "\x00\xff\x00", "\xff\xff", "high",
		strings.Repeat("k", 1100), "long key", "big", string(big),
	}
	set(t, e, pairs...)
	for i := 0; i < len(pairs); i += 2 {
		want(t, e, pairs[i], pairs[i+1])
	}
	wantNone(t, e, "a")
	wantNone(t, e, "a\x00")
}

func testRange(t *testing.T, s Subject) {
	e := open(t, s)
	set(t, e, "b", "2", "a", "1", "d", "4", "c", "3", "b\x00", "2.5", "\xff", "last")
	for _, c := range []struct {
		lo, hi []byte
		want   []string
	}{
		{nil, nil, []string{"a", "b", "b\x00", "c", "d", "\xff"}},
		{[]byte("b"), nil, []string{"b", "b\x00", "c", "d", "\xff"}},
		{nil, []byte("c"), []string{"a", "b", "b\x00"}},
		{[]byte("b"), []byte("d"), []string{"b", "b\x00", "c"}},
		{[]byte("b\x01"), []byte("c\x00"), []string{"c"}},
		{[]byte("c"), []byte("c"), []string{}},
		{[]byte("d"), []byte("a"), []string{}},
		{[]byte("e"), []byte("f"), []string{}},
	} {
		if got := keys(t, e, c.lo, c.hi); !slices.Equal(got, c.want) {
			t.Errorf("range %q %q: %q, want %q", c.lo, c.hi, got, c.want)
		}
	}
	var seen []string
	err := e.Range(nil, nil, func(key, value []byte) bool {
		seen = append(seen, string(key)+"="+string(value))
		return len(seen) < 2
	})
	if err != nil || !slices.Equal(seen, []string{"a=1", "b=2"}) {
		t.Errorf("range that stops after two: %q, error %v", seen, err)
	}
}

func testRangeSeesOneMoment(t *testing.T, s Subject) {
	e := open(t, s)
	set(t, e, "a", "1", "b", "1", "c", "1")
	var seen []string
	err := e.Range(nil, nil, func(key, value []byte) bool {
		if len(seen) == 0 {
			apply(t, e, func(b *store.Batch) {
				b.Set([]byte("b"), []byte("2"))
				b.Delete([]byte("c"))
				b.Set([]byte("d"), []byte("2"))
			})
			want(t, e, "b", "2") // a get within a range sees the present
		}
		seen = append(seen, string(key)+"="+string(value))
		return true
	})
	if err != nil || !slices.Equal(seen, []string{"a=1", "b=1", "c=1"}) {
		t.Errorf("range over changing data: %q, error %v", seen, err)
	}
}

func testLaterChangesSeeEarlier(t *testing.T, s Subject) {
	e := open(t, s)
	set(t, e, "k2", "old", "k5", "old")
	apply(t, e, func(b *store.Batch) {
		b.Set([]byte("k1"), []byte("first"))
		b.Set([]byte("k1"), []byte("second"))
		b.Set([]byte("k3"), []byte("gone"))
		b.Delete([]byte("k3"))
		b.Set([]byte("k4"), []byte("gone"))
		b.DeleteRange([]byte("k2"), []byte("k6"))
		b.Set([]byte("k5"), []byte("after"))
	})
	if got := keys(t, e, nil, nil); !slices.Equal(got, []string{"k1", "k5"}) {
		t.Errorf("keys %q", got)
	}
	want(t, e, "k1", "second")
	want(t, e, "k5", "after")
}

func testDeleteRange(t *testing.T, s Subject) {
	e := open(t, s)
	var pairs []string
	for i := range 100 {
		pairs = append(pairs, fmt.Sprintf("%02d", i), "v")
	}
	set(t, e, pairs...)
	apply(t, e, func(b *store.Batch) {
		b.DeleteRange([]byte("10"), []byte("90"))
		b.DeleteRange([]byte("95"), []byte("95")) // empty
		b.DeleteRange([]byte("99"), []byte("00")) // backwards: empty
		b.DeleteRange([]byte("91"), nil)          // no key is below the empty one
	})
	got := keys(t, e, nil, nil)
	if len(got) != 20 || got[9] != "09" || got[10] != "90" {
		t.Errorf("left: %q", got)
	}
	wantNone(t, e, "10")
	want(t, e, "90", "v")
	set(t, e, "50", "new")
	want(t, e, "50", "new")
}

func testUnknownChange(t *testing.T, s Subject) {
	e := open(t, s)
	var b store.Batch
	b.Set([]byte("a"), []byte("1"))
	b.Changes = append(b.Changes, store.Change{Op: 99, Key: []byte("b")})
	if err := e.Apply(&b, func(error) { t.Error("synced was called for a refused batch") }); err == nil {
		t.Error("a batch with an unknown change was taken")
	}
	wantNone(t, e, "a")
}

func testBatchReuse(t *testing.T, s Subject) {
	e := open(t, s)
	var b store.Batch
	synced := make(chan error, 100)
	key, value := make([]byte, 2), make([]byte, 64)
	for i := range 100 {
		b.Reset()
		key[0], key[1] = byte('a'+i/10), byte('0'+i%10)
		for j := range value {
			value[j] = byte(i)
		}
		b.SetShared(key, value)
		if err := e.Apply(&b, func(err error) { synced <- err }); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		if err := <-synced; err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		want(t, e, string([]byte{byte('a' + i/10), byte('0' + i%10)}), strings.Repeat(string([]byte{byte(i)}), 64))
	}
}

// testSynced checks that callbacks come once each, in the order of the calls,
// also for a batch without changes.
func testSynced(t *testing.T, s Subject) {
	e := open(t, s)
	const n = 300
	order := make(chan int, 2*n)
	var b store.Batch
	for i := range n {
		b.Reset()
		if i%7 != 0 {
			b.Set(fmt.Appendf(nil, "%03d", i), []byte("v"))
		}
		err := e.Apply(&b, func(err error) {
			if err != nil {
				t.Errorf("sync of batch %d: %v", i, err)
			}
			order <- i
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if got := <-order; got != i {
			t.Fatalf("callback %d is of batch %d", i, got)
		}
	}
	if len(order) > 0 {
		t.Errorf("%d callbacks too many", len(order))
	}
}

// testManyCallers checks that callers on several goroutines get their callbacks
// in the order of their own calls, while others read.
func testManyCallers(t *testing.T, s Subject) {
	e := open(t, s)
	const callers, n = 4, 100
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			synced := make(chan int, n)
			for i := range n {
				var b store.Batch
				key := fmt.Appendf(nil, "%d-%03d", c, i)
				b.Set(key, []byte("v"))
				if err := e.Apply(&b, func(error) { synced <- i }); err != nil {
					t.Error(err)
					return
				}
				want(t, e, string(key), "v")
			}
			for i := range n {
				if got := <-synced; got != i {
					t.Errorf("caller %d: callback %d is of batch %d", c, i, got)
				}
			}
		})
	}
	for range 20 {
		keys(t, e, nil, nil)
	}
	all.Wait()
	if got := keys(t, e, nil, nil); len(got) != callers*n {
		t.Errorf("%d keys, want %d", len(got), callers*n)
	}
}

func testUsage(t *testing.T, s Subject) {
	e := open(t, s)
	set(t, e, "a", strings.Repeat("v", 10000))
	u, err := e.Usage()
	if err != nil || u.DiskBytes <= 0 || u.FreeBytes < -1 || u.FreeBytes == 0 {
		t.Errorf("usage %+v, error %v", u, err)
	}
}

package hot

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/ring"
)

func key(i int) *ring.Key {
	k := ring.NewKey("b", fmt.Sprint(i))
	return &k
}

func at(d time.Duration) clock.Now { return clock.Now{Mono: d} }

// TestCountsExactly: whatever begins and ends, a key has as many requests under way as
// began and did not end, never more than it may, is refused nothing before that, and
// leaves nothing behind.
func TestCountsExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 5).Draw(t, "most")
		k, model, refused := New(most), map[int]int{}, uint64(0)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			i := rapid.IntRange(0, 5).Draw(t, "key")
			if rapid.Bool().Draw(t, "end") && model[i] > 0 {
				k.End(key(i).Pos)
				model[i]--
				continue
			}
			if got, want := k.Begin(at(0), key(i)), model[i] < most; got != want {
				t.Fatalf("key %d with %d of %d under way: let in %v", i, model[i], most, got)
			} else if got {
				model[i]++
			} else {
				refused++
			}
		}
		sum := 0
		for i, n := range model {
			sum += n
			for range n {
				k.End(key(i).Pos)
			}
		}
		if st := k.Status(at(0)); st.Refused != refused {
			t.Fatalf("%d refused, of %d", st.Refused, refused)
		}
		if k.UnderWay() != 0 || len(k.flights) != 0 {
			t.Fatalf("%d of %d are left", k.UnderWay(), sum)
		}
	})
}

// TestSketchBounds: what the sketch says of a key is no more than the truth, less by no
// more than one in [Entries] of all, and it follows every key that has more than that.
func TestSketchBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c counts
		truth := map[ring.Position]uint64{}
		keys := rapid.IntRange(1, 4*Entries).Draw(t, "keys")
		for range rapid.IntRange(0, 600).Draw(t, "requests") {
			i := rapid.IntRange(0, keys).Draw(t, "key") * rapid.IntRange(0, 1).Draw(t, "others")
			n := uint64(rapid.IntRange(1, 3).Draw(t, "n"))
			c.note(key(i), n, n/2)
			truth[key(i).Pos] += n
		}
		slack := c.all / Entries
		for pos, n := range truth {
			i := c.find(pos)
			if i < 0 {
				if n > slack {
					t.Fatalf("a key with %d of %d requests is not followed", n, c.all)
				}
				continue
			}
			e := &c.entries[i]
			if e.key.Pos != pos || c.n[i]-e.over > n || c.n[i] < n || e.over > slack || e.refused > n {
				t.Fatalf("%d and %+v of a key with %d requests of %d", c.n[i], e, n, c.all)
			}
		}
	})
}

// TestForgets: a key that was hot is named for up to two generations, at its rate, and
// then no more.
func TestForgets(t *testing.T) {
	k := New(1000)
	for i := range 20_000 {
		k.Begin(at(time.Duration(i)*100*time.Microsecond), key(1+i%2))
		k.End(key(1 + i%2).Pos)
	}
	st := k.Status(at(2 * time.Second))
	if len(st.Keys) != 2 || st.Keys[0].Rate != 5000 || st.Keys[1].Rate != 5000 {
		t.Fatalf("%+v", st)
	}
	if st = k.Status(at(generation + time.Second)); len(st.Keys) != 2 || st.Keys[0].Rate >= 2000 {
		t.Fatalf("a generation later: %+v", st)
	}
	if st = k.Status(at(2*generation + time.Second)); len(st.Keys) != 0 {
		t.Fatalf("two generations later: %+v", st)
	}
	for range 200 { // after a long silence the rate is not that of a moment
		k.Begin(at(time.Hour), key(1))
	}
	if st = k.Status(at(time.Hour)); len(st.Keys) != 0 {
		t.Fatalf("%+v", st)
	}
}

// TestNamed: keys that are refused come first, then those with most requests; none that
// is like many others.
func TestNamed(t *testing.T) {
	k := New(2)
	for i := range 3000 {
		if k.Begin(at(0), key(100+i%20)) {
			k.End(key(100 + i%20).Pos)
		}
		if i%4 == 0 && k.Begin(at(0), key(1)) {
			k.End(key(1).Pos)
		}
	}
	for range 3 {
		k.Begin(at(0), key(2))
	}
	k.Refuse(at(0), key(3), 9)
	st := k.Status(at(time.Second))
	var names []string
	for _, key := range st.Keys {
		names = append(names, key.Name)
	}
	if fmt.Sprint(names) != "[3 2 1]" || st.Keys[0].Refused != 9 || st.Keys[1].Refused != 1 || st.Refused != 10 {
		t.Fatalf("%v: %+v", names, st)
	}
	for i := range 10 {
		k.Refuse(at(time.Second), key(1000+i), 5)
	}
	if st = k.Status(at(time.Second)); len(st.Keys) != Named {
		t.Fatalf("%d keys are named", len(st.Keys))
	}
}

func TestMost(t *testing.T) {
	for places, want := range map[int]int{1: 16, 16: 16, 100: 16, 128: 16, 4096: 512} {
		if got := Most(places); got != want {
			t.Errorf("of %d places one key may have %d, not %d", places, got, want)
		}
	}
}

// BenchmarkKeys is what counting costs a request: one of many keys, the worst case for the
// sketch, and one hot key.
func BenchmarkKeys(b *testing.B) {
	for _, keys := range []int{1, 10_000} {
		b.Run(fmt.Sprint(keys), func(b *testing.B) {
			k, all := New(512), make([]*ring.Key, keys)
			for i := range all {
				all[i] = key(i)
			}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if k.Begin(at(time.Duration(i)*time.Microsecond), all[i%keys]) {
					k.End(all[i%keys].Pos)
				}
				i++
			}
		})
	}
}

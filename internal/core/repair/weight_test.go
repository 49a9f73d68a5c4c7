package repair_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/core/repair"
	"github.com/ourodb/ouro/internal/core/replica"
)

// TestHeavyStates: light states are exchanged many at a time, heavy ones few, and the
// first of all alone, as nobody knows what they weigh: a link drops what is beyond what
// may wait for it, and whoever asked would wait in vain.
func TestHeavyStates(t *testing.T) {
	for _, c := range []struct {
		name     string
		size     int
		number   uint64 // not 0: the partition moves
		from, to int    // the most that are on their way
	}{
		{"light", 100, 0, 4, 8},
		{"light, of a move", 100, 3, 16, 32},
		{"heavy", 3 << 20, 0, 2, 2},
		{"heavy, of a move", 3 << 20, 3, 2, 2},
		{"one that is heavier than all may be", 20 << 20, 0, 1, 1},
	} {
		b := newBench(t, repair.Config{Off: true, Rate: 1 << 40, MoveRate: 1 << 40})
		b.a.page, b.b.page = 512, 512
		b.wish.Number, b.number, b.own = c.number, c.number, c.number
		value := strings.Repeat("v", c.size)
		keys := min(100, max(6, 24<<20/c.size))
		for i := range keys {
			b.b.put(k(fmt.Sprint("x/", i)), value)
		}
		first, most := 0, 0
		b.asked = func(verb replica.Verb) {
			if verb != replica.Read {
				return
			}
			b.reads++
			most = max(most, b.reads-b.b.reads)
			if b.b.reads == 0 {
				first = b.reads
			}
		}
		if o := b.run(); !o.Complete || o.Pulled != keys {
			t.Errorf("%s: %+v", c.name, o)
		}
		if first != 1 || most < c.from || most > c.to {
			t.Errorf("%s: %d at first, then %d at a time, want 1 and %d to %d", c.name, first, most, c.from, c.to)
		}
	}
}

package sim

import (
	"strings"
	"testing"

	"github.com/ourodb/ouro"
)

// A replica that is to have one version may show many that it replaces: who compares has
// to read them, and what that may cost follows from how much they are (seed 1495 of the
// ring among faults).
func TestWhatAReplicaLacksMayReplaceMuch(t *testing.T) {
	w := newWorld(t, Config{})
	key := keyIn("b", "k")
	for range 20 {
		must(t, w.Put("A", key, text(strings.Repeat("v", 100)), ouro.W(3)))
	}
	seen := must(t, w.Get("A", key))
	w.Cut("C", "A")
	w.Cut("C", "B")
	must(t, w.Put("A", key, text("all of them"), ouro.WithContext(seen.Context)))
	records, size, most := w.lackingOf(key)
	if records != 1 || size > 200 || most < 2000 {
		t.Errorf("%d records of %d bytes, the largest %d", records, size, most)
	}
}

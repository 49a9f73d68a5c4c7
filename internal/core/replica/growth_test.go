package replica_test

import (
	"fmt"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/effort"
)

// Table 1 (7.1): the size of a version does not depend on how often it was updated.
// Three replicas take 100,000 updates in turns, each with what the one before showed:
// the record is as large as after ten, but for the counters' own digits.
func TestPaper_7_1_AHundredThousandUpdates(t *testing.T) {
	var disks [3]*disk
	for i := range disks {
		disks[i] = newDisk(t, replica.Config{Run: uint64(i + 1)})
	}
	updates := 100_000
	if effort.Small() {
		updates /= 10
	}
	var seen causal.Claims
	early := 0
	for i := 1; i <= updates; i++ {
		at := disks[i%3]
		at.put(fmt.Sprintf("value %06d", i), seen)
		state := at.canonical()
		for _, d := range disks {
			if d.facts = d.facts[:0]; d != at {
				d.join(state)
			}
		}
		seen = at.state().Claims
		if i == 10 {
			early = len(at.record)
		}
	}
	for _, d := range disks {
		if s := d.state(); len(s.Versions) != 1 || len(s.Vector) != 3 || len(s.Exceptions) != 0 {
			t.Errorf("there are %d versions, %d entries and %d exceptions", len(s.Versions), len(s.Vector), len(s.Exceptions))
		}
	}
	late := len(disks[0].record)
	t.Logf("%d bytes after ten updates, %d after %d", early, late, updates)
	// A counter of 33,333 takes two bytes more than one of 3, a dot as many.
	if late-early > 3*2+2+2 {
		t.Errorf("the record grew by %d bytes", late-early)
	}
}

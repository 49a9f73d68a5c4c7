package sim

import (
	"errors"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/steward"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
)

// stands returns what an engine says of the epochs.
func stands(e store.Engine) (found reap.Disk, err error) {
	const origin = 16 // whose they are comes first
	var damaged error
	if _, err = e.Get(store.NoteKey(byte(steward.EpochNote)), func(v []byte) { found.Durable, damaged = reap.DecodeDurable(v[origin:]) }); err == nil {
		found.Holds, err = disk.Holds(e)
	}
	return found, errors.Join(err, damaged)
}

// reapedBeside returns a world in which a value was deleted and reaped, and a
// disk of C of before that, from when no node had begun an epoch. Alone: it is of
// before C had heard of any other node, too.
func reapedBeside(t *testing.T, alone bool) (*World, OldDisk) {
	t.Helper()
	w := newReapingWorld(t, Config{Compare: true})
	at, enough := ring.NodeID("A"), ouro.W(3)
	if alone {
		w.Cut("C", "A")
		w.Cut("C", "B")
		at, enough = "C", ouro.W(1)
	}
	put := must(t, w.Put(at, key, text("milk"), enough))
	w.RunFor(100 * time.Millisecond)
	old := w.CopyDisk("C")
	found, err := stands(old.data)
	if err != nil || found.Epoch != 0 || !found.Holds {
		t.Fatalf("the image has epoch %d and holds anything: %v, %v", found.Epoch, found.Holds, err)
	}
	if alone {
		w.Heal("C", "A")
		w.Heal("C", "B")
		w.RunFor(10 * time.Second)
	}
	w.Crash("C")
	w.Restart("C") // another start, which the others see: they know the old copy for one
	w.RunFor(time.Second)
	must(t, w.Delete("A", key, ouro.WithContext(put.Context)))
	w.RunFor(time.Minute)
	w.gone(t, key)
	return w, old
}

// An image of a disk from before its node's first epoch is put back after what it
// holds was deleted and reaped. Nobody but the others can tell it from a disk that
// is new, and they do: it is set aside, and what was deleted stays so (RULES R22).
func TestRules_R22_ImageOfBeforeTheFirstEpoch(t *testing.T) {
	for _, alone := range []bool{false, true} {
		for _, marked := range []bool{false, true} {
			w, old := reapedBeside(t, alone)
			w.Crash("C")
			w.PutBack("C", old, marked)
			w.Restart("C")
			w.RunFor(5 * time.Minute)
			w.gone(t, key)
			for _, id := range []ring.NodeID{"A", "B", "C"} {
				w.shows(t, id, key)
			}
			if w.Recovering("C") {
				t.Errorf("alone %v, marked %v: C is not current after five minutes", alone, marked)
			}
		}
	}
}

// A disk that is new knows no epoch either, and is not taken for an old copy, also
// where it took a write before it met another node. It is told then that it is
// another disk, and begins again with that write on it.
func TestNewDiskIsNoOldCopy(t *testing.T) {
	w, _ := reapedBeside(t, false)
	w.Crash("C")
	w.Cut("C", "A")
	w.Cut("C", "B")
	w.Wipe("C")
	w.Restart("C")
	must(t, w.Put("C", keyIn("b", "own"), text("taken by a new disk"), ouro.W(1)))
	w.Heal("C", "A")
	w.Heal("C", "B")
	w.RunFor(5 * time.Minute)
	w.shows(t, "A", keyIn("b", "own"), "taken by a new disk")
	found, err := stands(w.mustID("C").disk)
	if err != nil || found.Epoch == 0 || w.Recovering("C") {
		t.Errorf("C is in epoch %d and recovers %v: %v", found.Epoch, w.Recovering("C"), err)
	}
}

package pebble_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/pebble"
)

// crashImage is what a crash left, and how many batches had been told synced
// before it.
type crashImage struct {
	fs     *vfs.MemFS
	synced uint64
}

// TestCrashKeepsWhatWasSynced crashes a busy store at random moments: every
// batch whose callback had come is there, whole, and so are all before it.
func TestCrashKeepsWhatWasSynced(t *testing.T) {
	for _, percent := range []int{0, 50} {
		t.Run(fmt.Sprintf("%d percent of the rest", percent), func(t *testing.T) {
			const batches = 1500
			random := rand.New(rand.NewPCG(7, uint64(percent)))
			fs := newCrashFS(errorfs.InjectorFunc(func(errorfs.Op) error { return nil }))
			// Small memtables: flushes and new logs fall between the crashes.
			e, err := pebble.Open("/s", pebble.Options{FS: fs, MemTableBytes: 64 << 10})
			if err != nil {
				t.Fatal(err)
			}
			var synced atomic.Uint64
			var images []crashImage
			var b store.Batch
			for i := uint64(1); i <= batches; i++ {
				fillBatch(&b, i)
				if err := e.Apply(&b, func(err error) {
					if err != nil {
						t.Error(err)
					}
					synced.Store(i)
				}); err != nil {
					t.Fatal(err)
				}
				if random.IntN(batches/12) == 0 {
					before := synced.Load()
					images = append(images, crashImage{fs.crash(percent, random), before})
				}
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			if synced.Load() != batches {
				t.Fatalf("%d of %d batches synced", synced.Load(), batches)
			}
			images = append(images, crashImage{fs.crash(0, nil), batches})
			for _, image := range images {
				checkImage(t, image, percent)
			}
		})
	}
}

// fillBatch makes batch i: a pair of keys of its own and one counter.
func fillBatch(b *store.Batch, i uint64) {
	b.Reset()
	value := make([]byte, 8, 8+i%2000)
	binary.BigEndian.PutUint64(value, i)
	value = value[:cap(value)]
	b.Set(fmt.Appendf(nil, "a%06d", i), value)
	b.Set([]byte("counter"), value[:8])
	b.Set(fmt.Appendf(nil, "z%06d", i), value)
}

func checkImage(t *testing.T, image crashImage, percent int) {
	e, err := pebble.Open("/s", pebble.Options{FS: image.fs})
	if err != nil {
		t.Errorf("after a crash at %d: %v", image.synced, err)
		return
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	var last uint64
	if _, err := e.Get([]byte("counter"), func(v []byte) { last = binary.BigEndian.Uint64(v) }); err != nil {
		t.Error(err)
	}
	if last < image.synced {
		t.Errorf("%d percent: batch %d was synced, the last after the crash is %d", percent, image.synced, last)
	}
	for _, family := range []string{"a", "z"} {
		next := uint64(1)
		err := e.Range([]byte(family), []byte(family+"\xff"), func(k, v []byte) bool {
			if want := fmt.Sprintf("%s%06d", family, next); string(k) != want || binary.BigEndian.Uint64(v) != next {
				t.Errorf("found %q, want %s: a batch is missing before batch %d", k, want, last)
				return false
			}
			next++
			return true
		})
		if err != nil || next != last+1 {
			t.Errorf("family %s ends at %d, the counter at %d, error %v", family, next-1, last, err)
		}
	}
}

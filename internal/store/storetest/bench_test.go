package storetest_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/bolt"
	"github.com/ourodb/ouro/internal/store/memory"
	"github.com/ourodb/ouro/internal/store/pebble"
)

// BenchmarkEngines is the table in docs/operate/engines.md: every engine with
// objects of several sizes, 64 MiB of them or 50,000; written over at random, 32 at a
// time, each a batch of its own that is waited for until it is synced; then read at
// random. It reports the CPU time of the process per object and what is on disk for
// each byte that is stored.
func BenchmarkEngines(b *testing.B) {
	engines := []struct {
		name string
		open func(dir string) (store.Engine, error)
	}{
		{"pebble", func(dir string) (store.Engine, error) { return pebble.Open(dir, pebble.Options{}) }},
		{"bbolt", func(dir string) (store.Engine, error) { return bolt.Open(dir, bolt.Options{}) }},
		{"memory+pebble", func(dir string) (store.Engine, error) {
			e, err := pebble.Open(dir, pebble.Options{})
			if err != nil {
				return nil, err
			}
			return memory.NewOver(e, 0)
		}},
		{"memory", func(string) (store.Engine, error) { return memory.New(memory.Options{}), nil }},
	}
	for _, size := range []int{100, 1 << 10, 16 << 10, 256 << 10, 4 << 20} {
		for _, en := range engines {
			b.Run(fmt.Sprintf("size=%d/engine=%s", size, en.name), func(b *testing.B) {
				e, err := en.open(filepath.Join(b.TempDir(), "store"))
				if err != nil {
					b.Fatal(err)
				}
				benchEngine(b, e, size)
				if err := e.Close(); err != nil {
					b.Error(err)
				}
			})
		}
	}
}

func benchEngine(b *testing.B, e store.Engine, size int) {
	objects := min(50_000, 64<<20/size)
	value := make([]byte, size)
	for i := range value {
		value[i] = byte(rand.Uint32())
	}
	const writers = 32
	write := func(n int) float64 {
		before := cpuMicros(b)
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for i := w; i < n; i += writers {
					setSynced(b, e, rand.IntN(objects), value)
				}
			})
		}
		all.Wait()
		return float64(cpuMicros(b)-before) / float64(n)
	}
	write(objects)
	for b.Loop() { // one turn says all
		b.ReportMetric(write(2*objects), "write-cpu-us/op")
		before := cpuMicros(b)
		for range 2 * objects {
			if _, err := e.Get(name(rand.IntN(objects)), func([]byte) {}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(cpuMicros(b)-before)/float64(2*objects), "read-cpu-us/op")
	}
	stored := int64(0)
	if err := e.Range(nil, nil, func(k, v []byte) bool { stored += int64(len(k) + len(v)); return true }); err != nil {
		b.Fatal(err)
	}
	u, err := e.Usage()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(u.DiskBytes)/float64(stored), "disk-B/B")
}

func name(i int) []byte { return fmt.Appendf(nil, "key-of-an-object-%08d", i) }

func setSynced(b *testing.B, e store.Engine, i int, value []byte) {
	var batch store.Batch
	batch.SetShared(name(i), value)
	synced := make(chan error, 1)
	if err := e.Apply(&batch, func(err error) { synced <- err }); err != nil {
		b.Error(err)
		return
	}
	if err := <-synced; err != nil {
		b.Error(err)
	}
}

// cpuMicros is the CPU time that this process has used.
func cpuMicros(b *testing.B) int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return (u.Utime.Sec+u.Stime.Sec)*1e6 + u.Utime.Usec + u.Stime.Usec
}

package pebble_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/pebble"
)

// BenchmarkSyncedSets is the floor under every durable put: 1 KiB values, one
// batch each, acknowledged after the log has synced, with so many writers at a
// time. It reports the CPU time of the process per value; docs/benchmarks.md
// compares a cluster's put with three of them.
func BenchmarkSyncedSets(b *testing.B) {
	for _, writers := range []int{1, 32} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			e, err := pebble.Open(b.TempDir(), pebble.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			value := make([]byte, 1024)
			for i := range value {
				value[i] = byte(rand.Uint32())
			}
			b.ResetTimer()
			before := cpuMicros(b)
			var done sync.WaitGroup
			for w := range writers {
				done.Add(1)
				go func() {
					defer done.Done()
					for i := w; i < b.N; i += writers {
						setSynced(b, e, value)
					}
				}()
			}
			done.Wait()
			b.ReportMetric(float64(cpuMicros(b)-before)/float64(b.N), "cpu-us/op")
		})
	}
}

func setSynced(b *testing.B, e *pebble.Engine, value []byte) {
	var batch store.Batch
	batch.Set(fmt.Append(nil, "key", rand.IntN(200_000)), value)
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

package disk_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/disk"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/memory"
	"github.com/ourodb/ouro/internal/store/pebble"
)

const (
	benchKeys  = 20000
	benchValue = 1024
)

// BenchmarkRun measures runs of 1, 8 and 32 operations on records of 1 KiB.
// "nosync" keeps pebble's files in memory, where a sync costs nothing. Read
// cpu-ns per op as well as ns: it includes syncs, flushes and compactions.
func BenchmarkRun(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func(b *testing.B) store.Engine
	}{
		{"memory", func(*testing.B) store.Engine { return memory.New(memory.Options{}) }},
		{"pebble-nosync", func(b *testing.B) store.Engine { return openPebble(b, "/s", pebble.Options{FS: vfs.NewMem()}) }},
		{"pebble", func(b *testing.B) store.Engine {
			return openPebble(b, filepath.Join(b.TempDir(), "s"), pebble.Options{})
		}},
	} {
		for _, verb := range []replica.Verb{replica.Write, replica.Join, replica.Read} {
			for _, n := range []int{1, 8, 32} {
				name := fmt.Sprintf("%s/%s/%d", engine.name, [...]string{replica.Write: "write", replica.Join: "join", replica.Read: "read"}[verb], n)
				b.Run(name, func(b *testing.B) { benchRun(b, engine.open(b), verb, n) })
			}
		}
	}
}

func openPebble(b *testing.B, dir string, o pebble.Options) store.Engine {
	e, err := pebble.Open(dir, o)
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// benchHost drives a runner as a shard's loop does, with a bounded number of
// batches in flight.
type benchHost struct {
	b       *testing.B
	runner  *disk.Runner
	synced  chan posted
	flying  int
	answers []replica.Answer
	facts   []fact.Fact
	failed  int
}

// inFlight is how many batches are unsynced at most: as many as a busy shard
// has.
const inFlight = 8

func newBenchHost(b *testing.B, e store.Engine) *benchHost {
	h := &benchHost{b: b, synced: make(chan posted, inFlight+1)}
	h.runner = disk.New(disk.Config{}, e, replica.New(replica.Config{Run: 1, Seed: 9}), func(seq uint64, err error) {
		h.synced <- posted{seq, err}
	})
	return h
}

func (h *benchHost) run(ops []replica.Op) {
	if err := h.runner.Run(clock.Now{Wall: 1000}, ops, &h.answers, &h.facts); err != nil {
		h.b.Fatal(err)
	}
	if ops[0].Verb != replica.Read {
		h.flying++
	}
	for h.flying >= inFlight || len(h.synced) > 0 {
		h.sync()
	}
	for i := range h.answers {
		if h.answers[i].Status == replica.Failed {
			h.failed++
		}
	}
	h.answers, h.facts = h.answers[:0], h.facts[:0]
}

func (h *benchHost) sync() {
	p := <-h.synced
	h.runner.Synced(p.seq, p.err, &h.answers)
	h.flying--
}

// drain waits for all syncs.
func (h *benchHost) drain() {
	for h.flying > 0 {
		h.sync()
	}
}

func benchRun(b *testing.B, e store.Engine, verb replica.Verb, n int) {
	const chunk = 3200
	h := newBenchHost(b, e)
	keys := make([]ring.Key, benchKeys)
	for i := range keys {
		keys[i] = key(fmt.Sprintf("user%016d", i))
	}
	value := make([]byte, benchValue)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range value {
		value[i] = byte(random.IntN(16)) // half compressible
	}
	first := verb
	if verb == replica.Read {
		first = replica.Write
	}
	var ops []replica.Op
	for i := range keys {
		if ops = append(ops, benchOp(first, keys[i], value, 1)); len(ops) == 100 {
			h.run(ops)
			ops = ops[:0]
		}
	}
	h.drain()
	b.ReportAllocs()
	b.ResetTimer()
	var used time.Duration
	for i := 0; i < b.N; i += chunk {
		b.StopTimer()
		ops = ops[:0]
		for j := i; j < min(i+chunk, b.N); j++ {
			ops = append(ops, benchOp(verb, keys[random.IntN(len(keys))], value, uint64(j+2)))
		}
		b.StartTimer()
		before := cpu(b)
		for rest := ops; len(rest) > 0; rest = rest[min(n, len(rest)):] {
			h.run(rest[:min(n, len(rest))])
		}
		h.drain()
		used += cpu(b) - before
	}
	b.StopTimer()
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
	if h.failed > 0 {
		b.Fatalf("%d operations failed", h.failed)
	}
	b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
}

// benchOp makes an operation that leaves one version in the record.
func benchOp(verb replica.Verb, k ring.Key, value []byte, i uint64) replica.Op {
	op := replica.Op{ID: i, Verb: verb, Key: k, Full: true}
	switch verb {
	case replica.Write:
		op.Mint = &replica.Mint{LWW: true, Value: value}
	case replica.Join:
		actor := causal.Actor{Run: 7, Life: 1}
		s := causal.State{
			Claims:   causal.Claims{Vector: []causal.Entry{{Actor: actor, N: i, Time: 1000}}},
			Versions: []causal.Version{{Dot: causal.Dot{Actor: actor, N: i}, Value: value, Sum: causal.Sum{Hi: i}}},
		}
		op.State = s.Append(nil)
	}
	return op
}

// cpu returns the user and system time of this process.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

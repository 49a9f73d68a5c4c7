package node_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// BenchmarkMove takes over all partitions of a node that holds everything, of so
// many keys of 1 KiB, by a node that holds nothing: whole nodes and both their
// disks, in memory, in one goroutine, with no network and no pace. It reports what a key costs on
// all sides together, and by how much what went over the wire is more than the
// values.
func BenchmarkMove(b *testing.B) {
	const size = 1 << 10
	for b.Loop() {
		b.StopTimer()
		s := newShifting(b, 2, 16, inMemory)
		s.rate = 1 << 40
		var moves []place.Move
		a, both := []ring.NodeID{"a"}, []ring.NodeID{"a", "b"}
		for p := range uint32(s.place.Q()) {
			s.place.Of(p).Old = a // before anybody has seen it
			moves = append(moves, place.Move{Partition: p, Old: a, New: both})
		}
		keys := benchKeys(b)
		s.fill(keys, size)
		s.link(moves)
		clear(s.bytes)
		clear(s.count)
		runtime.GC()
		began := time.Now()
		b.StartTimer()
		s.adoptAll()
		s.settle("proven", s.allProven)
		b.StopTimer()
		took := time.Since(began)
		sent, messages := 0, 0
		for _, n := range s.bytes {
			sent += n
		}
		for _, n := range s.count {
			messages += n
		}
		b.ReportMetric(float64(took.Nanoseconds())/float64(keys), "ns/key")
		b.ReportMetric(float64(sent)/float64(keys*size), "sent/needed")
		b.ReportMetric(float64(messages)/float64(keys), "messages/key")
		b.StartTimer()
	}
}

func benchKeys(b *testing.B) int {
	if testing.Short() {
		return 1_000
	}
	return 100_000
}

package sim

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Demo 22: whole clusters come to rest, take one more node in, and tell each other
// little while nothing happens, whatever their size.
//
// With OURO_SCALE=10,30,100,300/8192 it prints what docs/benchmarks.md says of so many
// nodes with 8,192 partitions; 300 take some minutes. Much of it goes into the founding:
// each node works out by itself where it puts everything.
func TestScale(t *testing.T) {
	sizes, q := []int{10}, 256
	asked := os.Getenv("OURO_SCALE")
	if asked != "" {
		sizes = nil
		list, partitions, _ := strings.Cut(asked, "/")
		for _, n := range strings.Split(list, ",") {
			nodes, err := strconv.Atoi(n)
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, nodes)
		}
		var err error
		if q, err = strconv.Atoi(partitions); err != nil {
			t.Fatal(err)
		}
		fmt.Println("| nodes | Q | all named after, s | bytes/s a node, idle | messages/s a node | a join: all know after, s | all is there after, s | links | moves | kB of the chain a node | kB of transfer | placement, B | history, B |")
		fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	}
	for _, nodes := range sizes {
		began := time.Now()
		s, err := MeasureSize(nodes, q)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d nodes: after %v", nodes, time.Since(began).Round(time.Millisecond))
		if s.Bytes > 500 {
			t.Errorf("%d nodes: each sends %.0f bytes a second while nothing happens: %v", nodes, s.Bytes, s.ByKind)
		}
		if limit := 6 + 2*math.Log2(float64(nodes)); s.Spread.Seconds() > limit {
			t.Errorf("%d nodes: all know of a change after %v, want at most %.1f s", nodes, s.Spread, limit)
		}
		if asked != "" {
			fmt.Printf("| %d | %d | %.1f | %.0f | %.1f | %.1f | %.0f | %d | %d | %.1f | %.0f | %d | %d |\n", s.Nodes, s.Q, s.Named.Seconds(), s.Bytes, s.Messages,
				s.Spread.Seconds(), s.Settled.Seconds(), s.Links, s.Moves, float64(s.Chain)/1000/float64(nodes), float64(s.Transfer)/1000, s.Placement, s.History)
		}
	}
}

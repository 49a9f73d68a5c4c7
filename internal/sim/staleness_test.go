package sim

import (
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/canary"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/effort"
)

// farApart is a network on which messages take much longer than syncs: then partial
// quorums are stale.
func farApart(jitter time.Duration) NetConfig {
	return NetConfig{Delay: 2 * time.Millisecond, Jitter: jitter, Reorder: true}
}

// What nodes predict from the round trips that they see is what canaries find, though no
// node knows how long a message took one way: with r=w=1 of three, and with the other
// numbers, right after the acknowledgement and later.
func TestPredictedStalenessIsMeasured(t *testing.T) {
	effort.Unraced(t)
	delays := []time.Duration{0, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond}
	pairs := [][2]int{{1, 1}, {1, 2}, {2, 1}, {2, 2}}
	const within = .06 // of a share of some 540 reads
	for _, c := range []struct {
		name   string
		jitter time.Duration
	}{{"messages that all take about as long", 200 * time.Microsecond}, {"messages of which some take long", 4 * time.Millisecond}} {
		w := newWorld(t, Config{Seed: 5, Net: farApart(c.jitter), Disk: DiskConfig{Sync: time.Millisecond}})
		can := w.Canaries(canary.Config{Every: 100 * time.Millisecond, Delays: delays, Pairs: pairs})
		w.RunFor(6 * time.Minute)
		predicted, known := can.Predicted(3)
		if !known {
			t.Fatal("nothing is predicted")
		}
		for _, p := range pairs {
			n := can.Counts(p[0], p[1])
			for i, after := range delays {
				share, want := float64(n.Stale[i])/float64(n.Reads[i]), predicted(n.R, n.W, after)
				t.Logf("%s: r=%d w=%d after %v: %.3f of %d are stale, %.3f predicted", c.name, n.R, n.W, after, share, n.Reads[i], want)
				if share < want-within || share > want+within {
					t.Errorf("%s: r=%d w=%d after %v: %.3f of %d are stale, %.3f predicted", c.name, n.R, n.W, after, share, n.Reads[i], want)
				}
				if n.R+n.W > 3 && (n.Stale[i] > 0 || want > 0) {
					t.Errorf("%s: r=%d w=%d: %d stale, %.3f predicted, though they overlap", c.name, n.R, n.W, n.Stale[i], want)
				}
			}
		}
		if p := predicted(1, 1, 0); p < .3 || predicted(1, 1, 20*time.Millisecond) > p/2 {
			t.Errorf("%s: %.3f are predicted to be stale at once", c.name, p)
		}
	}
}

// Whatever fails: where r and w overlap, and primaries alone took part, nothing is
// stale. Where others stand in, something may be.
func TestOverlappingQuorumsAreFreshAmongFaults(t *testing.T) {
	effort.Unraced(t)
	cfg := Config{Seed: 9, Net: farApart(3 * time.Millisecond), Reap: true}
	for _, id := range []ring.NodeID{"A", "B", "C", "D", "E"} {
		cfg.Nodes = append(cfg.Nodes, ring.Node{ID: id, Weight: 1})
	}
	w := newWorld(t, cfg)
	can := w.Canaries(canary.Config{Every: 50 * time.Millisecond})
	for range 20 {
		w.RunFor(3 * time.Second)
		w.Cut("A", "B")
		w.Cut("A", "C")
		w.RunFor(3 * time.Second)
		w.Crash("E")
		w.RunFor(3 * time.Second)
		w.Heal("A", "B")
		w.Heal("A", "C")
		w.Restart("E")
		w.SlowDisk("D", 30*time.Millisecond)
		w.RunFor(3 * time.Second)
		w.SlowDisk("D", -30*time.Millisecond)
	}
	var reads, overlap, stood, stale uint64
	for r := 1; r <= 3; r++ {
		for q := 1; q <= 3; q++ {
			n := can.Counts(r, q)
			for i := range n.Reads {
				reads += n.Reads[i]
				stale += n.Stale[i]
				if r+q > 3 {
					overlap += n.Reads[i]
					if n.Stale[i] > 0 {
						t.Errorf("r=%d w=%d: %d of %d are stale", r, q, n.Stale[i], n.Reads[i])
					}
				}
			}
			stood += n.StoodIn
		}
	}
	t.Logf("%d reads, %d of overlapping quorums; %d stale; in %d others stood in", reads, overlap, stale, stood)
	if reads < 5000 || overlap < 2000 || stale < 200 || stood < 50 {
		t.Errorf("too little happened: %d reads, %d of overlapping quorums; %d stale; in %d others stood in", reads, overlap, stale, stood)
	}
}

package paper

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/bench"
)

// The day of figure 5, made short: each hour the same load goes to a bucket whose
// writes are acknowledged from the disk and to one whose writes are not.
const (
	figure5Hours = 24
	figure5Steps = 2 * figure5Hours
	figure5Peak  = 600 // writes a second: two processors are not what they wait for
)

// runFigure5 compares writes that wait for the disk with buffered ones.
func runFigure5(ctx context.Context, lab *Lab) (Section, error) {
	c, err := lab.Cluster(ctx, 3)
	if err != nil {
		return Section{}, err
	}
	defer c.Stop()
	half := 4 * time.Second
	if lab.Quick {
		half = 100 * time.Millisecond
	}
	ways := []struct {
		bucket, durability string
		curve, mean        Series
	}{
		{"direct", "all", Series{Name: "written to disk, p99.9"}, Series{Name: "written to disk, mean"}},
		{"buffered", "buffered", Series{Name: "buffered, p99.9"}, Series{Name: "buffered, mean"}},
	}
	for _, w := range ways {
		if err := c.SetBucket(ctx, w.bucket, ouro.BucketSettings{Durability: &w.durability}); err != nil {
			return Section{}, err
		}
	}
	for h := range figure5Hours {
		rate := figure5Peak * (.5625 + .4375*math.Sin(2*math.Pi*float64(h)/figure5Hours-1.5))
		for i := range ways {
			w := &ways[(i+h)%2] // neither is always the first
			r, err := writes(ctx, c.Clients()[h%3], w.bucket, rate, half, h < 2)
			if err != nil {
				return Section{}, err
			}
			lab.step()
			w.curve.Points = append(w.curve.Points, Point{float64(h), float64(r.Puts.P999) / 1000})
			w.mean.Points = append(w.mean.Points, Point{float64(h), r.Puts.Mean / 1000})
		}
	}
	direct, buffered := ways[0].curve, ways[1].curve
	return Section{
		Item: "figure 5, section 6.1",
		How: fmt.Sprintf("A day of %d hours. In each, %v of writes to a bucket with durability all and as long to one that is buffered, at up to %d a second, open loop, values of %d bytes, three nodes on this machine.",
			figure5Hours, half, figure5Peak, loadValue),
		Plots: []Plot{{Title: "Latencies of writes", X: "hour", Y: "ms", LogY: true, Series: []Series{direct, buffered, ways[0].mean, ways[1].mean}}},
		Tables: []Table{{
			Caption: "p99.9 of writes in milliseconds, by hour", Head: []string{"", "here, to disk", "here, buffered", "paper, to disk", "paper, buffered"},
			Rows: [][]string{
				{"quietest hour", fmt.Sprintf("%.1f", quantile(direct, 0)), fmt.Sprintf("%.1f", quantile(buffered, 0)), "35 to 42", "35 to 42"},
				{"median hour", fmt.Sprintf("%.1f", quantile(direct, .5)), fmt.Sprintf("%.1f", quantile(buffered, .5)), "", ""},
				{"worst hour", fmt.Sprintf("%.1f", quantile(direct, 1)), fmt.Sprintf("%.1f", quantile(buffered, 1)), "190", "88"},
				{"worst over quietest", fmt.Sprintf("%.1f", quantile(direct, 1)/quantile(direct, 0)), fmt.Sprintf("%.1f", quantile(buffered, 1)/quantile(buffered, 0)), "about 5", "about 2"},
			},
		}},
		Differs: "The paper's buffered writes keep the floor and lose the spikes: a factor of three at the peak, five by its text. Here writers of one moment share a sync, so writing to disk costs one sync, not a queue of them, " +
			"and what is left of the difference is what a sync of this disk takes. Where processors are short, both wait for these. " +
			"An hour of a few seconds has some hundreds of writes in the night, of which p99.9 is the slowest.",
	}, nil
}

// writes runs an open loop of writes alone to a bucket.
func writes(ctx context.Context, addr, bucket string, rate float64, d time.Duration, load bool) (*bench.Report, error) {
	c, err := client.New(addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return bench.Run(ctx, bench.Config{
		Workers: 64, Duration: d, Rate: rate, Reads: 0, Keys: loadKeys, Dist: bench.Zipfian, ValueSize: loadValue,
		Seed: 1, Load: load, OpTimeout: patience,
	}, bench.FromStore(c, bucket))
}

// quantile of what a curve shows.
func quantile(s Series, q float64) float64 {
	var all []float64
	for _, p := range s.Points {
		all = append(all, p.Y)
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[int(q*float64(len(all)-1))]
}

package paper

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/ourodb/ouro/internal/core/ring"
)

// The set-up of figure 6: a day in half hours, as in the paper's.
const (
	halfHours    = 48
	figure6Steps = 3 * halfHours
	outOfBalance = .15 // a node further off the mean is out of balance
	figure6Keys  = 200_000

	// A visit is somebody who asks for one key again and again for a while. What makes
	// a low load uneven is that few visit: how often each asks then evens nothing out.
	peakVisits    = 200 // in half an hour, for each node
	visitRequests = 20

	// Keys are visited in proportion to 1/(rank+skewFrom)^skew.
	skew     = 1.01
	skewFrom = 200
)

// runFigure6 counts, for each half hour, the nodes whose requests are more than 15 %
// off the mean.
func runFigure6(ctx context.Context, lab *Lab) (Section, error) {
	load := Series{Name: "load, as a share of the peak"}
	papersLow := Series{Name: "the paper's, out of balance when load is low: up to 20 %", Paper: true}
	papersHigh := Series{Name: "the paper's, when it is high: near 10 %", Paper: true}
	for h := range halfHours {
		x := float64(h)
		load.Points = append(load.Points, Point{x, dayLoad(h)})
		papersLow.Points, papersHigh.Points = append(papersLow.Points, Point{x, .2}), append(papersHigh.Points, Point{x, .1})
	}
	s := Section{
		Item: "figure 6, section 6.2",
		How: fmt.Sprintf("A day in half hours, its load between an eighth of the peak and all of it. At the peak there are %d visits for each node in half an hour, each of %d requests for one key; keys are drawn from %d by a Zipf law, and each request is counted "+
			"at the replica that coordinates it, one of three. A node is in balance when it has within 15 %% of the mean.", peakVisits, visitRequests, figure6Keys),
		Tables: []Table{{Caption: "Share of nodes out of balance, mean over half hours", Head: []string{"nodes", "load below a quarter of the peak", "above three quarters"}}},
		Differs: "As in the paper balance is worse when load is low: then few keys are asked for in half an hour, and their positions do not even out. The paper's curve takes the values 0, 1/9 and 2/9, so it seems to show nine nodes. " +
			"How far out of balance a cluster is depends on how few visit and how skewed their keys are, which the paper does not say: both are chosen here so that the shares are about the paper's, and only that they fall as load rises is found out. " +
			"The more nodes, the fewer visits and partitions each has of the popular keys, and the more of them stay out of balance at the peak.",
	}
	out := Plot{Title: "Nodes out of balance", X: "half hour", Y: "share", YMin: 0, YMax: 1, Series: []Series{load}}
	for _, nodes := range []int{9, 30, 120} {
		curve, low, high, err := imbalance(ctx, lab, nodes)
		if err != nil {
			return Section{}, err
		}
		curve.Name = fmt.Sprintf("out of balance, %d nodes", nodes)
		out.Series = append(out.Series, curve)
		s.Tables[0].Rows = append(s.Tables[0].Rows, []string{fmt.Sprint(nodes), fmt.Sprintf("%.0f %%", 100*low), fmt.Sprintf("%.0f %%", 100*high)})
	}
	s.Tables[0].Rows = append(s.Tables[0].Rows, []string{"the paper", "up to 20 %", "near 10 %"})
	out.Series = append(out.Series, papersLow, papersHigh)
	s.Plots = []Plot{out}
	return s, nil
}

// dayLoad is the load of a half hour, from an eighth to 1: one wave a day.
func dayLoad(halfHour int) float64 {
	return .5625 + .4375*math.Sin(2*math.Pi*float64(halfHour)/48-1)
}

// imbalance returns the share of nodes out of balance in each half hour, and its
// means at low and at high load.
func imbalance(ctx context.Context, lab *Lab, nodes int) (curve Series, low, high float64, err error) {
	ids := make([]ring.Node, nodes)
	for i := range ids {
		ids[i].ID = ring.NodeID(fmt.Sprintf("n%d", i))
	}
	tokens, err := ring.Assign(1024, ids)
	if err != nil {
		return curve, 0, 0, err
	}
	placed, err := ring.New(ids, tokens)
	if err != nil {
		return curve, 0, 0, err
	}
	r := rand.New(rand.NewPCG(6, uint64(nodes)))
	popular := rand.NewZipf(r, skew, skewFrom, figure6Keys-1)
	var lows, highs int
	for h := range halfHours {
		if err := ctx.Err(); err != nil {
			return curve, 0, 0, err
		}
		share := outOfBalanceAt(placed, popular, r, int(float64(peakVisits*nodes)*dayLoad(h)))
		curve.Points = append(curve.Points, Point{float64(h), share})
		switch l := dayLoad(h); {
		case l < .25:
			low, lows = low+share, lows+1
		case l > .75:
			high, highs = high+share, highs+1
		}
		lab.step()
	}
	return curve, low / float64(lows), high / float64(highs), nil
}

// outOfBalanceAt spreads the requests of so many visits over the nodes.
func outOfBalanceAt(placed *ring.Ring, popular *rand.Zipf, r *rand.Rand, visits int) float64 {
	had := make([]int, len(placed.Nodes()))
	for range visits {
		key := ring.NewKey("carts", fmt.Sprint(popular.Uint64()))
		var at [3]int
		for i, id := range placed.Preference(placed.Partition(key.Pos), len(at)) {
			at[i] = placed.Index(id)
		}
		for range visitRequests {
			had[at[r.IntN(len(at))]]++
		}
	}
	mean, out := float64(visits*visitRequests)/float64(len(had)), 0
	for _, n := range had {
		if math.Abs(float64(n)-mean) > outOfBalance*mean {
			out++
		}
	}
	return float64(out) / float64(len(had))
}

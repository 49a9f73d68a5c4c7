package paper

import (
	"context"
	"fmt"
	"time"
)

const (
	gossipSteps = 5
	gossipQ     = 1024
)

// ClusterSize is what whole nodes of a cluster of some size tell each other and keep.
type ClusterSize struct {
	Nodes             int
	Bytes, Messages   float64       // of each node in a second while nothing happens
	Spread            time.Duration // until all know that a node joins
	Placement, Member int           // bytes on each disk: where everything is, and the history of the members
}

// gossipSizes are the numbers of nodes that are run.
func gossipSizes(quick bool) (nodes []int, q int) {
	if quick {
		return []int{3, 5, 8, 10, 12}, 64
	}
	return []int{3, 10, 30, 60, 100}, gossipQ
}

// runGossip runs clusters of more and more nodes, on virtual time.
func runGossip(ctx context.Context, lab *Lab) (Section, error) {
	nodes, q := gossipSizes(lab.Quick)
	sent, spread, table := Series{Name: "bytes a second"}, Series{Name: "until all know of a change"}, Series{Name: "where every partition is"}
	history := Series{Name: "who is a member, and how that came"}
	t := Table{
		Caption: fmt.Sprintf("Whole clusters of S nodes, Q=%d, no keys", q),
		Head:    []string{"S", "bytes/s a node at rest", "messages/s a node", "all know of a join after, s", "table of partitions, bytes", "history, bytes"},
	}
	for _, n := range nodes {
		if err := ctx.Err(); err != nil {
			return Section{}, err
		}
		s, err := lab.Sizes(n, q)
		if err != nil {
			return Section{}, err
		}
		lab.step()
		x := float64(n)
		sent.Points = append(sent.Points, Point{x, s.Bytes})
		spread.Points = append(spread.Points, Point{x, s.Spread.Seconds()})
		table.Points = append(table.Points, Point{x, float64(s.Placement)})
		history.Points = append(history.Points, Point{x, float64(s.Member)})
		t.Rows = append(t.Rows, []string{fmt.Sprint(n), fmt.Sprintf("%.0f", s.Bytes), fmt.Sprintf("%.1f", s.Messages), fmt.Sprintf("%.1f", s.Spread.Seconds()), fmt.Sprint(s.Placement), fmt.Sprint(s.Member)})
	}
	return Section{
		Item: "sections 4.8.1, 6.2 and 6.6: membership, and how far it goes",
		How:  "Clusters on virtual time, whole nodes with all that they send, founded from one list and left at rest for half a minute; then one more node joins. Every second each node reconciles its history with a random other one.",
		Plots: []Plot{
			{Title: "What a node sends while nothing happens", X: "nodes", Y: "bytes/s", Series: []Series{sent}, YMin: 0, YMax: 100},
			{Title: "How long news takes", X: "nodes", Y: "s", Series: []Series{spread}, YMin: 0, YMax: 8},
			{Title: "What a node keeps of its cluster", X: "nodes", Y: "bytes", LogY: true, Series: []Series{table, history}},
		},
		Tables: []Table{t},
		Differs: "The paper gives no figures: it says that each node contacts a peer every second, that every node knows the whole ring, and that this would not do for tens of thousands of nodes (section 6.6), as the table grows with them. " +
			"Here what is sent at rest does not follow S at all, since equal histories are told by one digest; news takes some log S rounds; the table follows Q, a few bytes for each partition, and little of it S. What grows with S is the " +
			"history, by one entry for each node that came or went, until all have it and it becomes a checkpoint.",
	}, nil
}

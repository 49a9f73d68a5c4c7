package paper

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// The set-up of table 2: turns of each way, at a load that keeps the nodes well below
// what they can take.
const (
	table2Nodes  = 5
	table2Rate   = 400 // requests a second
	table2Rounds = 8
	table2Steps  = 3 * table2Rounds
)

// table2Paper are the paper's cells, in milliseconds.
var table2Paper = [2][4]float64{{68.9, 68.5, 3.9, 4.02}, {30.4, 30.4, 1.55, 1.9}}

// way is one way of coordination.
type way struct {
	name  string
	store ouro.Store
	cells [4][]float64 // by turn: p99.9 of reads and of writes, means of reads and of writes; microseconds
	lost  int64
}

// ways are a client behind a balancer, one that asks nodes in turn, and one that
// chooses the coordinator.
func ways(ctx context.Context, nodes []string) (all []*way, end func(), err error) {
	b, err := newBalancer(nodes)
	if err != nil {
		return nil, nil, err
	}
	behind, err := client.New(b.addr())
	if err != nil {
		return nil, nil, err
	}
	each := &inTurn{}
	for _, addr := range nodes {
		c, err := client.New(addr)
		if err != nil {
			return nil, nil, err
		}
		each.nodes = append(each.nodes, c)
	}
	knows, err := client.Connect(nodes, client.Hedge(false)) // a second request is no matter of coordination
	if err != nil {
		return nil, nil, err
	}
	for i := 0; ; i++ {
		if _, ok := knows.Ring(); ok {
			break
		}
		if i == 500 || ctx.Err() != nil {
			knows.Close()
			return nil, nil, fmt.Errorf("no node tells the ring")
		}
		time.Sleep(10 * time.Millisecond)
	}
	all = []*way{
		{name: "server-driven, through a load balancer", store: behind},
		{name: "server-driven, each request to the next node", store: each},
		{name: "client-driven", store: knows},
	}
	return all, func() { knows.Close(); behind.Close(); each.close(); b.close() }, nil
}

// runTable2 puts one cluster under the same load through a balancer and by a client
// that chooses the coordinator, by turns.
func runTable2(ctx context.Context, lab *Lab) (Section, error) {
	c, err := lab.Cluster(ctx, table2Nodes)
	if err != nil {
		return Section{}, err
	}
	defer c.Stop()
	turn, rounds := 12*time.Second, table2Rounds
	if lab.Quick {
		turn, rounds = time.Second, 2
	}
	all, end, err := ways(ctx, c.Clients())
	if err != nil {
		return Section{}, err
	}
	defer end()
	for round := range rounds {
		for i := range all {
			w := all[(i+round)%len(all)] // none is always the first
			r, err := slotOf(ctx, w.store, table2Rate, turn, round == 0 && i == 0)
			if err != nil {
				return Section{}, err
			}
			lab.step()
			for j, us := range []float64{float64(r.Gets.P999), float64(r.Puts.P999), r.Gets.Mean, r.Puts.Mean} {
				w.cells[j] = append(w.cells[j], us)
			}
			for _, errs := range []map[string]int64{r.Gets.Errors, r.Puts.Errors} {
				for _, n := range errs {
					w.lost += n
				}
			}
		}
	}
	return Section{
		Item: "table 2, section 6.4",
		How: fmt.Sprintf("%d nodes on this machine, n=3, r=2, w=2, %d requests a second, half of them writes, open loop; %d turns of %v each way on one cluster, in an order that changes; medians of the turns. "+
			"The balancer runs in the process that makes the load and passes the bytes of a connection to the nodes in turn. The client that knows the ring sends each request to a replica, which coordinates it; it does not hedge here.",
			table2Nodes, table2Rate, rounds, turn),
		Tables: table2Tables(all),
		Differs: "The paper's client coordinates reads in its own process; here it chooses the coordinator among the replicas, so what it saves is the balancer and, for requests that would have come to a node " +
			"without the key, the hop to one that has it. A read with r=1 is answered by that replica alone. The middle row shows how much of the difference is the balancer.",
	}, nil
}

// table2Tables are the latencies, and what is left of them.
func table2Tables(all []*way) []Table {
	head := []string{"", "p99.9 read", "p99.9 write", "mean read", "mean write"}
	times := Table{Caption: "Milliseconds", Head: append(slices.Clone(head), "not answered")}
	for _, w := range all {
		row := []string{w.name}
		for j := range w.cells {
			row = append(row, fmt.Sprintf("%.2f", median(w.cells[j])/1000))
		}
		times.Rows = append(times.Rows, append(row, fmt.Sprint(w.lost)))
	}
	for i, name := range []string{"the paper, server-driven", "the paper, client-driven"} {
		row := []string{name}
		for _, ms := range table2Paper[i] {
			row = append(row, fmt.Sprintf("%.2f", ms))
		}
		times.Rows = append(times.Rows, append(row, ""))
	}
	ratios := Table{Caption: "Client-driven, as a share of server-driven", Head: head}
	client := all[len(all)-1]
	for _, w := range all[:len(all)-1] {
		row := []string{w.name}
		for j := range w.cells {
			row = append(row, fmt.Sprintf("%.2f", median(client.cells[j])/median(w.cells[j])))
		}
		ratios.Rows = append(ratios.Rows, row)
	}
	row := []string{"the paper"}
	for j := range table2Paper[0] {
		row = append(row, fmt.Sprintf("%.2f", table2Paper[1][j]/table2Paper[0][j]))
	}
	ratios.Rows = append(ratios.Rows, row)
	return []Table{times, ratios}
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

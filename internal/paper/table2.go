package paper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/bench"
)

// The set-up of table 2: all ways at once, so that whatever else the machine does
// meets each of them alike, at a load that keeps the nodes well below what they can
// take.
const (
	table2Nodes = 5
	table2Rate  = 130   // requests a second, each way
	table2Steps = 4 + 3 // ways, distances
)

// table2Paper are the paper's cells, in milliseconds.
var table2Paper = [2][4]float64{{68.9, 68.5, 3.9, 4.02}, {30.4, 30.4, 1.55, 1.9}}

// way is one way of coordination.
type way struct {
	name   string
	store  ouro.Store
	client bool
	cells  [4]float64 // p99.9 of reads and of writes, means of reads and of writes; microseconds
	lost   int64
}

// ways are a client behind a balancer, one that asks nodes in turn, and one that
// chooses the coordinator.
func ways(ctx context.Context, nodes []string) (all []*way, end func(), err error) {
	each := &inTurn{}
	for _, addr := range nodes {
		c, err := client.New(addr)
		if err != nil {
			return nil, nil, err
		}
		each.nodes = append(each.nodes, c)
	}
	b := newBalancer(nodes)
	behind, err := client.New(b.URL)
	if err != nil {
		b.Close()
		return nil, nil, err
	}
	all = []*way{
		{name: "server-driven, through a load balancer", store: behind},
		{name: "server-driven, each request to the next node", store: each},
	}
	var knows []*client.Cluster
	end = func() {
		for _, c := range knows {
			c.Close()
		}
		behind.Close()
		each.close()
		b.Close()
	}
	for _, w := range []struct {
		name string
		who  client.Reads
	}{
		{"client-driven, reads placed at a replica", client.AtNodes},
		{"client-driven, reads coordinated by the client", client.Itself},
	} {
		c, err := client.Connect(nodes, client.Hedge(false), client.CoordinateReads(w.who)) // a second request is no matter of coordination
		if err == nil {
			knows = append(knows, c)
			err = awaitRing(ctx, c)
		}
		if err != nil {
			end()
			return nil, nil, err
		}
		all = append(all, &way{name: w.name, store: c, client: true})
	}
	return all, end, nil
}

func awaitRing(ctx context.Context, c *client.Cluster) error {
	for range 500 {
		if _, ok := c.Ring(); ok {
			return nil
		}
		if ctx.Err() != nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("no node tells the ring")
}

// measure puts a way under load, on keys of its own, once all are ready.
func (w *way) measure(ctx context.Context, bucket string, d time.Duration, ready *sync.WaitGroup) error {
	cfg, once := slotConfig(table2Rate, d, true), sync.OnceFunc(ready.Done)
	defer once() // it may end before
	cfg.Warmup = d / 10
	cfg.Loaded = func() {
		once()
		ready.Wait()
	}
	r, err := bench.Run(ctx, cfg, bench.FromStore(w.store, bucket))
	if err != nil {
		return err
	}
	w.cells = [4]float64{float64(r.Gets.P999), float64(r.Puts.P999), r.Gets.Mean, r.Puts.Mean}
	for _, errs := range []map[string]int64{r.Gets.Errors, r.Puts.Errors} {
		for _, n := range errs {
			w.lost += n
		}
	}
	return nil
}

// runTable2 puts one cluster under equal loads through a balancer and by a client
// that chooses the coordinator.
func runTable2(ctx context.Context, lab *Lab) (Section, error) {
	c, err := lab.Cluster(ctx, table2Nodes)
	if err != nil {
		return Section{}, err
	}
	defer c.Stop()
	took := 2 * time.Minute
	if lab.Quick {
		took = 2 * time.Second
	}
	all, end, err := ways(ctx, c.Clients())
	if err != nil {
		return Section{}, err
	}
	defer end()
	errs := make([]error, len(all))
	var running, ready sync.WaitGroup
	ready.Add(len(all))
	for i, w := range all {
		running.Go(func() {
			errs[i] = w.measure(ctx, fmt.Sprintf("carts%d", i), took, &ready)
			lab.step()
		})
	}
	running.Wait()
	if err := errors.Join(errs...); err != nil {
		return Section{}, err
	}
	reads, err := runReads(ctx, lab, c)
	if err != nil {
		return Section{}, err
	}
	return Section{
		Item: "table 2, section 6.4",
		How: fmt.Sprintf("%d nodes on this machine, n=3, r=2, w=2; each way %d requests a second, half of them writes, open loop, all four at once for %v on one cluster, each on keys of its own. "+
			"The balancer runs in the process that makes the load and passes each request to the next node. The client that knows the ring sends each request to a replica, which coordinates it, or asks r replicas of a read for their own copies "+
			"and takes what they say where it is the same; it does not hedge here. Then reads alone, %d a second, the ways in turns of %v, %d each, while all that nodes and client send each other comes later by as much as the row says.",
			table2Nodes, table2Rate, took, readsRate, readsTurn, readsRounds),
		Tables: append(table2Tables(all), reads),
		Differs: "The paper's client coordinates all reads in its own process; here it does so where that has been quicker, and else chooses the coordinator among the replicas: that saves the balancer and, for requests that would have come " +
			"to a node without the key, the hop to one that has it. What it saves by coordinating itself is the way between two nodes, for a request more. The second row shows how much of the difference is the balancer. " +
			"A write is not coordinated by the client: it waits for the disks of two replicas whichever of them coordinates it, beside which the hop that a placed one saves is little, where the paper's went to a buffer in memory. " +
			"Where the tails of all ways are close together, the machine made them.",
	}, nil
}

// table2Tables are the latencies, and what is left of them.
func table2Tables(all []*way) []Table {
	head := []string{"", "p99.9 read", "p99.9 write", "mean read", "mean write"}
	times := Table{Caption: "Milliseconds", Head: append(slices.Clone(head), "not answered")}
	for _, w := range all {
		row := []string{w.name}
		for j := range w.cells {
			row = append(row, fmt.Sprintf("%.2f", w.cells[j]/1000))
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
	for _, c := range all {
		for _, w := range all {
			if !c.client || w.client {
				continue
			}
			row := []string{c.name + ", of " + w.name}
			for j := range w.cells {
				row = append(row, fmt.Sprintf("%.2f", c.cells[j]/w.cells[j]))
			}
			ratios.Rows = append(ratios.Rows, row)
		}
	}
	row := []string{"the paper"}
	for j := range table2Paper[0] {
		row = append(row, fmt.Sprintf("%.2f", table2Paper[1][j]/table2Paper[0][j]))
	}
	ratios.Rows = append(ratios.Rows, row)
	return []Table{times, ratios}
}

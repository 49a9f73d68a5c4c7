package dev

import (
	"context"
	"fmt"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

const (
	readyTimeout = 30 * time.Second
	pollEvery    = 20 * time.Millisecond
	adminTimeout = 10 * time.Second
)

// waitReady returns when the nodes, counted from 0, can serve and every pair of
// nodes that could talk to each other does.
func (c *Cluster) waitReady(ctx context.Context, nodes []int) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for _, i := range nodes {
		if err := c.poll(ctx, i, func() string { return c.serving(ctx, i) }); err != nil {
			return err
		}
	}
	return c.waitLinked(ctx)
}

// waitLinked tells the nodes what to do to their links and returns when every
// pair that could talk to each other does.
func (c *Cluster) waitLinked(ctx context.Context) error {
	if err := c.applyFaults(); err != nil {
		return err
	}
	for i := range c.Info().Nodes {
		if !c.awake(i) {
			continue
		}
		if err := c.poll(ctx, i, func() string { return c.linked(ctx, i) }); err != nil {
			return err
		}
	}
	return nil
}

// poll calls lacks until it returns "". It gives up when node i ends or time is
// over.
func (c *Cluster) poll(ctx context.Context, i int, lacks func() string) error {
	c.mu.Lock()
	p := c.running[i]
	c.mu.Unlock()
	for {
		what := lacks()
		if what == "" {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended while it was starting (%v); the end of its log %s:\n%s", NodeID(i+1), p.ended, c.info.Log(i+1), lastLines(c.info.Log(i+1), 8))
		case <-ctx.Done():
			return fmt.Errorf("%s did not become ready: %s; the end of its log %s:\n%s", NodeID(i+1), what, c.info.Log(i+1), lastLines(c.info.Log(i+1), 8))
		case <-time.After(pollEvery):
		}
	}
}

// awake reports whether node i runs and is not paused.
func (c *Cluster) awake(i int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running[i].running() && !c.running[i].paused
}

// founder says whether node i is in the cluster from the beginning: of others the
// nodes know, who may be on their way in, or out.
func (c *Cluster) founder(i int) bool {
	n := c.Info().Nodes[i]
	return !n.Added && !n.Gone
}

// serving says why node i can't serve, or "".
func (c *Cluster) serving(ctx context.Context, i int) string {
	err := c.admin(ctx, i, func(ctx context.Context, a *client.Admin) error { return a.Ready(ctx) })
	if err != nil {
		return err.Error()
	}
	return ""
}

// linked says which node that it could reach node i has no link to, or "".
func (c *Cluster) linked(ctx context.Context, i int) string {
	var st ouro.Status
	err := c.admin(ctx, i, func(ctx context.Context, a *client.Admin) (err error) {
		st, err = a.Status(ctx)
		return err
	})
	if err != nil {
		return err.Error()
	}
	listed, up := map[string]bool{}, map[string]bool{}
	for _, m := range st.Members {
		listed[m.ID], up[m.ID] = true, m.Up || m.Self
	}
	if !c.founder(i) && !listed[NodeID(i+1)] {
		return "" // it has not joined, or has left
	}
	for j := range c.Info().Nodes {
		c.mu.Lock()
		parted := c.faults.parted(i, j)
		c.mu.Unlock()
		if !parted && c.awake(j) && (c.founder(j) || listed[NodeID(j+1)]) && !up[NodeID(j+1)] {
			return "it has no link to " + NodeID(j+1)
		}
	}
	return ""
}

// applyFaults tells every node that listens what to do to its links. Nodes that
// are dead or paused are told when they are back.
func (c *Cluster) applyFaults() error {
	c.mu.Lock()
	used := c.faults.used
	c.mu.Unlock()
	if !used {
		return nil
	}
	for i := range c.Info().Nodes {
		if !c.awake(i) {
			continue
		}
		c.mu.Lock()
		links := c.faults.of(i)
		for j := range c.info.Nodes {
			if c.info.Nodes[j].Gone { // no node has a link to it, and would be told in vain
				delete(links, NodeID(j+1))
			}
		}
		c.mu.Unlock()
		set := func(ctx context.Context, a *client.Admin) error { return a.SetFaults(ctx, links) }
		if err := c.admin(context.Background(), i, set); err != nil {
			return fmt.Errorf("%s could not be told what to do to its links: %w", NodeID(i+1), err)
		}
	}
	return nil
}

// admin calls ask with the admin calls of node i.
func (c *Cluster) admin(ctx context.Context, i int, ask func(context.Context, *client.Admin) error) error {
	a, err := client.NewAdmin(c.Info().Nodes[i].Admin)
	if err != nil {
		return err
	}
	defer a.Close()
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	return ask(ctx, a)
}

package dev

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// grow starts one more node and lets it join, at a node that is awake. Its id is
// one that no node of this cluster had before.
func (c *Cluster) grow() error {
	at, err := c.someone(nil)
	if err != nil {
		return err
	}
	node, err := c.spawnOne()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	return c.commit(ctx, at, ouro.Change{Verb: ouro.Join, Node: node.ID, Addr: node.Peer, Zone: node.Zone})
}

// spawnOne starts one more node, which waits to be joined, and returns when it
// answers operators.
func (c *Cluster) spawnOne() (Node, error) {
	node, err := c.addNode()
	if err != nil {
		return Node{}, err
	}
	i := slices.IndexFunc(c.Info().Nodes, func(n Node) bool { return n.ID == node.ID })
	if err := c.spawn([]int{i}); err != nil {
		return Node{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	return node, c.poll(ctx, i, func() string { return c.answers(ctx, i) })
}

// addNode makes room for one more node.
func (c *Cluster) addNode() (Node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := len(c.info.Nodes)
	if err := hasRoom(c.info.Nodes); err != nil {
		return Node{}, err
	}
	base := c.opts.BasePort
	if base > 0 {
		base += portsPerNode * i
	}
	nodes := []Node{{ID: NodeID(i + 1), Data: c.opts.data(i), Zone: zone(i, zonesOf(c.info.Nodes)), Added: true}}
	claims, err := layOut(nodes, base)
	if err != nil {
		return Node{}, err
	}
	c.claims = c.claims.and(claims)
	c.info.Nodes = append(c.info.Nodes, nodes...)
	c.running = append(c.running, nil)
	c.faults.grow()
	return nodes[0], writeInfo(c.info)
}

// hasRoom says why a cluster takes no more nodes, or nil.
func hasRoom(nodes []Node) error {
	switch {
	case staying(nodes) >= maxNodes:
		return fmt.Errorf("a dev cluster has at most %d nodes: let one leave with 'ouro dev remove'", maxNodes)
	case len(nodes) >= maxEver:
		return fmt.Errorf("a dev cluster gives out at most %d ids, and this one has: start another with --dir", maxEver)
	}
	return nil
}

// staying counts the nodes that have not left.
func staying(nodes []Node) (n int) {
	for i := range nodes {
		if !nodes[i].Gone {
			n++
		}
	}
	return n
}

// leave has nodes leave the cluster, at another that is awake. They hand on what
// they hold by themselves.
func (c *Cluster) leave(nodes []int) error {
	at, err := c.someone(nodes)
	if err != nil {
		return err
	}
	var changes []ouro.Change
	for _, i := range nodes {
		changes = append(changes, ouro.Change{Verb: ouro.Leave, Node: NodeID(i + 1)})
	}
	return c.commit(context.Background(), at, changes...)
}

// retire stops nodes that are members no more, and forgets them.
func (c *Cluster) retire(nodes []int) error {
	at, err := c.someone(nodes)
	if err != nil {
		return err
	}
	var info ouro.ClusterInfo
	if err := c.admin(context.Background(), at, func(ctx context.Context, a *client.Admin) (err error) {
		info, err = a.Cluster(ctx)
		return err
	}); err != nil {
		return err
	}
	for _, i := range nodes {
		if slices.ContainsFunc(info.Members, func(m ouro.ClusterMember) bool { return m.ID == NodeID(i+1) }) {
			return fmt.Errorf("%s is a member still: it has to leave first", NodeID(i+1))
		}
	}
	c.mu.Lock()
	var ends []*process
	for _, i := range nodes {
		c.info.Nodes[i].Gone = true
		if p := c.running[i]; p.running() {
			p.cmd.Process.Signal(unix.SIGTERM)
			p.cmd.Process.Signal(unix.SIGCONT)
			ends = append(ends, p)
		}
	}
	err = writeInfo(c.info)
	c.mu.Unlock()
	for _, p := range ends {
		<-p.done
	}
	return err
}

// commit stages changes at a node and commits them.
func (c *Cluster) commit(ctx context.Context, at int, changes ...ouro.Change) error {
	return c.admin(ctx, at, func(ctx context.Context, a *client.Admin) error {
		plan, err := a.Stage(ctx, changes)
		if err != nil {
			return err
		}
		_, err = a.Commit(ctx, plan.Version)
		return err
	})
}

// someone returns a member that is awake and none of those named.
func (c *Cluster) someone(not []int) (int, error) {
	for i, n := range c.Info().Nodes {
		if !n.Gone && !slices.Contains(not, i) && c.awake(i) && c.serving(context.Background(), i) == "" {
			return i, nil
		}
	}
	return 0, errors.New("no other node of the cluster runs and is ready: start one with 'ouro dev start'")
}

// answers says why node i does not answer operators yet, or "". A node that has
// not joined is not ready to serve.
func (c *Cluster) answers(ctx context.Context, i int) string {
	err := c.admin(ctx, i, func(ctx context.Context, a *client.Admin) error {
		_, err := a.Status(ctx)
		return err
	})
	if err != nil {
		return err.Error()
	}
	return ""
}

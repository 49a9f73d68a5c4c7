package dev

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// maxDelay bounds how slow a link can be made.
const maxDelay = time.Minute

// Do carries out one command.
func (c *Cluster) Do(cmd Command) (Outcome, error) {
	nodes, err := c.pick(cmd)
	if err == nil {
		err = c.carryOut(cmd, nodes)
	}
	return c.outcome(), err
}

// pick returns the nodes a command names, counted from 0, each once.
func (c *Cluster) pick(cmd Command) ([]int, error) {
	if cmd.Verb == Add || cmd.Verb == Spawn || cmd.Verb == Look {
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	named := make([]bool, len(c.running))
	var nodes []int
	for _, n := range cmd.Nodes {
		if n < 1 || n > len(named) {
			return nil, fmt.Errorf("there is no node %d: this cluster has nodes 1 to %d", n, len(named))
		}
		if c.info.Nodes[n-1].Gone {
			return nil, fmt.Errorf("%s has left the cluster for ever: 'ouro dev add' starts another node", NodeID(n))
		}
		if !named[n-1] {
			named[n-1] = true
			nodes = append(nodes, n-1)
		}
	}
	if len(nodes) == 0 && cmd.Verb == Heal {
		for i := range named {
			nodes = append(nodes, i)
		}
	}
	if len(nodes) == 0 {
		return nil, fmt.Errorf("%s which nodes? They are counted from 1 to %d", cmd.Verb, len(named))
	}
	return nodes, nil
}

func (c *Cluster) carryOut(cmd Command, nodes []int) error {
	switch cmd.Verb {
	case Kill:
		return c.signal(nodes, unix.SIGKILL)
	case Pause:
		return c.signal(nodes, unix.SIGSTOP)
	case Resume:
		if err := c.signal(nodes, unix.SIGCONT); err != nil {
			return err
		}
		return c.relink()
	case Start:
		return c.restart(nodes)
	case Add:
		return c.grow()
	case Spawn:
		_, err := c.spawnOne()
		return err
	case Look:
		return nil
	case Leave:
		return c.leave(nodes)
	case Retire:
		return c.retire(nodes)
	case Cut, Slow, Heal:
		if cmd.By < 0 || cmd.By > maxDelay {
			return fmt.Errorf("a delay of %v: it is 0 to %v", cmd.By, maxDelay)
		}
		c.setFaults(cmd, nodes)
		if cmd.Verb != Heal {
			return c.applyFaults()
		}
		return c.relink()
	default:
		return fmt.Errorf("%q is not a command of a dev cluster", cmd.Verb)
	}
}

// signal sends sig to nodes that run, all of them or none. After a kill it
// returns when they are gone.
func (c *Cluster) signal(nodes []int, sig unix.Signal) error {
	c.mu.Lock()
	for _, i := range nodes {
		if p := c.running[i]; !p.running() {
			c.mu.Unlock()
			return fmt.Errorf("%s does not run: start it with 'ouro dev start %d --dir %s'", NodeID(i+1), i+1, c.info.Dir)
		}
	}
	var sent []*process
	var err error
	for _, i := range nodes {
		p := c.running[i]
		if e := p.cmd.Process.Signal(sig); e != nil && err == nil {
			err = fmt.Errorf("%s: %w", NodeID(i+1), e)
		}
		p.paused = sig == unix.SIGSTOP
		sent = append(sent, p)
	}
	c.mu.Unlock()
	for _, p := range sent {
		if sig == unix.SIGKILL {
			<-p.done
		}
	}
	return err
}

// restart starts nodes that do not run and returns when they take part again.
func (c *Cluster) restart(nodes []int) error {
	c.mu.Lock()
	for _, i := range nodes {
		if p := c.running[i]; p.running() {
			c.mu.Unlock()
			return fmt.Errorf("%s runs already, as process %d", NodeID(i+1), p.cmd.Process.Pid)
		}
	}
	c.mu.Unlock()
	if err := c.spawn(nodes); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	return c.waitReady(ctx, nodes)
}

// relink returns when the links that are whole again carry frames.
func (c *Cluster) relink() error {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	return c.waitLinked(ctx)
}

func (c *Cluster) setFaults(cmd Command, nodes []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	named := make([]bool, len(c.running))
	for _, i := range nodes {
		named[i] = true
	}
	c.faults.used = true
	switch cmd.Verb {
	case Cut:
		c.faults.cut(named, cmd.OneWay)
	case Slow:
		c.faults.slow(named, cmd.By)
	case Heal:
		c.faults.heal(named)
	}
}

// outcome tells how the nodes are.
func (c *Cluster) outcome() Outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out Outcome
	for i, p := range c.running {
		n := c.info.Nodes[i]
		s := NodeState{ID: n.ID, State: "dead", Client: n.Client, Peer: n.Peer, Admin: n.Admin, Zone: n.Zone}
		if n.Gone {
			s.State = "gone"
		} else if p.running() {
			s.State, s.PID = "running", p.cmd.Process.Pid
			if p.paused {
				s.State = "paused"
			}
		}
		for j := range c.running {
			s.Faults = append(s.Faults, c.faults.at[i][j].tell(NodeID(j+1))...)
		}
		out.Nodes = append(out.Nodes, s)
	}
	return out
}

func (f fault) tell(peer string) []string {
	var s []string
	if f.dropOut {
		s = append(s, "nothing reaches "+peer)
	}
	if f.dropIn {
		s = append(s, "hears nothing of "+peer)
	}
	if f.delay > 0 {
		s = append(s, fmt.Sprintf("%v late at %s", f.delay, peer))
	}
	return s
}

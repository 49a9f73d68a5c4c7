package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro/internal/dev"
)

// devActions returns the commands that act on a running cluster.
func devActions() []*cobra.Command {
	kill := devAction(dev.Kill, "Kill nodes at once (SIGKILL)", "They keep their data and stay dead until 'ouro dev start'.")
	start := devAction(dev.Start, "Start nodes that are dead", "Returns when they take part again.")
	pause := devAction(dev.Pause, "Stop nodes without ending them (SIGSTOP)", "Their connections stay open and nothing answers: what a stalled machine looks like.")
	resume := devAction(dev.Resume, "Let paused nodes go on (SIGCONT)", "")
	cut := devAction(dev.Cut, "Part nodes from the others", "Only the links between nodes are cut: clients still reach both sides.")
	slow := devAction(dev.Slow, "Make nodes slow to answer the others", "What the nodes send to other nodes arrives late; 'ouro dev heal' takes it back.")
	heal := devAction(dev.Heal, "Take cuts and delays back", "Without nodes, all of them are healed.")
	cut.cmd.Flags().BoolVar(&cut.order.OneWay, "one-way", false, "what the nodes send is lost, what they hear is not")
	slow.cmd.Flags().DurationVar(&slow.order.By, "by", 200*time.Millisecond, "how late: a `duration` up to 1m")
	heal.cmd.Args = cobra.ArbitraryArgs
	heal.cmd.Use = "heal [NODE...]"
	var cmds []*cobra.Command
	for _, a := range []*action{kill, start, pause, resume, cut, slow, heal} {
		cmds = append(cmds, a.cmd)
	}
	return cmds
}

// action is a command for a running cluster and the order it gives.
type action struct {
	cmd   *cobra.Command
	order dev.Command
	dir   string
}

func devAction(verb, short, long string) *action {
	a := &action{order: dev.Command{Verb: verb}}
	a.cmd = &cobra.Command{
		Use:     verb + " NODE...",
		Short:   short,
		Long:    strings.TrimSpace(short + ". " + long),
		Example: "  ouro dev " + verb + " 2 3 --dir ./cluster",
		Args:    cobra.MinimumNArgs(1),
		RunE:    a.run,
	}
	a.cmd.Flags().StringVar(&a.dir, "dir", "", "`folder` of the cluster, as 'ouro dev' printed it")
	return a
}

func (a *action) run(cmd *cobra.Command, args []string) error {
	if a.dir == "" {
		return wrongUse("--dir is missing: name the folder of the cluster, as 'ouro dev' printed it")
	}
	nodes, err := devNodes(args)
	if err != nil {
		return err
	}
	a.order.Nodes = nodes
	out, err := dev.Call(a.dir, a.order)
	if err != nil {
		return err
	}
	if wantsJSON(cmd) {
		return printJSON(cmd.OutOrStdout(), out)
	}
	t := newTable(cmd.OutOrStdout(), "NODE", "PID", "STATE", "LINKS")
	for _, n := range out.Nodes {
		pid, links := "-", "fine"
		if n.PID != 0 {
			pid = strconv.Itoa(n.PID)
		}
		if len(n.Faults) > 0 {
			links = strings.Join(n.Faults, "; ")
		}
		t.row(n.ID, pid, n.State, links)
	}
	return t.flush()
}

// devNodes reads the numbers of nodes, or their ids.
func devNodes(args []string) ([]int, error) {
	var nodes []int
	for _, arg := range args {
		n, err := strconv.Atoi(strings.TrimPrefix(arg, "n"))
		if err != nil || n < 1 {
			return nil, wrongUse("%q is no node: nodes are counted from 1", arg)
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

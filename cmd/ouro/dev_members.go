package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/dev"
)

// devMembers is a command that changes who is in a running cluster.
type devMembers struct {
	cmd      *cobra.Command
	dir      string
	patience time.Duration
}

func newDevMembers(cmd *cobra.Command) *devMembers {
	d := &devMembers{cmd: cmd}
	cmd.Flags().StringVar(&d.dir, "dir", "", "`folder` of the cluster, as 'ouro dev' printed it")
	cmd.Flags().DurationVar(&d.patience, "timeout", 10*time.Minute, "how long to wait until nothing moves any more, a `duration`")
	return d
}

func newDevAddCommand() *cobra.Command {
	d := newDevMembers(&cobra.Command{
		Use:   "add",
		Short: "Start one more node and let it join",
		Long: `Start one more node and let it join. Returns when it has got its share of the
data; requests are served meanwhile.`,
		Example: "  ouro dev add --dir ./cluster",
		Args:    cobra.NoArgs,
	})
	d.cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := d.call(dev.Command{Verb: dev.Add}); err != nil {
			return err
		}
		return d.settle(func(ouro.ClusterInfo) bool { return true })
	}
	return d.cmd
}

func newDevRemoveCommand() *cobra.Command {
	d := newDevMembers(&cobra.Command{
		Use:   "remove NODE",
		Short: "Let a node leave, and stop it",
		Long: `Let a node hand on what it holds, leave for ever and stop. Requests are served
meanwhile.`,
		Example: "  ouro dev remove 2 --dir ./cluster",
		Args:    cobra.ExactArgs(1),
	})
	d.cmd.RunE = func(cmd *cobra.Command, args []string) error {
		nodes, err := devNodes(args)
		if err != nil {
			return err
		}
		if err := d.call(dev.Command{Verb: dev.Leave, Nodes: nodes}); err != nil {
			return err
		}
		id := dev.NodeID(nodes[0])
		if err := d.settle(func(c ouro.ClusterInfo) bool { return !listed(c, id) }, nodes...); err != nil {
			return err
		}
		return d.call(dev.Command{Verb: dev.Retire, Nodes: nodes})
	}
	return d.cmd
}

func listed(c ouro.ClusterInfo, id string) bool {
	for _, m := range c.Members {
		if m.ID == id {
			return true
		}
	}
	return false
}

func (d *devMembers) call(order dev.Command) error {
	if d.dir == "" {
		return wrongUse("--dir is missing: name the folder of the cluster, as 'ouro dev' printed it")
	}
	_, err := dev.Call(d.dir, order)
	return err
}

// settle returns when nothing moves any more and done says so, as any node that
// answers sees it, but those named.
func (d *devMembers) settle(done func(ouro.ClusterInfo) bool, not ...int) error {
	ctx, cancel := context.WithTimeout(d.cmd.Context(), d.patience)
	defer cancel()
	in, err := dev.ReadInfo(d.dir)
	if err != nil {
		return err
	}
	for i, n := range in.Nodes {
		if n.Gone || n.PID == 0 || len(not) > 0 && not[0] == i+1 {
			continue
		}
		info, err := waitForMoves(ctx, &target{admin: n.Admin}, d.cmd.ErrOrStderr(), done)
		if err != nil {
			return err
		}
		if wantsJSON(d.cmd) {
			return printJSON(d.cmd.OutOrStdout(), info)
		}
		return printMembers(d.cmd.OutOrStdout(), info)
	}
	return fmt.Errorf("no other node of the cluster in %s runs", d.dir)
}

// printMembers tells who is in the cluster now.
func printMembers(w io.Writer, c ouro.ClusterInfo) error {
	t := newTable(w, "MEMBER", "HOLDS")
	for _, m := range c.Members {
		t.row(m.ID, plural(m.Holds, "partition"))
	}
	return t.flush()
}

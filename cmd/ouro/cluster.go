package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/config"
)

const clusterLong = `Change who is in the cluster, at any node of it.

A change is staged at the node that is asked, looked at with 'plan', and made
with 'commit' under the version that the plan printed: if the cluster has changed
meanwhile the commit is refused, and is to be planned again. --commit on a change
does all three at once.

What moves then moves by itself, while everything is served; 'status' shows how
far it is. A node that joins can be told to leave at any time: what has not moved
yet does not move.`

func newClusterCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Let nodes join and leave, and watch what moves",
		Long:  clusterLong,
		Example: `  ouro serve --id n4 --cluster shop --seeds 10.0.0.1:7071   on the new machine
  ouro cluster join n4=10.0.0.4:7071
  ouro cluster plan
  ouro cluster commit --version 5f0c…
  ouro cluster leave n2 --commit`,
		Args: cobra.NoArgs,
		RunE: showHelp,
	}
	cmd.AddCommand(
		newView(&cobra.Command{
			Use:   "init",
			Short: "Found a cluster of the one node that is asked",
			Long: `Found a cluster of the one node that is asked, which must be in none. Others join
it then. Nodes that are started with the same --members have founded theirs.`,
			Example: `  ouro serve --id n1 --cluster shop --seeds none
  ouro cluster init`,
		}, (*client.Admin).Found, printCluster),
		newJoinCommand(), newLeaveCommand(), newReplaceCommand(), newReweighCommand(), newRelabelCommand(), newReaddressCommand(), newForceRemoveCommand(),
		newView(&cobra.Command{
			Use:     "plan",
			Short:   "Show what would become of the cluster if what is staged were committed",
			Example: "  ouro cluster plan\n  ouro cluster plan -o json",
		}, (*client.Admin).Plan, printPlan),
		newCommitCommand(),
		newView(&cobra.Command{
			Use:     "abort",
			Short:   "Forget what is staged at the node that is asked",
			Example: "  ouro cluster abort",
		}, unstage, printCluster),
		newView(&cobra.Command{
			Use:     "status",
			Short:   "Show who is in the cluster, and what moves",
			Example: "  ouro cluster status\n  ouro cluster status -o json",
		}, (*client.Admin).Cluster, printCluster),
		newView(&cobra.Command{
			Use:   "certificates",
			Short: "Show by what right nodes count for what they were given",
			Long: `Show the certificates of the moves that ended last: for each partition and node
that was given it, the quorums that it is good for, the members of the old list
that it has compared with completely, and those that had begun the move.`,
			Example: "  ouro cluster certificates",
		}, (*client.Admin).Cluster, printCertificates),
		newWaitCommand(), newThrottleCommand(), newRestartCommand(),
	)
	return cmd
}

func unstage(a *client.Admin, ctx context.Context) (ouro.ClusterInfo, error) {
	if err := a.Unstage(ctx); err != nil {
		return ouro.ClusterInfo{}, err
	}
	return a.Cluster(ctx)
}

// change is a command that stages one change.
type change struct {
	cmd    *cobra.Command
	change ouro.Change
	target target
	commit bool
	read   func(args []string) error // into change
}

func newChange(verb ouro.Verb, args int, cmd *cobra.Command) *change {
	c := &change{cmd: cmd, change: ouro.Change{Verb: verb}}
	cmd.Args = cobra.ExactArgs(args)
	cmd.RunE = c.run
	cmd.Flags().BoolVar(&c.commit, "commit", false, "plan it and commit it at once, with whatever else is staged at the node, unless that removes another by force")
	c.target.addFlags(cmd, true)
	c.read = func(args []string) error {
		c.change.Node = args[0]
		return nil
	}
	return c
}

func (c *change) placeFlags() {
	c.cmd.Flags().StringVar(&c.change.Zone, "zone", "", "`zone` that the node is in")
	c.cmd.Flags().StringVar(&c.change.DC, "dc", "", "`data centre` that the node is in")
}

func (c *change) run(cmd *cobra.Command, args []string) error {
	if err := c.read(args); err != nil {
		return err
	}
	var plan ouro.Plan
	var done ouro.Committed
	if err := c.target.inside(cmd.Context(), func(ctx context.Context, a *client.Admin) (err error) {
		if plan, err = a.Stage(ctx, []ouro.Change{c.change}); err != nil || !c.commit {
			return err
		}
		if err := c.removesNoOther(&plan); err != nil {
			return err
		}
		done, err = a.Commit(ctx, plan.Version)
		return err
	}); err != nil {
		return err
	}
	switch {
	case wantsJSON(cmd) && c.commit:
		return printJSON(cmd.OutOrStdout(), done)
	case wantsJSON(cmd):
		return printJSON(cmd.OutOrStdout(), plan)
	}
	if err := printPlan(cmd.OutOrStdout(), plan); err != nil || !c.commit {
		return err
	}
	return printCommitted(cmd.OutOrStdout(), done)
}

// removesNoOther says why a change is not committed at once, together with what else is
// staged: the dry run of a removal by force may be there still, of which nothing is
// asked for now.
func (c *change) removesNoOther(plan *ouro.Plan) error {
	const verb = string(ouro.ForceRemove) + " "
	for _, staged := range plan.Changes {
		if strings.HasPrefix(staged, verb) && (c.change.Verb != ouro.ForceRemove || staged != verb+c.change.Node) {
			return fmt.Errorf("%s is staged at %s too, and would be done with it: look at 'ouro cluster plan', then commit all of it with 'ouro cluster commit --version %s', or none of it with 'ouro cluster abort'", staged, plan.Node, plan.Version)
		}
	}
	return nil
}

// located reads ID=HOST:PORT.
func located(text string) (id, addr string, err error) {
	id, addr, ok := strings.Cut(text, "=")
	if !ok || id == "" {
		return "", "", wrongUse("%q is not ID=HOST:PORT, such as n4=10.0.0.4:7071: the id of the node and its port for other nodes", text)
	}
	return id, addr, checkMemberAddr(addr)
}

// checkMemberAddr wants an address at which other nodes can reach a member.
func checkMemberAddr(addr string) error {
	if checkAddr(addr, "") != nil || !config.Dialable(addr) {
		return wrongUse("%q: give the HOST:PORT at which other nodes reach it, such as 10.0.0.4:7071", addr)
	}
	return nil
}

func newJoinCommand() *cobra.Command {
	c := newChange(ouro.Join, 1, &cobra.Command{
		Use:   "join ID=HOST:PORT",
		Short: "Let a running node become a member",
		Long: `Let a node become a member. It runs already, started with the name and the key of
the cluster and with one of its members as a seed, and owns nothing until then.
HOST:PORT is its port for other nodes.`,
		Example: `  ouro cluster join n4=10.0.0.4:7071 --zone b
  ouro cluster join n4=10.0.0.4:7071 --commit`,
	})
	c.placeFlags()
	c.cmd.Flags().IntVar(&c.change.Weight, "weight", 1, "its share of the data, against 1 of others")
	c.read = func(args []string) (err error) {
		if c.change.Weight < 1 {
			return wrongUse("--weight %d: it is a whole number from 1 up", c.change.Weight)
		}
		c.change.Node, c.change.Addr, err = located(args[0])
		return err
	}
	return c.cmd
}

func newLeaveCommand() *cobra.Command {
	return newChange(ouro.Leave, 1, &cobra.Command{
		Use:   "leave ID",
		Short: "Let a member hand on what it holds and leave for ever",
		Long: `Let a member hand on what it holds, and what it keeps for others, and leave. It
serves until all is handed on, and can be stopped when 'ouro cluster status' does
not list it any more. Its id is never used again.`,
		Example: "  ouro cluster leave n2 --commit",
	}).cmd
}

func newReplaceCommand() *cobra.Command {
	c := newChange(ouro.Replace, 2, &cobra.Command{
		Use:   "replace OLD NEW=HOST:PORT",
		Short: "Let a running node take the place of a member",
		Long: `Let a node take exactly the place of a member: what that holds moves to it, and
nothing else moves. The member, if it lives, serves until then; it may be dead for
good, too, since the data is had from the other replicas.`,
		Example: "  ouro cluster replace n2 n5=10.0.0.5:7071 --commit",
	})
	c.read = func(args []string) (err error) {
		c.change.Node = args[0]
		c.change.By, c.change.Addr, err = located(args[1])
		return err
	}
	return c.cmd
}

func newReweighCommand() *cobra.Command {
	c := newChange(ouro.Reweigh, 2, &cobra.Command{
		Use:     "reweigh ID WEIGHT",
		Short:   "Change a member's share of the data",
		Example: "  ouro cluster reweigh n3 2 --commit",
	})
	c.read = func(args []string) error {
		weight, err := strconv.Atoi(args[1])
		if err != nil || weight < 1 {
			return wrongUse("weight %q: it is a whole number from 1 up", args[1])
		}
		c.change.Node, c.change.Weight = args[0], weight
		return nil
	}
	return c.cmd
}

func newRelabelCommand() *cobra.Command {
	c := newChange(ouro.Relabel, 1, &cobra.Command{
		Use:     "relabel ID --zone ZONE --dc DC",
		Short:   "Say that a member is in another zone or data centre",
		Long:    "Say in which zone and data centre a member is. One that is not named is none.",
		Example: "  ouro cluster relabel n3 --zone b --commit",
	})
	c.placeFlags()
	c.read = func(args []string) error {
		if !c.cmd.Flags().Changed("zone") && !c.cmd.Flags().Changed("dc") {
			return wrongUse("--zone or --dc is needed: what is not given, or \"\", is none")
		}
		c.change.Node = args[0]
		return nil
	}
	return c.cmd
}

func newReaddressCommand() *cobra.Command {
	c := newChange(ouro.Readdress, 2, &cobra.Command{
		Use:     "readdress ID HOST:PORT",
		Short:   "Say where a member is reached by other nodes",
		Long:    "Say where a member is reached by other nodes. Nothing moves.",
		Example: "  ouro cluster readdress n3 10.0.0.9:7071 --commit",
	})
	c.read = func(args []string) error {
		c.change.Node, c.change.Addr = args[0], args[1]
		return checkMemberAddr(args[1])
	}
	return c.cmd
}

func newForceRemoveCommand() *cobra.Command {
	return newChange(ouro.ForceRemove, 1, &cobra.Command{
		Use:   "force-remove ID",
		Short: "Remove a member that will never come back",
		Long: `Remove a member that will never come back, without asking it. What it alone holds
is lost; the plan says which promises end with it. Without --commit nothing is
done: the plan is the dry run, and 'ouro cluster abort' forgets it.

A member that may come back should 'leave', or be replaced.`,
		Example: "  ouro cluster force-remove n2\n  ouro cluster force-remove n2 --commit",
	}).cmd
}

func newCommitCommand() *cobra.Command {
	var t target
	var version string
	cmd := &cobra.Command{
		Use:     "commit --version V",
		Short:   "Make what is staged part of the cluster's history",
		Example: "  ouro cluster commit --version 5f0c2d…",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version == "" {
				return wrongUse("--version is missing: give the one that 'ouro cluster plan' printed, so that it is refused where the cluster has changed since")
			}
			var done ouro.Committed
			if err := t.inside(cmd.Context(), func(ctx context.Context, a *client.Admin) (err error) {
				done, err = a.Commit(ctx, version)
				return err
			}); err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return printJSON(cmd.OutOrStdout(), done)
			}
			return printCommitted(cmd.OutOrStdout(), done)
		},
	}
	cmd.Flags().StringVar(&version, "version", "", "`version` of the history that the plan was made against")
	t.addFlags(cmd, true)
	return cmd
}

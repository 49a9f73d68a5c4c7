package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// several are nodes that a verb does the same at.
type several struct {
	t    target
	more []string
}

func (s *several) addFlags(cmd *cobra.Command) {
	s.t.addFlags(cmd, true)
	cmd.Flags().StringSliceVar(&s.more, "also", nil, "client `addresses` of more nodes, to do the same there")
}

// each calls do with every node, whatever comes of the others; with none where an
// address is none.
func (s *several) each(ctx context.Context, do func(context.Context, *client.Admin) error) error {
	targets := []target{s.t}
	for _, addr := range s.more {
		if err := checkAddr(addr, "--also"); err != nil {
			return err
		}
		targets = append(targets, target{addr: addr})
	}
	var failed error
	for _, t := range targets {
		failed = errors.Join(failed, t.inside(ctx, do))
	}
	return failed
}

func newRepairRunCommand() *cobra.Command {
	var s several
	var partition int
	var with string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Compare everything at once, before its turn",
		Long: `Have a node compare everything that it shares with others before what would be
next, or one partition, or what it shares with one node. Nobody has to: it is for
whoever does not want to wait for the round. Pairs follow each other ten times as
fast as by turns, still within the node's slices ('ouro status'); MARKED of 'ouro
repair' is how many are left. All buckets of a partition are compared: those that
are equal cost nothing more.`,
		Example: `  ouro repair run
  ouro repair run --partition 17
  ouro repair run --with n2 --also 127.0.0.1:7080,127.0.0.1:7090`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			run := ouro.RepairRun{Peer: with}
			if cmd.Flags().Changed("partition") {
				if partition < 0 || partition > 1<<31-1 {
					return wrongUse("--partition %d: it is a number such as 'ouro key owners' shows", partition)
				}
				p := uint32(partition)
				run.Partition = &p
			}
			return s.each(cmd.Context(), func(ctx context.Context, a *client.Admin) error {
				out, err := a.RunRepair(ctx, run)
				return tellAction(cmd, out, err, fmt.Sprintf("%s to be compared at once; 'ouro repair' shows how many are left as MARKED", plural(out.Pairs, "pair")))
			})
		},
	}
	cmd.Flags().IntVar(&partition, "partition", 0, "`number` of the only partition to compare")
	cmd.Flags().StringVar(&with, "with", "", "`id` of the only node to compare with")
	s.addFlags(cmd)
	return cmd
}

func newRepairPauseCommand() *cobra.Command {
	var s several
	var d time.Duration
	cmd := &cobra.Command{
		Use:   "pause",
		Short: "Compare nothing for a while",
		Long: `Have a node begin no comparison for a while, and end what it is at. Replicas that
differ stay so meanwhile. What recoveries and moves ask for is compared all the
same; hints are handed over and reads repair what they meet. Other nodes still
compare themselves with it: name them all with --also to pause the cluster.

A pause ends by itself (--for, an hour unless told otherwise, seven days at most),
with 'ouro repair resume', and when the node starts again: it is not stored.
Meanwhile 'ouro repair' and 'ouro status' say so and the metric ouro_repair_paused
is 1. To compare nothing for good set compare=false in the configuration.`,
		Example: `  ouro repair pause --for 30m
  ouro repair pause --also 127.0.0.1:7080,127.0.0.1:7090`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if d <= 0 || d > ouro.MaxRepairPause {
				return wrongUse("--for %v: a pause is longer than nothing and at most %v", d, ouro.MaxRepairPause)
			}
			return s.pause(cmd, d)
		},
	}
	cmd.Flags().DurationVar(&d, "for", time.Hour, "`time` after which it goes on by itself")
	s.addFlags(cmd)
	return cmd
}

func newRepairResumeCommand() *cobra.Command {
	var s several
	cmd := &cobra.Command{
		Use:     "resume",
		Short:   "End a pause",
		Example: "  ouro repair resume --also 127.0.0.1:7080,127.0.0.1:7090",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return s.pause(cmd, 0) },
	}
	s.addFlags(cmd)
	return cmd
}

func (s *several) pause(cmd *cobra.Command, d time.Duration) error {
	return s.each(cmd.Context(), func(ctx context.Context, a *client.Admin) error {
		out, err := a.PauseRepair(ctx, ouro.RepairPause{Seconds: d.Seconds()})
		text := "repair goes on"
		if !out.Until.IsZero() {
			text = "repair is paused until " + out.Until.Format(time.RFC3339)
		}
		return tellAction(cmd, out, err, text)
	})
}

// tellAction prints what came of an action at one node.
func tellAction(cmd *cobra.Command, out any, err error, text string) error {
	if err != nil {
		return err
	}
	if wantsJSON(cmd) {
		return printJSON(cmd.OutOrStdout(), out)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
	return err
}

func newRepairPairsCommand() *cobra.Command {
	return newView(&cobra.Command{
		Use:   "pairs",
		Short: "Show how each partition stands with each other node that holds it",
		Long: `Show for each partition of a node, and each other node that holds it, when both
last agreed, and why the last comparison ended early.`,
		Example: `  ouro repair pairs
  ouro repair pairs -o json`,
	}, (*client.Admin).RepairPairs, func(w io.Writer, info ouro.RepairPairs) error { return printPairs(w, info, time.Now()) })
}

func printPairs(w io.Writer, info ouro.RepairPairs, now time.Time) error {
	t := newTable(w, "PARTITION", "WITH", "AGREED", "STATE", "FAILURES", "LAST ERROR")
	for _, p := range info.Pairs {
		var state []string
		if p.Running {
			state = append(state, "running")
		}
		if p.Marked {
			state = append(state, "marked")
		}
		t.row(strconv.FormatUint(uint64(p.Partition), 10), p.Peer, ago(p.Agreed, now), dash(strings.Join(state, ", ")), strconv.Itoa(p.Failures), failure(p.Error, p.ErrorAt, now))
	}
	return t.flush()
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro/internal/demo"
)

func newDemoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo [N]",
		Short: "Run one of the paper's demonstrations, or list them",
		Long: `Run one demonstration, and print what is expected of each step and what was seen.
It fails where something else was seen. Without a number all are listed.

Most run a simulated cluster, in virtual time and the same way each time, and take
a moment. Some start clusters of processes on this machine; 15 to 17, 19 and 22 take
minutes.`,
		Example: "  ouro paper demo      what there is\n  ouro paper demo 6    hinted handoff, step by step",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listDemos(cmd.OutOrStdout())
			}
			all := demo.Demos()
			n, err := strconv.Atoi(args[0])
			if err != nil || n < 1 || n > len(all) {
				return wrongUse("%q is no demonstration: they are 1 to %d; 'ouro paper demo' lists them", args[0], len(all))
			}
			return runDemo(cmd, &all[n-1])
		},
	}
}

func listDemos(out io.Writer) error {
	for _, d := range demo.Demos() {
		line := fmt.Sprintf("%3d  %-10s %s (%s)", d.N, d.How(), d.Title, d.Items)
		if d.Command != nil {
			line += ": ouro " + strings.Join(d.Command, " ")
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}

func runDemo(cmd *cobra.Command, d *demo.Demo) error {
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "Demonstration %d: %s (%s)\n", d.N, d.Title, d.Items)
	if d.Play != nil {
		return d.Run(out)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if d.Live != nil {
		return runLive(cmd, d, self)
	}
	fmt.Fprintf(out, "ouro %s\n", strings.Join(d.Command, " "))
	run := exec.CommandContext(cmd.Context(), self, d.Command...)
	run.Stdout, run.Stderr = out, cmd.ErrOrStderr()
	if err := run.Run(); err != nil {
		return fmt.Errorf("ouro %s: %w", strings.Join(d.Command, " "), err)
	}
	return nil
}

// runLive plays a demonstration on nodes that it starts and stops.
func runLive(cmd *cobra.Command, d *demo.Demo, self string) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	nodes, err := paperCluster(ctx, cmd.ErrOrStderr(), demo.LiveNodes)
	if err != nil {
		return err
	}
	err = d.RunLive(ctx, cmd.OutOrStdout(), nodes, func(ctx context.Context, args ...string) (string, error) {
		run := exec.CommandContext(ctx, self, args...)
		run.Stderr = cmd.ErrOrStderr()
		text, err := run.Output()
		return string(text), err
	})
	return errors.Join(err, nodes.Stop())
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/config"
)

// pollEvery is how often a command that waits looks again.
const pollEvery = 200 * time.Millisecond

func newWaitCommand() *cobra.Command {
	var t target
	var patience time.Duration
	cmd := &cobra.Command{
		Use:     "wait",
		Short:   "Return when nothing moves any more, as the node that is asked sees it",
		Example: "  ouro cluster wait --timeout 10m",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if patience <= 0 {
				return wrongUse("--timeout %v: it is longer than nothing", patience)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), patience)
			defer cancel()
			info, err := waitForMoves(ctx, &t, cmd.ErrOrStderr(), func(ouro.ClusterInfo) bool { return true })
			if err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return printJSON(cmd.OutOrStdout(), info)
			}
			return printCluster(cmd.OutOrStdout(), info)
		},
	}
	cmd.Flags().DurationVar(&patience, "timeout", time.Hour, "how long to wait, a `duration`")
	t.addFlags(cmd, true)
	return cmd
}

// waitForMoves asks a node until nothing moves and done says so. Whom it has waited
// for over several looks is told, and that the node asked does not answer.
func waitForMoves(ctx context.Context, t *target, tell io.Writer, done func(ouro.ClusterInfo) bool) (info ouro.ClusterInfo, err error) {
	patient := waiter{tell: tell}
	var seen *ouro.ClusterInfo // as it was seen last
	for {
		asked := time.Now()
		err = t.inside(ctx, func(ctx context.Context, a *client.Admin) (err error) {
			info, err = a.Cluster(ctx)
			return err
		})
		if err == nil && settled(&info) && done(info) {
			return info, nil
		}
		if err == nil {
			last := info
			seen = &last
			patient.look(info.Waits, asked)
		} else if ctx.Err() == nil {
			patient.look([]string{"an answer: " + err.Error()}, asked)
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			if seen == nil {
				return info, err
			}
			return info, errors.New("the time given is over: " + strings.Join(unsettled(seen), "\n"))
		}
	}
}

// tellAfter is for how long the same must be waited for to be told.
const tellAfter = 3 * time.Second

// waiter tells people whom a cluster waits for, once it has for a while.
type waiter struct {
	tell  io.Writer
	waits []string
	since time.Time
	told  bool
}

func (w *waiter) look(waits []string, asked time.Time) {
	if w.since.IsZero() || !slices.Equal(waits, w.waits) {
		w.waits, w.since, w.told = waits, asked, false
	}
	if w.told || time.Since(w.since) < tellAfter {
		return
	}
	w.told = true
	for _, text := range waits {
		fmt.Fprintf(w.tell, "it waits for %s\n", text)
	}
}

// unsettled says what is not as it should be.
func unsettled(c *ouro.ClusterInfo) []string {
	text := fmt.Sprintf("%s still move and %d have yet to begin", plural(c.Moving, "partition"), c.Waiting)
	if n := len(c.Transfers); n > 0 {
		text += fmt.Sprintf("; %s to or from %s: see 'ouro cluster status'", plural(n, "transfer"), c.Node)
	}
	lines := []string{text}
	for _, w := range c.Waits {
		lines = append(lines, "it waits for "+w)
	}
	return lines
}

// settled says that everything is where it should be, and nothing is left where
// it should not. To a node that has left there is nothing more to wait for.
func settled(c *ouro.ClusterInfo) bool {
	if c.Out { // it hears of nothing that moves
		return true
	}
	for _, m := range c.Members {
		if m.State != "member" {
			return false
		}
	}
	return c.Moving == 0 && c.Waiting == 0 && len(c.Transfers) == 0
}

func newThrottleCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "throttle RATE",
		Short: "Bound what one node receives of what moves, in bytes a second",
		Long: `Bound what the node that is asked receives of what moves, in bytes a second, such
as 8MiB, until it stops: what moves already goes on at that rate. 'transfer-rate' in
its configuration is what it begins with, and 'ouro cluster status' shows which is
in force.`,
		Example: "  ouro cluster throttle 2MiB --addr 10.0.0.4:7070",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rate, err := config.ParseSize(args[0])
			if err != nil || rate < 1 {
				return wrongUse("rate %q: it is a number of bytes such as 500KiB or 8MiB", args[0])
			}
			if err := t.inside(cmd.Context(), func(ctx context.Context, a *client.Admin) error { return a.SetTransferRate(ctx, int64(rate)) }); err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return printJSON(cmd.OutOrStdout(), map[string]int64{"bytes_per_second": int64(rate)})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "it receives at most %s a second\n", size(int64(rate)))
			return err
		},
	}
	t.addFlags(cmd, true)
	return cmd
}

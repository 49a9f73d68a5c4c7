package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

func newScrubCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scrub",
		Short: "Show or steer how a node reads back what it stores",
		Long: `A node reads back all that it stores, a little at a time, to find what rots while
others still have it: within two weeks as by default ('scrub-within'), and never
more than 'scrub-rate' bytes a second. It goes on where it was when it starts
again. Records that can't be read are had from other replicas; leaves of the trees
by which replicas are compared are added up anew where they are wrong.

The metric ouro_scrub_age_seconds tells how long ago everything had been read
back, for alerts.`,
		Example: "  ouro scrub status\n  ouro scrub run --wait\n  ouro scrub pause",
		Args:    cobra.NoArgs,
		RunE:    showHelp,
	}
	cmd.AddCommand(newScrubStatusCommand(), newScrubRunCommand(), newScrubPauseCommand())
	return cmd
}

func newScrubStatusCommand() *cobra.Command {
	return newView(&cobra.Command{
		Use:   "status",
		Short: "Show how far a node has read back what it stores",
		Long: `Show how far one node has read back what it stores, and what it found: in the round
that is under way, and in the last that ended.`,
		Example: `  ouro scrub status
  ouro scrub status --addr 127.0.0.1:7080
  ouro scrub status -o json`,
	}, (*client.Admin).Scrub, func(w io.Writer, info ouro.ScrubInfo) error { return printScrub(w, &info, time.Now()) })
}

func newScrubRunCommand() *cobra.Command {
	var t target
	var wait bool
	cmd := &cobra.Command{
		Use:   "run [--wait]",
		Short: "Read everything back now, as fast as 'scrub-rate' allows",
		Long: `Make one node read back all that it stores, from now on and as fast as its
'scrub-rate' allows. It goes on by itself afterwards, also where it was paused.
Ctrl-C ends the waiting with --wait, and not the reading.`,
		Example: "  ouro scrub run --wait --addr 127.0.0.1:7080",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, err := runScrub(cmd.Context(), &t, wait)
			if err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return printJSON(cmd.OutOrStdout(), info)
			}
			return printScrub(cmd.OutOrStdout(), &info, time.Now())
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "return when all has been read back, which may take hours")
	t.addFlags(cmd, true)
	return cmd
}

// runScrub has a node read back all that it stores. It returns how far it is then;
// with wait, when all has been read back.
func runScrub(ctx context.Context, t *target, wait bool) (info ouro.ScrubInfo, err error) {
	look := func(ctx context.Context, a *client.Admin) error {
		info, err = a.Scrub(ctx)
		return err
	}
	if err := t.inside(ctx, look); err != nil {
		return info, err
	}
	since := roundOf(info.Round).Began
	err = t.inside(ctx, func(ctx context.Context, a *client.Admin) error {
		if err := a.RunScrub(ctx); err != nil {
			return err
		}
		return look(ctx, a)
	})
	for err == nil && wait && (info.Hurried || !roundOf(info.Last).Began.After(since)) {
		time.Sleep(scrubPoll)
		err = t.inside(ctx, look)
	}
	return info, err
}

// scrubPoll is how often 'ouro scrub run --wait' looks.
const scrubPoll = 200 * time.Millisecond

func newScrubPauseCommand() *cobra.Command {
	return newView(&cobra.Command{
		Use:     "pause",
		Short:   "Read nothing back until 'ouro scrub run', or until the node starts again",
		Example: `  ouro scrub pause --addr 127.0.0.1:7080`,
	}, func(a *client.Admin, ctx context.Context) (ouro.ScrubInfo, error) {
		if err := a.PauseScrub(ctx); err != nil {
			return ouro.ScrubInfo{}, err
		}
		return a.Scrub(ctx)
	}, func(w io.Writer, info ouro.ScrubInfo) error { return printScrub(w, &info, time.Now()) })
}

func roundOf(r *ouro.ScrubRound) ouro.ScrubRound {
	if r == nil {
		return ouro.ScrubRound{}
	}
	return *r
}

func printScrub(w io.Writer, info *ouro.ScrubInfo, now time.Time) error {
	fmt.Fprintf(w, "%s stores about %s and %s\n\n", info.Node, size(info.Size), scrubPace(info))
	if info.Error != "" {
		fmt.Fprintf(w, "a stretch of it can't be read: %s\n\n", info.Error)
	}
	t := newTable(w, "ROUND", "BEGAN", "ENDED", "READ", "RECORDS", "LEAVES", "UNREADABLE", "MENDED LEAVES", "LOST HINTS", "SKIPPED")
	if r := info.Round; r != nil && r.Ended.IsZero() {
		scrubRow(t, "now", r, now)
	}
	if r := info.Last; r != nil {
		scrubRow(t, "last", r, now)
	}
	return t.flush()
}

func scrubPace(info *ouro.ScrubInfo) string {
	switch {
	case info.Paused:
		return "reads nothing of it back: it was told to pause, or has 'scrub-within = 0s'"
	case info.Pace == 0:
		return "has read it back; the next round begins in time"
	case info.Late:
		return fmt.Sprintf("reads %s a second of it back, which is LATE: raise scrub-rate", size(info.Pace))
	default:
		return fmt.Sprintf("reads %s a second of it back", size(info.Pace))
	}
}

func scrubRow(t *table, name string, r *ouro.ScrubRound, now time.Time) {
	n := func(v int64) string { return fmt.Sprint(v) }
	t.row(name, howLongAgo(r.Began, now), howLongAgo(r.Ended, now), size(r.Bytes), n(r.Records), n(r.Leaves), n(r.Unreadable), n(r.Mended), n(r.Lost), n(r.Skipped))
}

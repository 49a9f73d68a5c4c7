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

// defaultBucket is how the command line names the settings of all buckets that
// nobody defined, whose name is "".
const defaultBucket = "default"

func newBucketCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bucket",
		Short: "Define buckets, and show how they behave",
		Long: `Define how a bucket behaves, at any node: all learn of it. A bucket that nobody
defined behaves as 'default' says. n and mode belong to a bucket for ever: for
others, make another bucket and copy the data.

Its durability says what is on disk when a write is acknowledged: 'all' copies
that count, the default; 'one' of them, while the others wait in the write buffers
of their nodes; or none ('buffered'), which a crash of all that hold the write
within the flush window loses.`,
		Example: `  ouro bucket set carts --n 3 --r 2 --w 2
  ouro bucket get carts
  ouro bucket list`,
		Args: cobra.NoArgs,
		RunE: showHelp,
	}
	cmd.AddCommand(newBucketSetCommand(), newBucketGetCommand(),
		newView(&cobra.Command{
			Use:     "list",
			Short:   "Show the buckets that are defined",
			Example: "  ouro bucket list",
		}, (*client.Admin).Buckets, printBuckets))
	return cmd
}

func newBucketSetCommand() *cobra.Command {
	var t target
	var n, r, w, pr, pw, dw int
	var ttl, timeout time.Duration
	var mode, durability string
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Define a bucket, or change what may be changed",
		Long: `Define a bucket, or change what may be changed: what is not named stays as it is,
or as the default has it where the bucket is new. Combinations that could never be
met are refused.`,
		Example: `  ouro bucket set sessions --mode lww --ttl 24h
  ouro bucket set carts --durability one
  ouro bucket set default --w 3`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	for _, d := range []struct {
		v          *int
		name, what string
	}{
		{&n, "n", "replicas"},
		{&r, "r", "answers for a read"},
		{&w, "w", "acknowledgements for a write"},
		{&pr, "pr", "of r, primaries"},
		{&pw, "pw", "of w, primaries"},
		{&dw, "dw", "of w, durable"},
	} {
		f.IntVar(d.v, d.name, 0, d.what)
	}
	f.DurationVar(&ttl, "ttl", 0, "how long versions last, a `duration`; 0: for ever")
	f.DurationVar(&timeout, "timeout", 0, "how long requests may take, a `duration` up to 1m")
	f.StringVar(&mode, "mode", "", "`mode`: siblings, lww or types")
	f.StringVar(&durability, "durability", "", "what is on disk when a write is acknowledged, a `mode`: all, one or buffered")
	t.addFlags(cmd, true)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if args[0] == "" {
			return wrongUse("the bucket's name is empty: for what holds of every bucket that nobody defined, name %q", defaultBucket)
		}
		set := ouro.BucketSettings{
			N: given(cmd, "n", n), R: given(cmd, "r", r), W: given(cmd, "w", w), PR: given(cmd, "pr", pr), PW: given(cmd, "pw", pw), DW: given(cmd, "dw", dw),
			TTL: given(cmd, "ttl", ttl), Timeout: given(cmd, "timeout", timeout), Mode: given(cmd, "mode", mode),
			Durability: given(cmd, "durability", durability),
		}
		return showBucket(cmd, &t, func(ctx context.Context, a *client.Admin) (ouro.BucketInfo, error) {
			return a.SetBucket(ctx, bucketNamed(args[0]), set)
		})
	}
	return cmd
}

// given returns the value of a flag, nil where it was not given.
func given[T any](cmd *cobra.Command, flag string, v T) *T {
	if !cmd.Flags().Changed(flag) {
		return nil
	}
	return &v
}

func newBucketGetCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:     "get NAME",
		Short:   "Show how a bucket behaves",
		Example: "  ouro bucket get carts\n  ouro bucket get default",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showBucket(cmd, &t, func(ctx context.Context, a *client.Admin) (ouro.BucketInfo, error) {
				return a.Bucket(ctx, bucketNamed(args[0]))
			})
		},
	}
	t.addFlags(cmd, true)
	return cmd
}

func bucketNamed(name string) string {
	if name == defaultBucket {
		return ""
	}
	return name
}

func showBucket(cmd *cobra.Command, t *target, ask func(context.Context, *client.Admin) (ouro.BucketInfo, error)) error {
	var info ouro.BucketInfo
	if err := t.inside(cmd.Context(), func(ctx context.Context, a *client.Admin) (err error) {
		info, err = ask(ctx, a)
		return err
	}); err != nil {
		return err
	}
	if wantsJSON(cmd) {
		return printJSON(cmd.OutOrStdout(), info)
	}
	return printBuckets(cmd.OutOrStdout(), []ouro.BucketInfo{info})
}

func printBuckets(w io.Writer, all []ouro.BucketInfo) error {
	t := newTable(w, "BUCKET", "DEFINED", "MODE", "N R W", "PR PW DW", "DURABILITY", "TIMEOUT", "TTL", "NOTE")
	for _, b := range all {
		name, defined, ttl := b.Name, "no", "-"
		if name == "" {
			name = defaultBucket
		}
		if b.Defined {
			defined = "yes"
		}
		if b.TTL > 0 {
			ttl = b.TTL.String()
		}
		q := b.Set
		t.row(name, defined, b.Mode, fmt.Sprintf("%d %d %d", q.N, q.R, q.W), fmt.Sprintf("%d %d %d", q.PR, q.PW, q.DW), b.Durability, b.Timeout.String(), ttl, dash(b.Note))
	}
	return t.flush()
}

package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

func newKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Show where a key lives and what a replica holds of it",
		Example: `  ouro key owners greetings/hello
  ouro key inspect greetings/hello --addr 127.0.0.1:7080`,
		Args: cobra.NoArgs,
		RunE: showHelp,
	}
	cmd.AddCommand(newKeyOwnersCommand(), newKeyInspectCommand())
	return cmd
}

func newKeyOwnersCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "owners BUCKET/KEY",
		Short: "Show the preference list of a key",
		Long: `Show the position of a key on the ring, its partition, the primaries that keep
it, and who stands in for them.`,
		Example: "  ouro key owners greetings/hello",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := parseKey(args[0])
			if err != nil {
				return err
			}
			var o ouro.OwnersInfo
			if err := t.inside(cmd.Context(), func(ctx context.Context, a *client.Admin) (err error) {
				o, err = a.Owners(ctx, key)
				return err
			}); err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return printJSON(cmd.OutOrStdout(), o)
			}
			tab := newTable(cmd.OutOrStdout())
			tab.row("Key", key.String())
			tab.row("Position", o.Position)
			tab.rowf("Partition\t%d", o.Partition)
			tab.rowf("Primaries\t%s (n=%d)", strings.Join(o.Primaries, " "), o.N)
			tab.row("Then", dash(strings.Join(o.Fallbacks, " ")))
			return tab.flush()
		},
	}
	t.addFlags(cmd, true)
	return cmd
}

func newKeyInspectCommand() *cobra.Command {
	var t target
	var member string
	cmd := &cobra.Command{
		Use:   "inspect BUCKET/KEY",
		Short: "Show one node's own state of a key, without repairing it",
		Long: `Show what one node itself stores under a key: which events it has seen (the
version vector), which versions survive, and the digest by which replicas
compare. Nothing is repaired. With --node it is what another member says that it
holds, or keeps in the stead of others where it is no primary of the key.`,
		Example: `  ouro key inspect greetings/hello --addr 127.0.0.1:7080
  ouro key inspect greetings/hello --node n3`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := parseKey(args[0])
			if err != nil {
				return err
			}
			var r ouro.ReplicaInfo
			if err := t.inside(cmd.Context(), func(ctx context.Context, a *client.Admin) (err error) {
				if member != "" {
					r, err = a.ReplicaAt(ctx, member, key)
				} else {
					r, err = a.Replica(ctx, key)
				}
				return err
			}); err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return printJSON(cmd.OutOrStdout(), r)
			}
			return printReplica(cmd.OutOrStdout(), key, r)
		},
	}
	t.addFlags(cmd, true)
	cmd.Flags().StringVar(&member, "node", "", "`id` of the member that is asked (the node itself)")
	return cmd
}

func printReplica(w io.Writer, key ouro.Key, r ouro.ReplicaInfo) error {
	t := newTable(w)
	t.row("Key", key.String())
	t.row("Node", r.Node)
	status := r.Status
	if r.Reason != "" {
		status += ": " + r.Reason
	}
	if r.Kept {
		status += ", kept until the primaries have it"
	}
	if r.Tombstone {
		status += ", a tombstone"
	}
	t.row("Status", status)
	if r.Digest != "" {
		t.row("Digest", r.Digest)
	}
	for i, e := range r.Vector {
		name := ""
		if i == 0 {
			name = "Seen"
		}
		events := fmt.Sprintf("events 1-%d", e.N)
		if e.N == 0 {
			events = "single events"
		}
		t.rowf("%s\t%s %s, the last at %s", name, e.Actor, events, e.Time.UTC().Format(time.RFC3339))
	}
	if len(r.Exceptions) > 0 {
		t.row("And", strings.Join(r.Exceptions, " "))
	}
	if err := t.flush(); err != nil || len(r.Versions) == 0 {
		return err
	}
	fmt.Fprintln(w)
	t = newTable(w, "VERSION", "MODIFIED", "TYPE", "BYTES", "VALUE")
	for _, v := range r.Versions {
		t.rowf("%s\t%s\t%s\t%d\t%s", v.Dot, v.Modified.UTC().Format(time.RFC3339), dash(v.ContentType), len(v.Value), preview(v.Value))
	}
	return t.flush()
}

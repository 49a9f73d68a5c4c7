package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

func newRepairCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "repair",
		Short: "Show how far a node agrees with the others that hold the same data",
		Long: `Show how far one node has compared what it holds with what others hold of the
same partitions, since it started. Nodes compare themselves without being told
to, partition after partition, and make equal what differs.

OLDEST is the age of the oldest agreement: everything that the other node held
before that is here, too.`,
		Example: `  ouro repair
  ouro repair --addr 127.0.0.1:7080
  ouro repair -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var info ouro.RepairInfo
			if err := t.inside(cmd.Context(), func(ctx context.Context, a *client.Admin) (err error) {
				info, err = a.Repair(ctx)
				return err
			}); err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return printJSON(cmd.OutOrStdout(), info)
			}
			return printRepair(cmd.OutOrStdout(), info, time.Now())
		},
	}
	t.addFlags(cmd, true)
	return cmd
}

func printRepair(w io.Writer, info ouro.RepairInfo, now time.Time) error {
	fmt.Fprintf(w, "%s holds partitions with %d other nodes\n", info.Node, len(info.Peers))
	if len(info.Peers) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := newTable(w, "WITH", "PARTITIONS", "NEVER", "MARKED", "OLDEST", "REPAIRED KEYS", "LAST ERROR")
	for _, p := range info.Peers {
		oldest, failed := "-", "-"
		if !p.Oldest.IsZero() {
			oldest = now.Sub(p.Oldest).Round(time.Second).String()
		}
		if p.Error != "" {
			failed = fmt.Sprintf("%s, %s ago", p.Error, now.Sub(p.ErrorAt).Round(time.Second))
		}
		t.row(p.Peer, strconv.Itoa(p.Partitions), strconv.Itoa(p.Never), strconv.Itoa(p.Marked), oldest,
			strconv.FormatUint(p.Repaired, 10), failed)
	}
	return t.flush()
}

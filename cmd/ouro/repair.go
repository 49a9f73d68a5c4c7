package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

func newRepairCommand() *cobra.Command {
	cmd := newRepairView("repair", "Show how far a node agrees with the others that hold the same data, and steer that")
	cmd.AddCommand(newRepairView("status", "Show how far a node agrees with the others that hold the same data"),
		newRepairPairsCommand(), newRepairRunCommand(), newRepairPauseCommand(), newRepairResumeCommand())
	return cmd
}

// newRepairView returns 'ouro repair', or 'ouro repair status', which is the same.
func newRepairView(use, short string) *cobra.Command {
	path := strings.TrimPrefix("repair "+use, "repair repair")
	if path == "" {
		path = "repair"
	}
	return newView(&cobra.Command{
		Use:   use,
		Short: short,
		Long: `Show how far one node has compared what it holds with what others hold of the
same partitions, since it started. Nodes compare themselves without being told
to, partition after partition, and make equal what differs.

OLDEST is the age of the oldest agreement: everything that the other node held
before that is here, too. The one number above the table is the oldest of them all; a
partition that was never compared counts since both came to hold it, or this node
started. The metric ouro_since_agreed_seconds is the same, for alerts. 'ouro repair
pairs' shows each partition.`,
		Example: fmt.Sprintf("  ouro %[1]s\n  ouro %[1]s --addr 127.0.0.1:7080\n  ouro %[1]s -o json", path),
	}, (*client.Admin).Repair, func(w io.Writer, info ouro.RepairInfo) error { return printRepair(w, info, time.Now()) })
}

func printRepair(w io.Writer, info ouro.RepairInfo, now time.Time) error {
	fmt.Fprintf(w, "%s holds partitions with %d other nodes\n", info.Node, len(info.Peers))
	if !info.PausedUntil.IsZero() {
		fmt.Fprintf(w, "it is PAUSED until %s: replicas that differ stay so; 'ouro repair resume' ends that\n", info.PausedUntil.Format(time.RFC3339))
	}
	if len(info.Peers) == 0 {
		return nil
	}
	fmt.Fprintf(w, "%s\n\n", agreed(info))
	t := newTable(w, "WITH", "PARTITIONS", "NEVER", "MARKED", "OLDEST", "REPAIRED KEYS", "LAST ERROR")
	for _, p := range info.Peers {
		t.row(p.Peer, strconv.Itoa(p.Partitions), strconv.Itoa(p.Never), strconv.Itoa(p.Marked), ago(p.Oldest, now),
			strconv.FormatUint(p.Repaired, 10), failure(p.Error, p.ErrorAt, now))
	}
	return t.flush()
}

// agreed says for how long some pair of replicas has not agreed.
func agreed(info ouro.RepairInfo) string {
	never, since := 0, time.Duration(info.SinceAgreed)*time.Second
	for _, p := range info.Peers {
		never += p.Never
	}
	if never > 0 {
		return fmt.Sprintf("%d pairs have not been compared yet; the longest that any pair has not agreed is %v", never, since)
	}
	return fmt.Sprintf("every pair had last agreed %v ago", since)
}

package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

func newRepairCommand() *cobra.Command {
	return newView(&cobra.Command{
		Use:   "repair",
		Short: "Show how far a node agrees with the others that hold the same data",
		Long: `Show how far one node has compared what it holds with what others hold of the
same partitions, since it started. Nodes compare themselves without being told
to, partition after partition, and make equal what differs.

OLDEST is the age of the oldest agreement: everything that the other node held
before that is here, too. The one number above the table is the oldest of them all; since
the start of the node while a partition was never compared. The metric
ouro_since_agreed_seconds is the same, for alerts.`,
		Example: `  ouro repair
  ouro repair --addr 127.0.0.1:7080
  ouro repair -o json`,
	}, (*client.Admin).Repair, func(w io.Writer, info ouro.RepairInfo) error { return printRepair(w, info, time.Now()) })
}

func printRepair(w io.Writer, info ouro.RepairInfo, now time.Time) error {
	fmt.Fprintf(w, "%s holds partitions with %d other nodes\n", info.Node, len(info.Peers))
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
		return fmt.Sprintf("%d pairs have not been compared yet, %v after the start", never, since)
	}
	return fmt.Sprintf("every pair had last agreed %v ago", since)
}

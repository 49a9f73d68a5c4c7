package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

func newRingCommand() *cobra.Command {
	var partitions bool
	cmd := newView(&cobra.Command{
		Use:   "ring",
		Short: "Show how the ring is shared out among the members",
		Long: `Show how the ring is shared out among the members, as one node sees it. Nodes
that agree on the ring print the same hash.`,
		Example: `  ouro ring
  ouro ring --partitions
  ouro ring -o json`,
	}, (*client.Admin).Ring, func(w io.Writer, r ouro.RingInfo) error { return printRing(w, r, partitions) })
	cmd.Flags().BoolVar(&partitions, "partitions", false, "list the partitions that each member owns")
	return cmd
}

func printRing(w io.Writer, r ouro.RingInfo, partitions bool) error {
	fmt.Fprintf(w, "%d partitions, epoch %d, hash %s\n\n", r.Q, r.Epoch, r.Hash)
	t := newTable(w, "MEMBER", "ZONE", "DC", "WEIGHT", "PARTITIONS", "SHARE")
	for _, n := range r.Nodes {
		t.row(n.ID, dash(n.Zone), dash(n.DC), strconv.Itoa(n.Weight), strconv.Itoa(len(n.Tokens)), fmt.Sprintf("%.1f %%", 100*float64(len(n.Tokens))/float64(max(r.Q, 1))))
	}
	if err := t.flush(); err != nil || !partitions {
		return err
	}
	for _, n := range r.Nodes {
		fmt.Fprintf(w, "\n%s: %s\n", n.ID, spans(n.Tokens))
	}
	return nil
}

// spans writes ascending numbers with runs shortened: 1-3 7 9-10.
func spans(numbers []uint32) string {
	var b strings.Builder
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprint(&b, numbers[i])
		if j > i {
			fmt.Fprintf(&b, "-%d", numbers[j])
		}
		i = j + 1
	}
	return b.String()
}

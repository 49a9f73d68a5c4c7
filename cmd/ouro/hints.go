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

func newHintsCommand() *cobra.Command {
	return newView(&cobra.Command{
		Use:   "hints",
		Short: "Show what a node keeps for others until they are back",
		Long: `Show the hints of one node: the records that it keeps in the stead of nodes that
could not be reached when they were written. They are handed over when their
node answers again, and forgotten once it has them. One that gets too old, or is
the oldest where room is short, goes as soon as two other nodes that are
responsible for its key have it; until then it stays, and counts as over age.

Counts are those of the last walk through the hints, which begins every ten
seconds and whenever a node comes back.`,
		Example: `  ouro hints
  ouro hints --addr 127.0.0.1:7080
  ouro hints -o json`,
	}, (*client.Admin).Hints, func(w io.Writer, h ouro.HintsInfo) error { return printHints(w, h, time.Now()) })
}

func printHints(w io.Writer, h ouro.HintsInfo, now time.Time) error {
	fmt.Fprintf(w, "%s keeps %s for others, and takes up to %s; a record is over age after %v\n",
		h.Node, size(h.Bytes), size(h.Max), time.Duration(h.MaxAge*float64(time.Second)))
	if len(h.Targets) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := newTable(w, "FOR", "RECORDS", "BYTES", "OLDEST", "OVER AGE", "LAST ERROR")
	for _, b := range h.Targets {
		t.row(b.Target, strconv.Itoa(b.Records), strconv.FormatInt(b.Bytes, 10), ago(b.Oldest, now), strconv.Itoa(b.OverAge), failure(b.Error, b.ErrorAt, now))
	}
	return t.flush()
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// The values of --output.
const (
	formatTable = "table"
	formatJSON  = "json"
)

func checkFormat(cmd *cobra.Command) error {
	switch f, _ := cmd.Flags().GetString("output"); f {
	case formatTable, formatJSON:
		return nil
	default:
		return wrongUse("--output %q: it is table or json", f)
	}
}

// wantsJSON reports whether the command was asked for -o json.
func wantsJSON(cmd *cobra.Command) bool {
	f, _ := cmd.Flags().GetString("output")
	return f == formatJSON
}

// printJSON writes v as one line of JSON.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// table lines up columns. The zero value is not usable; see newTable.
type table struct{ tw *tabwriter.Writer }

func newTable(w io.Writer, head ...string) *table {
	t := &table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	if len(head) > 0 {
		t.row(head...)
	}
	return t
}

func (t *table) row(cells ...string) { fmt.Fprintln(t.tw, strings.Join(cells, "\t")) }

func (t *table) rowf(format string, args ...any) { fmt.Fprintf(t.tw, format+"\n", args...) }

func (t *table) flush() error { return t.tw.Flush() }

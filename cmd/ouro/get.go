package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
)

const getLong = `Print the value of a key, byte for byte.

Where clients have written without knowing of each other's versions the key has
siblings: they are listed, with the context that a put takes to replace them all.
-o json prints every version in base64, the context and the quorum.`

func newGetCommand() *cobra.Command {
	var f requestFlags
	var sibling int
	cmd := &cobra.Command{
		Use:   "get BUCKET/KEY",
		Short: "Print a value",
		Long:  getLong,
		Example: `  ouro get greetings/hello
  ouro get greetings/hello --addr 127.0.0.1:7090 --explain
  ouro get carts/alice --sibling 2
  ouro get carts/alice --r 3 -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := parseKey(args[0])
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("sibling") && sibling < 1 {
				return wrongUse("--sibling %d: siblings are counted from 1", sibling)
			}
			store, opts, err := f.open(cmd)
			if err != nil {
				return err
			}
			res, err := store.Get(cmd.Context(), key, opts...)
			if err == nil && sibling > len(res.Siblings) {
				return fmt.Errorf("%s has %s: there is no number %d", key, plural(len(res.Siblings), "version"), sibling)
			}
			return finish(cmd, key, res, err, func(w io.Writer) { printVersions(w, key, res, sibling) })
		},
	}
	f.add(cmd, reads)
	cmd.Flags().IntVar(&sibling, "sibling", 0, "print only the sibling of this `number`, counted from 1")
	return cmd
}

// printVersions writes the value, or the sibling asked for, or all siblings as a
// table with what to do about them.
func printVersions(w io.Writer, key ouro.Key, res ouro.Result, sibling int) {
	if len(res.Siblings) == 0 {
		printTyped(w, res.Typed)
		return
	}
	if sibling == 0 && len(res.Siblings) == 1 {
		sibling = 1
	}
	if sibling > 0 {
		data := res.Siblings[sibling-1].Data
		w.Write(data)
		if isTerminal(w) && !bytes.HasSuffix(data, []byte("\n")) {
			fmt.Fprintln(w) // for the eye: nothing is added to a file or a pipe
		}
		return
	}
	fmt.Fprintf(w, "%s has %d siblings: versions whose writers did not know of each other.\n\n", key, len(res.Siblings))
	t := newTable(w, "NUMBER", "MODIFIED", "TYPE", "BYTES", "VALUE")
	for i, s := range res.Siblings {
		t.row(strconv.Itoa(i+1), s.Modified.UTC().Format(time.RFC3339), s.ContentType, strconv.Itoa(len(s.Data)), preview(s.Data))
	}
	t.flush()
	fmt.Fprintf(w, "\nMerge them into one value and put it with the context, which replaces them all:\n  ouro put %s MERGED --context %s\n", key, res.Context)
}

const previewRunes = 40

// preview shows the beginning of a value in one line.
func preview(data []byte) string {
	if !utf8.Valid(data) {
		return "(binary)"
	}
	runes := []rune(string(data[:min(len(data), 4*previewRunes)]))
	text := string(runes[:min(len(runes), previewRunes)])
	quoted := strconv.Quote(text)
	if len(text) < len(data) {
		quoted += "..."
	}
	return quoted
}

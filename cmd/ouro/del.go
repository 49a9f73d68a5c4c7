package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
)

const delLong = `Delete a key: remove the versions that a read of it shows. What others write
meanwhile survives. --context removes what an earlier get showed instead.`

func newDelCommand() *cobra.Command {
	var f requestFlags
	cmd := &cobra.Command{
		Use:   "del BUCKET/KEY",
		Short: "Delete a key",
		Long:  delLong,
		Example: `  ouro del greetings/hello
  ouro del carts/alice --context "$context" --w 3`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := parseKey(args[0])
			if err != nil {
				return err
			}
			store, opts, err := f.open(cmd)
			if err != nil {
				return err
			}
			res, err := store.Delete(cmd.Context(), key, opts...)
			return finish(cmd, key, res, err, func(w io.Writer) { printDeleted(w, key, res, f.context == "" && !f.blind) })
		},
	}
	f.add(cmd, reads|writes)
	return cmd
}

// printDeleted tells what a delete removed. Under a context of its own the
// command did not read, and can't tell.
func printDeleted(w io.Writer, key ouro.Key, res ouro.Result, read bool) {
	switch {
	case read && len(res.Siblings) == 0:
		fmt.Fprintf(w, "%s: there is nothing to delete\n", key)
	case read:
		fmt.Fprintf(w, "deleted %s, %s, %s\n", key, plural(len(res.Siblings), "version"), reached(res))
	default:
		fmt.Fprintf(w, "deleted %s, %s\n", key, reached(res))
	}
	if len(res.Context) > 0 {
		fmt.Fprintf(w, "context: %s\n", res.Context)
	}
}

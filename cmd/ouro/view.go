package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro/client"
)

// newView completes a command that shows what one node says of itself: it asks
// the node's admin port and prints the answer, as JSON where that is wanted.
func newView[T any](cmd *cobra.Command, ask func(*client.Admin, context.Context) (T, error), show func(io.Writer, T) error) *cobra.Command {
	var t target
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var answer T
		if err := t.inside(cmd.Context(), func(ctx context.Context, a *client.Admin) (err error) {
			answer, err = ask(a, ctx)
			return err
		}); err != nil {
			return err
		}
		if wantsJSON(cmd) {
			return printJSON(cmd.OutOrStdout(), answer)
		}
		return show(cmd.OutOrStdout(), answer)
	}
	t.addFlags(cmd, true)
	return cmd
}

// ago tells an age, "-" where there is none.
func ago(at, now time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return now.Sub(at).Round(time.Second).String()
}

// howLongAgo tells when something was, "-" where it has not been.
func howLongAgo(at, now time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return ago(at, now) + " ago"
}

// failure tells a last error and its age, "-" where there is none.
func failure(what string, at, now time.Time) string {
	switch {
	case what == "":
		return "-"
	case at.IsZero(): // it is so now
		return what
	}
	return what + ", " + howLongAgo(at, now)
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
)

func newMgetCommand() *cobra.Command {
	var f requestFlags
	cmd := &cobra.Command{
		Use:   "mget BUCKET/KEY...",
		Short: "Print several values",
		Long: `Read several keys at once and print a line for each: its first version, or why
there is none. The exit code is 1 where any read failed; a key without a value is no
failure. -o json prints all versions, with the contexts.`,
		Example: `  ouro mget carts/alice carts/bob
  ouro mget users/1 users/2 --r 3 -o json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var keys []ouro.Key
			for _, text := range args {
				key, err := parseKey(text)
				if err != nil {
					return err
				}
				keys = append(keys, key)
			}
			store, opts, err := f.open(cmd)
			if err != nil {
				return err
			}
			return finishMany(cmd, keys, store.GetMany(cmd.Context(), keys, opts...), shownValue)
		},
	}
	f.add(cmd, reads)
	return cmd
}

func newMputCommand() *cobra.Command {
	var f requestFlags
	var contentType string
	cmd := &cobra.Command{
		Use:   "mput BUCKET/KEY=VALUE...",
		Short: "Store several values",
		Long: `Store several values at once, each by itself: some may be stored where others fail,
and a line says so for each. The keys are read first and what was found is replaced,
as with put; --blind replaces nothing. A key ends at the first = of its argument.`,
		Example: `  ouro mput users/1=Alice users/2=Bob
  ouro mput a/x=1 a/y=2 --blind --w 3`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("context") {
				return wrongUse("--context: a context is of one key; use put")
			}
			var keys []ouro.Key
			var items []ouro.Item
			for _, text := range args {
				name, value, ok := strings.Cut(text, "=")
				if !ok {
					return wrongUse("%q is not BUCKET/KEY=VALUE", text)
				}
				key, err := parseKey(name)
				if err != nil {
					return err
				}
				if slices.Contains(keys, key) {
					return wrongUse("%s is given twice: neither value would replace the other", key)
				}
				keys, items = append(keys, key), append(items, ouro.Item{Key: key, Value: ouro.Value{Data: []byte(value), ContentType: contentType}})
			}
			store, opts, err := f.open(cmd)
			if err != nil {
				return err
			}
			return finishMany(cmd, keys, store.PutMany(cmd.Context(), items, opts...), func(res ouro.Result) string { return "stored " + reached(res) })
		},
	}
	f.add(cmd, reads|writes)
	cmd.Flags().StringVar(&contentType, "content-type", "text/plain; charset=utf-8", "media `type` kept with the values")
	return cmd
}

// shownValue is what a get showed, in one line.
func shownValue(res ouro.Result) string {
	switch {
	case res.Typed != nil && len(res.Siblings) == 0:
		var b strings.Builder
		printTyped(&b, res.Typed)
		return strings.Join(strings.Fields(b.String()), " ")
	case len(res.Siblings) > 1:
		return fmt.Sprintf("%d siblings, such as %s", len(res.Siblings), preview(res.Siblings[0].Data))
	default:
		return preview(res.Siblings[0].Data)
	}
}

// finishMany prints what became of each of several requests.
func finishMany(cmd *cobra.Command, keys []ouro.Key, answers []ouro.Answer, show func(ouro.Result) string) error {
	failed := 0
	var all []answer
	t := newTable(cmd.OutOrStdout(), "KEY", "")
	for i := range answers {
		a := &answers[i]
		all = append(all, newAnswer(keys[i], a.Result, a.Err))
		printExplain(cmd.ErrOrStderr(), a.Result)
		switch {
		case a.Err == nil:
			t.row(keys[i].String(), show(a.Result))
		case ouro.CodeOf(a.Err) == ouro.NotFound:
			t.row(keys[i].String(), "(not found)")
		default:
			failed++
			t.row(keys[i].String(), "FAILED "+a.Err.Error())
		}
	}
	var err error
	if wantsJSON(cmd) {
		err = printJSON(cmd.OutOrStdout(), all)
	} else {
		err = t.flush()
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d of %d failed", failed, len(answers))
	}
	return err
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/keypath"
)

const keysLong = `List the keys of a bucket that show a value, in the order of the ring, a page at a
time until the end, or until --limit keys. A key that is not printable is written
percent-encoded; --encoded writes all so.

A page of which too few replicas told what they hold is not complete: which ranges
of the ring that is about is written to standard error, and the exit code is 1. The
next command can go on from a --cursor, at any node and after any change of the ring.`

func newKeysCommand() *cobra.Command {
	var t target
	var bucket, cursor string
	var q ouro.KeysQuery
	var limit, r int
	var encoded bool
	cmd := &cobra.Command{
		Use:   "keys --bucket BUCKET",
		Short: "List the keys of a bucket",
		Long:  keysLong,
		Example: `  ouro keys --bucket users
  ouro keys --bucket users --prefix eu/ --limit 100 -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if bucket == "" {
				return wrongUse("--bucket is needed")
			}
			if err = ouro.ValidateBucket(bucket); err != nil {
				return wrongUse("--bucket: %v", err)
			}
			if q.Cursor, err = ouro.ParseCursor(cursor); err != nil {
				return wrongUse("--cursor: %v", err)
			}
			if limit < 0 || r < 0 || q.Timeout < 0 {
				return wrongUse("--limit, --r and --timeout are not negative")
			}
			if r > 0 {
				q.R = ouro.Count{N: r, Set: true}
			}
			return listKeys(cmd, &t, bucket, q, limit, encoded)
		},
	}
	t.addFlags(cmd, false)
	f := cmd.Flags()
	f.StringVar(&bucket, "bucket", "", "`bucket` to list (required)")
	f.StringVar(&q.Prefix, "prefix", "", "only keys that begin with this `text`")
	f.StringVar(&cursor, "cursor", "0", "`position` at which to go on, as an earlier list said")
	f.IntVar(&limit, "limit", 0, "`number` of keys after which to end; 0: none")
	f.IntVar(&r, "r", 0, "`number` of replicas that must tell what they hold; 0: the bucket's r")
	f.DurationVar(&q.Timeout, "timeout", 0, "`duration` that each partition may take; 0: the bucket's")
	f.BoolVar(&encoded, "encoded", false, "write keys percent-encoded, as in a path")
	return cmd
}

// keysListed is what -o json prints.
type keysListed struct {
	Keys     []string        `json:"keys"`
	Next     string          `json:"next"`
	Complete bool            `json:"complete"`
	Missing  []ouro.KeyRange `json:"missing"`
}

// listKeys prints pages until the end, or until limit keys.
func listKeys(cmd *cobra.Command, t *target, bucket string, q ouro.KeysQuery, limit int, encoded bool) error {
	store, err := t.store(pagePatience + pageTurns*q.Timeout)
	if err != nil {
		return err
	}
	defer store.Close()
	all := keysListed{Keys: []string{}, Missing: []ouro.KeyRange{}}
	found := 0
	for {
		q.Limit = ouro.DefaultKeysLimit
		if limit > 0 {
			q.Limit = min(limit-found, ouro.MaxKeysLimit)
		}
		page, err := store.Keys(cmd.Context(), bucket, q)
		if err != nil {
			return fmt.Errorf("at --cursor %s: %w", q.Cursor, err)
		}
		found += len(page.Keys)
		all.Missing = append(all.Missing, page.Missing...)
		for _, k := range page.Keys {
			if encoded || (ouro.Key{Bucket: bucket, Name: k}).String() != bucket+"/"+k {
				k = keypath.Escape(k)
			}
			if wantsJSON(cmd) {
				all.Keys = append(all.Keys, k)
			} else if _, err := fmt.Fprintln(cmd.OutOrStdout(), k); err != nil {
				return err
			}
		}
		if q.Cursor = page.Next; q.Cursor == 0 || limit > 0 && found >= limit {
			break
		}
	}
	all.Next, all.Complete = q.Cursor.String(), len(all.Missing) == 0
	return endKeys(cmd, &all)
}

// endKeys says how the list ended.
func endKeys(cmd *cobra.Command, all *keysListed) error {
	if wantsJSON(cmd) {
		if err := printJSON(cmd.OutOrStdout(), all); err != nil {
			return err
		}
	}
	w := cmd.ErrOrStderr()
	if all.Next != "0" && !wantsJSON(cmd) {
		fmt.Fprintf(w, "there is more: go on with --cursor %s\n", all.Next)
	}
	if all.Complete {
		return nil
	}
	for _, m := range all.Missing[:min(len(all.Missing), 5)] {
		fmt.Fprintf(w, "not complete from %016x to %016x: %s\n", uint64(m.From), uint64(m.To), m.Why)
	}
	return fmt.Errorf("%d ranges of the ring are not complete: keys may be missing, and some shown that are deleted; try again when more replicas answer", len(all.Missing))
}

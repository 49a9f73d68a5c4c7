package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
)

const putLong = `Store a value under a key. Without VALUE it is read from standard input.

The command reads the key first and replaces the versions it found: what others
write meanwhile survives, as a sibling. --context replaces what an earlier get
showed instead; --blind replaces nothing, so that a sibling of whatever is there
comes about.`

func newPutCommand() *cobra.Command {
	var f requestFlags
	var contentType string
	var ttl time.Duration
	cmd := &cobra.Command{
		Use:   "put BUCKET/KEY [VALUE]",
		Short: "Store a value",
		Long:  putLong,
		Example: `  ouro put greetings/hello 'Hello, world'
  ouro put photos/cat.jpg --content-type image/jpeg < cat.jpg
  ouro put carts/alice "$merged" --context "$context"
  ouro put audit/1 done --w 3 --dw 3 --explain`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := parseKey(args[0])
			if err != nil {
				return err
			}
			opts, err := f.options(cmd)
			if err != nil {
				return err
			}
			value, err := putValue(cmd, args[1:], contentType)
			if err != nil {
				return err
			}
			store, err := f.store()
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("ttl") {
				opts = append(opts, ouro.TTL(ttl))
			}
			res, err := store.Put(cmd.Context(), key, value, opts...)
			return finish(cmd, key, res, err, func(w io.Writer) {
				fmt.Fprintf(w, "stored %s, %s, %s\n", key, plural(len(value.Data), "byte"), reached(res))
				fmt.Fprintf(w, "context: %s\n", res.Context)
			})
		},
	}
	f.add(cmd, reads|writes)
	cmd.Flags().DurationVar(&ttl, "ttl", 0, "how long the version lasts, a `duration`; less than 0: for ever (the bucket's)")
	cmd.Flags().StringVar(&contentType, "content-type", "", "media `type` kept with the value (text/plain for an argument)")
	return cmd
}

// putValue returns the value that the command line or standard input gives.
func putValue(cmd *cobra.Command, args []string, contentType string) (ouro.Value, error) {
	if len(args) == 1 {
		if contentType == "" {
			contentType = "text/plain; charset=utf-8"
		}
		return ouro.Value{Data: []byte(args[0]), ContentType: contentType}, nil
	}
	data, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxInput))
	if err != nil {
		return ouro.Value{}, fmt.Errorf("the value can't be read from standard input: %w", err)
	}
	return ouro.Value{Data: data, ContentType: contentType}, nil
}

// reached tells which quorum a write reached.
func reached(res ouro.Result) string {
	q := res.Quorum
	return fmt.Sprintf("by %s with %d of %d acknowledgements (w=%d), %d durable", res.Coordinator, q.Acks, q.N, q.W, q.Durable)
}

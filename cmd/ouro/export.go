package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/dataset"
)

const exportLong = `Write objects as newline delimited JSON to standard output: bucket, key, content
type, time and value of each. A value that is not text is base64; an object with
siblings is written with all of them. 'ouro import --format ndjson' reads it back.

The keys are named: --keys is a file with one key a line (- is standard input, such
as what 'ouro keys' writes, where keys are printable); --from is a file that was
imported, in the same --format and with the same --key. Keys that are not stored are left out and
counted; a key that can't be read ends the export.`

// exportFlags are the flags of export.
type exportFlags struct {
	target
	bucket      string
	keys, from  string
	src         dataset.Source
	concurrency int
	patience    time.Duration
	out         string
}

func newExportCommand() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write objects to a file",
		Long:  exportLong,
		Example: `  ouro export --bucket users --keys ids.txt > users.ndjson
  ouro export --bucket debian --from available --format deb822 --file debian.ndjson`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.addFlags(cmd, false)
	fs := cmd.Flags()
	fs.StringVar(&f.bucket, "bucket", "", "`bucket` to read (required)")
	fs.StringVar(&f.keys, "keys", "", "`file` with one key a line; - is standard input")
	fs.StringVar(&f.from, "from", "", "`file` that was imported, to take the keys from")
	fs.StringVar(&f.src.Format, "format", "", "`format` of that file: "+strings.Join(dataset.Formats(), ", "))
	fs.StringArrayVar(&f.src.Key, "key", nil, "`field` of it that the key is taken from; repeat it for several")
	fs.IntVar(&f.concurrency, "concurrency", 32, "`number` of keys under way at once")
	fs.DurationVar(&f.patience, "patience", 30*time.Second, "`duration` for which a key is tried again while nodes do not answer")
	fs.StringVar(&f.out, "file", "-", "`file` to write, which must not exist; - is standard output")
	return cmd
}

func (f *exportFlags) check() error {
	if f.bucket == "" {
		return wrongUse("--bucket is needed")
	}
	if err := ouro.ValidateBucket(f.bucket); err != nil {
		return wrongUse("--bucket: %v", err)
	}
	switch {
	case (f.keys == "") == (f.from == ""):
		return wrongUse("either --keys or --from says which keys to read")
	case f.from != "" && f.src.Format == "":
		return wrongUse("--from needs the --format of that file")
	case f.keys != "" && (f.src.Format != "" || len(f.src.Key) > 0):
		return wrongUse("--format and --key are about --from; --keys has one key a line")
	case f.concurrency < 1 || f.concurrency > maxConcurrency:
		return wrongUse("--concurrency %d: it is 1 to %d", f.concurrency, maxConcurrency)
	case f.patience < 0:
		return wrongUse("--patience is not negative")
	}
	return nil
}

func (f *exportFlags) run(cmd *cobra.Command) error {
	if err := f.check(); err != nil {
		return err
	}
	in, err := openInput(cmd, f.keys+f.from)
	if err != nil {
		return err
	}
	defer in.Close()
	next := dataset.KeyLines(in)
	if f.from != "" {
		reader, err := dataset.Open(in, f.src)
		if err != nil {
			return badSource(err)
		}
		next = dataset.KeysOf(reader)
	}
	store, err := f.store(answerPatience)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := answers(cmd.Context(), store, f.bucket); err != nil {
		return err
	}
	out, closeOut, err := f.output(cmd)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, unix.SIGTERM)
	defer stop()
	ex := &dataset.Export{Store: store, Bucket: f.bucket, Workers: f.concurrency, Patience: f.patience}
	err = ex.Run(ctx, out, next)
	if ctx.Err() == context.Canceled {
		err = fmt.Errorf("interrupted: what was written is not complete")
	}
	if closed := closeOut(); err == nil {
		err = closed
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%d objects written, %d of them with siblings; %d keys are not stored\n", ex.Found, ex.Siblings, ex.Missing)
	return err
}

// output opens the file to write, buffered.
func (f *exportFlags) output(cmd *cobra.Command) (io.Writer, func() error, error) {
	if f.out == "-" {
		w := bufio.NewWriterSize(cmd.OutOrStdout(), 1<<16)
		return w, w.Flush, nil
	}
	file, err := os.OpenFile(f.out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	w := bufio.NewWriterSize(file, 1<<16)
	return w, func() error {
		err := w.Flush()
		if closed := file.Close(); err == nil {
			err = closed
		}
		return err
	}, nil
}

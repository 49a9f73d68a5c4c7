package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/dataset"
)

const importLong = `Store the records of a file: newline delimited JSON, CSV with a header row, or
the deb822 stanzas of Debian's package indexes. Without FILE, or with -, they are
read from standard input.

The key of a record is made of the fields that --key names, joined by '/': a
field of a JSON object, a column (the first, unless named), a field of a stanza
(Package, unless named). The value is the line, the row as a JSON object, or the
stanza. JSON without --key has to be what 'ouro export' wrote.

A record that is stored already with the same bytes is left alone, another
replaces what was read: importing twice makes no siblings. An import of a file
that was interrupted goes on where it stopped when the command is repeated.`

// importFlags are the flags of import.
type importFlags struct {
	target
	bucket      string
	src         dataset.Source
	concurrency int
	state       string
	restart     bool
	patience    time.Duration
	maxErrors   int64
}

func newImportCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import [FILE]",
		Short: "Store the records of a file",
		Long:  importLong,
		Example: `  apt-cache dumpavail | ouro import --bucket debian --format deb822
  ouro import --bucket users --format ndjson --key id users.ndjson
  ouro import --bucket stock --format csv --key warehouse --key sku stock.csv`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.addFlags(cmd, false)
	fs := cmd.Flags()
	fs.StringVar(&f.bucket, "bucket", "", "`bucket` to store in (required)")
	fs.StringVar(&f.src.Format, "format", "", "`format` of the file: "+strings.Join(dataset.Formats(), ", ")+" (required)")
	fs.StringArrayVar(&f.src.Key, "key", nil, "`field` the key is taken from; repeat it for several")
	fs.IntVar(&f.concurrency, "concurrency", 32, "`number` of records under way at once")
	fs.StringVar(&f.state, "state", "", "`file` that keeps how far the import came (one in the user's cache folder)")
	fs.BoolVar(&f.restart, "restart", false, "begin at the first record even after an interruption")
	fs.DurationVar(&f.patience, "patience", 30*time.Second, "`duration` for which a record is tried again while nodes do not answer")
	fs.Int64Var(&f.maxErrors, "max-errors", 100, "give up after more than this `number` of records have failed")
	return cmd
}

const maxConcurrency = 1024

func (f *importFlags) check() error {
	if f.bucket == "" || f.src.Format == "" {
		return wrongUse("--bucket and --format are needed")
	}
	if err := ouro.ValidateBucket(f.bucket); err != nil {
		return wrongUse("--bucket: %v", err)
	}
	if f.concurrency < 1 || f.concurrency > maxConcurrency {
		return wrongUse("--concurrency %d: it is 1 to %d", f.concurrency, maxConcurrency)
	}
	if f.patience < 0 || f.maxErrors < 0 {
		return wrongUse("--patience and --max-errors are not negative")
	}
	return nil
}

func (f *importFlags) run(cmd *cobra.Command, args []string) error {
	if err := f.check(); err != nil {
		return err
	}
	addr, err := f.target.client()
	if err != nil {
		return err
	}
	in, progress, err := f.open(cmd, args, addr)
	if err != nil {
		return err
	}
	defer in.Close()
	if progress != nil {
		f.src.Skip = progress.Position
	}
	reader, err := dataset.Open(in, f.src)
	if err != nil {
		return badSource(err)
	}
	store, err := f.store(answerPatience)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := answers(cmd.Context(), store, f.bucket); err != nil {
		return err
	}
	return f.load(cmd, store, reader, progress)
}

// badSource marks the errors of a file that is not in the format that the
// command line says as wrong use.
func badSource(err error) error { return &exitError{exitWrongUse, err} }

// answers makes sure that a node is there before a long command begins.
func answers(ctx context.Context, store ouro.Store, bucket string) error {
	ctx, cancel := context.WithTimeout(ctx, adminPatience)
	defer cancel()
	res, err := store.Get(ctx, ouro.Key{Bucket: bucket, Name: "is-anybody-there"})
	if err == nil || ouro.CodeOf(err) == ouro.NotFound || res.Coordinator != "" {
		return nil
	}
	return adviseUnanswered(err, "--addr")
}

// open opens the input, and the progress of an import that may go on.
func (f *importFlags) open(cmd *cobra.Command, args []string, addr string) (io.ReadCloser, *dataset.Progress, error) {
	if len(args) == 0 || args[0] == "-" {
		if f.state != "" {
			return nil, nil, wrongUse("--state: standard input can't be gone on with, name a FILE")
		}
		return io.NopCloser(cmd.InOrStdin()), nil, nil
	}
	file, err := os.Open(args[0])
	if err != nil {
		return nil, nil, err
	}
	progress, err := f.resume(cmd, args[0], addr)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, progress, nil
}

func (f *importFlags) resume(cmd *cobra.Command, path, addr string) (*dataset.Progress, error) {
	job, err := dataset.NewJob(path, f.bucket, f.src, addr)
	if err != nil {
		return nil, err
	}
	if f.state == "" {
		if f.state, err = dataset.ResumeFile(job); err != nil {
			return nil, err
		}
	}
	p, err := dataset.Resume(f.state, job)
	if err != nil {
		return nil, err
	}
	if f.restart {
		p.Position = dataset.Position{}
	}
	if p.Position.Records > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "Going on after record %d, where this import stopped %s ago (--restart begins anew).\n", p.Position.Records, time.Since(p.Written).Round(time.Second))
	}
	return p, nil
}

// shownErrors is how many failed records are told one by one.
const shownErrors = 10

// load runs the import and tells how it went.
func (f *importFlags) load(cmd *cobra.Command, store ouro.Store, reader dataset.Reader, progress *dataset.Progress) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, unix.SIGTERM)
	defer stop()
	im := &dataset.Import{Store: store, Bucket: f.bucket, Workers: f.concurrency, Patience: f.patience, MaxErrors: f.maxErrors}
	var total int64
	if progress != nil {
		total = progress.Job.Size
		im.Done = f.saver(cmd, progress)
	}
	bar := newProgressBar(cmd.ErrOrStderr(), "importing", total)
	var mu sync.Mutex
	told := 0
	im.Failed = func(rec dataset.Record, err error) {
		mu.Lock()
		defer mu.Unlock()
		if told++; told <= shownErrors {
			bar.say("record %d (key %.80q): %v", rec.N, rec.Key, err)
		}
	}
	bar.follow(func() (at, records, failed int64) {
		return im.Counts.Bytes.Load(), im.Counts.Total(), im.Counts.Failed.Load()
	})
	start := time.Now()
	err := im.Run(ctx, reader, f.src.Skip)
	bar.end()
	return f.finish(cmd, im, progress, time.Since(start), err)
}

// saver stores the place that was reached, a few times a second at most.
func (f *importFlags) saver(cmd *cobra.Command, p *dataset.Progress) func(dataset.Position) {
	var last time.Time
	return func(at dataset.Position) {
		p.Position = at
		if time.Since(last) < 250*time.Millisecond {
			return
		}
		last = time.Now()
		if err := p.Save(at); err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "the progress can't be kept: %v\n", err)
		}
	}
}

// importResult is what an import came to.
type importResult struct {
	Records int64   `json:"records"`
	Stored  int64   `json:"stored"`
	Same    int64   `json:"same"` // there already, byte for byte
	Failed  int64   `json:"failed"`
	Seconds float64 `json:"seconds"`
	Rate    float64 `json:"records_per_second"`
	Error   string  `json:"error,omitempty"`
}

func (f *importFlags) finish(cmd *cobra.Command, im *dataset.Import, progress *dataset.Progress, took time.Duration, err error) error {
	c := &im.Counts
	r := importResult{c.Total(), c.Stored.Load(), c.Same.Load(), c.Failed.Load(), took.Seconds(), float64(c.Total()) / took.Seconds(), ""}
	if err == nil && r.Failed > 0 {
		err = fmt.Errorf("%s could not be stored", plural(int(r.Failed), "record"))
	}
	if progress != nil {
		if err == nil {
			err = progress.Finish()
		} else if saved := progress.Save(progress.Position); saved == nil {
			again := "repeat the command to go on after record %d"
			if errors.Is(err, context.Canceled) {
				err = errors.New("interrupted")
			}
			err = fmt.Errorf("%w; "+again, err, progress.Position.Records)
		}
	}
	if err != nil {
		r.Error = err.Error()
	}
	if wantsJSON(cmd) {
		if perr := printJSON(cmd.OutOrStdout(), r); perr != nil {
			return perr
		}
		if err != nil {
			return &exitError{code: exitFailed}
		}
		return nil
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s in %s, %.0f a second: %d stored, %d there already, %d failed\n",
		plural(int(r.Records), "record"), took.Round(time.Millisecond), r.Rate, r.Stored, r.Same, r.Failed)
	return err
}

// openInput opens a file, or standard input for "-".
func openInput(cmd *cobra.Command, path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(bufio.NewReader(cmd.InOrStdin())), nil
	}
	return os.Open(path)
}

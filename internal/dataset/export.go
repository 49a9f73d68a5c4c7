package dataset

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/ourodb/ouro"
)

// Export writes the objects of a list of keys as newline delimited JSON, in the
// order of the list: bucket, key, content type, time and value of each, or all
// siblings of it. Text stays text, other bytes are base64. What it writes can be
// imported again.
type Export struct {
	Store    ouro.Store
	Bucket   string
	Workers  int
	Options  []ouro.Option
	Patience time.Duration

	Found, Missing, Siblings int64 // valid after Run
}

// exported is one key on its way through the export.
type exported struct {
	key  ouro.Key
	done chan struct{}
	line []byte // empty: no such key
	more bool   // it has siblings
	err  error
}

// Run writes what next yields keys for until it returns io.EOF. The first key
// that can't be read ends the export: an export with holes would look whole.
func (ex *Export) Run(ctx context.Context, w io.Writer, next func() (string, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	workers := max(ex.Workers, 1)
	todo := make(chan *exported)
	queue := make(chan *exported, 4*workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for e := range todo {
				ex.fetch(ctx, e)
				close(e.done)
			}
		})
	}
	var feedErr error
	wg.Go(func() {
		defer close(queue)
		defer close(todo)
		feedErr = ex.feed(ctx, next, queue, todo)
	})
	err := ex.write(ctx, w, queue)
	cancel()
	for range queue {
	}
	wg.Wait()
	if err == nil {
		err = feedErr
	}
	return err
}

func (ex *Export) feed(ctx context.Context, next func() (string, error), queue, todo chan<- *exported) error {
	for {
		name, err := next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		e := &exported{key: ouro.Key{Bucket: ex.Bucket, Name: name}, done: make(chan struct{})}
		for _, ch := range []chan<- *exported{queue, todo} {
			select {
			case ch <- e:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

func (ex *Export) fetch(ctx context.Context, e *exported) {
	var res ouro.Result
	err := patiently(ctx, ex.Patience, func() (err error) {
		res, err = ex.Store.Get(ctx, e.key, ex.Options...)
		return err
	})
	switch {
	case ouro.CodeOf(err) == ouro.NotFound:
	case err != nil:
		e.err = fmt.Errorf("%s: %w", e.key, err)
	case res.Typed != nil:
		e.err = fmt.Errorf("%s: it is a %s: data types cannot be exported", e.key, res.Typed.Kind)
	default:
		e.more = len(res.Siblings) > 1
		e.line, e.err = appendLine(nil, e.key, res.Siblings)
	}
}

func (ex *Export) write(ctx context.Context, w io.Writer, queue <-chan *exported) error {
	for e := range queue {
		select {
		case <-e.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if e.err != nil {
			return e.err
		}
		if len(e.line) == 0 {
			ex.Missing++
			continue
		}
		if ex.Found++; e.more {
			ex.Siblings++
		}
		if _, err := w.Write(e.line); err != nil {
			return err
		}
	}
	return nil
}

// KeysOf yields the keys of a file that [Open] reads, bad records left out.
func KeysOf(r Reader) func() (string, error) {
	return func() (string, error) {
		for {
			rec, err := r.Next()
			if err != nil || rec.Err == nil {
				return rec.Key, err
			}
		}
	}
}

// KeyLines yields the lines of r without their line ends, empty ones left out.
func KeyLines(r io.Reader) func() (string, error) {
	l := newLines(r, Position{})
	return func() (string, error) {
		for {
			b, err := l.next()
			if err != nil {
				return "", err
			}
			l.pos.Records++
			for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
				b = b[:len(b)-1]
			}
			if len(b) > 0 {
				return string(b), nil
			}
		}
	}
}

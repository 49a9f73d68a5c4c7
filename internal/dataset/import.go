package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro"
)

// Import stores the records of a file.
type Import struct {
	Store   ouro.Store
	Bucket  string
	Workers int           // records in flight at once; at least 1
	Options []ouro.Option // for every get and put
	// Patience is how long one record is tried again while its error is one that
	// may pass, such as a node that is down.
	Patience time.Duration
	// MaxErrors ends the import when more records than this have failed.
	MaxErrors int64
	// Failed is told each record that could not be stored, from any goroutine.
	Failed func(Record, error)
	// Done is told, from one goroutine at a time, the place up to which every
	// record has been stored. It grows with every call.
	Done func(Position)

	Counts Counts // may be read while the import runs
}

// Counts are what an import has done so far.
type Counts struct {
	Stored atomic.Int64 // records written
	Same   atomic.Int64 // records that were there already, byte for byte
	Failed atomic.Int64
	Bytes  atomic.Int64 // of the file, up to the last record handed out
}

// Total returns the number of records that were dealt with.
func (c *Counts) Total() int64 { return c.Stored.Load() + c.Same.Load() + c.Failed.Load() }

var errTooMany = errors.New("too many records failed")

// Run imports what r reads, which begins at start. Records of one key are
// stored in the order of the file, others in any. It returns the first error
// that ended it; failed records are counted instead.
func (im *Import) Run(ctx context.Context, r Reader, start Position) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lanes := make([]chan Record, max(im.Workers, 1))
	marks := newWatermark(start, im.Done)
	var wg sync.WaitGroup
	for i := range lanes {
		lanes[i] = make(chan Record, 4)
		wg.Go(func() {
			for rec := range lanes[i] {
				if im.one(ctx, rec) {
					marks.done(rec.N)
				} else {
					marks.failed(rec.N)
				}
				if im.Counts.Failed.Load() > im.MaxErrors {
					cancel(errTooMany)
				}
			}
		})
	}
	err := im.feed(ctx, r, lanes, marks)
	for _, lane := range lanes {
		close(lane)
	}
	wg.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// feed hands each record to the lane of its key.
func (im *Import) feed(ctx context.Context, r Reader, lanes []chan Record, marks *watermark) error {
	seed := maphash.MakeSeed()
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		im.Counts.Bytes.Store(rec.End)
		marks.begin(Position{Offset: rec.End, Records: rec.N})
		lane := lanes[maphash.String(seed, rec.Key)%uint64(len(lanes))]
		select {
		case lane <- rec:
		case <-ctx.Done():
			return nil
		}
	}
}

// one stores a record and reports whether it is stored.
func (im *Import) one(ctx context.Context, rec Record) bool {
	err := rec.Err
	if err == nil {
		err = im.store(ctx, rec)
	}
	if err == nil {
		return true
	}
	if ctx.Err() != nil {
		return false // interrupted, not failed
	}
	im.Counts.Failed.Add(1)
	if im.Failed != nil {
		im.Failed(rec, err)
	}
	return false
}

// store tries until the record is stored, fails for good, or patience ends. All
// tries carry one request id, so that a write whose answer was lost is not
// stored a second time.
func (im *Import) store(ctx context.Context, rec Record) error {
	key := ouro.Key{Bucket: im.Bucket, Name: rec.Key}
	id := fmt.Sprintf("import-%016x", rand.Uint64())
	options := append([]ouro.Option{ouro.First()}, im.Options...)
	return patiently(ctx, im.Patience, func() error {
		err := im.try(ctx, key, rec.Values, id, options)
		options = im.Options
		return err
	})
}

// try reads the key and replaces what it read unless that is the record.
func (im *Import) try(ctx context.Context, key ouro.Key, values []ouro.Value, id string, options []ouro.Option) error {
	res, err := im.Store.Get(ctx, key, im.Options...)
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		return err
	}
	if same(res.Siblings, values) {
		im.Counts.Same.Add(1)
		return nil
	}
	for i, v := range values {
		seen := ouro.Blind() // a sibling of the values before it
		if i == 0 {
			seen = ouro.WithContext(res.Context)
		}
		opts := append([]ouro.Option{seen, ouro.RequestID(fmt.Sprintf("%s-%d", id, i))}, options...)
		if _, err := im.Store.Put(ctx, key, v, opts...); err != nil {
			return err
		}
	}
	im.Counts.Stored.Add(1)
	return nil
}

// same reports whether the siblings are exactly the values, in any order.
func same(siblings []ouro.Sibling, values []ouro.Value) bool {
	if len(siblings) != len(values) {
		return false
	}
	used := make([]bool, len(values))
next:
	for _, s := range siblings {
		for i, v := range values {
			if !used[i] && s.ContentType == v.ContentType && bytes.Equal(s.Data, v.Data) {
				used[i] = true
				continue next
			}
		}
		return false
	}
	return true
}

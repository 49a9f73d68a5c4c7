package archive

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"sync"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Source is the cluster that is archived.
type Source interface {
	Keys(ctx context.Context, bucket string, q ouro.KeysQuery) (ouro.KeysPage, error)
	Record(ctx context.Context, key ouro.Key) ([]byte, error)
}

// Target is the cluster that an archive is restored into.
type Target interface {
	Restore(ctx context.Context, key ouro.Key, record []byte) error
}

// Work is how an archive is made or restored.
type Work struct {
	Dir      string
	Workers  int           // records under way at once
	Rate     int64         // bytes of keys and records a second; 0: no bound
	Patience time.Duration // for how long what fails is tried again while nothing else succeeds
	Step     func()        // called after each partition
}

// span returns the first and the last upper half of a position of a partition.
func span(q, partition int) (first, last uint64) {
	shift := 64 - bits.TrailingZeros(uint(q))
	if shift == 64 {
		return 0, ^uint64(0)
	}
	first = uint64(partition) << shift
	return first, first + (1<<shift - 1)
}

func position(key ouro.Key) uint64 { return ring.NewKey(key.Bucket, key.Name).Pos.Hi }

// saveEvery is how often it is noted which partitions are there.
const saveEvery = time.Second

// Create makes the archive that m describes, or goes on with one that is not complete:
// what is there of it already is verified, and made anew where it is wrong.
func (w *Work) Create(ctx context.Context, m *Manifest, from Source) error {
	if err := os.MkdirAll(w.Dir, 0o700); err != nil {
		return err
	}
	if err := w.goOn(m); err != nil {
		return err
	}
	patience := newPatience(w.Patience)
	lists := make([]*keyList, len(m.Buckets))
	for i, b := range m.Buckets {
		lists[i] = &keyList{from: from, bucket: b, patience: patience}
	}
	pace, saved := pacer{rate: w.Rate, begun: time.Now()}, time.Now()
	for p := range m.Q {
		if _, err := m.ReadPartition(w.Dir, p, func(ouro.Key, []byte) error { return nil }); err != nil {
			sum, err := w.partition(ctx, m, p, lists, from, &pace)
			if err != nil {
				return errors.Join(fmt.Errorf("partition %d: %w", p, err), m.save(w.Dir))
			}
			m.Partitions[p] = sum
			if time.Since(saved) > saveEvery { // it grows with q
				if err := m.save(w.Dir); err != nil {
					return err
				}
				saved = time.Now()
			}
		}
		w.Step()
	}
	m.Complete, m.Ended = true, time.Now().UTC()
	return m.save(w.Dir)
}

// goOn takes over what an earlier run has made.
func (w *Work) goOn(m *Manifest) error {
	m.Format, m.Partitions = format, map[int]Sum{}
	if _, err := os.Stat(manifestOf(w.Dir)); errors.Is(err, os.ErrNotExist) {
		if err := unused(w.Dir); err != nil {
			return err
		}
		return m.save(w.Dir)
	}
	old, err := Load(w.Dir)
	switch {
	case err != nil:
		return err
	case old.Complete:
		return fmt.Errorf("there is a complete archive in %s already: choose another folder", w.Dir)
	case old.ClusterID != m.ClusterID || old.Q != m.Q || fmt.Sprint(old.Buckets) != fmt.Sprint(m.Buckets):
		return fmt.Errorf("in %s is the beginning of another archive, of cluster %s with buckets %v: choose another folder", w.Dir, old.Cluster, old.Buckets)
	}
	m.Begun, m.Partitions = old.Begun, old.Partitions
	if m.Partitions == nil {
		m.Partitions = map[int]Sum{}
	}
	return nil
}

// unused wants a folder in which nothing is, but what a first run that failed left.
func unused(dir string) error {
	found, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range found {
		if f.Name() != manifestName+part {
			return fmt.Errorf("the folder %s is no archive and has %s in it: choose another, or one that is empty", dir, f.Name())
		}
	}
	return nil
}

// partition writes the file of one.
func (w *Work) partition(ctx context.Context, m *Manifest, p int, lists []*keyList, from Source, pace *pacer) (sum Sum, err error) {
	first, last := span(m.Q, p)
	err = whole(fileOf(w.Dir, p), func(f *os.File) error {
		out, err := newWriter(f)
		if err != nil {
			return err
		}
		for _, l := range lists {
			if err := w.bucket(ctx, l, first, last, from, out, pace); err != nil {
				return fmt.Errorf("bucket %s: %w", l.bucket, err)
			}
		}
		sum, err = out.close()
		return err
	})
	return sum, err
}

// chunk is how many records are in memory at a time.
const chunk = 64

func (w *Work) bucket(ctx context.Context, l *keyList, first, last uint64, from Source, out *writer, pace *pacer) error {
	for {
		names, more, err := l.take(ctx, first, last, chunk)
		if err != nil {
			return err
		}
		records := make([][]byte, len(names))
		if err := each(ctx, w.Workers, len(names), func(i int) error {
			return l.patience.again(ctx, func() (err error) {
				records[i], err = from.Record(ctx, ouro.Key{Bucket: l.bucket, Name: names[i]})
				if ouro.CodeOf(err) == ouro.NotFound { // it was deleted since
					records[i], err = nil, nil
				}
				return err
			})
		}); err != nil {
			return err
		}
		for i, r := range records {
			if r == nil {
				continue
			}
			if err := out.add(ouro.Key{Bucket: l.bucket, Name: names[i]}, r); err != nil {
				return err
			}
			if err := pace.passed(ctx, len(names[i])+len(r)); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// keyList lists the keys of a bucket in the order of the ring.
type keyList struct {
	from     Source
	bucket   string
	patience *patience
	begun    bool
	names    []string // listed and not taken
	next     uint64   // where the list goes on
	over     bool
}

// take takes up to so many keys whose positions are from first to last, and says whether
// there may be more. Spans must be asked for in order; one may be left out.
func (l *keyList) take(ctx context.Context, first, last uint64, most int) (names []string, more bool, err error) {
	if !l.begun || l.next < first && !l.over {
		l.begun, l.next, l.names = true, first, nil
	}
	for len(l.names) > 0 && position(ouro.Key{Bucket: l.bucket, Name: l.names[0]}) < first {
		l.names = l.names[1:]
	}
	for {
		for len(l.names) > 0 && len(names) < most {
			if position(ouro.Key{Bucket: l.bucket, Name: l.names[0]}) > last {
				return names, false, nil
			}
			names, l.names = append(names, l.names[0]), l.names[1:]
		}
		switch {
		case len(names) == most:
			return names, true, nil
		case l.over || l.next > last:
			return names, false, nil
		}
		if err := l.page(ctx); err != nil {
			return nil, false, err
		}
	}
}

// page lists the next ones. A page that is not complete is none.
func (l *keyList) page(ctx context.Context) error {
	return l.patience.again(ctx, func() error {
		page, err := l.from.Keys(ctx, l.bucket, ouro.KeysQuery{Cursor: ouro.Cursor(l.next)})
		if err != nil {
			return err
		}
		if len(page.Missing) > 0 {
			return ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "too few replicas told which keys there are: %s", page.Missing[0].Why)
		}
		l.names, l.next, l.over = append(l.names, page.Keys...), uint64(page.Next), page.Next == 0
		return nil
	})
}

// each calls do for 0 to n-1, so many at a time, and returns the first error.
func each(ctx context.Context, workers, n int, do func(i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	todo := make(chan int)
	var group sync.WaitGroup
	for range min(max(workers, 1), n) {
		group.Go(func() {
			for i := range todo {
				if err := do(i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case todo <- i:
		case <-ctx.Done():
		}
	}
	close(todo)
	group.Wait()
	return context.Cause(ctx)
}

package archive

import (
	"context"
	"fmt"
	"time"

	"github.com/ourodb/ouro"
)

// Restore merges an archive that is complete into a cluster. A file is read and verified
// as a whole before anything of it is restored. It may be begun again at any time:
// merging twice is merging once.
func (w *Work) Restore(ctx context.Context, m *Manifest, to Target) (Sum, error) {
	var done Sum
	if !m.Complete {
		return done, fmt.Errorf("the archive in %s is not complete: go on with 'ouro archive create'", w.Dir)
	}
	pace, patience := pacer{rate: w.Rate, begun: time.Now()}, newPatience(w.Patience)
	for p := range m.Q {
		if _, err := m.ReadPartition(w.Dir, p, func(ouro.Key, []byte) error { return nil }); err != nil {
			return done, err
		}
		var some batch
		sum, err := m.ReadPartition(w.Dir, p, func(key ouro.Key, record []byte) error {
			some.add(key, record)
			if len(some.keys) < chunk {
				return nil
			}
			return w.bring(ctx, &some, to, &pace, patience)
		})
		if err == nil {
			err = w.bring(ctx, &some, to, &pace, patience)
		}
		if err != nil {
			return done, err
		}
		done.Records += sum.Records
		done.Bytes += sum.Bytes
		w.Step()
	}
	return done, nil
}

// batch is records that are restored side by side.
type batch struct {
	keys    []ouro.Key
	records [][]byte
	bytes   int
}

func (b *batch) add(key ouro.Key, record []byte) {
	b.keys, b.records = append(b.keys, key), append(b.records, record)
	b.bytes += len(key.Bucket) + len(key.Name) + len(record)
}

// bring restores a batch and empties it.
func (w *Work) bring(ctx context.Context, b *batch, to Target, pace *pacer, p *patience) error {
	err := each(ctx, w.Workers, len(b.keys), func(i int) error {
		err := p.again(ctx, func() error { return to.Restore(ctx, b.keys[i], b.records[i]) })
		if err != nil {
			return fmt.Errorf("restore %v: %w", b.keys[i], err)
		}
		return nil
	})
	n := b.bytes
	*b = batch{}
	if err != nil {
		return err
	}
	return pace.passed(ctx, n)
}

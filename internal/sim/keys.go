package sim

import (
	"context"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/listing"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Keys lists keys as a host does, one partition after the other.
func (s through) Keys(ctx context.Context, bucket string, q ouro.KeysQuery) (page ouro.KeysPage, err error) {
	if err := ouro.ValidateBucket(bucket); err != nil {
		return page, err
	}
	if q.Limit == 0 {
		q.Limit = ouro.DefaultKeysLimit
	}
	if q.Limit > ouro.MaxKeysLimit || len(q.Prefix) > ouro.MaxKeyLen {
		return page, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "a page of %d keys that begin with %d bytes: that is too much", q.Limit, len(q.Prefix))
	}
	if err := ctx.Err(); err != nil {
		return page, err
	}
	m := s.w.mustID(s.at)
	r := s.w.view(m).Ring
	from := uint64(q.Cursor)
	for part := r.Partition(ring.Position{Hi: from}); int(part) < r.Q(); part++ {
		first, last := node.Span(r, part)
		from = max(from, first)
		var got *listing.Page
		s.w.page(m, node.List{Partition: part, Bucket: bucket, From: from, Prefix: q.Prefix, R: q.R, Timeout: 10 * time.Second}, func(p *listing.Page) {
			got = p
			got.Names = slices.Clone(p.Names)
		})
		if !s.w.RunUntil(func() bool { return got != nil }) {
			return page, ouro.Errorf(ouro.TimedOut, ouro.NotDone, "nobody answers")
		}
		page.Keys = append(page.Keys, got.Names...)
		if !got.Complete {
			page.Missing = append(page.Missing, ouro.KeyRange{From: ouro.Cursor(from), To: ouro.Cursor(got.Until), Why: got.Why})
		}
		if from = got.Until + 1; from == 0 {
			page.Next = 0
			return page, nil
		}
		if page.Next = ouro.Cursor(from); got.Until < last || len(page.Keys) >= q.Limit {
			return page, nil
		}
	}
	return page, nil
}

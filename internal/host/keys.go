package host

import (
	"cmp"
	"context"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/listing"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

var _ ouro.Lister = (*Host)(nil)

const (
	// keysAtOnce is how many partitions of one page are under way at a time.
	keysAtOnce = 8
	// keysCalls is how many pages are made at once; together they are less than a
	// shard makes.
	keysCalls = 6
	// keysPartitions is how many partitions one page may be about: it bounds what an
	// empty page costs.
	keysPartitions = 128
)

// listCall is a page of one partition on its way.
type listCall struct {
	list node.List
	last uint64 // the last position of the partition
	page chan listing.Page
}

// Keys implements [ouro.Lister]. Partitions are looked at in the order of the ring,
// several at a time; a page ends between two positions.
func (h *Host) Keys(ctx context.Context, bucket string, q ouro.KeysQuery) (ouro.KeysPage, error) {
	if err := cmp.Or(q.Check(bucket), checkTimeout(q.Timeout), ctx.Err()); err != nil {
		return ouro.KeysPage{}, err
	}
	select {
	case h.listing <- struct{}{}:
		defer func() { <-h.listing }()
	default:
		err := ouro.Errorf(ouro.Overloaded, ouro.NotDone, "%d lists of keys are being made, as many as this node makes at once: come back later", keysCalls)
		err.RetryAfter = time.Second
		return ouro.KeysPage{}, err
	}
	if err := h.stranger(); err != nil {
		return ouro.KeysPage{}, err
	}
	r := h.view.Load().Ring
	if r.Bits() == 0 && r.Q() > 1 {
		return ouro.KeysPage{}, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "keys can't be listed where partitions are not equal")
	}
	page := ouro.KeysPage{}
	from := uint64(q.Cursor)
	part := r.Partition(ring.Position{Hi: from})
	most := q.Limit
	for looked := 0; looked < keysPartitions; {
		var batch []*listCall
		for at := from; len(batch) < keysAtOnce && int(part) < r.Q(); part++ {
			first, last := node.Span(r, part)
			batch = append(batch, h.list(&listCall{last: last, list: node.List{
				Partition: part, Bucket: bucket, From: max(first, at), Prefix: q.Prefix, R: q.R, Timeout: q.Timeout,
			}}))
		}
		for _, l := range batch {
			var got listing.Page
			select {
			case got = <-l.page:
			case <-ctx.Done():
				return ouro.KeysPage{}, ctx.Err()
			}
			addPage(&page, l.list.From, &got)
			looked++
			if from = got.Until + 1; from == 0 { // that was the end of the ring
				page.Next = 0
				return page, nil
			}
			page.Next = ouro.Cursor(from)
			if got.Until < l.last || len(page.Keys) >= most {
				return page, nil
			}
		}
	}
	return page, nil
}

// addPage adds what was found in one partition from a position on.
func addPage(page *ouro.KeysPage, from uint64, got *listing.Page) {
	page.Keys = append(page.Keys, got.Names...)
	page.Covered += float64(got.Until-from+1) / (1 << 64)
	if got.Until-from+1 == 0 {
		page.Covered++
	}
	if !got.Complete {
		page.Missing = append(page.Missing, ouro.KeyRange{From: ouro.Cursor(from), To: ouro.Cursor(got.Until), Why: got.Why})
	}
}

// list passes a list to the shard of its partition. Where that is full or stops, the
// page says that nothing was looked at.
func (h *Host) list(l *listCall) *listCall {
	l.page = make(chan listing.Page, 1)
	start := time.Since(h.started)
	s := h.shardOf(l.list.Partition)
	begin := func(s *shard) {
		s.ticket++
		l.list.ID = s.ticket
		s.lists[s.ticket] = l
		s.core.Step(s.now(), &l.list, &s.out)
	}
	if h.closing.Load() || !s.in.offer(item{do: begin, lost: l.lose, queued: start}, 1) {
		h.cfg.Observer.Refused("inbox")
		l.lose()
	}
	return l
}

// lose ends a list of which nothing will come.
func (l *listCall) lose() {
	l.page <- listing.Page{Until: l.last, Why: "the node is too busy, or stops"}
}

// listed passes pages on to those who wait for them.
func (s *shard) listed() {
	for i := range s.out.Listed {
		l := &s.out.Listed[i]
		if c, ok := s.lists[l.ID]; ok {
			delete(s.lists, l.ID)
			c.page <- l.Page
		}
	}
}

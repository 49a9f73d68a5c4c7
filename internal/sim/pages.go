package sim

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/ourodb/ouro/internal/core/listing"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim/history"
)

// streamPages is the stream of choices about the lists of keys.
const streamPages = 1001

// lister asks for pages of keys while clients work, of any partition at any node.
type lister struct {
	w       *World
	rand    *rand.Rand
	buckets []string
	ended   bool
}

// lists lets keys be listed until it is ended, where the shape wants it.
func (w *World) lists(s *shape) *lister {
	l := &lister{w: w, rand: stream(s.cfg.Seed, streamPages), buckets: s.buckets}
	if s.lists {
		w.after(spread(l.rand, 20*time.Millisecond), l.next)
	}
	return l
}

func (l *lister) next() {
	if l.ended || l.w.broken != nil {
		return
	}
	m := pick(l.rand, l.w.asks()...)
	bucket := pick(l.rand, l.buckets...)
	part := uint32(l.rand.IntN(l.w.cfg.Q))
	l.w.after(spread(l.rand, 20*time.Millisecond), l.next)
	if m.alive && !m.unheard {
		first, last := node.Span(l.w.view(m).Ring, part)
		from := first
		if l.rand.IntN(4) == 0 {
			from += l.rand.Uint64N(last - first)
		}
		l.w.page(m, node.List{Partition: part, Bucket: bucket, From: from}, nil)
	}
}

// pageCall is a page that somebody waits for.
type pageCall struct {
	list node.List
	life uint64
	hist *history.Page
	done func(*listing.Page)
}

// page asks a node for a page of keys and checks what it says.
func (w *World) page(m *machine, list node.List, done func(*listing.Page)) {
	b := w.cfg.Buckets.Of(list.Bucket)
	c := &pageCall{list: list, life: m.life, done: done}
	_, last := node.Span(w.view(m).Ring, list.Partition)
	c.hist = w.hist.BeginPage(b.N, max(b.R, b.PR), b.Promise().W, within(list.Bucket, list.From, last))
	w.pages = append(w.pages, c)
	list.ID = uint64(len(w.pages))
	w.take(m, item{input: &list})
}

// within says whether a key of the form bucket/name lies in a range of positions.
func within(bucket string, from, to uint64) func(string) bool {
	return func(key string) bool {
		b, name, _ := strings.Cut(key, "/")
		if b != bucket {
			return false
		}
		at := ring.NewKey(b, name).Pos.Hi
		return from <= at && at <= to
	}
}

// paged takes a page that a node made.
func (w *World) paged(m *machine, l *node.Listed) {
	if l.ID == 0 || l.ID > uint64(len(w.pages)) || w.pages[l.ID-1].life != m.life {
		w.violatef(history.Answers, "", "%s answers a list %d that nobody asked for", m.id, l.ID)
		return
	}
	c := w.pages[l.ID-1]
	if c.hist == nil {
		w.violatef(history.Answers, "", "%s answers list %d a second time", m.id, l.ID)
		return
	}
	w.mix(uint64(len(l.Page.Names)) ^ l.Page.Until)
	w.tracef("%s lists %d keys of %s from %x to %x, complete=%v %s", m.id, len(l.Page.Names), c.list.Bucket, c.list.From, l.Page.Until, l.Page.Complete, l.Page.Why)
	w.stats.Pages++
	if l.Page.Complete {
		var listed []string
		for _, name := range l.Page.Names {
			listed = append(listed, c.list.Bucket+"/"+name)
		}
		w.violate(w.hist.EndPage(c.hist, within(c.list.Bucket, c.list.From, l.Page.Until), listed))
	}
	c.hist = nil
	if c.done != nil {
		page := l.Page // the node's memory is used again
		c.done(&page)
	}
}

// listAll lists all keys through a node, now that everything has healed: exactly
// those that show something are there, in pages that are complete.
func (w *World) listAll(buckets []string) {
	live, gone := w.hist.Final()
	m := w.serving()[0]
	var listed []string
	for _, bucket := range buckets {
		for part := range uint32(w.cfg.Q) {
			at, last := node.Span(w.view(m).Ring, part)
			for w.broken == nil {
				var page *listing.Page
				w.page(m, node.List{Partition: part, Bucket: bucket, From: at, Timeout: 10 * time.Second}, func(p *listing.Page) { page = p })
				if !w.RunUntil(func() bool { return page != nil }) || w.broken != nil {
					return
				}
				if !page.Complete {
					w.violatef(history.Listed, "", "%s can't list partition %d of %s though everything has healed: %s", m.id, part, bucket, page.Why)
					return
				}
				for _, name := range page.Names {
					listed = append(listed, bucket+"/"+name)
				}
				if page.Until >= last {
					break
				}
				at = page.Until + 1
			}
		}
	}
	slices.Sort(listed)
	for _, key := range live {
		if _, there := slices.BinarySearch(listed, key); !there && slices.Contains(buckets, bucketOf(key)) {
			w.violatef(history.Listed, key, "the key shows something at the end and is not listed")
		}
	}
	for _, key := range gone {
		if _, there := slices.BinarySearch(listed, key); there {
			w.violatef(history.Listed, key, "the key shows nothing at the end and is listed")
		}
	}
}

func bucketOf(key string) string {
	bucket, _, _ := strings.Cut(key, "/")
	return bucket
}

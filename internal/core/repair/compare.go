package repair

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// compareRoots notes which buckets differ; false where the pages do not go on.
func (r *Repair) compareRoots(t *talk, p Peers) bool {
	limit, more := t.mine.Next, t.mine.Next != ""
	if n := t.theirs.Next; n != "" && (!more || replica.BucketOrder(n, limit) < 0) {
		limit, more = n, true
	}
	t.moreRoots = limit
	walk(t.mine.Roots, t.theirs.Roots, func(a, b *replica.Root) int { return replica.BucketOrder(a.Bucket, b.Bucket) },
		func(a, b *replica.Root) {
			switch {
			case a == nil:
				a = &replica.Root{Bucket: b.Bucket}
			case b == nil:
				b = &replica.Root{Bucket: a.Bucket}
			}
			if within := !more || replica.BucketOrder(a.Bucket, limit) <= 0; a.Sum != b.Sum && within && t.about(a.Bucket, p) {
				t.buckets = append(t.buckets, tree{a.Bucket, r.lists(a.Count, b.Count)})
			}
		})
	return !more || replica.BucketOrder(limit, t.question.After) > 0
}

// lists says whether the keys of a part that differs are listed at once: there are
// few, or at least half of them differ.
func (r *Repair) lists(a, b uint32) bool {
	few, many := min(a, b), max(a, b)
	return int64(many) <= int64(r.cfg.List) || few <= many/2
}

// compareParts notes which parts of a span differ; false where they are none of it.
func (r *Repair) compareParts(t *talk) bool {
	differ, ok := merkle.Differ(nil, t.question.Span, t.mine.Parts, t.theirs.Parts)
	t.lists = t.lists[:0]
	for _, d := range slices.Backward(differ) {
		if !d.Leaf && !r.lists(d.A, d.B) {
			t.spans = append(t.spans, d.Span)
		}
	}
	for _, d := range differ {
		if !d.Leaf && !r.lists(d.A, d.B) {
			continue
		}
		if n := len(t.lists); n > 0 && t.lists[n-1].Last+1 == d.First {
			t.lists[n-1].Last = d.Last // one question for both
		} else {
			t.lists = append(t.lists, d.Span)
		}
	}
	return ok
}

// about says whether a bucket is to be compared.
func (t *talk) about(bucket string, p Peers) bool {
	if t.out.Push {
		return p.Takes(t.out.Partition, bucket, t.out.Peer)
	}
	return p.Shares(t.out.Partition, bucket, t.out.Peer)
}

// compareKeys notes which keys differ; false where the pages do not go on.
func (t *talk) compareKeys() bool {
	bucket := t.question.Bucket
	mine, theirs := keysOf(bucket, t.mine.Keys), keysOf(bucket, t.theirs.Keys)
	var limit *ring.Key
	t.moreKeys = ""
	for _, next := range [...]string{t.mine.Next, t.theirs.Next} {
		if next == "" {
			continue
		}
		if k := ring.NewKey(bucket, next); limit == nil || replica.KeyOrder(&k, limit) < 0 {
			limit, t.moreKeys = &k, next
		}
	}
	walk(mine, theirs, func(a, b *listed) int { return replica.KeyOrder(&a.key, &b.key) },
		func(a, b *listed) {
			d := differing{here: a != nil, there: b != nil}
			if b != nil {
				d.key, d.theirs = b.key, b.digest
			}
			if a != nil {
				d.key, d.mine = a.key, a.digest
			}
			if d.mine != d.theirs && (d.here || !t.out.Push) && (limit == nil || replica.KeyOrder(&d.key, limit) <= 0) {
				t.keys = append(t.keys, d)
			}
		})
	if limit == nil || t.question.After == "" {
		return true
	}
	after := ring.NewKey(bucket, t.question.After)
	return replica.KeyOrder(limit, &after) > 0
}

// listed is a key of a list, with its position.
type listed struct {
	key    ring.Key
	digest causal.Sum
}

func keysOf(bucket string, list []replica.Listed) []listed {
	keys := make([]listed, len(list))
	for i, l := range list {
		keys[i] = listed{ring.NewKey(bucket, l.Name), l.Digest}
	}
	return keys
}

// walk walks through two ordered lists in step and calls visit with what both
// have, or with nil for the side that lacks it.
func walk[T any](a, b []T, order func(a, b *T) int, visit func(a, b *T)) {
	for len(a) > 0 || len(b) > 0 {
		o := 0
		switch {
		case len(a) == 0:
			o = 1
		case len(b) == 0:
			o = -1
		default:
			o = order(&a[0], &b[0])
		}
		switch {
		case o < 0:
			visit(&a[0], nil)
			a = a[1:]
		case o > 0:
			visit(nil, &b[0])
			b = b[1:]
		default:
			visit(&a[0], &b[0])
			a, b = a[1:], b[1:]
		}
	}
}

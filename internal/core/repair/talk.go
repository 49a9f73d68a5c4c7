package repair

import (
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// talk is one comparison. One question at a time is put to both sides; what
// they find is walked through in step, up to where both have told. Then it goes
// on with the next that is left, the lowest first: keys, leaves, buckets, roots.
type talk struct {
	out  Outcome
	wall int64 // when it began
	over bool

	// The question under way, and its answers.
	question     replica.Survey
	mine, theirs *replica.Found
	ids          [2]uint64 // of it, here and there
	sent         time.Duration
	asking       bool

	// What is left to do.
	moreRoots string // the bucket after which to go on
	buckets   []tree // that differ
	// Spans that differ in the bucket at hand: those to look into, the last first, and
	// those whose keys are to be listed, in order.
	spans, lists []merkle.Span
	moreKeys     string // the key after which to go on, in the span at hand
	keys         []differing
	flights      []flight

	came   int // states so far
	weight int // bytes of the heaviest of late

	paced bool   // it waits for its rate, and for no answer
	wrong string // a key could not be exchanged, though all others may be
}

// tree is a bucket whose trees differ.
type tree struct {
	bucket string
	list   bool // all keys are to be listed
}

// differing is a key that differs.
type differing struct {
	key          ring.Key
	mine, theirs causal.Sum
	here, there  bool
}

// ask puts a question to both sides.
func (r *Repair) ask(now clock.Now, t *talk, q replica.Survey, e *Effects) {
	q.Partition = t.out.Partition
	t.question, t.mine, t.theirs = q, nil, nil
	t.ids = [2]uint64{r.seq, r.seq + 1}
	r.seq += 2
	t.sent, t.asking = now.Mono, true
	q.ID = t.ids[0]
	e.Surveys = append(e.Surveys, q)
	q.ID = t.ids[1]
	e.Questions = append(e.Questions, Question{To: t.out.Peer, Number: t.out.Number, Survey: q})
}

// takeFound takes one side's answer; false where it is no answer to the question.
func (t *talk) takeFound(from ring.NodeID, f *replica.Found) bool {
	side, id := &t.mine, t.ids[0]
	if from != "" {
		side, id = &t.theirs, t.ids[1]
	}
	if !t.asking || f.ID != id || f.Look != t.question.Look || *side != nil || from != "" && from != t.out.Peer {
		return false
	}
	found := *f
	*side = &found
	return true
}

// fenced says why the peer's answer does not count, "" where it does.
func (t *talk) fenced() string {
	n := t.out.Number
	switch {
	case n == 0 || t.theirs == nil:
	case t.theirs.Number < n:
		t.out.Behind = true
		return "it has not heard of the partition's lists"
	case t.theirs.Number > n:
		return "it knows of later lists"
	case t.theirs.Status == replica.Have:
		t.out.Known = true
	}
	return ""
}

// refused says why one of both sides could not tell, "" where none has said so.
func (t *talk) refused() string {
	if why := t.fenced(); why != "" {
		return why
	}
	for _, f := range [...]*replica.Found{t.mine, t.theirs} {
		switch {
		case f == nil || f.Status == replica.Have:
		case f == t.mine:
			return "here: " + f.Reason.String()
		default:
			return f.Reason.String()
		}
	}
	return ""
}

// compared goes on once both sides have told.
func (r *Repair) compared(now clock.Now, t *talk, p Peers, e *Effects) {
	if why := t.refused(); why != "" {
		r.end(now, t, why, e)
		return
	}
	if t.mine == nil || t.theirs == nil {
		return
	}
	t.asking = false
	t.out.Recovering = t.out.Recovering || t.theirs.Recovering
	ok := true
	switch t.question.Look {
	case replica.Roots:
		ok = r.compareRoots(t, p)
	case replica.Parts:
		ok = r.compareParts(t)
	case replica.Keys:
		t.out.Unreadable += t.mine.Unreadable
		t.out.UnreadableThere += t.theirs.Unreadable
		ok = t.compareKeys()
	}
	t.mine, t.theirs = nil, nil
	if !ok {
		r.end(now, t, "its pages do not go on", e)
		return
	}
	r.advance(now, t, p, e)
}

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

// advance goes on with what is left.
func (r *Repair) advance(now clock.Now, t *talk, p Peers, e *Effects) {
	if t.asking || r.exchange(now, t, e) {
		return
	}
	q := replica.Survey{Bucket: t.question.Bucket, Span: t.question.Span}
	switch {
	case t.moreKeys != "":
		q.Look, q.After = replica.Keys, t.moreKeys
	case len(t.lists) > 0:
		q.Look, q.Span = replica.Keys, t.lists[0]
		t.lists = t.lists[1:]
	case len(t.spans) > 0:
		q.Look, q.Span = replica.Parts, t.spans[len(t.spans)-1]
		t.spans = t.spans[:len(t.spans)-1]
	case len(t.buckets) > 0:
		q.Look, q.Bucket, q.Span = replica.Parts, t.buckets[0].bucket, p.Whole(t.out.Partition)
		if t.buckets[0].list {
			q.Look = replica.Keys
		}
		t.buckets = t.buckets[1:]
	case t.moreRoots != "":
		q = replica.Survey{Look: replica.Roots, After: t.moreRoots}
	default:
		r.end(now, t, t.wrong, e)
		return
	}
	r.ask(now, t, q, e)
}

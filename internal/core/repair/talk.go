package repair

import (
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
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

// begin begins a comparison with the roots of both sides.
func (r *Repair) begin(now clock.Now, w Wish, asked bool, e *Effects) {
	if i, ok := r.find(w.Mark); ok {
		r.pairs[i].again = false
	}
	t := &talk{wall: now.Wall, out: Outcome{Wish: w, Began: now.Mono, Asked: asked}}
	r.talks = append(r.talks, t)
	r.ask(now, t, replica.Survey{Look: replica.Roots}, e)
}

// end ends a comparison, as complete where why is "".
func (r *Repair) end(now clock.Now, t *talk, why string, e *Effects) {
	t.over = true
	r.talks = slices.DeleteFunc(r.talks, func(o *talk) bool { return o == t })
	t.out.Why, t.out.Complete = why, why == ""
	e.Done = append(e.Done, t.out)
	about := r.peer(t.out.Peer)
	about.repaired += uint64(t.out.Pulled + t.out.Pushed)
	about.failed, about.failedAt = why, now.Wall
	r.heard(now, about, why)
	f := fact.Fact{Kind: fact.Agreed, At: now.Mono, Lasted: now.Mono - t.out.Began, Peer: string(t.out.Peer), N: t.out.Pulled + t.out.Pushed, Note: why}
	if why != "" {
		f.Kind = fact.NotAgreed
	}
	e.Facts = append(e.Facts, f)
	if i, ok := r.find(t.out.Mark); ok && !t.out.Push {
		r.conclude(now, &r.pairs[i], t, e)
	}
}

// talkAbout returns the comparison of a pair that is under way; nil: there is none.
func (r *Repair) talkAbout(m replica.Mark) *talk {
	for _, t := range r.talks {
		if t.out.Mark == m {
			return t
		}
	}
	return nil
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

// oldest returns when the longest awaited answer was asked for.
func (t *talk) oldest() time.Duration {
	at := never / 2
	if t.asking {
		at = t.sent
	}
	for i := range t.flights {
		at = min(at, t.flights[i].sent)
	}
	return at
}

// deadline returns when the talk wants a tick.
func (t *talk) deadline(r *Repair) time.Duration {
	at := t.oldest() + r.cfg.Wait
	if t.paced {
		at = min(at, *r.freeAt(t)-burst)
	}
	return at
}

// silent says who does not answer.
func (t *talk) silent() string {
	theirs := t.asking && t.theirs == nil
	for i := range t.flights {
		theirs = theirs || t.flights[i].step == fetching || t.flights[i].step == giving
	}
	if theirs {
		return noAnswer
	}
	return "here: no answer"
}

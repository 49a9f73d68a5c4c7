package history

import (
	"slices"
	"time"
)

// History is the record of one run. It is not safe for concurrent use.
type History struct {
	// Loose is set once clocks were pruned or exceptions dropped: what was
	// replaced may then come back as a sibling (RULES R4, R7), and the checks of
	// [Returned] and [Siblings] let it.
	Loose bool
	// Wiped is how many replicas at a time had lost what they had acknowledged.
	// What no more than that had acknowledged may be lost. Where it was one, a read
	// must show what as many had acknowledged as the bucket promises, and two at
	// least (RULES R9, R10); where it was more, [Stale] is not checked.
	Wiped int
	// Moves says that replicas change: what rests on fewer acknowledgements than a
	// bucket promises is then not sure to be shown (RULES R16).
	Moves bool

	Stats Stats

	losses  []Loss
	ops     []*Op
	objects map[string]*object
	order   []*object // by first use: maps are never walked
}

// Stats counts what was recorded and checked.
type Stats struct {
	Ops       int `json:"ops"`
	Gets      int `json:"gets"`
	Puts      int `json:"puts"`
	Deletes   int `json:"deletes"`
	OK        int `json:"ok"`
	Fail      int `json:"not_done"`
	Info      int `json:"unknown"`
	Retried   int `json:"retried"`
	Doubled   int `json:"doubled"` // retried operations that were stored more than once
	Reads     int `json:"reads_checked"`
	Strict    int `json:"strict_reads_checked"`
	Contexts  int `json:"contexts_checked"`
	Siblings  int `json:"siblings_most"` // in one answer
	Conflicts int `json:"reads_with_siblings"`
	Pages     int `json:"pages_checked"`
}

// Add adds the counts of o.
func (s *Stats) Add(o Stats) {
	s.Ops += o.Ops
	s.Gets += o.Gets
	s.Puts += o.Puts
	s.Deletes += o.Deletes
	s.OK += o.OK
	s.Fail += o.Fail
	s.Info += o.Info
	s.Retried += o.Retried
	s.Doubled += o.Doubled
	s.Reads += o.Reads
	s.Strict += o.Strict
	s.Contexts += o.Contexts
	s.Siblings = max(s.Siblings, o.Siblings)
	s.Conflicts += o.Conflicts
	s.Pages += o.Pages
}

// New returns an empty history.
func New() *History { return &History{objects: map[string]*object{}} }

// Op returns the operation with this id, or nil.
func (h *History) Op(id uint64) *Op {
	if id == 0 || id > uint64(len(h.ops)) {
		return nil
	}
	return h.ops[id-1]
}

// Ops returns all operations in the order of invocation.
func (h *History) Ops() []*Op { return h.ops }

// Keys returns all keys in the order of first use.
func (h *History) Keys() []string {
	keys := make([]string, len(h.order))
	for i, o := range h.order {
		keys[i] = o.key
	}
	return keys
}

func (h *History) object(key string) *object {
	o := h.objects[key]
	if o == nil {
		o = &object{key: key}
		h.objects[key] = o
		h.order = append(h.order, o)
	}
	return o
}

// Exclusive says that one client alone uses key, one operation after the other,
// writing only under what it just read and with r + w > n: it must then always
// see exactly one version, until one of its writes is not acknowledged.
func (h *History) Exclusive(key string) { h.object(key).exclusive = true }

// Invoke records that a client begins an operation. It numbers it.
func (h *History) Invoke(op *Op, now time.Duration) {
	h.ops = append(h.ops, op)
	op.ID, op.Invoked, op.Outcome = uint64(len(h.ops)), now, Pending
	op.object = h.object(op.Key)
	h.Stats.Ops++
	switch op.Verb {
	case Get:
		h.Stats.Gets++
	case Put:
		h.Stats.Puts++
	case Delete:
		h.Stats.Deletes++
	}
	if op.Verb == Get || op.Bare() {
		op.strict = op.object.ackedWith(op.N - op.R + 1)
		op.firm = op.object.ackedWith(max(op.N-op.R+1, op.Promised, 2))
		if h.Moves && op.R < op.Rests {
			op.strict, op.firm = nil, nil
		}
	}
	if op.Verb != Get {
		op.object.begin(op)
	}
}

// ackedWith returns the writes acknowledged so far with at least w.
func (o *object) ackedWith(w int) Set {
	var s Set
	for i := max(w, 0); i < len(o.acked); i++ {
		s.AddAll(o.acked[i])
	}
	return s
}

// begin notes a write that is about to be sent.
func (o *object) begin(op *Op) {
	op.place = len(o.writes)
	o.writes = append(o.writes, op)
	if op.Context != nil {
		op.covers, op.may, op.vague = op.Context.covers, op.Context.may, op.Context.vague
	}
	switch {
	case op.Bare():
		o.wild++
	case op.Verb == Delete:
		o.remove(op)
	}
}

// remove notes what a delete has seen, and so may have removed.
func (o *object) remove(op *Op) {
	o.deletes.AddAll(op.covers)
	o.may.AddAll(op.may)
	o.vague = o.vague || op.vague
}

// Result is what a client got back.
type Result struct {
	Outcome  Outcome
	Values   [][]byte // of the siblings shown
	Context  []byte   // sealed; nil: none
	Settled  bool     // a get with pr: enough primaries have what it shows
	StandIns int      // how many of those that were counted were no primaries
}

// Return records that an operation ended for its client, and checks what can be
// checked at once. The response is nil where there was no context to go on
// with.
func (h *History) Return(op *Op, res Result, now time.Duration) (*Response, *Violation) {
	op.Returned, op.Outcome, op.standIns = now, res.Outcome, res.StandIns
	h.count(op)
	op.object.stoodIn = op.object.stoodIn || op.standIns > 0
	resp := &Response{Op: op, Context: res.Context}
	op.Response = resp
	if v := h.identify(resp, res.Values); v != nil {
		return nil, v
	}
	h.cover(resp)
	if v := h.outcome(op); v != nil {
		return nil, v
	}
	if op.Outcome == OK && (op.Verb == Get || op.Bare() && !op.repeated()) {
		if v := h.checkRead(resp); v != nil {
			return nil, v
		}
	}
	if op.Verb == Get && op.Outcome == OK && op.PR > 0 && res.Settled && !(h.Moves && settled(op) < op.Promised) {
		resp.settle()
	}
	if res.Context == nil {
		return nil, nil
	}
	return resp, nil
}

// settle: what a strict read has shown, later reads of enough replicas show too
// (RULES R32). It is then on all that were counted, if they agreed, or else on
// so many that every such read meets one, and on the pr that answered.
func (r *Response) settle() {
	op, o := r.Op, r.Op.object
	for _, w := range r.Sees {
		o.acknowledge(w, settled(op))
	}
}

func settled(op *Op) int { return max(min(op.R-op.standIns, max(op.N-op.PR+1, op.PR)), 0) }

// acknowledge notes that w replicas have a write.
func (o *object) acknowledge(op *Op, w int) {
	for w >= len(o.acked) {
		o.acked = append(o.acked, nil)
	}
	o.acked[w].Add(op.place)
}

func (h *History) count(op *Op) {
	switch op.Outcome {
	case OK:
		h.Stats.OK++
	case Fail:
		h.Stats.Fail++
	case Info:
		h.Stats.Info++
	}
	if op.Attempts > 1 {
		h.Stats.Retried++
	}
}

// cover works out what the response covers: certainly, and at most.
func (h *History) cover(r *Response) {
	op, o := r.Op, r.Op.object
	if op.Context != nil {
		r.covers, r.may, r.vague = op.Context.covers.Clone(), op.Context.may.Clone(), op.Context.vague
	}
	if op.Verb == Put {
		r.covers.Add(op.place)
		r.may.Add(op.place)
		return
	}
	for _, w := range r.Sees {
		r.covers.Add(w.place)
		r.covers.AddAll(w.covers)
		r.may.Add(w.place)
		r.may.AddAll(w.may)
		r.vague = r.vague || w.vague
	}
	if op.Verb == Get || op.Bare() {
		r.may.AddAll(o.may)
		// A delete without context of which nothing is known yet, or ever, may
		// have removed anything before this read.
		r.vague = r.vague || o.vague || o.wild > 0
	}
}

// outcome notes what became of a write.
func (h *History) outcome(op *Op) *Violation {
	if op.Verb == Get {
		return nil
	}
	o := op.object
	o.uncertain = o.uncertain || op.Outcome == Info || op.repeated()
	switch op.Outcome {
	case OK:
		if op.Bare() && !op.repeated() {
			o.wild--
			op.covers, op.may, op.vague = op.Response.covers, op.Response.may, op.Response.vague
			o.remove(op)
		}
		if n := max(op.W-op.standIns, 0); !h.Moves || n >= op.Promised {
			o.acknowledge(op, n)
		}
	case Fail:
		if op.dots > 0 || op.shown {
			return Broken(OutcomeKept, op.Key, "%v was reported as not done, but its value was stored or shown", op)
		}
		if op.Bare() {
			o.wild-- // outcome fail speaks for all attempts
		}
		o.forget()
	}
	return nil
}

// forget recomputes what deletes may have removed, without those that were not
// done.
func (o *object) forget() {
	o.deletes, o.may, o.vague = nil, nil, false
	for _, w := range o.writes {
		if w.Verb == Delete && w.Outcome != Fail {
			o.remove(w)
		}
	}
}

// Stored records that a replica has stored a value of the operation under a dot
// that was not seen before.
func (h *History) Stored(id uint64) *Violation {
	op := h.Op(id)
	if op == nil || op.Verb != Put {
		return Broken(Invented, "", "a replica stores a value of operation %d, which wrote none", id)
	}
	op.dots++
	op.object.stored.Add(op.place)
	switch {
	case op.Outcome == Fail:
		return Broken(OutcomeKept, op.Key, "%v was reported as not done, but its value was stored", op)
	case op.dots > 1 && op.Attempts < 2 && !op.Resent:
		return Broken(Twice, op.Key, "%v was sent once and stored under %d dots", op, op.dots)
	case op.dots == 2:
		h.Stats.Doubled++
	}
	return nil
}

// Honest checks that the context of a response covers nothing its receiver was
// not shown. covers says whether the context covers the write with an id.
func (h *History) Honest(r *Response, covers func(id uint64) bool) *Violation {
	if r.vague {
		return nil
	}
	o := r.Op.object
	h.Stats.Contexts++
	var found *Violation
	o.stored.Each(func(i int) bool {
		if w := o.writes[i]; !r.may.Has(i) && covers(w.ID) {
			found = Broken(Context, o.key, "the context of %v covers the value of %v, which its client was never shown", r.Op, w)
		}
		return found == nil
	})
	return found
}

// sortByPlace orders writes as they were invoked.
func sortByPlace(ops []*Op) {
	slices.SortFunc(ops, func(a, b *Op) int { return a.place - b.place })
}

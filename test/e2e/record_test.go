package e2e

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/sim/history"
)

// recorder notes what clients of real processes did and saw, in the order in
// which it happened. The simulator's checker judges it afterwards: some of what
// it goes by is known only at the end.
type recorder struct {
	mu     sync.Mutex
	began  time.Time
	events []event
	ops    int
}

// event is the beginning of an operation, or its end.
type event struct {
	op  *operation
	end bool
	at  time.Duration
}

// operation is one operation of a client, sent once.
type operation struct {
	history.Op
	id     uint64
	from   *operation // whose answer it goes on from; nil: it is blind
	result history.Result
	// again: a node may have sent it on a second time, so that it may be stored
	// twice (RULES R31). Whoever got no answer can't know.
	again bool
	resp  *history.Response
}

func newRecorder() *recorder { return &recorder{began: time.Now()} }

// begin notes that an operation is about to be sent, and numbers it.
func (r *recorder) begin(op *operation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops++
	op.id = uint64(r.ops)
	r.events = append(r.events, event{op, false, time.Since(r.began)})
}

// end notes what came of it.
func (r *recorder) end(op *operation, res ouro.Result, at string, err error) {
	op.result = history.Result{Outcome: history.OK, Context: res.Context, Settled: !res.Quorum.Unsettled, StandIns: res.Quorum.Acks - res.Quorum.Primaries}
	passed := 0
	for _, fact := range res.Explain {
		if strings.Contains(fact, "forwarded to") {
			passed++
		}
	}
	op.again = passed > 1 || passed > 0 && res.Coordinator == at
	switch {
	case err == nil || op.Verb == history.Get && ouro.CodeOf(err) == ouro.NotFound:
		if op.Verb == history.Get {
			for i := range res.Siblings {
				op.result.Values = append(op.result.Values, res.Siblings[i].Data)
			}
		}
	case op.Verb == history.Get || outcomeOf(err) == ouro.NotDone:
		op.result = history.Result{Outcome: history.Fail}
	default:
		op.result, op.again = history.Result{Outcome: history.Info}, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event{op, true, time.Since(r.began)})
}

// outcomeOf says what an error means for the write that met it.
func outcomeOf(err error) ouro.Outcome {
	var e *ouro.Error
	if errors.As(err, &e) {
		return e.Outcome
	}
	return ouro.Unknown
}

// replay feeds the checker with all that happened, and returns it and the first
// promise that was broken.
func (r *recorder) replay() (*history.History, *history.Violation) {
	h := history.New()
	for _, e := range r.events {
		op := e.op
		if !e.end {
			if op.from != nil {
				op.Op.Context = op.from.resp
			}
			if op.again {
				op.Resent = true
			}
			h.Invoke(&op.Op, e.at)
			for range 2 {
				if op.again && op.Verb == history.Put && op.result.Outcome != history.Fail {
					h.Stored(op.ID)
				}
			}
			continue
		}
		resp, v := h.Return(&op.Op, op.result, e.at)
		if op.resp = resp; v != nil {
			return h, v
		}
	}
	return h, nil
}

// judge checks everything that was promised; final shows, for each key, what
// each node showed when all was healed.
func (r *recorder) judge(final func(key string) (values map[string][][]byte)) (history.Stats, *history.Violation) {
	h, v := r.replay()
	if v != nil {
		return h.Stats, v
	}
	for _, key := range h.Keys() {
		for node, values := range final(key) {
			if v := h.Settle(key, values, "the last reading at "+node); v != nil {
				return h.Stats, v
			}
		}
	}
	return h.Stats, h.Judge()
}

// written makes operations by hand for the tests of the recorder.
func written(r *recorder, verb history.Verb, from *operation, values ...*operation) *operation {
	op := &operation{Op: history.Op{Verb: verb, Key: "b/k", N: 3, R: 2, W: 2}, from: from}
	r.begin(op)
	res := ouro.Result{Context: []byte("c"), Quorum: ouro.Quorum{Acks: 2, Primaries: 2}, Coordinator: "n1"}
	for _, v := range values {
		res.Siblings = append(res.Siblings, ouro.Sibling{Value: ouro.Value{Data: v.value()}})
	}
	r.end(op, res, "n1", nil)
	return op
}

func (o *operation) value() []byte { return history.Value(o.id, o.Key, 30) }

// The recorder finds what is spoilt by hand, and nothing where nothing is.
func TestRecorderFindsBrokenPromises(t *testing.T) {
	for _, test := range []struct {
		name string
		want *history.Promise
		make func(r *recorder) (shown []*operation)
	}{
		{"nothing wrong", nil, func(r *recorder) []*operation {
			a := written(r, history.Put, nil)
			b := written(r, history.Put, nil)
			seen := written(r, history.Get, nil, a, b)
			return []*operation{written(r, history.Put, seen)}
		}},
		{"a write that is gone", &history.Lost, func(r *recorder) []*operation {
			a := written(r, history.Put, nil)
			written(r, history.Put, nil)
			return []*operation{a}
		}},
		{"a write that came back", &history.Returned, func(r *recorder) []*operation {
			a := written(r, history.Put, nil)
			written(r, history.Delete, written(r, history.Get, nil, a))
			return []*operation{a}
		}},
		{"a write that was reported as not done", &history.OutcomeKept, func(r *recorder) []*operation {
			a := &operation{Op: history.Op{Verb: history.Put, Key: "b/k", N: 3, R: 2, W: 2}}
			r.begin(a)
			r.end(a, ouro.Result{}, "n1", ouro.Errorf(ouro.Overloaded, ouro.NotDone, "busy"))
			return []*operation{a}
		}},
		{"what nobody wrote", &history.Invented, func(r *recorder) []*operation {
			written(r, history.Put, nil)
			return []*operation{{Op: history.Op{Key: "b/k"}, id: 7}}
		}},
		{"what an unanswered write stored twice may come back", nil, func(r *recorder) []*operation {
			a := &operation{Op: history.Op{Verb: history.Put, Key: "b/k", N: 3, R: 2, W: 2}}
			r.begin(a)
			r.end(a, ouro.Result{}, "n1", fmt.Errorf("the connection is lost"))
			b := written(r, history.Put, written(r, history.Get, nil, a))
			return []*operation{a, b}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRecorder()
			var shown [][]byte
			for _, op := range test.make(r) {
				shown = append(shown, op.value())
			}
			_, v := r.judge(func(string) map[string][][]byte { return map[string][][]byte{"n1": shown} })
			switch {
			case test.want == nil && v != nil:
				t.Errorf("found %v", v)
			case test.want != nil && (v == nil || v.Promise != *test.want):
				t.Errorf("found %v, want %s", v, test.want.Name)
			}
		})
	}
}

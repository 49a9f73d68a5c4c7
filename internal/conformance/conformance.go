package conformance

import (
	"context"
	"crypto/rand"
	"slices"
	"testing"

	"github.com/ourodb/ouro"
)

// Limits are those of the store under test. A case whose limit is zero is
// skipped.
type Limits struct {
	Value    int // bytes of the largest value it takes
	Siblings int // versions after which it refuses blind growth
	// Simulated: it takes one request at a time, and its time is its own.
	Simulated bool
}

// Run holds store to all cases. The bucket it writes to has n=3 and r=w=2, or
// the numbers that n=3 becomes with fewer nodes; its keys are new with each run.
func Run(t *testing.T, store ouro.Store, limits Limits) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s *suite)
	}{
		{"a put is read back", putGet},
		{"an absent key is not found", absent},
		{"an empty value is a value", emptyValue},
		{"values are any bytes", anyBytes},
		{"the content type is kept", contentTypes},
		{"keys are any bytes", anyKeys},
		{"buckets are apart", buckets},
		{"blind puts make siblings", blindPuts},
		{"a context replaces what it covers", replace},
		{"a stale context makes siblings", stale},
		{"who has seen nothing replaces nothing", sawNothing},
		{"one context covers all siblings", merge},
		{"interleaved writers lose nothing", interleaved},
		{"a put's own context covers the put", ownContext},
		{"a delete removes what its context covers", deleteCovered},
		{"a delete without context removes what is there", deleteBlind},
		{"a tombstone has a context", tombstone},
		{"deleting nothing is done", deleteAbsent},
		{"a repeated request id writes once", repeated},
		{"bad keys are refused", badKeys},
		{"bad contexts are refused", badContexts},
		{"impossible quorums are refused", badQuorums},
		{"a value at the limit is taken, one over it refused", tooLarge},
		{"blind growth ends at the limit", tooMany},
		{"results say how they were reached", described},
		{"explain tells facts", explained},
		{"an ended context is its error", ended},
		{"values may be reused once a call returns", ownership},
		{"an update merges what is there", updateMerges},
		{"an update begins where nothing is", updateBegins},
		{"updates at once lose nothing", updateLosesNothing},
		{"an update that its program refuses changes nothing", updateRefused},
		{"what has a time to live says until when", timeToLive},
		{"several requests at once have an answer each", manyAnswers},
		{"several puts go by their own contexts", manyContexts},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(t, &suite{t: t, store: store, limits: limits})
		})
	}
}

// suite is one case's hold on the store.
type suite struct {
	t      *testing.T
	store  ouro.Store
	limits Limits
}

// key returns a key that no other case uses.
func (s *suite) key() ouro.Key {
	return ouro.Key{Bucket: "conformance", Name: s.t.Name() + "/" + rand.Text()}
}

func (s *suite) ctx() context.Context { return s.t.Context() }

// blind puts a value without looking.
func (s *suite) blind(key ouro.Key, value string) ouro.Result {
	s.t.Helper()
	return s.put(key, value, ouro.Blind())
}

func (s *suite) put(key ouro.Key, value string, opts ...ouro.Option) ouro.Result {
	s.t.Helper()
	res, err := s.store.Put(s.ctx(), key, ouro.Value{Data: []byte(value)}, opts...)
	if err != nil {
		s.t.Fatalf("put %s = %q: %v", key, value, err)
	}
	return res
}

// under makes the option that hands a context back.
func under(res ouro.Result) ouro.Option { return ouro.WithContext(res.Context) }

// get reads a key and checks its values, in any order.
func (s *suite) get(key ouro.Key, want ...string) ouro.Result {
	s.t.Helper()
	res, err := s.store.Get(s.ctx(), key)
	if err != nil {
		s.t.Fatalf("get %s: %v", key, err)
	}
	if got := values(res); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		s.t.Fatalf("get %s shows %.200q, want %.200q", key, got, want)
	}
	if len(res.Context) == 0 {
		s.t.Fatalf("get %s has no context", key)
	}
	return res
}

// gone reads a key that shows nothing.
func (s *suite) gone(key ouro.Key) ouro.Result {
	s.t.Helper()
	res, err := s.store.Get(s.ctx(), key)
	if ouro.CodeOf(err) != ouro.NotFound || len(res.Siblings) > 0 {
		s.t.Fatalf("get %s shows %q, %v: want not_found", key, values(res), err)
	}
	return res
}

// values returns what a result shows, sorted.
func values(res ouro.Result) []string {
	v := []string{}
	for _, sib := range res.Siblings {
		v = append(v, string(sib.Data))
	}
	slices.Sort(v)
	return v
}

// refused checks that err is a refusal with this code and no effect.
func (s *suite) refused(err error, code ouro.Code) {
	s.t.Helper()
	if ouro.CodeOf(err) != code {
		s.t.Fatalf("error %v, want code %s", err, code)
	}
	if e := errorOf(err); e.Outcome != ouro.NotDone || e.Message == "" {
		s.t.Fatalf("outcome %v, message %q: want not_done and a reason", e.Outcome, e.Message)
	}
}

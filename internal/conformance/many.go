package conformance

import (
	"context"
	"fmt"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// manyAnswers: each of several requests has an answer of its own, in order.
func manyAnswers(t *testing.T, s *suite) {
	const n = 30
	keys := make([]ouro.Key, n)
	items := make([]ouro.Item, n)
	for i := range keys {
		keys[i] = s.key()
		items[i] = ouro.Item{Key: keys[i], Value: ouro.Value{Data: fmt.Append(nil, i), ContentType: "text/plain"}}
	}
	items[7].Key.Name = ""
	for i, a := range client.PutMany(s.ctx(), s.many(), items) {
		if i == 7 {
			s.refused(a.Err, ouro.BadRequest)
		} else if a.Err != nil || len(a.Result.Context) == 0 || a.Result.RequestID == "" {
			t.Fatalf("put %d: %+v, %v", i, a.Result, a.Err)
		}
	}
	for i, a := range client.GetMany(s.ctx(), s.many(), keys) {
		switch {
		case i == 7 && ouro.CodeOf(a.Err) != ouro.NotFound:
			t.Errorf("get of what was refused: %+v, %v", a.Result, a.Err)
		case i != 7 && (a.Err != nil || len(a.Result.Siblings) != 1 || string(a.Result.Siblings[0].Data) != fmt.Sprint(i) || a.Result.Siblings[0].ContentType != "text/plain"):
			t.Errorf("get %d: %+v, %v", i, a.Result, a.Err)
		}
	}
	if len(client.GetMany(s.ctx(), s.many(), nil)) != 0 || len(client.PutMany(s.ctx(), s.many(), nil)) != 0 {
		t.Error("nothing asked has answers")
	}
}

// manyContexts: an item with a context replaces what that covers, and one with
// another key's is refused alone.
func manyContexts(_ *testing.T, s *suite) {
	one, two := s.key(), s.key()
	a, b := s.blind(one, "1"), s.blind(two, "2")
	answers := client.PutMany(s.ctx(), s.many(), []ouro.Item{
		{Key: one, Value: ouro.Value{Data: []byte("new")}, Context: a.Context},
		{Key: one, Value: ouro.Value{Data: []byte("bad")}, Context: b.Context},
	})
	if answers[0].Err != nil {
		s.t.Fatal(answers[0].Err)
	}
	s.refused(answers[1].Err, ouro.BadContext)
	s.get(one, "new")
	for _, a := range client.PutMany(s.ctx(), s.many(), []ouro.Item{{Key: two, Value: ouro.Value{Data: []byte("3")}}}, ouro.Blind()) {
		if a.Err != nil {
			s.t.Fatal(a.Err)
		}
	}
	s.get(two, "2", "3")
}

// many is the store; one that takes one request at a time gets them so.
func (s *suite) many() ouro.Store {
	if s.limits.Simulated {
		return &oneByOne{s.store, make(chan struct{}, 1)}
	}
	return s.store
}

// oneByOne lets requests to a store wait for each other.
type oneByOne struct {
	ouro.Store
	turn chan struct{}
}

func (o *oneByOne) take() func() {
	o.turn <- struct{}{}
	return func() { <-o.turn }
}

func (o *oneByOne) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	defer o.take()()
	return o.Store.Get(ctx, key, opts...)
}

func (o *oneByOne) Put(ctx context.Context, key ouro.Key, v ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	defer o.take()()
	return o.Store.Put(ctx, key, v, opts...)
}

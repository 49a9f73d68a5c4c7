package client_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/oracle"
)

// words are sets of strings.
func words(store ouro.Store) *client.Values[[]string] {
	return &client.Values[[]string]{Store: store, Codec: client.JSON[[]string](), Resolve: func(all [][]string) ([]string, error) {
		w := slices.Concat(all...)
		slices.Sort(w)
		return slices.Compact(w), nil
	}}
}

func TestValues(t *testing.T) {
	store := oracle.New(oracle.Config{})
	v, ctx := words(store), t.Context()
	if _, _, err := v.Get(ctx, key); ouro.CodeOf(err) != ouro.NotFound {
		t.Fatal(err)
	}
	for _, w := range []string{"b", "a"} {
		if _, err := v.Put(ctx, key, []string{w}, ouro.Blind()); err != nil {
			t.Fatal(err)
		}
	}
	got, res, err := v.Get(ctx, key)
	if err != nil || !slices.Equal(got, []string{"a", "b"}) || len(res.Siblings) != 2 || res.Siblings[0].ContentType != "application/json" {
		t.Fatalf("%v %+v %v", got, res, err)
	}
	if got, _, err = v.Update(ctx, key, func(w []string) ([]string, error) { return append(w, "c"), nil }); err != nil || !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Fatalf("%v %v", got, err)
	}
	if _, res, err = v.Get(ctx, key); err != nil || len(res.Siblings) != 1 {
		t.Fatalf("%+v %v", res, err)
	}
	no := errors.New("no")
	if _, _, err = v.Update(ctx, key, func([]string) ([]string, error) { return nil, no }); !errors.Is(err, no) {
		t.Errorf("a change that fails: %v", err)
	}
	if _, err = store.Put(ctx, key, ouro.Value{Data: []byte("no JSON")}); err != nil {
		t.Fatal(err)
	}
	if _, _, err = v.Update(ctx, key, func(w []string) ([]string, error) { return w, nil }); err == nil {
		t.Error("what can't be decoded was overwritten")
	}
	v.Resolve = nil
	other := ouro.Key{Bucket: "b", Name: "other"}
	for range 2 {
		if _, err := v.Put(ctx, other, []string{"x"}, ouro.Blind()); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err = v.Get(ctx, other); ouro.CodeOf(err) != ouro.SiblingsFound {
		t.Errorf("two versions that nothing merges: %v", err)
	}
}

// crowded refuses blind growth until it was read so often.
type crowded struct {
	ouro.Store
	reads, after int
}

func (c *crowded) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	c.reads++
	return c.Store.Get(ctx, key, opts...)
}

func (c *crowded) Put(ctx context.Context, key ouro.Key, v ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	if c.reads <= c.after {
		return ouro.Result{}, ouro.Errorf(ouro.TooManySiblings, ouro.NotDone, "crowded")
	}
	return c.Store.Put(ctx, key, v, opts...)
}

// An update that met a change begins anew, but not for ever.
func TestUpdateIsBounded(t *testing.T) {
	s := &crowded{Store: oracle.New(oracle.Config{}), after: 2}
	set := func([]ouro.Sibling) (ouro.Value, error) { return ouro.Value{Data: []byte("v")}, nil }
	if _, err := client.Update(t.Context(), s, key, set); err != nil || s.reads != 3 {
		t.Errorf("%v after %d reads", err, s.reads)
	}
	s.reads, s.after = 0, 1<<30
	if _, err := client.Update(t.Context(), s, key, set); ouro.CodeOf(err) != ouro.TooManySiblings || s.reads > 10 {
		t.Errorf("%v after %d reads", err, s.reads)
	}
}

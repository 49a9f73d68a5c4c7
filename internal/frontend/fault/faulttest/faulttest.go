// Package faulttest has a store with a fault, for the tests of front ends.
package faulttest

import (
	"context"

	"github.com/ourodb/ouro"
)

// Odd is the key that a [Store] panics at, and what it panics with.
const Odd = "odd"

// Store is another one, but that a get of [Odd] panics.
type Store struct{ ouro.Store }

// Get implements [ouro.Store].
func (s Store) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	if key.Name == Odd {
		panic(Odd)
	}
	return s.Store.Get(ctx, key, opts...)
}

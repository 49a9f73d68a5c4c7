package main

import (
	"io"
	"maps"
	"testing"

	"github.com/ourodb/ouro/examples/stage"
)

// What was added on either side of a cut is there after it, and so is what was removed
// on one of them.
func TestCart(t *testing.T) {
	s, err := stage.NewSimulated()
	if err != nil {
		t.Fatal(err)
	}
	cart, err := play(io.Discard, s, "alice")
	if want := (Cart{"book": 1, "lamp": 1, "pen": 1}); err != nil || !maps.Equal(cart, want) {
		t.Errorf("the cart has %v in the end, want %v (%v)", cart, want, err)
	}
}

package main

import (
	"io"
	"testing"

	"github.com/ourodb/ouro/examples/stage"
)

func TestCatalogue(t *testing.T) {
	s, err := stage.NewSimulated()
	if err != nil {
		t.Fatal(err)
	}
	o, err := play(io.Discard, s, "test")
	if err != nil {
		t.Fatal(err)
	}
	if o.stale != 0 || o.staleWithOne == 0 {
		t.Errorf("%d stale reads with w=3, %d with w=1", o.stale, o.staleWithOne)
	}
	if !o.refused || o.served != products {
		t.Errorf("with one node down a write was refused: %v, and %d of %d reads were served", o.refused, o.served, products)
	}
}

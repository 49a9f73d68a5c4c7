package main

import (
	"io"
	"slices"
	"testing"

	"github.com/ourodb/ouro/examples/stage"
)

func TestSessions(t *testing.T) {
	s, err := stage.NewSimulated()
	if err != nil {
		t.Fatal(err)
	}
	shown, err := play(io.Discard, s)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"home", "receipt"}; !slices.Equal(shown, want) {
		t.Errorf("shown are %v, want %v: the write by the clock that is ahead, and then the one that knew of it", shown, want)
	}
}

package ouro_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/ourodb/ouro"
)

// What an error says of a write is found however it is wrapped; one that says nothing
// leaves it open.
func TestOutcomeOf(t *testing.T) {
	refused := ouro.Errorf(ouro.TooLarge, ouro.NotDone, "too large")
	for _, c := range []struct {
		err  error
		want ouro.Outcome
	}{
		{nil, ouro.Done},
		{refused, ouro.NotDone},
		{fmt.Errorf("%w: %w", context.Canceled, refused), ouro.NotDone},
		{context.Canceled, ouro.Unknown},
	} {
		if got := ouro.OutcomeOf(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}

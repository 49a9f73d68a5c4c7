package dataset

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/ourodb/ouro"
)

// patiently calls try until it works, fails for good, or patience has passed.
func patiently(ctx context.Context, patience time.Duration, try func() error) error {
	deadline := time.Now().Add(patience)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := try()
		if err == nil || !passing(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(wait/2 + rand.N(wait)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// passing reports whether the same request may succeed later.
func passing(err error) bool {
	var e *ouro.Error
	return errors.As(err, &e) && e.Retryable
}

// Package effort says how far the tests go that try every order of events.
package effort

import "testing"

// Small says that a test is to try the small scopes only: with -short, and under
// the race detector, which is many times slower and has nothing to find where all
// happens in one goroutine.
func Small() bool { return testing.Short() || race }

// Unraced skips a long test of one goroutine under the race detector. CI runs those
// without it.
func Unraced(t testing.TB) {
	t.Helper()
	if race {
		t.Skip("it takes long, in one goroutine: run it without the race detector")
	}
}

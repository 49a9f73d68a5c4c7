// Package effort says how far the tests go that try every order of events.
package effort

import "testing"

// Small says that a test is to try the small scopes only: with -short, and under
// the race detector, which is many times slower and has nothing to find where all
// happens in one goroutine.
func Small() bool { return testing.Short() || race }

// Package clock holds the two times that the core is told of. The core never
// asks for a time: its host passes a [Now] with every input.
package clock

import "time"

// Now is one reading of both clocks.
type Now struct {
	// Mono is time since the process started. It never goes back; deadlines and
	// waits are measured in it.
	Mono time.Duration
	// Wall is the wall clock in milliseconds since 1970. It may jump; nothing
	// whose correctness matters is decided by it (RULES R23, R36, R37).
	Wall int64
}

package ouro

import (
	"errors"
	"fmt"
	"time"
)

// Code names a kind of failure. Codes are stable: programs may compare them.
type Code string

// The codes of every error a store returns.
const (
	BadRequest        Code = "bad_request"        // the request can never succeed as it is
	BadContext        Code = "bad_context"        // malformed, truncated, altered, or of another key or cluster
	NotFound          Code = "not_found"          // no version is shown for the key
	SiblingsFound     Code = "siblings"           // several versions, and the caller accepts only one
	TooManySiblings   Code = "too_many_siblings"  // blind growth refused: get, merge, put with the context
	WrongType         Code = "wrong_type"         // the key shows another data type than the update is for
	TooLarge          Code = "too_large"          // value or key over its bound
	Overloaded        Code = "overloaded"         // a bounded queue is full; come back after RetryAfter
	HotKey            Code = "hot_key"            // too many requests of this one key are under way; come back after RetryAfter
	QuorumUnavailable Code = "quorum_unavailable" // too few replicas can be reached
	TimedOut          Code = "timeout"            // too few replicas answered in time
	Conflict          Code = "conflict"           // what it was decided on has changed since: look again, decide anew
	DiskFull          Code = "disk_full"          // the node has no room and takes no writes
	Internal          Code = "internal"           // a fault of the store; the message says which
)

// Outcome says what an error means for the write that met it.
type Outcome uint8

// The three outcomes. Unknown means that the write may have happened or may
// yet happen: repeat it with the same request id, or read to find out.
const (
	Done Outcome = iota
	NotDone
	Unknown
)

// String returns "done", "not_done" or "unknown".
func (o Outcome) String() string {
	switch o {
	case Done:
		return "done"
	case NotDone:
		return "not_done"
	default:
		return "unknown"
	}
}

// ParseOutcome is the inverse of [Outcome.String]; anything else is Unknown.
func ParseOutcome(s string) Outcome {
	switch s {
	case "done":
		return Done
	case "not_done":
		return NotDone
	default:
		return Unknown
	}
}

// Error is the only error type that a [Store] returns, apart from errors of the
// caller's own context.
type Error struct {
	Code       Code
	Message    string // for people: what was wrong and what to do
	Outcome    Outcome
	Retryable  bool          // the same request may succeed later
	RetryAfter time.Duration // when to come back, with Overloaded and HotKey
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Is reports whether target is an *Error with the same code, so that
// errors.Is(err, &ouro.Error{Code: ouro.NotFound}) works.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Code == e.Code
}

// Errorf makes an [Error]. Whether it is retryable follows from its code.
func Errorf(code Code, outcome Outcome, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Outcome: outcome, Retryable: code.Retryable()}
}

// HotKeyError is the refusal of a request for a key of which a node has as many under way
// as of one key it may have.
func HotKeyError(key Key, node string, most int) *Error {
	return Errorf(HotKey, NotDone, "%s is a hot key: node %s has %d requests for it under way, as many as for one key it may have, and serves the others; come back later, ask for it less often, or spread what it holds over several keys",
		key.Brief(), node, most)
}

// Retryable reports whether a request that met this code may succeed later,
// unchanged.
func (c Code) Retryable() bool {
	switch c {
	case Overloaded, HotKey, QuorumUnavailable, TimedOut, DiskFull, Internal:
		return true
	default:
		return false
	}
}

// CodeOf returns the code of err if it is or wraps an [Error], and "" if not.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// OutcomeOf returns what err means for the write that met it: Done where there is none,
// Unknown where it neither is nor wraps an [Error].
func OutcomeOf(err error) Outcome {
	var e *Error
	switch {
	case err == nil:
		return Done
	case errors.As(err, &e):
		return e.Outcome
	default:
		return Unknown
	}
}

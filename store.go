package ouro

import "context"

// Store is a replicated key-value store, whatever its body. All methods are
// safe for concurrent use; every error is an [*Error] or wraps the caller's
// context error.
type Store interface {
	// Get returns every surviving version of key with one context that covers
	// them all (paper, section 4.1). No version shown is an [Error] with code
	// [NotFound], returned together with a Result whose Context is set where a
	// tombstone is there.
	Get(ctx context.Context, key Key, opts ...Option) (Result, error)

	// Put stores a new version of key that replaces what its context covers and
	// stands beside whatever it does not.
	Put(ctx context.Context, key Key, value Value, opts ...Option) (Result, error)

	// Delete removes the versions its context covers. Without a context it
	// removes what a get at the same r shows; what arrives meanwhile survives.
	// Result.Siblings lists what a delete without context removed.
	Delete(ctx context.Context, key Key, opts ...Option) (Result, error)
}

// Result is what a [Store] answers. The fields that describe how it was reached
// are set on errors too, as far as they are known.
type Result struct {
	Siblings    []Sibling
	Typed       *Typed // of a bucket of mode types, where no plain register is shown; see [Updater]
	Changed     int    // by an [Updater]: elements that are new, or gone
	Context     Context
	RequestID   string // the caller's own, or the one drawn for it
	Coordinator string // id of the node that coordinated the request; of a read that a client did, of the one whose copy it shows
	Quorum      Quorum
	Explain     []string // the facts in order, where asked for
}

// Quorum says which numbers were in force for a request and which were reached.
type Quorum struct {
	N, R, W    int
	PR, PW, DW int
	Acks       int // replicas that answered, or acknowledged, when the request was judged
	Primaries  int // of them, primaries of the preference list
	Durable    int // of a write's, those that had synced it
	// Unsettled says that a read with pr set answered before enough primaries
	// had acknowledged what it returns: a later strict read may not see it.
	Unsettled bool
}

package causal

// Actor is who mints dots: one life of one record in one run of one node
// process (RULES R1, R2). Run is random, drawn anew at every start; Life counts
// the lives of records within that run, from 1.
type Actor struct {
	Run  uint64
	Life uint64
}

// Dot names the event that wrote a version: the Nth mint of its actor, from 1.
type Dot struct {
	Actor Actor
	N     uint64
}

// Entry says that a state has seen events 1..N of its actor; N is 0 where it has
// seen only exceptions of it. Time is when something last happened to what is
// claimed of the actor, its exceptions included, in wall-clock milliseconds: the
// mint of a dot, the removal of a version, a context that had seen more (RULES
// R7). Time serves pruning alone.
type Entry struct {
	Actor Actor
	N     uint64
	Time  int64
}

// Claims is what a state or a context has seen: a version vector and a few
// single events beyond it, the exceptions (RULES R4). Both are sorted by actor
// (exceptions then by N), without duplicates; every exception has an entry of its
// actor and is neither within nor next to it; and an entry with N = 0 has
// exceptions. The zero value has seen nothing.
type Claims struct {
	Vector     []Entry
	Exceptions []Dot
}

// Stamp is a hybrid logical time: milliseconds since 1970 in the upper 48 bits,
// a counter in the lower 16.
type Stamp uint64

// Version is one immutable version of an object.
type Version struct {
	Dot         Dot
	Stamp       Stamp  // when it was minted (RULES R37)
	Request     uint64 // keyed hash of the request id that wrote it; 0: none (R29)
	Expiry      int64  // wall-clock milliseconds from which it is not shown; 0: never (R36)
	Deleted     bool   // a delete in an lww bucket (R23); never set in siblings buckets
	ContentType string
	Value       []byte
	Sum         Sum // keyed hash of ContentType and Value
}

// State is a stored object: what has been seen and what survives of it. A state
// with claims and no versions is a tombstone; one with neither is nothing.
// Versions are sorted by dot.
type State struct {
	Claims
	Floor    int64 // prune floor: what is claimed of an actor with a time not above it is the dots of its versions (RULES R7)
	Versions []Version
}

// Sum is a 128-bit keyed hash. Sums of states form the leaves of the Merkle
// trees, so they are keyed with a secret of the cluster (RULES R26).
type Sum struct{ Hi, Lo uint64 }

// Context is what a get gives its client and the next put hands back.
type Context struct {
	Claims
	Fastest string // id of the replica that answered first (paper, section 5)
}

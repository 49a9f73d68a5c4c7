package replica

import "slices"

// Verified is what a look found out that added up trees from their records.
type Verified struct {
	Trees      int   // looked for, as there are records
	Leaves     int   // looked at
	Records    int   // added up
	Bytes      int64 // of them
	Unreadable int   // records that can't be read
	// Doubtful is how many leaves nothing could be said of: they are dirty, or have
	// records that can't be read.
	Doubtful int
	Wrong    []string // what is not as it must be
	Next     []byte   // where the next look goes on; nil: this was the last
	Err      error    // why it ended early
}

// With returns what a and a later look b found together; where to go on and why
// not are b's.
func (a Verified) With(b Verified) Verified {
	return Verified{
		Trees: a.Trees + b.Trees, Leaves: a.Leaves + b.Leaves, Records: a.Records + b.Records, Bytes: a.Bytes + b.Bytes,
		Unreadable: a.Unreadable + b.Unreadable, Doubtful: a.Doubtful + b.Doubtful,
		Wrong: slices.Concat(a.Wrong, b.Wrong), Next: b.Next, Err: b.Err,
	}
}

// Scrubbed is what a look of the scrubber found. What is not as it must be of
// trees has been added up from the records by then.
type Scrubbed struct {
	Verified
	Rotten []Rotten // records of the node's own that can't be read
	Mended int      // leaves that were added up anew
	Lost   int      // records kept for others that could not be read; they went
	// Size is about how many bytes there are in all.
	Size int64
	// Skip is, with an Err, where to go on without what can't be read; nil: there is
	// nothing behind it.
	Skip []byte
}

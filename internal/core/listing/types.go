package listing

import (
	"time"

	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Request asks for one page.
type Request struct {
	ID        uint64 // of the listing, in the surveys it makes; a new one after [Listing.Restart]
	Self      ring.NodeID
	Partition uint32
	Bucket    string
	From      uint64 // upper half of the position at which the page begins
	Last      uint64 // upper half of the last position of the partition
	Prefix    string // only keys that begin with it; "": all
	LWW       bool   // the bucket shows the greatest stamp only (RULES R23)
	Types     bool   // its keys hold data types (RULES R8)
	Lists     place.Lists
	R, NextR  int // replicas that must tell: of the list, and of that which the partition is on its way to
	Timeout   time.Duration
}

// How long is waited before others are asked too, and before one that refused is
// asked again.
const (
	hedgeAfter = 100 * time.Millisecond
	again      = 50 * time.Millisecond
)

// Ask is a survey of a replica; To is "" for this node.
type Ask struct {
	To     ring.NodeID
	Number uint64
	Survey replica.Survey
}

// Page is what came of it. Names are in the order of their positions.
type Page struct {
	Names []string
	Until uint64 // upper half of the last position that the page is about
	// Complete: enough replicas told all they hold of the range. Else Why says in
	// words what was missing.
	Complete bool
	Why      string
	Told     int // how many replicas told
}

// Effects collects what a listing wants done.
type Effects struct {
	Asks []Ask
	Page *Page // the listing is over
}

// Reset empties e and keeps its memory.
func (e *Effects) Reset() {
	clear(e.Asks)
	e.Asks, e.Page = e.Asks[:0], nil
}

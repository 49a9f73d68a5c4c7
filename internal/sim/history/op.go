package history

import (
	"fmt"
	"time"
)

// Verb is what a client asked.
type Verb uint8

// The verbs.
const (
	Get Verb = iota
	Put
	Delete
)

func (v Verb) String() string { return [...]string{"get", "put", "delete"}[v] }

// Outcome is what a client knows of its operation.
type Outcome uint8

// The outcomes. Info means that it may have happened, or may yet.
const (
	Pending Outcome = iota
	OK
	Fail
	Info
)

func (o Outcome) String() string { return [...]string{"pending", "ok", "fail", "info"}[o] }

// Op is one operation of a client, all attempts at it together. The fields down
// to Context are the caller's to set before [History.Invoke].
type Op struct {
	Client  int
	Verb    Verb
	Key     string
	N, R, W int // in force for it
	PR      int // a get's: r counts so many primaries at least
	PW      int // a put's or delete's: so many of w are primaries
	// Relaxed: of w, only so many as Durable say need have it on disk.
	Relaxed bool
	Durable int
	// Promised is with how many acknowledgements writes of the key are made, unless
	// they ask for others: a replica that lost its disk gets back what had as many.
	Promised int
	// Rests is on how many answers reads of the key rest, unless they ask for others.
	Rests   int
	Sloppy  bool      // there are more nodes than n, so that some may stand in
	Context *Response // where its context came from; nil: it was given none

	ID       uint64 // from 1, in the order of invocation
	Invoked  time.Duration
	Returned time.Duration
	Attempts int  // how often its client sent it
	Passed   bool // a node sent it on
	Resent   bool // a node sent it on a second time, or did it itself after all
	Limited  bool // it was refused for asking too much
	Outcome  Outcome
	Response *Response // what came back, where something did

	object *object
	place  int  // among the writes of its key; gets have none
	covers Set  // what it has certainly seen
	may    Set  // what its context may cover at most
	strict Set  // gets: what was acknowledged before it, with w > n - r
	firm   Set  // of that, what outlives the loss of one disk
	vague  bool // may leaves something out

	standIns int // of those that were counted, which strict promises do not
	dots     int // how many dots it was stored under, as far as was looked
	shown    bool
}

// Bare reports whether the operation is a delete without a context: the store
// reads, and removes what it read.
func (o *Op) Bare() bool { return o.Verb == Delete && o.Context == nil }

// repeated reports whether an earlier attempt may have had an effect of which
// the answer says nothing.
func (o *Op) repeated() bool { return o.Attempts > 1 || o.Resent }

func (o *Op) String() string {
	s := fmt.Sprintf("op %d: client %d %s %s", o.ID, o.Client, o.Verb, o.Key)
	if o.Verb != Get && o.Context != nil {
		s += fmt.Sprintf(" with the context of op %d", o.Context.Op.ID)
	}
	return s
}

// Shown tells what came back, in words.
func (o *Op) Shown() string {
	if o.Response == nil {
		return "nothing came back"
	}
	return list(o.Response.Sees)
}

// Response is what an operation got back and a later one can be given the
// context of.
type Response struct {
	Op      *Op
	Context []byte // as the store sealed it; nil: there was none
	Sees    []*Op  // the writes whose values were shown
	covers  Set
	may     Set
	vague   bool
}

// object is what is known of one key.
type object struct {
	key       string
	writes    []*Op // puts and deletes in the order of invocation
	acked     []Set // by w: puts and deletes that returned ok with that w
	deletes   Set   // what deletes that may have happened certainly removed
	may       Set   // what deletes' contexts may cover at most
	stored    Set   // puts found in a replica's store
	wild      int   // deletes without context of which it is unknown what they removed
	vague     bool  // may leaves something out
	exclusive bool  // one client, one operation after the other
	uncertain bool  // exclusive: a write did not return ok
	stoodIn   bool  // for a primary, in a request for it
	final     []*Op // what was read at the end
	settled   bool  // final is set
}

package history

import "fmt"

// Promise is something the store promises. Its code is the exit code of a run
// that found it broken.
type Promise struct {
	Code int
	Name string
	Text string
}

// The promises, and the codes of their checkers. The numbers never change; a
// promise that goes leaves a gap.
var (
	Lost        = Promise{10, "lost", "a write that was acknowledged or shown survives, or something that has seen it does"}
	Stale       = Promise{11, "stale", "with r + w > n a read shows every write acknowledged before it began, or what replaced it"}
	Returned    = Promise{12, "returned", "what was replaced or deleted does not come back"}
	Siblings    = Promise{13, "siblings", "siblings are concurrent: none of them has seen another"}
	Diverged    = Promise{14, "diverged", "after healing all replicas hold the same bytes and every node shows the same"}
	Context     = Promise{15, "context", "a context covers only what its receiver was shown"}
	OutcomeKept = Promise{16, "outcome", "what was reported as not done is never seen"}
	Invented    = Promise{17, "invented", "only values that were written are read, unaltered and under their own key"}
	DotReused   = Promise{18, "dot", "a dot names one version for ever"}
	Answers     = Promise{19, "answers", "every request gets exactly one answer"}
	Late        = Promise{20, "late", "every request is answered within its timeout"}
	Grown       = Promise{21, "grown", "nothing is left in a node's tables when nothing is under way"}
	Twice       = Promise{22, "twice", "a request sent once is stored once, whatever the network repeats"}
	Panicked    = Promise{23, "panic", "no input makes a node panic"}
	Unavailable = Promise{24, "unavailable", "with all nodes and links healthy every request succeeds, and with one node hanging every one that can do without it"}
	Replayed    = Promise{25, "replay", "the same seed gives the same history, to the byte"}
	Summed      = Promise{26, "summed", "every leaf of a tree is the sum of the records under it, at once after a crash too"}
	Unreaped    = Promise{27, "unreaped", "with all nodes and links healthy every tombstone goes, and nothing holds one up for ever"}
	Placed      = Promise{28, "placed", "after healing every change of the ring ends: one history, one placement, everything where it is to be and nothing elsewhere"}
	Forked      = Promise{29, "forked", "no two placements have one number"}
	Listed      = Promise{30, "listed", "a list of keys that says it is complete has every key whose write was acknowledged before, by enough that r others meet it, and none whose delete was; after healing it has exactly those that show something"}
)

// Promises returns all promises by ascending code.
func Promises() []Promise {
	return []Promise{
		Lost, Stale, Returned, Siblings, Diverged, Context, OutcomeKept, Invented, DotReused,
		Answers, Late, Grown, Twice, Panicked, Unavailable, Replayed, Summed, Unreaped, Placed, Forked, Listed,
	}
}

// Violation is a broken promise.
type Violation struct {
	Promise Promise
	Key     string // the key concerned; empty: none in particular
	Detail  string
}

func (v *Violation) Error() string {
	if v.Key == "" {
		return fmt.Sprintf("promise %d (%s) broken: %s", v.Promise.Code, v.Promise.Name, v.Detail)
	}
	return fmt.Sprintf("promise %d (%s) broken on key %s: %s", v.Promise.Code, v.Promise.Name, v.Key, v.Detail)
}

// Broken makes a violation.
func Broken(p Promise, key, format string, args ...any) *Violation {
	return &Violation{p, key, fmt.Sprintf(format, args...)}
}

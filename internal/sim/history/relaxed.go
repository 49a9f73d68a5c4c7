package history

import "time"

// Loss is that a node lost the end of what it had stored: what it applied from some
// moment on was not on its disk when its process ended. In a bucket whose durability
// is not all, some of it may have been acknowledged (RULES R35).
type Loss struct {
	Node int
	From time.Duration // when the first that is lost was applied
	To   time.Duration // when the process ended
}

// Lost records a loss.
func (h *History) Lost(l Loss) { h.losses = append(h.losses, l) }

// holds says whether the promise of an acknowledged write is in force: there are more
// copies of it than disks were wiped. Of those that acknowledged it, whoever had not
// synced it and lost it counts no more; as many as the durability of its bucket
// promises had.
func (h *History) holds(op *Op) bool { return op.Outcome == OK && h.copies(op) > h.Wiped }

func (h *History) copies(op *Op) int {
	if !op.Relaxed {
		return op.W
	}
	return max(op.Durable, op.W-h.losers(op))
}

// losers is how many nodes may have lost a write that they had acknowledged, or
// shown.
func (h *History) losers(op *Op) int {
	until := op.Returned
	if op.Outcome != OK {
		until = 1<<63 - 1 // whenever it was stored
	}
	var nodes Set
	for _, l := range h.losses {
		if op.Invoked <= l.To && until >= l.From {
			nodes.Add(l.Node)
		}
	}
	return nodes.Len()
}

// forgiven says whether a write may be missing though as many had acknowledged or
// shown it as were asked for.
func (h *History) forgiven(op *Op) bool {
	switch {
	case !op.Relaxed || h.losers(op) == 0:
		return false
	case op.Outcome != OK:
		return true
	default:
		return !h.holds(op)
	}
}

// promised are those of some writes that are not forgiven.
func (o *object) promised(h *History, some Set) Set {
	if len(h.losses) == 0 {
		return some
	}
	var left Set
	some.Each(func(i int) bool {
		if !h.forgiven(o.writes[i]) {
			left.Add(i)
		}
		return true
	})
	return left
}

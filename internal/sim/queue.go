package sim

import "time"

// what says what an event is.
type what uint8

const (
	evTurn    what = iota // a node works through its inbox
	evTick                // a node's deadline has come
	evDeliver             // a frame arrives
	evSynced              // a disk has synced
	evCall                // anything else: fn
)

// event is something that will happen.
type event struct {
	at   time.Duration
	seq  uint64 // breaks ties: first come, first served
	what what
	node int    // turn, tick, synced: whose; deliver: the receiver
	life uint64 // of that node, so that nothing reaches a later life of it
	link *link  // deliver: over which link
	sess uint64 // deliver: the session of the link when the frame was sent
	n    int    // synced: how many batches
	body []byte
	fn   func()
}

// queue is a binary heap of events by time, then by number.
type queue struct {
	heap []event
	seq  uint64
}

func (q *queue) len() int { return len(q.heap) }

func less(a, b *event) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

// push adds an event and numbers it.
func (q *queue) push(e event) {
	q.seq++
	e.seq = q.seq
	q.heap = append(q.heap, e)
	i := len(q.heap) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !less(&q.heap[i], &q.heap[up]) {
			return
		}
		q.heap[i], q.heap[up] = q.heap[up], q.heap[i]
		i = up
	}
}

// pop removes the first event. There must be one.
func (q *queue) pop() event {
	first := q.heap[0]
	last := len(q.heap) - 1
	q.heap[0] = q.heap[last]
	q.heap[last] = event{}
	q.heap = q.heap[:last]
	i := 0
	for {
		down := 2*i + 1
		if down >= last {
			return first
		}
		if down+1 < last && less(&q.heap[down+1], &q.heap[down]) {
			down++
		}
		if !less(&q.heap[down], &q.heap[i]) {
			return first
		}
		q.heap[i], q.heap[down] = q.heap[down], q.heap[i]
		i = down
	}
}

package dataset

import (
	"math"
	"sync"
)

// watermark knows up to which record of a file everything is stored, while
// records are stored out of order. Its memory is bounded by the records in
// flight.
type watermark struct {
	mu      sync.Mutex
	tell    func(Position)
	reached Position
	next    []Position     // begun after reached, in order
	stored  map[int64]bool // of them, those that are stored
	barrier int64          // the first record that failed: the mark can't pass it
}

func newWatermark(start Position, tell func(Position)) *watermark {
	return &watermark{tell: tell, reached: start, stored: map[int64]bool{}, barrier: math.MaxInt64}
}

// begin says that the record that ends at end is on its way.
func (w *watermark) begin(end Position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if end.Records < w.barrier {
		w.next = append(w.next, end)
	}
}

// failed says that record n will not be stored. What comes after it need not be
// remembered: going on means to begin with it.
func (w *watermark) failed(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.barrier = min(w.barrier, n)
	for len(w.next) > 0 && w.next[len(w.next)-1].Records >= w.barrier {
		last := len(w.next) - 1
		delete(w.stored, w.next[last].Records)
		w.next = w.next[:last]
	}
}

// done says that record n is stored.
func (w *watermark) done(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n >= w.barrier {
		return
	}
	w.stored[n] = true
	moved := false
	for len(w.next) > 0 && w.stored[w.next[0].Records] {
		w.reached, moved = w.next[0], true
		delete(w.stored, w.reached.Records)
		w.next = w.next[1:]
	}
	if moved && w.tell != nil {
		w.tell(w.reached)
	}
}

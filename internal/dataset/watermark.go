package dataset

import "sync"

// watermark knows up to which record of a file everything is stored, while
// records are stored out of order. Its memory is bounded by the records in
// flight, unless one fails: then it keeps one place for each record after it.
type watermark struct {
	mu      sync.Mutex
	tell    func(Position)
	reached Position
	next    []Position     // begun after reached, in order
	stored  map[int64]bool // of them, those that are stored
}

func newWatermark(start Position, tell func(Position)) *watermark {
	return &watermark{tell: tell, reached: start, stored: map[int64]bool{}}
}

// begin says that the record that ends at end is on its way.
func (w *watermark) begin(end Position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = append(w.next, end)
}

// done says that record n is stored.
func (w *watermark) done(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
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

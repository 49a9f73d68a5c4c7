package disk

import "github.com/ourodb/ouro/internal/core/replica"

// syncTable remembers the last batch that changed each record, in a fixed
// number of slots chosen by the position of the key. A slot whose batch is
// synced says nothing, so nothing is ever cleared. Records that share a slot
// cost each other a wait for a sync now and then, never an early answer.
type syncTable [1 << 16]uint64

// slot returns where the batch of the record at position lo is kept.
func (t *syncTable) slot(lo uint64) *uint64 { return &t[lo%uint64(len(t))] }

// waitlist holds the answers that wait for a sync, batch by batch.
type waitlist struct {
	synced  uint64             // the last batch known to be synced
	batches [][]replica.Answer // of batches synced+1, synced+2, ...
	free    [][]replica.Answer // emptied lists, for reuse
	answers int                // waiting, in all
	bytes   int                // of state in them
}

// freeLists bounds how many emptied lists are kept.
const freeLists = 64

// open adds the list of the next batch, which has just been applied.
func (w *waitlist) open() {
	var list []replica.Answer
	if n := len(w.free); n > 0 {
		list, w.free = w.free[n-1], w.free[:n-1]
	}
	w.batches = append(w.batches, list)
}

// add makes an answer wait for batch seq, which must be open.
func (w *waitlist) add(seq uint64, a replica.Answer) {
	i := seq - w.synced - 1
	w.batches[i] = append(w.batches[i], a)
	w.answers++
	w.bytes += len(a.State)
}

// release appends to done what waited for batch seq or one before it.
func (w *waitlist) release(seq uint64, done *[]replica.Answer) {
	n := 0
	for ; w.synced < seq && n < len(w.batches); n++ {
		w.synced++
		list := w.batches[n]
		*done = append(*done, list...)
		w.answers -= len(list)
		for i := range list {
			w.bytes -= len(list[i].State)
		}
		clear(list)
		if cap(list) > 0 && len(w.free) < freeLists {
			w.free = append(w.free, list[:0])
		}
	}
	w.batches = append(w.batches[:0], w.batches[n:]...)
}

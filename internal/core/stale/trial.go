package stale

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// MaxN is the largest number of replicas that can be told of.
const MaxN = 8

// Replica is what one of a key's replicas takes in one trial. None is negative.
type Replica struct {
	Write  time.Duration // from the beginning of the write until a read there shows it
	Ack    time.Duration // from then until its coordinator counts the acknowledgement
	Read   time.Duration // from the beginning of the read until it is there
	Answer time.Duration // from then until its coordinator counts the answer
}

// Trial is one write and one read after it, at every replica. The read takes the
// answers that are there first, whatever its numbers.
type Trial []Replica

// Draw fills in a trial.
type Draw func(r *rand.Rand, t Trial)

// late calls note for each r and w of which a read is stale that begins in the moment
// in which the write is acknowledged, with how much later it would have to begin.
func (t Trial) late(note func(r, w int, by time.Duration)) {
	var acked, order [MaxN]time.Duration
	var first [MaxN]int
	for i := range t {
		acked[i], order[i], first[i] = t[i].Write+t[i].Ack, t[i].Read+t[i].Answer, i
	}
	slices.Sort(acked[:len(t)])
	slices.SortFunc(first[:len(t)], func(a, b int) int {
		return cmp.Or(cmp.Compare(order[a], order[b]), cmp.Compare(a, b))
	})
	var shown time.Duration
	for r, i := range first[:len(t)] {
		// A read that begins at that time or later finds the write at i.
		if there := t[i].Write - t[i].Read; r == 0 || there < shown {
			shown = there
		}
		for w := range t {
			if shown <= acked[w] {
				break // nor is one under a larger w
			}
			note(r+1, w+1, shown-acked[w])
		}
	}
}

package admit

import (
	"math/bits"
	"time"
)

const (
	quarters = 4               // buckets to each doubling
	buckets  = quarters*28 + 1 // up to 134 s
	few      = 3               // so many must have been slow before that says anything
)

// Times counts how long something took, in buckets of which each ends at most a
// quarter above where it begins. The zero value has counted nothing.
type Times struct {
	n      [buckets]uint32
	all    uint32
	failed uint32 // slower than any
}

// Note counts one that ended so.
func (t *Times) Note(d time.Duration, err error) {
	if err != nil {
		t.Failed()
	} else {
		t.Took(d)
	}
}

// Took counts one.
func (t *Times) Took(d time.Duration) {
	t.n[bucketOf(d)]++
	t.all++
}

// Failed counts one that failed: it counts as slower than any that did not.
func (t *Times) Failed() {
	t.failed++
	t.all++
}

// Add counts what o has counted.
func (t *Times) Add(o *Times) {
	for i := range t.n {
		t.n[i] += o.n[i]
	}
	t.all, t.failed = t.all+o.all, t.failed+o.failed
}

// drop forgets what o has counted, which t has counted too.
func (t *Times) drop(o *Times) {
	for i := range t.n {
		t.n[i] -= o.n[i]
	}
	t.all, t.failed = t.all-o.all, t.failed-o.failed
}

// bucketOf is the place of a time: microseconds, by their highest three bits.
func bucketOf(d time.Duration) int {
	us := uint64(max(d, 0) / time.Microsecond)
	if us < quarters {
		return int(us)
	}
	shift := bits.Len64(us) - 3
	return min(quarters*shift+int(us>>shift), buckets-1)
}

// endOf is the first time beyond a bucket.
func endOf(bucket int) time.Duration {
	if bucket < quarters {
		return time.Duration(bucket+1) * time.Microsecond
	}
	shift := bucket/quarters - 1
	return time.Duration(quarters+bucket%quarters+1) << shift * time.Microsecond
}

// slower returns how many took longer than d for sure, or failed.
func (t *Times) slower(d time.Duration) uint32 {
	slow := t.failed
	for i := bucketOf(d) + 1; i < buckets; i++ {
		slow += t.n[i]
	}
	return slow
}

// over says whether more than one in a hundred took longer than d or failed, and not
// only one or two.
func (t *Times) over(d time.Duration) bool {
	slow := t.slower(d)
	return slow >= few && uint64(slow)*100 > uint64(t.all)
}

// p99 returns what 99 of 100 took at most; 0 where that many did not succeed.
func (t *Times) p99() time.Duration {
	beyond := t.failed
	for i := buckets - 1; i >= 0 && beyond <= t.all/100; i-- {
		if beyond += t.n[i]; beyond > t.all/100 {
			return endOf(i)
		}
	}
	return 0
}

// Sample is what was measured in a step.
type Sample struct {
	Reads Times // of the engine, for clients
	Waits Times // of inputs, in the queue
}

// Add adds what another has.
func (s *Sample) Add(o *Sample) {
	s.Reads.Add(&o.Reads)
	s.Waits.Add(&o.Waits)
}

// Empty says whether nothing was measured.
func (s *Sample) Empty() bool { return s.Reads.all == 0 && s.Waits.all == 0 }

func (s *Sample) over(d time.Duration) bool { return s.Reads.over(d) || s.Waits.over(d) }

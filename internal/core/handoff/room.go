package handoff

import (
	"math/bits"

	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
)

// room decides which records are let go where little room is left. A walk goes
// in order of keys, so it can't know which records are the oldest; it counts
// what it sees by age, and at its end an age is chosen beyond which enough lies.
// The next walk lets go what is as old.
type room struct {
	bytes, max int64       // what is kept, and its bound
	seen       [ages]int64 // bytes, by age, in this walk
	cut        int64       // what is owed since then, or for longer, is let go
	short      bool        // room is: cut is in force
}

// Room is short above three quarters of the bound, and is made down to a half.
const (
	highNum, lowNum, roomDen = 3, 2, 4
)

// Ages are counted in steps of a quarter of a power of two, in milliseconds.
const (
	ageSteps = 4
	ages     = 48 * ageSteps
)

// step returns the number of an age in milliseconds.
func step(age int64) int {
	if age < ageSteps {
		return max(int(age), 0)
	}
	octave := bits.Len64(uint64(age)) - 1 // at least 2
	return min((octave-1)*ageSteps+int(age>>(octave-2))&(ageSteps-1), ages-1)
}

// least returns the least age with a number.
func least(step int) int64 {
	if step < ageSteps {
		return int64(step)
	}
	octave := step/ageSteps + 1
	return int64(ageSteps+step%ageSteps) << (octave - 2)
}

// measured takes what a page says of the store.
func (r *room) measured(page *replica.Page) {
	r.bytes, r.max = page.Bytes, page.Max
	r.short = r.short && r.bytes > r.max/roomDen*lowNum
}

// count counts a record: it goes when the youngest of its debts does. It has at
// least one.
func (r *room) count(now clock.Now, held *replica.Held) {
	age := now.Wall - held.Owed[0].Since
	for _, o := range held.Owed[1:] {
		age = min(age, now.Wall-o.Since)
	}
	r.seen[step(age)] += int64(held.Size)
}

// choose ends a walk: where room is short it finds the age from which on the
// oldest records go.
func (r *room) choose(now clock.Now) {
	r.short = r.max > 0 && r.bytes > r.max/roomDen*highNum
	if r.short {
		excess := r.bytes - r.max/roomDen*lowNum
		i := ages - 1
		for ; i > 0 && excess > r.seen[i]; i-- {
			excess -= r.seen[i]
		}
		r.cut = now.Wall - least(i)
	}
	r.seen = [ages]int64{}
}

// due says whether a record has been owed for so long that it is to be let go.
func (h *Handoff) due(now clock.Now, o replica.Owed) bool {
	return h.overAge(now, o.Since) || h.room.short && o.Since <= h.room.cut
}

func (h *Handoff) overAge(now clock.Now, since int64) bool {
	return now.Wall-since > h.cfg.MaxAge.Milliseconds()
}

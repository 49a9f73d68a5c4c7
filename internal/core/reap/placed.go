package reap

import (
	"slices"

	"github.com/ourodb/ouro/internal/core/clock"
)

// Placed says by which placement this node goes, and whether it holds nothing that is
// left over by it. It is to be told before any shard goes by that placement.
//
// Who was in the lists of a partition and does not know yet that it is in none any
// more takes what it holds for its own, and would give it to the others under
// whatever epoch it is in by then, though they have voted that it was deleted, and
// dropped the tombstones. So who enters an epoch waits until all are known to have
// let go of what is left over by every link that its own votes went by (RULES E1).
func (e *Epochs) Placed(now clock.Now, number uint64, clean bool, out *EpochEffects) {
	e.placed = number
	if i := index(e.members, e.self); i >= 0 && clean && number > e.members[i].Clean {
		e.members[i].Clean = number
		e.tellAt = min(e.tellAt, now.Mono)
	}
	e.Tick(now, out)
}

// swept says whether all are known to have let go of what is left over by the
// placement that this node goes by.
func (e *Epochs) swept() bool {
	return !slices.ContainsFunc(e.members, func(k known) bool { return k.Clean < e.placed })
}

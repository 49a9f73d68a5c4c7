package node

// asker is who within this node an operation was asked for; the highest bits of
// its id say it, and the others are that machine's own. Below byPeer it is a
// client's request: see slots.
type asker uint64

const (
	byPeer     asker = 8 + iota // a peer's operation waits for the own storage: see asks
	byHandoff                   // what is kept for others is handed over
	byProbe                     // of which there is nothing to know but that it is answered
	byRecovery                  // something forgotten is had from others
	byRepair                    // a comparison with another
	byReaping                   // tombstones go
	byTransfer                  // partitions come and go
	byListing                   // keys are listed
)

const askerShift = 60

// askerOf tells for whom an operation was asked.
func askerOf(id uint64) asker { return asker(id >> askerShift) }

// mark makes a machine's id one that names the machine too.
func (a asker) mark(id uint64) uint64 { return uint64(a)<<askerShift | unmarked(id) }

// unmarked is the machine's own id.
func unmarked(id uint64) uint64 { return id & (1<<askerShift - 1) }

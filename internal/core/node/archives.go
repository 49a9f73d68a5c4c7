package node

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
)

// An archive is made, and restored, record by record, by the node that is asked. It has
// slices of the pool like all other work that no client waits for (paper, section 6.5):
// what would be more than its share is refused, and comes again.

const (
	// archiveCost is what a record counts besides its own bytes: the block that is read
	// for it.
	archiveCost = 4 << 10
	// archiveDebt is for how long at most nothing passes after something large has.
	archiveDebt = 30 * time.Second
	// archiveLull is after how long without a record nothing is taken to be archived
	// any more.
	archiveLull = 5 * time.Second
)

// archives is how fast they go. A record is let through while little of what passed
// before is still to be made up for, and counts when it has passed, as it is not known
// before how large it is.
type archives struct {
	rate  int // bytes a second
	debt  int // bytes
	at    time.Duration
	asked time.Duration
	any   bool // it was, ever
}

func (a *archives) setRate(bytes int) { a.rate = bytes }

// ask says when to come again; 0: go on.
func (a *archives) ask(now clock.Now) (wait time.Duration) {
	a.asked, a.any = now.Mono, true
	a.settle(now)
	if burst := a.rate / 8; a.debt > burst {
		return time.Duration(float64(a.debt-burst) / float64(a.rate) * float64(time.Second))
	}
	return 0
}

func (a *archives) passed(now clock.Now, bytes int) {
	a.settle(now)
	a.debt = min(a.debt+bytes+archiveCost, int(archiveDebt.Seconds()*float64(a.rate)))
}

// settle makes up for what the time since then allows.
func (a *archives) settle(now clock.Now) {
	a.debt = max(a.debt-int((now.Mono-a.at).Seconds()*float64(a.rate)), 0)
	a.at = now.Mono
}

func (a *archives) busy(now clock.Now) bool { return a.any && now.Mono-a.asked < archiveLull }

// archived says whether a request is for an archive.
func (r *Request) archived() bool { return r.Whole || r.Record != nil }

// admitArchive refuses what an archive would have beyond its share.
func (n *Node) admitArchive(now clock.Now, r *Request) *ouro.Error {
	if !r.archived() {
		return nil
	}
	wait := n.archives.ask(now)
	if wait <= 0 {
		return nil
	}
	err := ouro.Errorf(ouro.Overloaded, ouro.NotDone,
		"archives go at %d bytes a second on node %s as things are (archive-rate, and how many slices 'ouro status' shows): come back later", n.archives.rate, n.view.Self)
	err.RetryAfter = wait
	return err
}

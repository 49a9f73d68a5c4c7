package node

import (
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/scrub"
)

// ScrubSlice asks the disk to read some of what it has back. Its answer is a
// [Scrubbed]; one is under way at a time.
type ScrubSlice = scrub.Slice

// Scrubbed is what a [ScrubSlice] found.
type Scrubbed struct{ replica.Scrubbed }

// Scrubbing makes a node read back what it stores, or not any more until it is
// told to again.
type Scrubbing struct{ On bool }

// ScrubNow makes a node read everything back from now on, as fast as it may.
type ScrubNow struct{}

func (*Scrubbed) input()  {}
func (*Scrubbing) input() {}
func (*ScrubNow) input()  {}

// maxUnhealed is how many records that can't be read may wait to be had from others
// before the scrubber looks for more. Those that could not be had are not among them:
// nobody may ever have them, and the rest is to be read back all the same.
const maxUnhealed = 512

// Scrubs returns how far everything was read back here.
func (n *Node) Scrubs(now clock.Now) scrub.Status { return n.scrub.Status(now) }

// scrubInput takes what the scrubber is told.
func (n *Node) scrubInput(now clock.Now, in Input, out *Out) {
	switch in := in.(type) {
	case *Scrubbed:
		n.scrub.Scrubbed(now, &in.Scrubbed, &n.scrubs)
	case *Scrubbing:
		n.scrub.SetOff(now, !in.On)
	case *ScrubNow:
		n.scrub.Hurry(now)
	}
	n.drainScrub(now, out)
}

func (n *Node) scrubTick(now clock.Now, out *Out) {
	if n.scrub.Deadline() <= now.Mono {
		n.scrub.Tick(now, n.recovery.Untried() >= maxUnhealed, &n.scrubs)
		n.drainScrub(now, out)
	}
}

func (n *Node) drainScrub(now clock.Now, out *Out) {
	e := &n.scrubs
	out.Scrubs = append(out.Scrubs, e.Slices...)
	out.Facts = append(out.Facts, e.Facts...)
	for i := range e.Rotten {
		n.rotten(now, &e.Rotten[i], out)
	}
	e.Reset()
}

// Package detector is one node's own view of which peers answer (paper, section
// 4.8.3). It is driven by the node's traffic alone: what it asks and what is answered.
// Without traffic nobody is suspected, since nobody needs to know. Two nodes may
// see a third one differently, and no view ever changes the ring: this package knows
// of no history and no membership.
//
// A peer is suspected when it left three asks in a row unanswered for longer
// than its patience: four times the 95th percentile of its recent answers, at
// least 50 ms and at most 500 ms more. Then it is to be probed after 1 s, and
// again at intervals that double up to 10 s, until it answers an ask. A peer
// without a link is not usable either, but needs no probe: the link tells.
//
// A node may be well in one way and not in another, as with a disk that reads and
// does not sync, so that there is a [Detector] for each kind of ask.
package detector

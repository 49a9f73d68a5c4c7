// Package fact holds what the core states about its own work, as values that
// print themselves. The core does not log: hosts turn facts into logs, metrics
// and traces, the simulator checks them, and explain returns them.
package fact

import (
	"fmt"
	"time"
)

// Kind says what happened.
type Kind uint8

// The kinds of fact. The comment says what Peer, N and Lasted mean for it.
const (
	Started          Kind = 1 + iota // a request began; Note: verb and numbers in force
	Asked                            // Peer was asked; Note: what for
	Answered                         // Peer answered in time after Lasted; Note: with what
	Late                             // Peer answered after the request was decided
	Silent                           // Peer did not answer in time, or its link fell
	Forwarded                        // the request was passed on to Peer
	Minted                           // a new version was stored here; Note: its dot
	Known                            // the request id had been stored before; Note: its dot
	Differed                         // N replicas in the quorum had different states
	Decided                          // the request was answered after Lasted; N: siblings
	Refused                          // the request was refused or failed; Note: code and message
	Repaired                         // Peer was stale and was sent the merged state
	RepairLeft                       // Peer is stale and was not sent it, as reads may not repair more for now
	Settled                          // all N replicas have the write; Lasted: since the reply
	Pruned                           // N entries were pruned from a vector
	ExceptionDropped                 // N exceptions fell out of a full record
	DotReused                        // alarm: one dot names two different versions
	Damaged                          // a record failed its checksum
	Dropped                          // a message was dropped; Note: why
	Hinted                           // a record is kept here for N primaries more
	HandedOver                       // Peer has what was kept for it; Lasted: the time it took
	NotHandedOver                    // what is kept for Peer could not be handed over; Note: why
	StoodIn                          // Peer was asked in the stead of the primary in Note
	NoPrimary                        // a read found nothing, and no primary was among the N that it rests on
	Suspected                        // Peer leaves asks unanswered: others are asked in its stead
	Trusted                          // Peer, suspected before, answers again
	Hedged                           // another replica was asked for its state, as Peer took long
	LetGo                            // what was kept for Peer is kept no more: others hold it and compare with Peer
	Reassigned                       // what was kept for Peer, no primary any more or not of need, is owed or held otherwise
	Recovering                       // N partitions may lack what was acknowledged; Note: why
	Compared                         // one of them was compared with Peer; N: it, Note: with what outcome
	Current                          // one of them counts for reads again; N: how many are left
	Healed                           // a record that could not be read is whole again
	NotHealed                        // it can't be had from others for now; Note: why
	Agreed                           // a partition was compared with Peer and is equal; N keys were brought up to date
	NotAgreed                        // comparing a partition with Peer ended early; Note: why
	Reaped                           // N tombstones were dropped here, as all primaries had them
	Folded                           // N shares of ended actors became parts of others here
	ReapWaits                        // a tombstone waits for Peer, who holds it, Note: why
	TooOld                           // a state was refused: what is stamped below N is not taken any more
	EpochBegun                       // this node is in epoch N; Lasted: since the one before
	Arriving                         // partition N is being taken over from others
	Arrived                          // what had to be merged of it was, after Lasted
	Leaving                          // partition N is held here and is in others' lists only
	Left                             // it was let go; Lasted: since it was found, Note: why, where others have not merged it
	NotTransferred                   // comparing partition N with Peer ended early; Note: why
	RolledBack                       // ALARM: Peer has seen this node in epoch N, beyond its own
	Linked                           // the placement with number N was adopted; Note: what it changes
	NotLinked                        // a link with number N was proposed in vain; Note: why
	Diverged                         // ALARM: Peer has another placement with number N, or one of another chain
	Merged                           // N changes of the cluster's history came from Peer; Note: which
	NotMerged                        // Peer's history is not taken; Note: why
	Restarted                        // the lists of the key's partition have changed, and the request begins again; Note: verb
	Outpaced                         // Peer knows of lists that this node does not, by their number N
	Parked                           // Peer asked under lists that this node does not know yet, by their number N: it waits for them
	DeltaRefused                     // Peer lacks what a delta was cut from, and is sent the whole record
	Scrubbed                         // N bytes were read back
	Mended                           // N leaves of trees were added up anew; Note: what the first was
	NotScrubbed                      // a stretch of what is stored can't be read; Note: why
	ScrubEnded                       // all was read back, N records, in Lasted; Note: what was found
)

// Fact is one thing that happened.
type Fact struct {
	Kind   Kind
	Ticket uint64        // the request it belongs to; 0: none
	At     time.Duration // since the process started
	Lasted time.Duration
	Peer   string
	N      int
	Note   string
}

var names = [...]string{
	Started: "started", Asked: "asked", Answered: "answered", Late: "answered late", Silent: "no answer from",
	Forwarded: "forwarded to", Minted: "minted", Known: "request already stored", Differed: "replicas differed",
	Decided: "decided", Refused: "refused", Repaired: "repaired", RepairLeft: "left stale, too many repairs,", Settled: "all replicas have it",
	Pruned: "pruned entries", ExceptionDropped: "dropped exceptions", DotReused: "ALARM dot reused", Damaged: "record damaged",
	Dropped: "message dropped", Hinted: "kept for others", HandedOver: "handed over to", NotHandedOver: "not handed over to",
	StoodIn: "stands in", NoPrimary: "no primary was asked", Suspected: "suspected", Trusted: "answers again", Hedged: "hedged, waiting for",
	Agreed: "agrees with", NotAgreed: "not compared with",
	LetGo: "let go what was kept for", Reassigned: "reassigned what was kept for",
	Recovering: "recovering", Compared: "compared with", Current: "current again, left", Healed: "record healed", NotHealed: "record not healed",
	Reaped: "reaped tombstones", Folded: "folded shares of ended actors", ReapWaits: "reaping waits for", TooOld: "too old a state, refused below", EpochBegun: "epoch begun",
	Arriving: "partition arrives", Arrived: "partition has arrived", Leaving: "partition leaves", Left: "partition has left", NotTransferred: "partition not compared with",
	RolledBack: "ALARM rolled back, says",
	Linked:     "placement adopted", NotLinked: "link not chosen", Diverged: "ALARM another placement has",
	Merged: "merged history of", NotMerged: "did not merge the history of",
	Restarted: "lists changed, begins again", Outpaced: "newer lists known to", Parked: "waits for the lists of",
	DeltaRefused: "whole record sent to",
	Scrubbed:     "read back", Mended: "leaves mended", NotScrubbed: "ALARM can't be read back", ScrubEnded: "all was read back",
}

// String returns the name of the kind in words.
func (k Kind) String() string {
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return fmt.Sprintf("fact %d", uint8(k))
}

// String tells the fact in one line without values.
func (f Fact) String() string {
	s := f.Kind.String()
	if f.Peer != "" {
		s += " " + f.Peer
	}
	if f.N != 0 {
		s += fmt.Sprintf(" (%d)", f.N)
	}
	if f.Lasted != 0 {
		s += fmt.Sprintf(" after %v", f.Lasted.Round(time.Microsecond))
	}
	if f.Note != "" {
		s += ": " + f.Note
	}
	return s
}

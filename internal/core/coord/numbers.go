package coord

import (
	"time"

	"github.com/ourodb/ouro"
)

// MaxN is the largest number of replicas that a bucket may have. It bounds the
// memory of a machine; nobody was seen to use more than seven.
const MaxN = 8

// Numbers are the quorum numbers in force for one request. They can be met: R
// and W are 1 to N, the others 0 to N, N at most [MaxN].
type Numbers struct {
	N          int // replicas of the key
	R, W       int // how many must answer a read, acknowledge a write
	PR, PW, DW int // of them primaries; of a write's, durable
	Timeout    time.Duration
}

// reads is how many replicas must answer a read. All replicas are primaries of
// the preference list, so that pr is met by the same answers as r.
func (n Numbers) reads() int { return max(n.R, n.PR) }

// writes is how many replicas must acknowledge a write. An acknowledgement is
// counted only when durable, and all replicas are primaries, so that w, pw and
// dw are met by the same acknowledgements.
func (n Numbers) writes() int { return max(n.W, n.PW, n.DW) }

// quorum reports the numbers with how many replicas have answered.
func (n Numbers) quorum(acks, durable int) ouro.Quorum {
	return ouro.Quorum{
		N: n.N, R: n.R, W: n.W, PR: n.PR, PW: n.PW, DW: n.DW,
		Acks: acks, Primaries: acks, Durable: durable,
	}
}

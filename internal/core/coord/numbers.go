package coord

import (
	"time"

	"github.com/ourodb/ouro"
)

// MaxN is the largest number of replicas that a bucket may have. It bounds the
// memory of a machine; nobody was seen to use more than seven.
const MaxN = 8

// Numbers are the quorum numbers in force for one request: cluster default,
// overridden by the bucket, overridden by the request.
type Numbers struct {
	N          int // replicas of the key
	R, W       int // how many must answer a read, acknowledge a write
	PR, PW, DW int // of them primaries; of a write's, durable
	Timeout    time.Duration
}

// Wanted is what a request asks for itself.
type Wanted struct {
	R, W       ouro.Count
	PR, PW, DW ouro.Count
	Timeout    time.Duration // 0: the bucket's
}

// Resolve returns the numbers in force for a request on a bucket when the
// cluster has this many members. With fewer members than n, n is their number
// and the bucket's own r and w are its majority. Numbers that can't be met are
// refused with [ouro.BadRequest]; so is a timeout that is negative or over max.
func Resolve(bucket Numbers, want Wanted, members int, max time.Duration) (Numbers, *ouro.Error) {
	n := bucket
	if members < n.N {
		n.N = members
		majority := n.N/2 + 1
		n.R, n.W = majority, majority
		n.PR, n.PW, n.DW = min(n.PR, n.N), min(n.PW, n.N), min(n.DW, n.N)
	}
	n.R, n.W = want.R.Or(n.R), want.W.Or(n.W)
	n.PR, n.PW, n.DW = want.PR.Or(n.PR), want.PW.Or(n.PW), want.DW.Or(n.DW)
	if want.Timeout != 0 {
		n.Timeout = want.Timeout
	}
	return n, n.check(max)
}

func (n Numbers) check(max time.Duration) *ouro.Error {
	switch {
	case n.N < 1:
		return ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "the cluster has no members yet: form it or join it first")
	case n.N > MaxN:
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "n=%d of the bucket is more than %d: define the bucket with a smaller n", n.N, MaxN)
	case n.Timeout <= 0 || n.Timeout > max:
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "timeout=%v is out of range: it is above 0 and at most %v", n.Timeout, max)
	}
	for _, c := range [...]struct {
		name   string
		v, min int
	}{{"r", n.R, 1}, {"w", n.W, 1}, {"pr", n.PR, 0}, {"pw", n.PW, 0}, {"dw", n.DW, 0}} {
		if c.v < c.min {
			return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%s=%d is too small: it is %d to n=%d", c.name, c.v, c.min, n.N)
		}
		if c.v > n.N {
			return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%s=%d is more than n=%d, the replicas of the key: it is %d to %d", c.name, c.v, n.N, c.min, n.N)
		}
	}
	return nil
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

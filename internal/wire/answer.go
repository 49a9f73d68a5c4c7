package wire

import (
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/replica"
)

// An Answer has
//
//	ticket, uvarint | verb | status, plus 128 where it is relaxed | reason | flags |
//	digest, 16 bytes, if flagged | dot, if flagged | state, if flagged |
//	stamp, uvarint, if flagged
const (
	answerDurable = 1 << iota
	answerFound
	answerDigest
	answerDot
	answerState
	answerPending
	answerStamp
	answerRecovering
	answerKnown = 1<<8 - 1
)

func appendAnswer(dst []byte, a *replica.Answer) []byte {
	digest, dot := a.Digest != causal.Sum{}, a.Dot != causal.Dot{}
	dst = appendUvarint(dst, a.ID)
	dst = append(dst, byte(a.Verb), byte(a.Status)|bit(a.Relaxed, relaxed), byte(a.Reason),
		bit(a.Durable, answerDurable)|bit(a.Found, answerFound)|bit(digest, answerDigest)|
			bit(dot, answerDot)|bit(len(a.State) > 0, answerState)|bit(a.Pending, answerPending)|
			bit(a.Stamp != 0, answerStamp)|bit(a.Recovering, answerRecovering))
	if digest {
		dst = appendSum(dst, a.Digest)
	}
	if dot {
		dst = appendDot(dst, a.Dot)
	}
	if len(a.State) > 0 {
		dst = appendBytes(dst, a.State)
	}
	if a.Stamp != 0 {
		dst = appendUvarint(dst, a.Stamp)
	}
	return dst
}

func readAnswer(r *reader, a *replica.Answer) {
	a.ID = r.uvarint()
	a.Verb = replica.Verb(r.byte())
	status := r.byte()
	a.Status, a.Relaxed = replica.Status(status&^relaxed), status&relaxed != 0
	a.Reason = replica.Reason(r.byte())
	f := r.flags(answerKnown)
	a.Durable = f&answerDurable != 0
	a.Found = f&answerFound != 0
	a.Pending = f&answerPending != 0
	a.Recovering = f&answerRecovering != 0
	if f&answerDigest != 0 {
		a.Digest = readSum(r)
	}
	if f&answerDot != 0 {
		a.Dot = readDot(r)
	}
	if f&answerState != 0 {
		a.State = r.bytes()
	}
	if f&answerStamp != 0 {
		a.Stamp = r.uvarint()
	}
}

func appendSum(dst []byte, s causal.Sum) []byte {
	return appendUint64(appendUint64(dst, s.Hi), s.Lo)
}

func readSum(r *reader) causal.Sum { return causal.Sum{Hi: r.uint64(), Lo: r.uint64()} }

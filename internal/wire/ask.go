package wire

import (
	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// An Ask has
//
//	ticket, uvarint | verb, plus 128 where it is relaxed, 64 where it is background work | flags | bucket | name | position, 16 bytes |
//	request token, 8 bytes, if flagged | state, if flagged | mint, if flagged |
//	number of targets, uvarint, and targets, if flagged |
//	if flagged: digest, 16 bytes | node that missed the state | stamp, uvarint |
//	  byte, 1 where a delta's claims follow | claims
//
// The position goes along, rather than being hashed again by each replica: the
// asker is a member, which may break the store in simpler ways than by a false
// position, and the frame's checksum covers accidents.
const (
	opFull = 1 << iota
	opSilent
	opRequest
	opState
	opMint
	opPending
	opTargets
	opTail
	opKnown = 1<<8 - 1
)

// The bits of a verb, or of an answer's status, that say so.
const (
	relaxed    = 1 << (7 - iota)
	background // of a verb alone
)

func appendOp(dst []byte, op *replica.Op) []byte {
	dst = appendUvarint(dst, op.ID)
	dst = append(dst, byte(op.Verb)|bit(op.Relaxed, relaxed)|bit(op.Background, background), bit(op.Full, opFull)|bit(op.Silent, opSilent)|
		bit(op.Request != 0, opRequest)|bit(len(op.State) > 0, opState)|bit(op.Mint != nil, opMint)|
		bit(op.Pending, opPending)|bit(len(op.Targets) > 0, opTargets)|bit(hasTail(op), opTail))
	dst = appendKey(dst, op.Key)
	dst = appendUint64(dst, op.Key.Pos.Hi)
	dst = appendUint64(dst, op.Key.Pos.Lo)
	if op.Request != 0 {
		dst = appendUint64(dst, op.Request)
	}
	if len(op.State) > 0 {
		dst = appendBytes(dst, op.State)
	}
	if op.Mint != nil {
		dst = appendMint(dst, op.Mint)
	}
	if len(op.Targets) > 0 {
		dst = appendUvarint(dst, uint64(len(op.Targets)))
		for _, t := range op.Targets {
			dst = appendString(dst, string(t))
		}
	}
	if hasTail(op) {
		dst = appendString(appendSum(dst, op.Digest), string(op.Missed))
		dst = append(appendUvarint(dst, op.Stamp), bit(op.Base != nil, 1))
		if op.Base != nil {
			dst = appendClaims(dst, *op.Base)
		}
	}
	return dst
}

// hasTail says whether op has any of what is rarely there.
func hasTail(op *replica.Op) bool {
	return op.Digest != causal.Sum{} || op.Missed != "" || op.Stamp != 0 || op.Base != nil
}

func readOp(r *reader, op *replica.Op) {
	op.ID = r.uvarint()
	verb := r.byte()
	op.Verb = replica.Verb(verb &^ (relaxed | background))
	op.Relaxed, op.Background = verb&relaxed != 0, verb&background != 0
	f := r.flags(opKnown)
	op.Full = f&opFull != 0
	op.Silent = f&opSilent != 0
	op.Key.Bucket, op.Key.Name = readKey(r)
	op.Key.Pos = ring.Position{Hi: r.uint64(), Lo: r.uint64()}
	if f&opRequest != 0 {
		op.Request = r.uint64()
	}
	if f&opState != 0 {
		op.State = r.bytes()
	}
	if f&opMint != 0 {
		op.Mint = readMint(r)
	}
	op.Pending = f&opPending != 0
	if f&opTargets != 0 {
		op.Targets = readTargets(r)
	}
	if f&opTail != 0 {
		op.Digest = readSum(r)
		op.Missed = ring.NodeID(r.string())
		op.Stamp = r.uvarint()
		if r.flags(1) != 0 {
			base := readClaims(r)
			op.Base = &base
		}
	}
}

// readTargets reads the ids of nodes, each at least a length.
func readTargets(r *reader) []ring.NodeID {
	n := r.count(1)
	if n == 0 {
		r.fail()
		return nil
	}
	targets := make([]ring.NodeID, n)
	for i := range targets {
		targets[i] = ring.NodeID(r.string())
	}
	return targets
}

func appendKey(dst []byte, k ring.Key) []byte {
	return appendString(appendString(dst, k.Bucket), k.Name)
}

// readKey refuses what can name no object: longer parts would not fit into an
// engine key.
func readKey(r *reader) (bucket, name string) {
	bucket, name = r.string(), r.string()
	if bucket == "" || len(bucket) > ouro.MaxBucketLen || name == "" || len(name) > ouro.MaxKeyLen {
		r.fail()
		return "", ""
	}
	return bucket, name
}

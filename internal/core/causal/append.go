package causal

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// The canonical form of a state, version 1. Numbers are uvarints in their
// shortest form unless said otherwise; zig-zag numbers are signed.
//
//	byte    1, the version of the form
//	number  length of the meta section
//	meta    number  floor
//	        claims, with times
//	        number  how many versions; then each, in the order of dots:
//	                number  index of its actor among the claims' actors
//	                number  N of its dot
//	                byte    flags: 1 deleted, 2 request, 4 expiry, 8 content type
//	                8 bytes big-endian stamp
//	                8 bytes big-endian request, with flag 2
//	                number  expiry, with flag 4
//	                number  length of the content type, and its bytes, with flag 8
//	                16 bytes big-endian sum
//	                number  length of the value
//	bodies  the values, one after the other
//
// Claims:
//
//	number  how many actors; then each, in order:
//	        number  4 * life, plus 1 if its run is that of the actor before it,
//	                plus 2 if it has exceptions
//	        8 bytes big-endian run, unless it is that of the actor before it
//	        number  N of its entry, 0 if it has exceptions alone
//	        number  zig-zag, time less the time before it (at first the floor);
//	                only with times
//	        number  how many exceptions; then each: number, how far it lies above
//	                the lowest it could be (N + 2, later the last one + 1)
//
// Equal states have equal bytes and unequal ones do not: every number has one
// form, everything is sorted, and nothing is written twice.
const formatVersion = 1

const (
	sameRun       = 1
	hasExceptions = 2
	actorShift    = 2

	flagDeleted     = 1
	flagRequest     = 2
	flagExpiry      = 4
	flagContentType = 8
)

// usualMeta is more than the meta section of a usual state takes: it is built on
// the stack, since its length goes in front of it.
const usualMeta = 256

// Append appends the canonical form of s to dst. The life of every actor must be
// below 2^62, times and expiries must not be negative, and every version's dot
// must be covered by the claims.
func (s State) Append(dst []byte) []byte {
	var room [usualMeta]byte
	meta := s.appendMeta(room[:0])
	return s.appendAround(slices.Grow(dst, s.length(meta)), meta)
}

// Bytes returns the canonical form of s in new memory, behind before zero bytes
// and with room for after more.
func (s State) Bytes(before, after int) []byte {
	var room [usualMeta]byte
	meta := s.appendMeta(room[:0])
	return s.appendAround(make([]byte, before, before+s.length(meta)+after), meta)
}

// length returns how many bytes the form with this meta section has.
func (s *State) length(meta []byte) int {
	n := 1 + (bits.Len(uint(len(meta)|1))+6)/7 + len(meta)
	for i := range s.Versions {
		n += len(s.Versions[i].Value)
	}
	return n
}

func (s *State) appendAround(dst, meta []byte) []byte {
	dst = binary.AppendUvarint(append(dst, formatVersion), uint64(len(meta)))
	dst = append(dst, meta...)
	for i := range s.Versions {
		dst = append(dst, s.Versions[i].Value...)
	}
	return dst
}

func (s *State) appendMeta(dst []byte) []byte {
	dst = appendUvarint(dst, uint64(s.Floor))
	dst = s.Claims.append(dst, true, s.Floor)
	dst = appendUvarint(dst, uint64(len(s.Versions)))
	actors := cursor{claims: &s.Claims}
	for i := range s.Versions {
		v := &s.Versions[i]
		dst = appendUvarint(dst, actors.find(v.Dot.Actor))
		dst = v.append(dst)
	}
	return dst
}

func (v *Version) append(dst []byte) []byte {
	dst = appendUvarint(dst, v.Dot.N)
	dst = append(dst, v.flags())
	dst = binary.BigEndian.AppendUint64(dst, uint64(v.Stamp))
	if v.Request != 0 {
		dst = binary.BigEndian.AppendUint64(dst, v.Request)
	}
	if v.Expiry != 0 {
		dst = binary.AppendUvarint(dst, uint64(v.Expiry))
	}
	if v.ContentType != "" {
		dst = appendUvarint(dst, uint64(len(v.ContentType)))
		dst = append(dst, v.ContentType...)
	}
	dst = binary.BigEndian.AppendUint64(dst, v.Sum.Hi)
	dst = binary.BigEndian.AppendUint64(dst, v.Sum.Lo)
	return appendUvarint(dst, uint64(len(v.Value)))
}

func (v *Version) flags() (f byte) {
	if v.Deleted {
		f |= flagDeleted
	}
	if v.Request != 0 {
		f |= flagRequest
	}
	if v.Expiry != 0 {
		f |= flagExpiry
	}
	if v.ContentType != "" {
		f |= flagContentType
	}
	return f
}

// append appends the claims, with times less base or without times.
func (c *Claims) append(dst []byte, timed bool, base int64) []byte {
	dst = appendUvarint(dst, uint64(len(c.Vector)))
	run := uint64(0)
	actors := cursor{claims: c}
	for actors.next() {
		header := actors.actor.Life << actorShift
		if len(actors.exceptions) > 0 {
			header |= hasExceptions
		}
		if actors.passed > 1 && actors.actor.Run == run {
			dst = appendUvarint(dst, header|sameRun)
		} else {
			run = actors.actor.Run
			dst = binary.BigEndian.AppendUint64(appendUvarint(dst, header), run)
		}
		dst = appendUvarint(dst, actors.n)
		if timed {
			dst = binary.AppendUvarint(dst, zigzag(actors.time-base))
			base = actors.time
		}
		dst = appendExceptions(dst, actors.n, actors.exceptions)
	}
	return dst
}

func appendExceptions(dst []byte, n uint64, exceptions []Dot) []byte {
	if len(exceptions) == 0 {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(len(exceptions)))
	lowest := n + 2
	for _, d := range exceptions {
		dst = binary.AppendUvarint(dst, d.N-lowest)
		lowest = d.N + 1
	}
	return dst
}

// appendUvarint is binary.AppendUvarint with a short cut for small numbers.
func appendUvarint(dst []byte, n uint64) []byte {
	if n < 0x80 {
		return append(dst, byte(n))
	}
	return binary.AppendUvarint(dst, n)
}

func zigzag(n int64) uint64   { return uint64(n<<1) ^ uint64(n>>63) }
func unzigzag(n uint64) int64 { return int64(n>>1) ^ -int64(n&1) }

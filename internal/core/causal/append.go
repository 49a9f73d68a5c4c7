package causal

import "encoding/binary"

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
//	        number  N of its entry, 0 if it has none
//	        number  zig-zag, time less the time before it (at first the floor);
//	                only with times and with N > 0
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

// Append appends the canonical form of s to dst. The life of every actor must be
// below 2^62, times and expiries must not be negative, and every version's dot
// must be covered by the claims.
func (s State) Append(dst []byte) []byte {
	// The length goes in front of the section, so the section is written behind
	// room for the longest length and moved down over what is left of it.
	const room = 3
	start := len(dst)
	dst = append(dst, formatVersion)
	dst = append(dst, make([]byte, room)...)
	at := len(dst)
	dst = s.appendMeta(dst)
	n := len(dst) - at
	var length [binary.MaxVarintLen64]byte
	w := binary.PutUvarint(length[:], uint64(n))
	if w > room {
		dst = append(dst, length[:w-room]...) // only to grow it
	}
	copy(dst[start+1+w:], dst[at:at+n])
	copy(dst[start+1:], length[:w])
	dst = dst[:start+1+w+n]
	for i := range s.Versions {
		dst = append(dst, s.Versions[i].Value...)
	}
	return dst
}

// Size returns an upper bound on the length of what [State.Append] appends.
func (s State) Size() int {
	n := 32 + 40*len(s.Vector) + 24*len(s.Exceptions)
	for i := range s.Versions {
		n += 80 + len(s.Versions[i].ContentType) + len(s.Versions[i].Value)
	}
	return n
}

func (s *State) appendMeta(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(s.Floor))
	dst = s.Claims.append(dst, true, s.Floor)
	dst = binary.AppendUvarint(dst, uint64(len(s.Versions)))
	actors := cursor{claims: &s.Claims}
	for i := range s.Versions {
		v := &s.Versions[i]
		for actors.actor != v.Dot.Actor && actors.next() {
		}
		dst = binary.AppendUvarint(dst, uint64(actors.index))
		dst = v.append(dst)
	}
	return dst
}

func (v *Version) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, v.Dot.N)
	dst = append(dst, v.flags())
	dst = binary.BigEndian.AppendUint64(dst, uint64(v.Stamp))
	if v.Request != 0 {
		dst = binary.BigEndian.AppendUint64(dst, v.Request)
	}
	if v.Expiry != 0 {
		dst = binary.AppendUvarint(dst, uint64(v.Expiry))
	}
	if v.ContentType != "" {
		dst = binary.AppendUvarint(dst, uint64(len(v.ContentType)))
		dst = append(dst, v.ContentType...)
	}
	dst = binary.BigEndian.AppendUint64(dst, v.Sum.Hi)
	dst = binary.BigEndian.AppendUint64(dst, v.Sum.Lo)
	return binary.AppendUvarint(dst, uint64(len(v.Value)))
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
	dst = binary.AppendUvarint(dst, uint64(c.countActors()))
	last := Actor{}
	for actors := (cursor{claims: c}); actors.next(); {
		header := actors.actor.Life << actorShift
		if len(actors.exceptions) > 0 {
			header |= hasExceptions
		}
		if actors.index > 0 && actors.actor.Run == last.Run {
			dst = binary.AppendUvarint(dst, header|sameRun)
		} else {
			dst = binary.AppendUvarint(dst, header)
			dst = binary.BigEndian.AppendUint64(dst, actors.actor.Run)
		}
		last = actors.actor
		dst = binary.AppendUvarint(dst, actors.entry.N)
		if timed && actors.entry.N > 0 {
			dst = binary.AppendUvarint(dst, zigzag(actors.entry.Time-base))
			base = actors.entry.Time
		}
		dst = appendExceptions(dst, actors.entry.N, actors.exceptions)
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

// countActors returns how many actors have an entry or an exception.
func (c *Claims) countActors() int {
	n := len(c.Vector)
	for i, d := range c.Exceptions {
		if i > 0 && c.Exceptions[i-1].Actor == d.Actor {
			continue
		}
		if _, ok := find(c.Vector, d.Actor); !ok {
			n++
		}
	}
	return n
}

// cursor walks the actors of claims in order.
type cursor struct {
	claims     *Claims
	started    bool
	index      int // of actor
	actor      Actor
	entry      Entry // N is 0 where the actor has none
	exceptions []Dot // of actor
	v, x       int   // where the next ones begin
}

func (c *cursor) next() bool {
	vector, dots := c.claims.Vector[c.v:], c.claims.Exceptions[c.x:]
	switch {
	case len(vector) > 0 && (len(dots) == 0 || vector[0].Actor.Compare(dots[0].Actor) <= 0):
		c.actor, c.entry = vector[0].Actor, vector[0]
		c.v++
	case len(dots) > 0:
		c.actor, c.entry = dots[0].Actor, Entry{}
	default:
		return false
	}
	n := 0
	for n < len(dots) && dots[n].Actor == c.actor {
		n++
	}
	c.exceptions = dots[:n]
	c.x += n
	if c.started {
		c.index++
	}
	c.started = true
	return true
}

func zigzag(n int64) uint64   { return uint64(n<<1) ^ uint64(n>>63) }
func unzigzag(n uint64) int64 { return int64(n>>1) ^ -int64(n&1) }

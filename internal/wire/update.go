package wire

import (
	"math"

	"github.com/ourodb/ouro"
)

// An update has
//
//	kind | act | condition | content type | flags | expiry, if flagged |
//	number of elements, uvarint | of each: name | value | score, 8 bytes | By, varint
const (
	updateKeep = 1 << iota
	updateExpires
	updateKnown = updateExpires<<1 - 1
)

// leastElement is the least that an element takes: two lengths, a score, a number.
const leastElement = 1 + 1 + 8 + 1

func appendUpdate(dst []byte, u *ouro.Update) []byte {
	for _, s := range [...]string{string(u.Kind), string(u.Act), string(u.If), u.ContentType} {
		dst = appendString(dst, s)
	}
	dst = append(dst, bit(u.Keep, updateKeep)|bit(!u.Expires.IsZero(), updateExpires))
	dst = appendUvarint(appendTime(dst, u.Expires), uint64(len(u.Elements)))
	for i := range u.Elements {
		e := &u.Elements[i]
		dst = appendBytes(appendString(dst, e.Name), e.Value)
		dst = appendUint64(dst, math.Float64bits(e.Score))
		dst = appendVarint(dst, e.By)
	}
	return dst
}

func readUpdate(r *reader) *ouro.Update {
	u := &ouro.Update{
		Kind: ouro.Kind(r.string()), Act: ouro.Act(r.string()), If: ouro.Condition(r.string()), ContentType: r.string(),
	}
	f := r.flags(updateKnown)
	u.Keep = f&updateKeep != 0
	if f&updateExpires != 0 {
		u.Expires = readTime(r)
	}
	if n := r.count(leastElement); n > 0 {
		u.Elements = make([]ouro.Element, n)
		for i := range u.Elements {
			u.Elements[i] = ouro.Element{Name: r.string(), Value: r.bytes(), Score: math.Float64frombits(r.uint64()), By: r.varint()}
		}
	}
	return u
}

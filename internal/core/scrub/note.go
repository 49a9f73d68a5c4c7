package scrub

import (
	"encoding/binary"

	"github.com/ourodb/ouro/internal/core/codec"
)

// note is what is kept on the disk of how far a scrub has come, version 1:
//
//	byte    1, the version of the form
//	byte    1: a round is under way; else 0
//	text    the place, where it goes on, at most 64 KiB; "": at the first
//	two rounds, the one under way and the last that ended, of nine varints each
//	4 bytes CRC-32C of all before
type note struct {
	walking     bool
	place       []byte
	round, last Round
}

const (
	noteVersion = 1
	maxPlace    = 64 << 10
)

func appendNote(dst []byte, n *note) []byte {
	start := len(dst)
	dst = append(dst, noteVersion, 0)
	if n.walking {
		dst[start+1] = 1
	}
	dst = codec.AppendText(dst, string(n.place))
	for _, r := range []*Round{&n.round, &n.last} {
		for _, f := range r.fields() {
			dst = binary.AppendVarint(dst, *f)
		}
	}
	return codec.Seal(dst, start)
}

// fields are the numbers of a round in the order in which they are noted.
func (r *Round) fields() []*int64 {
	return []*int64{&r.Began, &r.Ended, &r.Bytes, &r.Records, &r.Leaves, &r.Rotten, &r.Mended, &r.Lost, &r.Skipped}
}

// readNote returns what was noted; false for what can't be read: then a round
// begins anew.
func readNote(b []byte) (note, bool) {
	inner, whole := codec.Unseal(b)
	if !whole {
		return note{}, false
	}
	r := codec.Reader{B: inner}
	if r.Byte() != noteVersion {
		return note{}, false
	}
	n := note{walking: r.Bool()}
	if place := r.Text(maxPlace); place != "" {
		n.place = []byte(place)
	}
	for _, round := range []*Round{&n.round, &n.last} {
		for _, f := range round.fields() {
			*f = r.Varint()
		}
	}
	return n, r.Done()
}

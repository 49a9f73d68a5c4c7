package chain

import (
	"encoding/binary"
	"errors"

	"github.com/ourodb/ouro/internal/core/codec"
	"github.com/ourodb/ouro/internal/core/place"
)

// What the disk keeps, each followed by 4 bytes little-endian CRC-32C: a placement
// as package place has it, and a vote, version 1:
//
//	byte     1 | uvarint number | promised | accepted, ballots as in messages
//	uvarint  length of the link, 0: none | link
const durableVersion = 1

// ErrDurable says that bytes are not what [AppendVote] or [AppendPlacement] wrote.
var ErrDurable = errors.New("chain: what the disk keeps of the placement is damaged, or of a newer program")

// AppendVote appends the form of a vote on disk.
func AppendVote(dst []byte, v *Vote) []byte {
	from := len(dst)
	dst = append(dst, durableVersion)
	dst = binary.AppendUvarint(dst, v.Number)
	dst = appendBallot(dst, v.Promised)
	dst = appendBallot(dst, v.Accepted)
	if v.Link == nil {
		dst = append(dst, 0)
	} else {
		dst = appendLink(dst, v.Link)
	}
	return codec.Seal(dst, from)
}

// DecodeVote reads what [AppendVote] wrote; no bytes are the zero value.
func DecodeVote(b []byte) (Vote, error) {
	if len(b) == 0 {
		return Vote{}, nil
	}
	b, ok := codec.Unseal(b)
	r := reader{codec.Reader{B: b}}
	if !ok || r.Byte() != durableVersion {
		return Vote{}, ErrDurable
	}
	v := Vote{Number: r.Uvarint(), Promised: r.ballot(), Accepted: r.ballot()}
	if len(r.B) > 0 && r.B[0] == 0 {
		r.Byte()
	} else {
		v.Link = r.link()
	}
	if !r.Done() {
		return Vote{}, ErrDurable
	}
	return v, nil
}

// AppendPlacement appends the form of a placement on disk.
func AppendPlacement(dst []byte, p *place.Placement) []byte {
	return codec.Seal(p.Append(dst), len(dst))
}

// DecodePlacement reads what [AppendPlacement] wrote; no bytes are nil.
func DecodePlacement(b []byte) (*place.Placement, error) {
	if len(b) == 0 {
		return nil, nil //nolint:nilnil // a node that has heard of none
	}
	b, ok := codec.Unseal(b)
	if !ok {
		return nil, ErrDurable
	}
	p, err := place.Decode(b)
	if err != nil {
		return nil, ErrDurable
	}
	return p, nil
}

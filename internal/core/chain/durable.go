package chain

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

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
	return seal(dst, from)
}

// DecodeVote reads what [AppendVote] wrote; no bytes are the zero value.
func DecodeVote(b []byte) (Vote, error) {
	if len(b) == 0 {
		return Vote{}, nil
	}
	b, ok := unseal(b)
	r := reader{b: b}
	if !ok || r.byte() != durableVersion {
		return Vote{}, ErrDurable
	}
	v := Vote{Number: r.uvarint(), Promised: r.ballot(), Accepted: r.ballot()}
	if len(r.b) > 0 && r.b[0] == 0 {
		r.byte()
	} else {
		v.Link = r.link()
	}
	if r.bad || len(r.b) > 0 {
		return Vote{}, ErrDurable
	}
	return v, nil
}

// AppendPlacement appends the form of a placement on disk.
func AppendPlacement(dst []byte, p *place.Placement) []byte {
	return seal(p.Append(dst), len(dst))
}

// DecodePlacement reads what [AppendPlacement] wrote; no bytes are nil.
func DecodePlacement(b []byte) (*place.Placement, error) {
	if len(b) == 0 {
		return nil, nil //nolint:nilnil // a node that has heard of none
	}
	b, ok := unseal(b)
	if !ok {
		return nil, ErrDurable
	}
	p, err := place.Decode(b)
	if err != nil {
		return nil, ErrDurable
	}
	return p, nil
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func seal(b []byte, from int) []byte {
	return binary.LittleEndian.AppendUint32(b, checksum(b[from:]))
}

func unseal(b []byte) ([]byte, bool) {
	if len(b) < 4 {
		return nil, false
	}
	at := len(b) - 4
	return b[:at], checksum(b[:at]) == binary.LittleEndian.Uint32(b[at:])
}

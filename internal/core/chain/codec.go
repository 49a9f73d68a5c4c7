package chain

import (
	"encoding/binary"
	"errors"

	"github.com/ourodb/ouro/internal/core/codec"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// A message is
//
//	byte    kind | byte flags: what follows
//	uvarint number; unless it is 0: 16 bytes origin | 16 bytes hash | 16 bytes hash of the first link
//	8 bytes little-endian disk
//	ballot   uvarint round | byte length of the id | id | 8 bytes run
//	accepted likewise
//	link     uvarint length | see package place
//	reports  uvarint how many; of each: uvarint partition | who | 8 bytes disk | uvarint number
//	         byte n | byte w | byte r | byte how many sources, each | byte how many sealed, each
//	page     uvarint offset | uvarint total | uvarint length | bytes
const (
	hasBallot = 1 << iota
	hasAccepted
	hasLink
	hasReports
	isClean
	hasPage
	isFound
	knownFlags = 1<<iota - 1
)

// ErrMalformed says that bytes are no message.
var ErrMalformed = errors.New("chain: malformed message")

func (m *Message) flags() (f byte) {
	for _, x := range [...]struct {
		is   bool
		flag byte
	}{
		{m.Ballot != Ballot{}, hasBallot},
		{m.Accepted != Ballot{}, hasAccepted},
		{m.Link != nil, hasLink},
		{len(m.Reports) > 0, hasReports},
		{m.Clean, isClean},
		{m.Offset > 0 || m.Total > 0 || len(m.Bytes) > 0, hasPage},
		{m.Found, isFound},
	} {
		if x.is {
			f |= x.flag
		}
	}
	return f
}

// AppendMessage appends the form of a message.
func AppendMessage(dst []byte, m *Message) []byte {
	f := m.flags()
	dst = append(dst, byte(m.Kind), f)
	dst = binary.AppendUvarint(dst, m.Number)
	if m.Number > 0 {
		dst = append(dst, m.Origin[:]...)
		dst = append(dst, m.Hash[:]...)
		dst = append(dst, m.First[:]...)
	}
	dst = binary.LittleEndian.AppendUint64(dst, m.Disk)
	if f&hasBallot != 0 {
		dst = appendBallot(dst, m.Ballot)
	}
	if f&hasAccepted != 0 {
		dst = appendBallot(dst, m.Accepted)
	}
	if f&hasLink != 0 {
		dst = appendLink(dst, m.Link)
	}
	if f&hasReports != 0 {
		dst = binary.AppendUvarint(dst, uint64(len(m.Reports)))
		for i := range m.Reports {
			dst = appendReady(dst, &m.Reports[i])
		}
	}
	if f&hasPage != 0 {
		dst = binary.AppendUvarint(dst, uint64(m.Offset))
		dst = binary.AppendUvarint(dst, uint64(m.Total))
		dst = binary.AppendUvarint(dst, uint64(len(m.Bytes)))
		dst = append(dst, m.Bytes...)
	}
	return dst
}

func appendLink(dst []byte, l *place.Link) []byte {
	b := place.AppendLink(nil, l)
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func appendID(dst []byte, id ring.NodeID) []byte {
	return append(append(dst, byte(len(id))), id...)
}

func appendBallot(dst []byte, b Ballot) []byte {
	dst = binary.AppendUvarint(dst, b.Round)
	dst = appendID(dst, b.Node)
	return binary.LittleEndian.AppendUint64(dst, b.Run)
}

func appendReady(dst []byte, r *Ready) []byte {
	p := &r.Proof
	dst = binary.AppendUvarint(dst, uint64(r.Partition))
	dst = appendID(dst, p.Who)
	dst = binary.LittleEndian.AppendUint64(dst, p.Disk)
	dst = binary.AppendUvarint(dst, p.Number)
	dst = append(dst, byte(p.N), byte(p.W), byte(p.R))
	for _, list := range [...][]ring.NodeID{p.Sources, p.Sealed} {
		dst = append(dst, byte(len(list)))
		for _, id := range list {
			dst = appendID(dst, id)
		}
	}
	return dst
}

// DecodeMessage reads what [AppendMessage] wrote. Bytes alias b, the rest does not.
func DecodeMessage(b []byte) (*Message, error) {
	r := reader{codec.Reader{B: b}}
	m := &Message{Kind: Kind(r.Byte())}
	f := r.Byte()
	if m.Number = r.Uvarint(); m.Number > 0 {
		copy(m.Origin[:], r.Bytes(len(m.Origin)))
		copy(m.Hash[:], r.Bytes(len(m.Hash)))
		copy(m.First[:], r.Bytes(len(m.First)))
	}
	m.Disk = r.Uint64()
	if f&hasBallot != 0 {
		m.Ballot = r.ballot()
	}
	if f&hasAccepted != 0 {
		m.Accepted = r.ballot()
	}
	if f&hasLink != 0 {
		m.Link = r.link()
	}
	if f&hasReports != 0 {
		n := r.Count(leastReady, place.MaxQ)
		for range n {
			m.Reports = append(m.Reports, r.ready())
		}
	}
	m.Clean, m.Found = f&isClean != 0, f&isFound != 0
	if f&hasPage != 0 {
		m.Offset, m.Total = r.size(), r.size()
		m.Bytes = r.Bytes(r.size())
	}
	if !r.Done() || m.Kind < Tell || m.Kind > Page || f != m.flags() {
		return nil, ErrMalformed
	}
	return m, nil
}

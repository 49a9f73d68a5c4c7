package gossip

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/codec"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// A message, version 1:
//
//	version byte | flags byte | 8 bytes cluster | addr | uvarint wall |
//	uvarint count | 16 bytes digest | rungs: uvarint number, each uvarint count and 8 bytes
//	with a page: rung in common | place up to, if there is more | changes
//
// A place is uvarint stamp | issuer. Texts go with their length as a uvarint
// before them; numbers of fixed length are little-endian.
const (
	messageVersion = 1

	flagPage   = 1
	flagAnswer = 2
	flagMore   = 4
)

// What the disk keeps, version 1:
//
//	version byte | history with its length as a uvarint before it |
//	uvarint number of peers, each id | addr | CRC-32C of all before, 4 bytes little-endian
const durableVersion = 1

// ErrDamaged is wrapped by errors about bytes that are no message or no [Durable].
var ErrDamaged = errors.New("gossip: damaged")

// AppendMessage appends the form of m in bytes.
func AppendMessage(dst []byte, m *Message) []byte {
	flags := byte(0)
	if m.Page != nil {
		flags |= flagPage
		if m.Answer {
			flags |= flagAnswer
		}
		if m.Page.More {
			flags |= flagMore
		}
	}
	dst = append(dst, messageVersion, flags)
	dst = binary.LittleEndian.AppendUint64(dst, m.Cluster)
	dst = codec.AppendText(dst, m.Addr)
	dst = binary.AppendUvarint(dst, uint64(max(m.Wall, 0)))
	dst = binary.AppendUvarint(dst, uint64(m.Summary.Count))
	dst = append(dst, m.Summary.Digest[:]...)
	dst = binary.AppendUvarint(dst, uint64(len(m.Summary.Rungs)))
	for _, r := range m.Summary.Rungs {
		dst = appendRung(dst, r)
	}
	if m.Page == nil {
		return dst
	}
	dst = appendRung(dst, m.Page.Common)
	if m.Page.More {
		dst = appendKey(dst, m.Page.Upto)
	}
	return member.AppendChanges(dst, m.Page.Changes)
}

func appendRung(b []byte, r member.Rung) []byte {
	return binary.LittleEndian.AppendUint64(binary.AppendUvarint(b, uint64(r.Count)), r.Sum)
}

func appendKey(b []byte, k member.Key) []byte {
	return codec.AppendText(binary.AppendUvarint(b, uint64(k.Stamp)), k.Issuer)
}

// DecodeMessage reads what [AppendMessage] wrote, and nothing else.
func DecodeMessage(b []byte) (*Message, error) {
	if len(b) < 2 || b[0] != messageVersion || b[1] > flagPage|flagAnswer|flagMore || b[1] != 0 && b[1]&flagPage == 0 {
		return nil, fmt.Errorf("%w: not a message of version %d", ErrDamaged, messageVersion)
	}
	d := reader{codec.Reader{B: b[2:]}}
	m := &Message{Cluster: d.Uint64(), Addr: d.Text(member.MaxAddr), Wall: int64(d.Upto(1<<63 - 1))}
	m.Summary.Count = int(d.Upto(member.MaxCount))
	copy(m.Summary.Digest[:], d.Bytes(16))
	n := d.Upto(member.MaxRungs)
	for i := uint64(0); i < n && !d.Bad; i++ {
		m.Summary.Rungs = append(m.Summary.Rungs, d.rung())
	}
	if b[1]&flagPage != 0 {
		m.Page, m.Answer = &member.Page{Common: d.rung(), More: b[1]&flagMore != 0}, b[1]&flagAnswer != 0
		if m.Page.More {
			m.Page.Upto = d.key()
		}
	}
	switch {
	case d.Bad:
		return nil, fmt.Errorf("%w: a message is cut off or out of bounds", ErrDamaged)
	case m.Page != nil:
		var err error
		m.Page.Changes, err = member.DecodeChanges(d.B, member.MaxChanges)
		return m, err
	case len(d.B) > 0:
		return nil, fmt.Errorf("%w: bytes are left over", ErrDamaged)
	}
	return m, nil
}

// AppendDurable appends the form of d on disk.
func AppendDurable(dst []byte, d *Durable) []byte {
	from := len(dst)
	dst = append(dst, durableVersion)
	dst = codec.AppendText(dst, string(d.History.Append(nil)))
	dst = binary.AppendUvarint(dst, uint64(len(d.Peers)))
	for _, p := range d.Peers {
		dst = codec.AppendText(codec.AppendText(dst, p.ID), p.Addr)
	}
	return codec.Seal(dst, from)
}

// maxKept bounds how many peers are read.
const maxKept = 1 << 20

// DecodeDurable reads what [AppendDurable] wrote; no bytes are the zero value.
func DecodeDurable(b []byte) (Durable, error) {
	var kept Durable
	if len(b) == 0 {
		return kept, nil
	}
	b, ok := codec.Unseal(b)
	d := reader{codec.Reader{B: b}}
	if !ok || d.Byte() != durableVersion {
		return kept, fmt.Errorf("%w: the history on disk is damaged, or of a newer version of ouro", ErrDamaged)
	}
	history := d.Bytes(int(d.Upto(uint64(len(b)))))
	if d.Bad {
		return kept, fmt.Errorf("%w: the history on disk is cut off", ErrDamaged)
	}
	var err error
	if kept.History, err = member.Decode(history); err != nil {
		return kept, err
	}
	n := d.Upto(maxKept)
	for i := uint64(0); i < n && !d.Bad; i++ {
		kept.Peers = append(kept.Peers, Peer{ring.NodeID(d.Text(ring.MaxIDLen)), d.Text(member.MaxAddr)})
	}
	if !d.Done() {
		return kept, fmt.Errorf("%w: the peers on disk are cut off, or more than that", ErrDamaged)
	}
	return kept, nil
}

// reader takes places and rungs off the front of bytes.
type reader struct{ codec.Reader }

func (d *reader) rung() member.Rung {
	return member.Rung{Count: int(d.Upto(member.MaxCount)), Sum: d.Uint64()}
}

func (d *reader) key() member.Key {
	return member.Key{Stamp: causal.Stamp(d.Upto(1<<64 - 1)), Issuer: ring.NodeID(d.Text(ring.MaxIDLen))}
}

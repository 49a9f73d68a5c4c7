package gossip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/ourodb/ouro/internal/core/causal"
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
	dst = appendText(dst, m.Addr)
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

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendRung(b []byte, r member.Rung) []byte {
	return binary.LittleEndian.AppendUint64(binary.AppendUvarint(b, uint64(r.Count)), r.Sum)
}

func appendKey(b []byte, k member.Key) []byte {
	return appendText(binary.AppendUvarint(b, uint64(k.Stamp)), string(k.Issuer))
}

// DecodeMessage reads what [AppendMessage] wrote, and nothing else.
func DecodeMessage(b []byte) (*Message, error) {
	if len(b) < 2 || b[0] != messageVersion || b[1] > flagPage|flagAnswer|flagMore || b[1] != 0 && b[1]&flagPage == 0 {
		return nil, fmt.Errorf("%w: not a message of version %d", ErrDamaged, messageVersion)
	}
	d := reader{b: b[2:]}
	m := &Message{Cluster: d.uint64(), Addr: d.text(member.MaxAddr), Wall: int64(d.uvarint(1<<63 - 1))}
	m.Summary.Count = int(d.uvarint(member.MaxCount))
	copy(m.Summary.Digest[:], d.bytes(16))
	n := d.uvarint(member.MaxRungs)
	for i := uint64(0); i < n && !d.bad; i++ {
		m.Summary.Rungs = append(m.Summary.Rungs, d.rung())
	}
	if b[1]&flagPage != 0 {
		m.Page, m.Answer = &member.Page{Common: d.rung(), More: b[1]&flagMore != 0}, b[1]&flagAnswer != 0
		if m.Page.More {
			m.Page.Upto = d.key()
		}
	}
	switch {
	case d.bad:
		return nil, fmt.Errorf("%w: a message is cut off or out of bounds", ErrDamaged)
	case m.Page != nil:
		var err error
		m.Page.Changes, err = member.DecodeChanges(d.b, member.MaxChanges)
		return m, err
	case len(d.b) > 0:
		return nil, fmt.Errorf("%w: bytes are left over", ErrDamaged)
	}
	return m, nil
}

// AppendDurable appends the form of d on disk.
func AppendDurable(dst []byte, d *Durable) []byte {
	from := len(dst)
	dst = append(dst, durableVersion)
	dst = appendText(dst, string(d.History.Append(nil)))
	dst = binary.AppendUvarint(dst, uint64(len(d.Peers)))
	for _, p := range d.Peers {
		dst = appendText(appendText(dst, string(p.ID)), p.Addr)
	}
	return binary.LittleEndian.AppendUint32(dst, sum(dst[from:]))
}

func sum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// maxKept bounds how many peers are read.
const maxKept = 1 << 20

// DecodeDurable reads what [AppendDurable] wrote; no bytes are the zero value.
func DecodeDurable(b []byte) (Durable, error) {
	var kept Durable
	if len(b) == 0 {
		return kept, nil
	}
	if len(b) < 5 || b[0] != durableVersion || sum(b[:len(b)-4]) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return kept, fmt.Errorf("%w: the history on disk is damaged, or of a newer version of ouro", ErrDamaged)
	}
	d := reader{b: b[1 : len(b)-4]}
	history := d.bytes(int(d.uvarint(uint64(len(b)))))
	if d.bad {
		return kept, fmt.Errorf("%w: the history on disk is cut off", ErrDamaged)
	}
	var err error
	if kept.History, err = member.Decode(history); err != nil {
		return kept, err
	}
	n := d.uvarint(maxKept)
	for i := uint64(0); i < n && !d.bad; i++ {
		kept.Peers = append(kept.Peers, Peer{ring.NodeID(d.text(ring.MaxIDLen)), d.text(member.MaxAddr)})
	}
	if d.bad || len(d.b) > 0 {
		return kept, fmt.Errorf("%w: the peers on disk are cut off, or more than that", ErrDamaged)
	}
	return kept, nil
}

// reader reads from b until something fails; after that it returns zeros.
type reader struct {
	b   []byte
	bad bool
}

func (d *reader) bytes(n int) []byte {
	if n > len(d.b) {
		d.bad, d.b = true, nil
		return nil
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

func (d *reader) uint64() uint64 {
	if b := d.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *reader) uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || n > 1 && d.b[n-1] == 0 || v > most {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *reader) text(most int) string { return string(d.bytes(int(d.uvarint(uint64(most))))) }

func (d *reader) rung() member.Rung {
	return member.Rung{Count: int(d.uvarint(member.MaxCount)), Sum: d.uint64()}
}

func (d *reader) key() member.Key {
	return member.Key{Stamp: causal.Stamp(d.uvarint(1<<64 - 1)), Issuer: ring.NodeID(d.text(ring.MaxIDLen))}
}

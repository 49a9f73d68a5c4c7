package wire

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ourodb/ouro/internal/core/node"
)

// Version is the format version that this package writes and reads.
const Version = 1

// The errors of [DecodeMessage], wrapped with what was found.
var (
	ErrKind      = errors.New("unknown kind of message")
	ErrVersion   = errors.New("unknown version of a message")
	ErrMalformed = errors.New("malformed message")
)

// AppendMessage appends one message to dst. Op.Partition is not written: it is
// the message's own.
func AppendMessage(dst []byte, m *node.Message) []byte {
	dst = append(dst, byte(m.Kind))
	dst = appendUvarint(dst, uint64(m.Partition))
	dst = append(dst, Version)
	dst = appendUvarint(dst, m.Epoch)
	switch m.Kind {
	case node.KindAsk:
		dst = appendOp(dst, &m.Op)
	case node.KindAnswer:
		dst = appendAnswer(dst, &m.Answer)
	case node.KindForward:
		dst = appendRequest(dst, m.Request)
	case node.KindReturn:
		dst = appendReply(dst, m.Reply)
	}
	return append(dst, 0) // an empty tail
}

// PartitionOf returns the partition that a message is for, or false where body
// does not begin like a message.
func PartitionOf(body []byte) (uint32, bool) {
	if len(body) < 2 {
		return 0, false
	}
	p, n := binary.Uvarint(body[1:])
	if n <= 0 || p > 1<<32-1 {
		return 0, false
	}
	return uint32(p), true
}

// DecodeMessage reads what [AppendMessage] wrote. The message aliases body,
// which must not change afterwards.
func DecodeMessage(body []byte) (node.Message, error) {
	r := reader{b: body}
	m := node.Message{Kind: node.Kind(r.byte())}
	partition := r.uvarint()
	version := r.byte()
	m.Epoch = r.uvarint()
	switch {
	case r.bad || partition > 1<<32-1:
		return node.Message{}, malformed(m.Kind, body)
	case version != Version:
		return node.Message{}, fmt.Errorf("%w: %d, this node knows %d", ErrVersion, version, Version)
	}
	m.Partition = uint32(partition)
	switch m.Kind {
	case node.KindAsk:
		readOp(&r, &m.Op)
		m.Op.Partition = m.Partition
	case node.KindAnswer:
		readAnswer(&r, &m.Answer)
	case node.KindForward:
		m.Request = readRequest(&r)
	case node.KindReturn:
		m.Reply = readReply(&r)
	default:
		return node.Message{}, fmt.Errorf("%w: %d", ErrKind, m.Kind)
	}
	r.bytes() // the tail
	if r.bad || len(r.b) != 0 {
		return node.Message{}, malformed(m.Kind, body)
	}
	return m, nil
}

func malformed(kind node.Kind, body []byte) error {
	return fmt.Errorf("%w: kind %d in %d bytes", ErrMalformed, kind, len(body))
}

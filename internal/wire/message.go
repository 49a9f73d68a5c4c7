package wire

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/gossip"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
)

// Version is the format version that this package writes and reads.
const Version = 1

// The errors of [DecodeMessage], wrapped with what was found.
var (
	ErrKind      = errors.New("unknown kind of message")
	ErrVersion   = errors.New("unknown version of a message")
	ErrMalformed = errors.New("malformed message")
)

// AppendMessage appends one message to dst. The partition of an Op or a Survey
// is not written: it is the message's own.
func AppendMessage(dst []byte, m *node.Message) []byte {
	dst = append(dst, byte(m.Kind))
	dst = appendUvarint(dst, uint64(m.Partition))
	dst = append(dst, Version)
	dst = appendUvarint(dst, m.Number)
	switch m.Kind {
	case node.KindAsk:
		dst = appendOp(dst, &m.Op)
	case node.KindAnswer:
		dst = appendAnswer(dst, &m.Answer)
	case node.KindForward:
		dst = appendRequest(dst, m.Request)
	case node.KindReturn:
		dst = appendReply(dst, m.Reply)
	case node.KindSurvey:
		dst = appendSurvey(dst, m.Survey)
	case node.KindFound:
		dst = appendFound(dst, m.Found)
	case node.KindEpochs:
		dst = appendShow(dst, m.Show)
	case node.KindGossip:
		dst = appendBytes(dst, gossip.AppendMessage(nil, m.Gossip))
	case node.KindChain:
		dst = appendBytes(dst, chain.AppendMessage(nil, m.Chain))
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
func DecodeMessage(body []byte) (m node.Message, err error) {
	err = DecodeInto(&m, body)
	return m, err
}

// DecodeInto is [DecodeMessage] into memory of the caller's, which saves copying
// the message. Whatever m held is gone; after an error it is zero.
func DecodeInto(m *node.Message, body []byte) error {
	*m = node.Message{}
	r := reader{b: body}
	kind := node.Kind(r.byte())
	partition := r.uvarint()
	version := r.byte()
	number := r.uvarint()
	switch {
	case r.bad || partition > 1<<32-1:
		return malformed(kind, body)
	case version != Version:
		return fmt.Errorf("%w: %d, this node knows %d", ErrVersion, version, Version)
	}
	m.Kind, m.Partition, m.Number = kind, uint32(partition), number
	switch kind {
	case node.KindAsk:
		readOp(&r, &m.Op)
		m.Op.Partition = m.Partition
	case node.KindAnswer:
		readAnswer(&r, &m.Answer)
	case node.KindForward:
		m.Request = readRequest(&r)
	case node.KindReturn:
		m.Reply = readReply(&r)
	case node.KindSurvey:
		m.Survey = &replica.Survey{Partition: m.Partition}
		readSurvey(&r, m.Survey)
	case node.KindFound:
		m.Found = &replica.Found{}
		readFound(&r, m.Found)
	case node.KindEpochs:
		m.Show = readShow(&r)
	case node.KindGossip:
		m.Gossip = readGossip(&r)
	case node.KindChain:
		m.Chain = readChain(&r)
	default:
		*m = node.Message{}
		return fmt.Errorf("%w: %d", ErrKind, kind)
	}
	r.bytes() // the tail
	if r.bad || len(r.b) != 0 {
		*m = node.Message{}
		return malformed(kind, body)
	}
	return nil
}

func malformed(kind node.Kind, body []byte) error {
	return fmt.Errorf("%w: kind %d in %d bytes", ErrMalformed, kind, len(body))
}

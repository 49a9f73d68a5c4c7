package wire

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// A Return has
//
//	ticket, uvarint | flags | coordinator | quorum, 9 varints | context |
//	error, if flagged | elements changed, varint, if flagged | number of siblings, uvarint | siblings | facts
const (
	replyError = 1 << iota
	replyUnsettled
	replyChanged
	replyKnown = replyChanged<<1 - 1
)

func appendReply(dst []byte, p *node.Reply) []byte {
	dst = appendUvarint(dst, p.ID)
	dst = append(dst, bit(p.Err != nil, replyError)|bit(p.Quorum.Unsettled, replyUnsettled)|bit(p.Changed != 0, replyChanged))
	dst = appendString(dst, string(p.Coordinator))
	for _, n := range quorum(&p.Quorum) {
		dst = appendVarint(dst, int64(*n))
	}
	dst = appendBytes(dst, p.Context)
	if p.Err != nil {
		dst = appendError(dst, p.Err)
	}
	if p.Changed != 0 {
		dst = appendVarint(dst, int64(p.Changed))
	}
	dst = appendUvarint(dst, uint64(len(p.Siblings)))
	for i := range p.Siblings {
		dst = appendSibling(dst, &p.Siblings[i])
	}
	return AppendFacts(dst, p.Explain)
}

func readReply(r *reader) *node.Reply {
	p := &node.Reply{ID: r.uvarint()}
	f := r.flags(replyKnown)
	p.Coordinator = ring.NodeID(r.string())
	for _, n := range quorum(&p.Quorum) {
		*n = int(r.varint())
	}
	p.Quorum.Unsettled = f&replyUnsettled != 0
	p.Context = r.bytes()
	if f&replyError != 0 {
		p.Err = readError(r)
	}
	if f&replyChanged != 0 {
		p.Changed = int(r.varint())
	}
	if n := r.count(leastSibling); n > 0 {
		p.Siblings = make([]ouro.Sibling, n)
		for i := range p.Siblings {
			p.Siblings[i] = readSibling(r)
		}
	}
	p.Explain = readFacts(r)
	return p
}

// quorum returns the numbers of q in the order of the wire.
func quorum(q *ouro.Quorum) [9]*int {
	return [9]*int{&q.N, &q.R, &q.W, &q.PR, &q.PW, &q.DW, &q.Acks, &q.Primaries, &q.Durable}
}

// An error has
//
//	code | message | outcome | flags | retry after, varint nanoseconds
const (
	errorRetryable = 1 << iota
	errorKnown     = errorRetryable<<1 - 1
)

func appendError(dst []byte, e *ouro.Error) []byte {
	dst = appendString(dst, string(e.Code))
	dst = appendString(dst, e.Message)
	dst = append(dst, byte(e.Outcome), bit(e.Retryable, errorRetryable))
	return appendVarint(dst, int64(e.RetryAfter))
}

func readError(r *reader) *ouro.Error {
	return &ouro.Error{
		Code:       ouro.Code(r.string()),
		Message:    r.string(),
		Outcome:    ouro.Outcome(r.byte()),
		Retryable:  r.flags(errorKnown)&errorRetryable != 0,
		RetryAfter: time.Duration(r.varint()),
	}
}

// A sibling has
//
//	flags | modified, if flagged | expires, if flagged | content type | value
//
// A time is its seconds since 1970, varint, and its nanoseconds, uvarint.
const (
	siblingModified = 1 << iota
	siblingExpires
	siblingKnown = siblingExpires<<1 - 1
)

const leastSibling = 3

func appendSibling(dst []byte, s *ouro.Sibling) []byte {
	dst = append(dst, bit(!s.Modified.IsZero(), siblingModified)|bit(!s.Expires.IsZero(), siblingExpires))
	dst = appendTime(dst, s.Modified)
	dst = appendTime(dst, s.Expires)
	dst = appendString(dst, s.ContentType)
	return appendBytes(dst, s.Data)
}

func readSibling(r *reader) (s ouro.Sibling) {
	f := r.flags(siblingKnown)
	if f&siblingModified != 0 {
		s.Modified = readTime(r)
	}
	if f&siblingExpires != 0 {
		s.Expires = readTime(r)
	}
	s.ContentType = r.string()
	s.Data = r.bytes()
	return s
}

func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	return appendUvarint(appendVarint(dst, t.Unix()), uint64(t.Nanosecond()))
}

func readTime(r *reader) time.Time {
	sec, nsec := r.varint(), r.uvarint()
	if nsec > 999_999_999 {
		r.fail()
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}

package wire

import (
	"fmt"
	"time"

	"github.com/ourodb/ouro/internal/core/fact"
)

// The least that a fact takes: a byte for each of its fields.
const leastFact = 7

// AppendFacts appends the facts of a request: their number, uvarint, and of each
//
//	kind | ticket, uvarint | at, varint | lasted, varint | peer | n, varint | note
func AppendFacts(dst []byte, facts []fact.Fact) []byte {
	dst = appendUvarint(dst, uint64(len(facts)))
	for i := range facts {
		f := &facts[i]
		dst = append(dst, byte(f.Kind))
		dst = appendUvarint(dst, f.Ticket)
		dst = appendVarint(dst, int64(f.At))
		dst = appendVarint(dst, int64(f.Lasted))
		dst = appendString(dst, f.Peer)
		dst = appendVarint(dst, int64(f.N))
		dst = appendString(dst, f.Note)
	}
	return dst
}

// DecodeFacts reads what [AppendFacts] wrote. The facts alias b.
func DecodeFacts(b []byte) ([]fact.Fact, error) {
	r := reader{b: b}
	facts := readFacts(&r)
	if r.bad || len(r.b) != 0 {
		return nil, fmt.Errorf("%w: facts in %d bytes", ErrMalformed, len(b))
	}
	return facts, nil
}

func readFacts(r *reader) []fact.Fact {
	n := r.count(leastFact)
	if n == 0 {
		return nil
	}
	facts := make([]fact.Fact, n)
	for i := range facts {
		facts[i] = fact.Fact{
			Kind:   fact.Kind(r.byte()),
			Ticket: r.uvarint(),
			At:     time.Duration(r.varint()),
			Lasted: time.Duration(r.varint()),
			Peer:   r.string(),
			N:      int(r.varint()),
			Note:   r.string(),
		}
	}
	return facts
}

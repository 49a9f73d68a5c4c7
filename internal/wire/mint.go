package wire

import (
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/replica"
)

// A mint has
//
//	flags | context | expiry, varint | bound on siblings, varint | content type | value |
//	update, if flagged
const (
	mintDelete = 1 << iota
	mintLWW
	mintTypes
	mintUpdate
	mintKnown = mintUpdate<<1 - 1
)

func appendMint(dst []byte, m *replica.Mint) []byte {
	dst = append(dst, bit(m.Delete, mintDelete)|bit(m.LWW, mintLWW)|
		bit(m.Types, mintTypes)|bit(m.Update != nil, mintUpdate))
	dst = appendClaims(dst, m.Context)
	dst = appendVarint(dst, m.Expiry)
	dst = appendVarint(dst, int64(m.MaxSiblings))
	dst = appendString(dst, m.ContentType)
	dst = appendBytes(dst, m.Value)
	if m.Update != nil {
		dst = appendUpdate(dst, m.Update)
	}
	return dst
}

func readMint(r *reader) *replica.Mint {
	f := r.flags(mintKnown)
	m := &replica.Mint{
		Delete:      f&mintDelete != 0,
		LWW:         f&mintLWW != 0,
		Types:       f&mintTypes != 0,
		Context:     readClaims(r),
		Expiry:      r.varint(),
		MaxSiblings: int(r.varint()),
		ContentType: r.string(),
		Value:       r.bytes(),
	}
	if f&mintUpdate != 0 {
		m.Update = readUpdate(r)
	}
	return m
}

// The least that an entry and a dot take: 8 bytes of run and a byte for each
// other number.
const (
	leastEntry = 8 + 3
	leastDot   = 8 + 2
)

func appendClaims(dst []byte, c causal.Claims) []byte {
	dst = appendUvarint(dst, uint64(len(c.Vector)))
	for _, e := range c.Vector {
		dst = appendVarint(appendDot(dst, causal.Dot{Actor: e.Actor, N: e.N}), e.Time)
	}
	dst = appendUvarint(dst, uint64(len(c.Exceptions)))
	for _, d := range c.Exceptions {
		dst = appendDot(dst, d)
	}
	return dst
}

func readClaims(r *reader) (c causal.Claims) {
	if n := r.count(leastEntry); n > 0 {
		c.Vector = make([]causal.Entry, n)
		for i := range c.Vector {
			d := readDot(r)
			c.Vector[i] = causal.Entry{Actor: d.Actor, N: d.N, Time: r.varint()}
		}
	}
	if n := r.count(leastDot); n > 0 {
		c.Exceptions = make([]causal.Dot, n)
		for i := range c.Exceptions {
			c.Exceptions[i] = readDot(r)
		}
	}
	return c
}

func appendDot(dst []byte, d causal.Dot) []byte {
	return appendUvarint(appendUvarint(appendUint64(dst, d.Actor.Run), d.Actor.Life), d.N)
}

func readDot(r *reader) causal.Dot {
	return causal.Dot{Actor: causal.Actor{Run: r.uint64(), Life: r.uvarint()}, N: r.uvarint()}
}

package wire

import (
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// A Forward has
//
//	ticket, uvarint | verb | flags | flags of the counts | bucket | name |
//	each count that is set, varint | TTL, varint | timeout, varint |
//	request token, 8 bytes, if flagged | context | content type | value |
//	update, if flagged
//
// Times are nanoseconds. The key's position is not sent: it is hashed anew where
// the request is coordinated, so that a client of the node port needs not be
// believed.
const (
	requestContext = 1 << iota // the client sent a context, be it empty
	requestExplain
	requestToken
	requestRetry
	requestUpdate
	requestKnown = requestUpdate<<1 - 1
)

const countsKnown = 1<<5 - 1

// counts returns the optional numbers of a request in the order of their bits.
func counts(q *node.Request) [5]*ouro.Count {
	return [5]*ouro.Count{&q.R, &q.W, &q.PR, &q.PW, &q.DW}
}

func appendRequest(dst []byte, q *node.Request) []byte {
	dst = appendUvarint(dst, q.ID)
	var set byte
	for i, c := range counts(q) {
		set |= bit(c.Set, 1<<i)
	}
	dst = append(dst, byte(q.Verb), bit(q.HasContext, requestContext)|bit(q.Explain, requestExplain)|
		bit(q.Token != 0, requestToken)|bit(q.Retry, requestRetry)|bit(q.Update != nil, requestUpdate), set)
	dst = appendKey(dst, q.Key)
	for _, c := range counts(q) {
		if c.Set {
			dst = appendVarint(dst, int64(c.N))
		}
	}
	dst = appendVarint(dst, int64(q.TTL))
	dst = appendVarint(dst, int64(q.Timeout))
	dst = appendVarint(dst, int64(q.Sent))
	dst = appendVarint(dst, int64(q.Within))
	if q.Token != 0 {
		dst = appendUint64(dst, q.Token)
	}
	dst = appendBytes(dst, q.Context)
	dst = appendString(dst, q.ContentType)
	dst = appendBytes(dst, q.Value)
	if q.Update != nil {
		dst = appendUpdate(dst, q.Update)
	}
	return dst
}

func readRequest(r *reader) *node.Request {
	q := &node.Request{ID: r.uvarint(), Verb: node.Verb(r.byte())}
	f := r.flags(requestKnown)
	set := r.flags(countsKnown)
	bucket, name := readKey(r)
	if (ouro.Key{Bucket: bucket, Name: name}).Validate() != nil {
		r.fail()
		return nil
	}
	q.Key = ring.NewKey(bucket, name)
	for i, c := range counts(q) {
		if set&(1<<i) != 0 {
			*c = ouro.Count{N: int(r.varint()), Set: true}
		}
	}
	q.TTL = time.Duration(r.varint())
	q.Timeout = time.Duration(r.varint())
	q.Sent = time.Duration(r.varint())
	q.Within = time.Duration(r.varint())
	if f&requestToken != 0 {
		q.Token = r.uint64()
	}
	q.HasContext = f&requestContext != 0
	q.Explain = f&requestExplain != 0
	q.Retry = f&requestRetry != 0
	q.Context = r.bytes()
	q.ContentType = r.string()
	q.Value = r.bytes()
	if f&requestUpdate != 0 {
		q.Update = readUpdate(r)
	}
	return q
}

package causal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/zeebo/xxh3"

	"github.com/ourodb/ouro"
)

// Bounds on sealed contexts. What a node seals is always within them: claims
// beyond MaxContextClaims are left out, which costs at worst an extra sibling.
const (
	MaxContextParts  = 16      // parts in one context that a client hands back
	MaxContextClaims = 4096    // entries and exceptions in one part
	MaxContextLen    = 1 << 18 // bytes of one context that a client hands back
)

// The sealed form of a context is a sequence of parts, each sealed by one
// replica (DESIGN 4):
//
//	byte     1, the version of the form
//	number   length of what follows, without the seal
//	4 bytes  hash of bucket and key, to tell a foreign key from an alteration
//	claims   as in the canonical form of a state, without times
//	bytes    id of the replica that answered first
//	16 bytes seal: HMAC-SHA256, cut, over bucket, key and the part so far
const (
	sealVersion = 1
	sealLen     = 16
	keyHashLen  = 4
)

// Sealer seals contexts and opens them. It belongs to one goroutine.
type Sealer struct {
	key []byte
	mac hash.Hash
	buf []byte
	sum [sha256.Size]byte
}

// NewSealer returns a sealer whose contexts are opened by sealers of the same
// key, and by no others. The key should be derived from the cluster's secret.
func NewSealer(key []byte) *Sealer { return &Sealer{key: key, mac: hmac.New(sha256.New, key)} }

// Fork returns a sealer of the same key for another goroutine.
func (s *Sealer) Fork() *Sealer { return NewSealer(s.key) }

// Seal returns the sealed form of c for an object key.
func (s *Sealer) Seal(bucket, name string, c Context) []byte {
	c.cut()
	body := binary.BigEndian.AppendUint32(s.buf[:0], keyHash(bucket, name))
	body = c.Claims.append(body, false, 0)
	body = append(body, c.Fastest...)
	s.buf = body
	part := make([]byte, 0, 1+binary.MaxVarintLen32+len(body)+sealLen)
	part = append(part, sealVersion)
	part = binary.AppendUvarint(part, uint64(len(body)))
	part = append(part, body...)
	return append(part, s.seal(bucket, name, part)...)
}

// cut leaves out what is beyond the bounds, of exceptions the oldest: a client's
// own last writes are the newest.
func (c *Context) cut() {
	if len(c.Vector)+len(c.Exceptions) <= MaxContextClaims {
		return
	}
	c.Vector = c.Vector[:min(len(c.Vector), MaxContextClaims)]
	c.Claims = c.only(newest(c.Exceptions, MaxContextClaims-len(c.Vector)))
}

// Open returns what was sealed for an object key: of several parts, the union of
// their claims and the first replica named. The error is an [ouro.Error] with
// code [ouro.BadContext].
func (s *Sealer) Open(bucket, name string, sealed []byte) (Context, error) {
	switch {
	case len(sealed) == 0:
		return Context{}, bad("it is empty: leave it away for a blind write")
	case len(sealed) > MaxContextLen:
		return Context{}, bad("it has %d bytes, more than %d: get the key again and use that context", len(sealed), MaxContextLen)
	}
	var c Context
	for parts := 0; len(sealed) > 0; parts++ {
		if parts == MaxContextParts {
			return Context{}, bad("it has more than %d parts: get the key again and use that context", MaxContextParts)
		}
		part, rest, err := s.openPart(bucket, name, sealed)
		if err != nil {
			return Context{}, err
		}
		sealed = rest
		c.Claims = c.Union(part.Claims)
		if c.Fastest == "" {
			c.Fastest = part.Fastest
		}
	}
	return c, nil
}

// openPart opens the first part of sealed and returns what follows it.
func (s *Sealer) openPart(bucket, name string, sealed []byte) (c Context, rest []byte, err error) {
	if sealed[0] != sealVersion {
		return c, nil, bad("it is of a form that this node does not know: use it exactly as a get returned it")
	}
	r := reader{b: sealed, at: 1}
	n := r.uvarint()
	body := r.bytes(n)
	signed := sealed[:r.at]
	seal := r.bytes(sealLen)
	if r.bad || n < keyHashLen {
		return c, nil, bad("it is cut short: use it exactly as a get returned it")
	}
	if binary.BigEndian.Uint32(body) != keyHash(bucket, name) {
		return c, nil, bad("it belongs to another key: use the one that a get of this key returned")
	}
	if !hmac.Equal(seal, s.seal(bucket, name, signed)) {
		return c, nil, bad("it was altered, or another cluster made it: get the key again and use that context")
	}
	if err := c.decode(body[keyHashLen:]); err != nil {
		return c, nil, err
	}
	return c, r.rest(), nil
}

// decode reads what a good seal vouches for, and still believes nothing.
func (c *Context) decode(body []byte) error {
	r := reader{b: body}
	err := c.Claims.decode(&r, false, 0)
	if err != nil || r.bad || len(c.Vector)+len(c.Exceptions) > MaxContextClaims || r.left() > maxNodeID {
		return bad("what it says makes no sense: get the key again and use that context")
	}
	c.Fastest = string(r.rest())
	return nil
}

// maxNodeID is the length of the longest id of a node.
const maxNodeID = 64

// seal returns the seal of a part; it is valid until the next call.
func (s *Sealer) seal(bucket, name string, part []byte) []byte {
	var length [8]byte
	binary.BigEndian.PutUint32(length[:4], uint32(len(bucket)))
	binary.BigEndian.PutUint32(length[4:], uint32(len(name)))
	s.mac.Reset()
	s.buf = append(append(append(s.buf[:0], length[:]...), bucket...), name...)
	s.mac.Write(append(s.buf, part...))
	return s.mac.Sum(s.sum[:0])[:sealLen]
}

func keyHash(bucket, name string) uint32 {
	return uint32(xxh3.HashStringSeed(name, xxh3.HashString(bucket)))
}

func bad(format string, args ...any) *ouro.Error {
	return ouro.Errorf(ouro.BadContext, ouro.NotDone, "the context cannot be used: "+format, args...)
}

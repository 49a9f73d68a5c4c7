package member

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/ring"
)

// The form of a history in bytes, version 1:
//
//	version byte | uvarint count | changes | CRC-32C of all before, 4 bytes little-endian
//
// A change is
//
//	uvarint stamp | issuer | kind byte | name | uvarint q |
//	id | addr | uvarint weight | zone | dc | bucket
//
// and a bucket
//
//	uvarint n r w pr pw dw | uvarint timeout and ttl in nanoseconds | lww byte | uvarint max siblings
//
// Texts go with their length as a uvarint before them.
const historyVersion = 1

// ErrDamaged is wrapped by errors about bytes that are no history.
var ErrDamaged = errors.New("damaged history")

// Append appends the history in its binary form to dst. Equal histories have
// equal bytes.
func (h History) Append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, historyVersion)
	dst = binary.AppendUvarint(dst, uint64(len(h.changes)))
	for _, c := range h.changes {
		dst = c.append(dst)
	}
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], crc32.MakeTable(crc32.Castagnoli)))
}

func (c Change) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(c.Stamp))
	b = appendText(b, string(c.Issuer))
	b = append(b, byte(c.Kind))
	b = appendText(b, c.Name)
	b = binary.AppendUvarint(b, uint64(c.Q))
	b = appendText(b, string(c.Member.ID))
	b = appendText(b, c.Member.Addr)
	b = binary.AppendUvarint(b, uint64(c.Member.Weight))
	b = appendText(b, c.Member.Zone)
	b = appendText(b, c.Member.DC)
	return c.Bucket.append(b)
}

func (k Bucket) append(b []byte) []byte {
	for _, n := range [...]int{k.N, k.R, k.W, k.PR, k.PW, k.DW, int(k.Timeout), int(k.TTL)} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	lww := byte(0)
	if k.LWW {
		lww = 1
	}
	return binary.AppendUvarint(append(b, lww), uint64(k.MaxSiblings))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Decode reads what [History.Append] wrote. It accepts those bytes only: every
// change valid, in order, and none twice.
func Decode(b []byte) (History, error) {
	if len(b) > 0 && b[0] != historyVersion {
		return History{}, fmt.Errorf("member: history of format %d: this version of ouro reads format %d; upgrade this node", b[0], historyVersion)
	}
	if len(b) < 6 {
		return History{}, fmt.Errorf("member: %w: %d bytes", ErrDamaged, len(b))
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != sum {
		return History{}, fmt.Errorf("member: %w: the checksum does not match", ErrDamaged)
	}
	d := decoder{b: body[1:]}
	count := d.uint(MaxChanges)
	var changes []Change
	for i := 0; i < count && d.err == nil; i++ {
		c := d.change()
		if d.err != nil {
			break
		}
		if err := c.Check(); err != nil {
			return History{}, err
		}
		if i > 0 && compare(changes[i-1], c) >= 0 {
			return History{}, fmt.Errorf("member: %w: change %d is out of order", ErrDamaged, i)
		}
		changes = append(changes, c)
	}
	if d.err == nil && len(d.b) > 0 {
		d.fail("bytes are left over")
	}
	if d.err != nil {
		return History{}, d.err
	}
	return History{changes}, nil
}

// decoder reads from b until something fails; after that it returns zeros.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("member: %w: %s", ErrDamaged, what)
	}
	d.b = nil
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || n > 1 && d.b[n-1] == 0 { // a longer form than needed would give one history two encodings
		d.fail("a number is cut off or not in its shortest form")
		return 0
	}
	d.b = d.b[n:]
	return v
}

// uint reads a number from 0 to limit.
func (d *decoder) uint(limit uint64) int {
	v := d.uvarint()
	if v > limit {
		d.fail("a number is too large")
		return 0
	}
	return int(v)
}

func (d *decoder) text(limit int) string {
	n := d.uint(uint64(limit))
	if n > len(d.b) {
		d.fail("a text is cut off")
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail("it is cut off")
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) change() Change {
	var c Change
	c.Stamp = causal.Stamp(d.uvarint())
	c.Issuer = ring.NodeID(d.text(ring.MaxIDLen))
	c.Kind = Kind(d.byte())
	c.Name = d.text(MaxClusterName)
	c.Q = d.uint(ring.MaxTokens)
	c.Member.ID = ring.NodeID(d.text(ring.MaxIDLen))
	c.Member.Addr = d.text(MaxAddr)
	c.Member.Weight = d.uint(ring.MaxWeight)
	c.Member.Zone = d.text(ring.MaxZone)
	c.Member.DC = d.text(ring.MaxZone)
	c.Bucket = d.bucket()
	return c
}

func (d *decoder) bucket() Bucket {
	var k Bucket
	for _, n := range [...]*int{&k.N, &k.R, &k.W, &k.PR, &k.PW, &k.DW} {
		*n = d.uint(MaxN)
	}
	k.Timeout = time.Duration(d.uint(uint64(MaxTimeout)))
	k.TTL = time.Duration(d.uint(uint64(MaxTTL)))
	switch d.byte() {
	case 0:
	case 1:
		k.LWW = true
	default:
		d.fail("a flag is neither 0 nor 1")
	}
	k.MaxSiblings = d.uint(MostSiblings)
	return k
}

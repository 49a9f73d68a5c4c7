package member

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/codec"
	"github.com/ourodb/ouro/internal/core/ring"
)

// The form of a history in bytes, version 1:
//
//	version byte | uvarint count | changes | CRC-32C of all before, 4 bytes little-endian
//
// A change is
//
//	uvarint stamp | issuer | kind byte | what its kind uses
//
//	found                 name | uvarint q | founding
//	add                   member
//	replace               old | member
//	remove, force-remove  id
//	reweigh               id | uvarint weight
//	relabel               id | zone | dc
//	readdress             id | addr
//	define, tune          name | bucket
//
//	member   id | addr | uvarint weight | zone | dc
//	bucket   uvarint n r w pr pw dw | uvarint timeout and ttl in nanoseconds | lww byte | uvarint max siblings
//	founding uvarint changes it stands for | members | named buckets
//	         and in a checkpoint: 16 bytes origin | 16 bytes digest | owner of each partition as a uvarint |
//	         removed | forced | marks (issuer | uvarint stamp) | absorbed (16 bytes origin | uvarint)
//
// Texts go with their length as a uvarint before them, lists with their number.
const historyVersion = 1

// ErrDamaged is wrapped by errors about bytes that are no history.
var ErrDamaged = errors.New("damaged history")

// Append appends the history in its binary form to dst. Equal histories have
// equal bytes.
func (h History) Append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, historyVersion)
	dst = binary.AppendUvarint(dst, uint64(len(h.changes)))
	for i := range h.changes {
		dst = h.changes[i].append(dst)
	}
	return codec.Seal(dst, start)
}

// AppendChanges appends changes in their binary form, without what makes sure
// that they are whole: a message has that already.
func AppendChanges(dst []byte, changes []Change) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(changes)))
	for i := range changes {
		dst = changes[i].append(dst)
	}
	return dst
}

func (c *Change) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(c.Stamp))
	b = codec.AppendText(b, c.Issuer)
	b = append(b, byte(c.Kind))
	switch c.Kind {
	case Found:
		b = codec.AppendText(b, c.Name)
		b = binary.AppendUvarint(b, uint64(c.Q))
		return c.Founding.append(b)
	case Add:
		return c.Member.append(b)
	case Replace:
		return c.Member.append(codec.AppendText(b, c.Old))
	case Define, Tune:
		return c.Bucket.append(codec.AppendText(b, c.Name))
	default: // a kind that is not known has an id at most: it is never sent
		b = codec.AppendText(b, c.Member.ID)
	}
	switch c.Kind {
	case Reweigh:
		return binary.AppendUvarint(b, uint64(c.Member.Weight))
	case Relabel:
		return codec.AppendText(codec.AppendText(b, c.Member.Zone), c.Member.DC)
	case Readdress:
		return codec.AppendText(b, c.Member.Addr)
	default:
		return b
	}
}

func (m Member) append(b []byte) []byte {
	b = codec.AppendText(b, m.ID)
	b = codec.AppendText(b, m.Addr)
	b = binary.AppendUvarint(b, uint64(m.Weight))
	return codec.AppendText(codec.AppendText(b, m.Zone), m.DC)
}

func (k Bucket) append(b []byte) []byte {
	for _, n := range [...]int{k.N, k.R, k.W, k.PR, k.PW, k.DW, int(k.Timeout), int(k.TTL)} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	mode := byte(0)
	switch {
	case k.LWW:
		mode = 1
	case k.Types:
		mode = 2
	}
	return append(binary.AppendUvarint(append(b, mode), uint64(k.MaxSiblings)), byte(k.Durability))
}

// Decode reads what [History.Append] wrote. It accepts those bytes only: every
// change valid, in order, and none twice.
func Decode(b []byte) (History, error) {
	if len(b) > 0 && b[0] != historyVersion {
		return History{}, fmt.Errorf("history of format %d: this version of ouro reads format %d; upgrade this node", b[0], historyVersion)
	}
	if len(b) < 6 {
		return History{}, fmt.Errorf("%w: %d bytes", ErrDamaged, len(b))
	}
	body, ok := codec.Unseal(b)
	if !ok {
		return History{}, fmt.Errorf("%w: the checksum does not match", ErrDamaged)
	}
	d := decoder{b: body[1:]}
	changes, err := d.changes(MaxChanges)
	if err != nil {
		return History{}, err
	}
	h := historyOf(changes)
	if h.Len() != len(changes) {
		return History{}, fmt.Errorf("%w: a checkpoint stands beside what it stands for", ErrDamaged)
	}
	return h, nil
}

// DecodeChanges reads what [AppendChanges] wrote, at most so many, and nothing
// else: valid changes in order.
func DecodeChanges(b []byte, most int) ([]Change, error) {
	d := decoder{b: b}
	return d.changes(most)
}

// changes reads all that is left.
func (d *decoder) changes(most int) ([]Change, error) {
	count := d.uint(uint64(most))
	var changes []Change
	for i := 0; i < count && d.err == nil; i++ {
		c := d.change()
		if d.err != nil {
			break
		}
		if err := c.Check(); err != nil {
			return nil, err
		}
		c = sealed(c)
		if i > 0 && compare(&changes[i-1], &c) >= 0 {
			return nil, fmt.Errorf("%w: change %d is out of order", ErrDamaged, i)
		}
		changes = append(changes, c)
	}
	if d.err == nil && len(d.b) > 0 {
		d.fail("bytes are left over")
	}
	return changes, d.err
}

// decoder reads from b until something fails; after that it returns zeros.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrDamaged, what)
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
	c.Issuer = d.id()
	c.Kind = Kind(d.byte())
	switch c.Kind {
	case Found:
		c.Name = d.text(MaxClusterName)
		c.Q = d.uint(ring.MaxTokens)
		c.Founding = d.founding(c.Q)
	case Add:
		c.Member = d.member()
	case Replace:
		c.Old, c.Member = d.id(), d.member()
	case Define, Tune:
		c.Name, c.Bucket = d.text(MaxClusterName), d.bucket()
	default:
		c.Member.ID = d.id()
	}
	switch c.Kind {
	case Reweigh:
		c.Member.Weight = d.uint(ring.MaxWeight)
	case Relabel:
		c.Member.Zone, c.Member.DC = d.text(ring.MaxZone), d.text(ring.MaxZone)
	case Readdress:
		c.Member.Addr = d.text(MaxAddr)
	}
	return c
}

func (d *decoder) id() ring.NodeID { return ring.NodeID(d.text(ring.MaxIDLen)) }

func (d *decoder) member() Member {
	var m Member
	m.ID = d.id()
	m.Addr = d.text(MaxAddr)
	m.Weight = d.uint(ring.MaxWeight)
	m.Zone = d.text(ring.MaxZone)
	m.DC = d.text(ring.MaxZone)
	return m
}

func (d *decoder) bucket() Bucket {
	var k Bucket
	for _, n := range [...]*int{&k.N, &k.R, &k.W, &k.PR, &k.PW, &k.DW} {
		*n = d.uint(MaxN)
	}
	k.Timeout = time.Duration(d.uint(uint64(mostTimeout)))
	k.TTL = time.Duration(d.uint(uint64(MaxTTL)))
	switch d.byte() {
	case 0:
	case 1:
		k.LWW = true
	case 2:
		k.Types = true
	default:
		d.fail("a mode is none of 0, 1 and 2")
	}
	k.MaxSiblings = d.uint(MostSiblings)
	k.Durability = Durability(d.uint(uint64(Buffered)))
	return k
}

package place

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/ourodb/ouro/internal/core/codec"
	"github.com/ourodb/ouro/internal/core/ring"
)

// A placement is, on disk and in messages, version 1:
//
//	byte     1, the version of the form
//	16 bytes hash of the founding | 16 bytes hash | 16 bytes hash of the first link
//	uvarint  number | checkpoint
//	uvarint  how many members; of each, sorted by id:
//	         byte length of the id | id | 8 bytes little-endian disk
//	uvarint  how many partitions; of each:
//	         uvarint how much less its number is | old list | new list
//
// and a link:
//
//	byte     1
//	uvarint  number | 16 bytes hash before | byte act | checkpoint
//	members
//	uvarint  how many moves; of each, sorted by partition:
//	         uvarint partition | old list | new list | uvarint how many proofs; of each:
//	         uvarint who | byte 1, 8 bytes disk, or 0: the one named | uvarint how much less its number is
//	         byte n | byte w | byte r | list of sources | list of sealed
//
// A checkpoint is a uvarint, how many changes, and unless that is 0 16 bytes of
// digest. A list is a byte that says how many follow, and of each its uvarint place
// among the members.
const version = 1

// Bounds on what is decoded.
const (
	MaxMembers = 4096
	MaxQ       = 1 << 20
	// MaxProofs is how many proofs one move may rest on.
	MaxProofs = 256
)

// ErrMalformed says that bytes are no placement and no link.
var ErrMalformed = errors.New("place: malformed, or of a newer program")

func sum(b []byte) Hash {
	s := sha256.Sum256(b)
	return Hash(s[:16])
}

// Append appends the form of a placement.
func (p *Placement) Append(dst []byte) []byte {
	dst = append(dst, version)
	dst = append(dst, p.origin[:]...)
	dst = append(dst, p.hash[:]...)
	dst = append(dst, p.first[:]...)
	return p.appendBody(dst)
}

func (p *Placement) appendBody(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, p.number)
	dst = appendCheckpoint(dst, p.checkpoint)
	dst = appendMembers(dst, p.members)
	dst = binary.AppendUvarint(dst, uint64(len(p.lists)))
	for i := range p.lists {
		l := &p.lists[i]
		dst = binary.AppendUvarint(dst, p.number-l.Number)
		dst = appendList(dst, p.members, l.Old)
		dst = appendList(dst, p.members, l.New)
	}
	return dst
}

func appendCheckpoint(dst []byte, c Checkpoint) []byte {
	dst = binary.AppendUvarint(dst, c.Count)
	if c.Count == 0 {
		return dst
	}
	return append(dst, c.Digest[:]...)
}

func appendMembers(dst []byte, members []Member) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(members)))
	for _, m := range members {
		dst = append(dst, byte(len(m.ID)))
		dst = append(dst, m.ID...)
		dst = binary.LittleEndian.AppendUint64(dst, m.Disk)
	}
	return dst
}

// appendList appends a place that nobody has for who is no member: a legal link
// names none.
func appendList(dst []byte, members []Member, list []ring.NodeID) []byte {
	dst = append(dst, byte(len(list)))
	for _, id := range list {
		dst = binary.AppendUvarint(dst, position(members, id))
	}
	return dst
}

func position(members []Member, id ring.NodeID) uint64 {
	if i, ok := slices.BinarySearchFunc(members, id, compareID); ok {
		return uint64(i)
	}
	return uint64(len(members))
}

// AppendLink appends the form of a link.
func AppendLink(dst []byte, l *Link) []byte {
	dst = append(dst, version)
	dst = binary.AppendUvarint(dst, l.Number)
	dst = append(dst, l.Before[:]...)
	dst = append(dst, byte(l.Act))
	dst = appendCheckpoint(dst, l.Checkpoint)
	dst = appendMembers(dst, l.Members)
	dst = binary.AppendUvarint(dst, uint64(len(l.Moves)))
	for i := range l.Moves {
		dst = AppendMove(dst, l, &l.Moves[i])
	}
	return dst
}

// AppendMove appends the form of a move of a link: so one can see how much it
// adds.
func AppendMove(dst []byte, l *Link, m *Move) []byte {
	dst = binary.AppendUvarint(dst, uint64(m.Partition))
	dst = appendList(dst, l.Members, m.Old)
	dst = appendList(dst, l.Members, m.New)
	dst = binary.AppendUvarint(dst, uint64(len(m.Proofs)))
	for i := range m.Proofs {
		dst = appendProof(dst, l, &m.Proofs[i])
	}
	return dst
}

func appendProof(dst []byte, l *Link, p *Proof) []byte {
	at := position(l.Members, p.Who)
	dst = binary.AppendUvarint(dst, at)
	if at < uint64(len(l.Members)) && l.Members[at].Disk == p.Disk {
		dst = append(dst, 0)
	} else {
		dst = binary.LittleEndian.AppendUint64(append(dst, 1), p.Disk)
	}
	dst = binary.AppendUvarint(dst, l.Number-p.Number)
	dst = append(dst, byte(p.N), byte(p.W), byte(p.R))
	dst = appendList(dst, l.Members, p.Sources)
	return appendList(dst, l.Members, p.Sealed)
}

// Decode reads what [Placement.Append] wrote. It keeps nothing of b.
func Decode(b []byte) (*Placement, error) {
	r := reader{codec.Reader{B: b}}
	p := &Placement{}
	if r.Byte() != version {
		return nil, ErrMalformed
	}
	r.hash(&p.origin)
	r.hash(&p.hash)
	r.hash(&p.first)
	p.number = r.Uvarint()
	p.checkpoint = r.checkpoint()
	p.members = r.members()
	q := r.Count(least, MaxQ)
	p.lists = make([]Lists, q)
	for i := range p.lists {
		age := r.Uvarint()
		p.lists[i] = Lists{Number: p.number - age, Old: r.list(p.members, MaxN), New: r.list(p.members, MaxN)}
		if age >= p.number || len(p.lists[i].Old) == 0 {
			r.Fail()
		}
	}
	if !r.Done() || q == 0 || validMembers(p.members) != nil {
		return nil, ErrMalformed
	}
	return p, nil
}

// The least bytes that a partition, a move and a proof take.
const (
	least      = 4
	leastMove  = 5
	leastProof = 8
)

// DecodeLink reads what [AppendLink] wrote. It keeps nothing of b. Whether the link
// is legal, [Placement.Follow] says.
func DecodeLink(b []byte) (*Link, error) {
	r := reader{codec.Reader{B: b}}
	l := &Link{}
	if r.Byte() != version {
		return nil, ErrMalformed
	}
	l.Number = r.Uvarint()
	r.hash(&l.Before)
	l.Act = Act(r.Byte())
	l.Checkpoint = r.checkpoint()
	l.Members = r.members()
	if n := r.Count(leastMove, MaxQ); n > 0 {
		l.Moves = make([]Move, n)
		for i := range l.Moves {
			r.move(l, &l.Moves[i])
		}
	}
	if !r.Done() || validMembers(l.Members) != nil {
		return nil, ErrMalformed
	}
	return l, nil
}

func (r *reader) move(l *Link, m *Move) {
	partition := r.Uvarint()
	if partition >= MaxQ {
		r.Fail()
	}
	m.Partition = uint32(partition)
	m.Old, m.New = r.list(l.Members, MaxN), r.list(l.Members, MaxN)
	n := r.Count(leastProof, MaxProofs)
	for range n {
		m.Proofs = append(m.Proofs, r.proof(l))
	}
}

func (r *reader) proof(l *Link) Proof {
	at := r.at(l.Members)
	if r.Bad {
		return Proof{}
	}
	p := Proof{Who: l.Members[at].ID, Disk: l.Members[at].Disk}
	switch r.Byte() {
	case 0:
	case 1:
		if p.Disk = r.Uint64(); p.Disk == l.Members[at].Disk {
			r.Fail()
		}
	default:
		r.Fail()
	}
	p.Number = l.Number - r.Uvarint()
	p.N, p.W, p.R = int(r.Byte()), int(r.Byte()), int(r.Byte())
	p.Sources, p.Sealed = r.list(l.Members, MaxN), r.list(l.Members, MaxN)
	return p
}

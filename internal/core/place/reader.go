package place

import (
	"encoding/binary"

	"github.com/ourodb/ouro/internal/core/ring"
)

// reader takes fields off the front of b. After the first that is not there it
// reports nothing but zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.b, r.bad = nil, true }

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.fail()
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() byte {
	if v := r.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || n > 1 && r.b[n-1] == 0 { // one form for each number
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uint64() uint64 {
	if v := r.take(8); v != nil {
		return binary.LittleEndian.Uint64(v)
	}
	return 0
}

func (r *reader) hash(h *Hash) { copy(h[:], r.take(len(h))) }

// count reads how many follow, none of them shorter than size bytes, so that it
// may size an allocation.
func (r *reader) count(size, most int) int {
	n := r.uvarint()
	if n > uint64(len(r.b)/size) || n > uint64(most) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) members() []Member {
	n := r.count(1+1+8, MaxMembers)
	members := make([]Member, 0, n)
	for range n {
		id := r.take(int(r.byte()))
		members = append(members, Member{ID: ring.NodeID(id), Disk: r.uint64()})
	}
	return members
}

// at reads the place of a member.
func (r *reader) at(members []Member) int {
	at := r.uvarint()
	if at >= uint64(len(members)) {
		r.fail()
		return 0
	}
	return int(at)
}

// list reads a list; one of nobody is nil.
func (r *reader) list(members []Member, most int) []ring.NodeID {
	n := int(r.byte())
	if n > most {
		r.fail()
	}
	var list []ring.NodeID
	for range n {
		at := r.at(members)
		if r.bad {
			return nil
		}
		if list == nil {
			list = make([]ring.NodeID, 0, n)
		}
		list = append(list, members[at].ID)
	}
	return list
}

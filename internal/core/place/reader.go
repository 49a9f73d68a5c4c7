package place

import (
	"github.com/ourodb/ouro/internal/core/codec"
	"github.com/ourodb/ouro/internal/core/ring"
)

// reader takes links and placements off the front of bytes.
type reader struct{ codec.Reader }

func (r *reader) hash(h *Hash) { copy(h[:], r.Bytes(len(h))) }

func (r *reader) checkpoint() (c Checkpoint) {
	if c.Count = r.Uvarint(); c.Count > 0 {
		copy(c.Digest[:], r.Bytes(len(c.Digest)))
	}
	return c
}

func (r *reader) members() []Member {
	n := r.Count(1+1+8, MaxMembers)
	members := make([]Member, 0, n)
	for range n {
		id := r.Bytes(int(r.Byte()))
		members = append(members, Member{ID: ring.NodeID(id), Disk: r.Uint64()})
	}
	return members
}

// at reads the place of a member.
func (r *reader) at(members []Member) int {
	at := r.Uvarint()
	if at >= uint64(len(members)) {
		r.Fail()
		return 0
	}
	return int(at)
}

// list reads a list; one of nobody is nil.
func (r *reader) list(members []Member, most int) []ring.NodeID {
	n := int(r.Byte())
	if n > most {
		r.Fail()
	}
	var list []ring.NodeID
	for range n {
		at := r.at(members)
		if r.Bad {
			return nil
		}
		if list == nil {
			list = make([]ring.NodeID, 0, n)
		}
		list = append(list, members[at].ID)
	}
	return list
}

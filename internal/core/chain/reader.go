package chain

import (
	"math"

	"github.com/ourodb/ouro/internal/core/codec"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// reader takes messages and votes off the front of bytes.
type reader struct{ codec.Reader }

// size takes a number of bytes.
func (r *reader) size() int { return int(r.Upto(math.MaxInt32)) }

func (r *reader) id() ring.NodeID { return ring.NodeID(r.Bytes(int(r.Byte()))) }

func (r *reader) ballot() Ballot {
	return Ballot{Round: r.Uvarint(), Node: r.id(), Run: r.Uint64()}
}

func (r *reader) link() *place.Link {
	l, err := place.DecodeLink(r.Bytes(r.size()))
	if err != nil {
		r.Fail()
	}
	return l
}

// leastReady is the least that a report of one proof takes.
const leastReady = 16

func (r *reader) ready() Ready {
	partition := r.Uvarint()
	if partition >= place.MaxQ {
		r.Fail()
	}
	p := place.Proof{Who: r.id(), Disk: r.Uint64(), Number: r.Uvarint()}
	p.N, p.W, p.R = int(r.Byte()), int(r.Byte()), int(r.Byte())
	p.Sources, p.Sealed = r.list(), r.list()
	return Ready{Partition: uint32(partition), Proof: p}
}

func (r *reader) list() (list []ring.NodeID) {
	n := int(r.Byte())
	if n > place.MaxN {
		r.Fail()
	}
	for range n {
		if r.Bad {
			return nil
		}
		list = append(list, r.id())
	}
	return list
}

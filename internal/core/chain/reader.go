package chain

import (
	"encoding/binary"
	"math"

	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// reader takes fields off the front of b. After the first that is not there it
// reports nothing but zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.b, r.bad = nil, true }

// take aliases the bytes.
func (r *reader) take(n int) []byte {
	if n == 0 {
		return nil
	}
	if n > len(r.b) {
		r.fail()
		return nil
	}
	v := r.b[:n:n]
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

// size reads a number of bytes.
func (r *reader) size() int {
	n := r.uvarint()
	if n > math.MaxInt32 {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) uint64() uint64 {
	if v := r.take(8); v != nil {
		return binary.LittleEndian.Uint64(v)
	}
	return 0
}

// count reads how many follow, none of them shorter than least bytes, so that it
// may size an allocation.
func (r *reader) count(least int) int {
	n := r.uvarint()
	if n > uint64(len(r.b)/least) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) id() ring.NodeID { return ring.NodeID(r.take(int(r.byte()))) }

func (r *reader) ballot() Ballot {
	return Ballot{Round: r.uvarint(), Node: r.id(), Run: r.uint64()}
}

func (r *reader) link() *place.Link {
	l, err := place.DecodeLink(r.take(r.size()))
	if err != nil {
		r.fail()
	}
	return l
}

// leastReady is the least that a report of one proof takes.
const leastReady = 16

func (r *reader) ready() Ready {
	partition := r.uvarint()
	if partition >= place.MaxQ {
		r.fail()
	}
	p := place.Proof{Who: r.id(), Disk: r.uint64(), Number: r.uvarint()}
	p.N, p.W, p.R = int(r.byte()), int(r.byte()), int(r.byte())
	p.Sources, p.Sealed = r.list(), r.list()
	return Ready{Partition: uint32(partition), Proof: p}
}

func (r *reader) list() (list []ring.NodeID) {
	n := int(r.byte())
	if n > place.MaxN {
		r.fail()
	}
	for range n {
		if r.bad {
			return nil
		}
		list = append(list, r.id())
	}
	return list
}

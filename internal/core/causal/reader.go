package causal

import "encoding/binary"

// reader takes numbers from the front of bytes. Once it was asked for more than
// there is, it is bad and gives zeros.
type reader struct {
	b   []byte
	at  int
	bad bool
}

// rest returns what was not taken yet.
func (r *reader) rest() []byte { return r.b[r.at:] }

func (r *reader) left() int { return len(r.b) - r.at }

func (r *reader) fail() {
	r.at, r.bad = len(r.b), true
}

func (r *reader) byte() byte {
	if r.at >= len(r.b) {
		r.fail()
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

// uvarint takes a number and accepts only its shortest form.
func (r *reader) uvarint() uint64 {
	if r.at < len(r.b) && r.b[r.at] < 0x80 {
		r.at++
		return uint64(r.b[r.at-1])
	}
	return r.longUvarint()
}

func (r *reader) longUvarint() uint64 {
	n, w := binary.Uvarint(r.b[r.at:])
	if w <= 0 || r.b[r.at+w-1] == 0 {
		r.fail()
		return 0
	}
	r.at += w
	return n
}

// count takes a number of things that take at least size bytes each.
func (r *reader) count(size int) int {
	n := r.uvarint()
	if n > uint64(r.left()/size) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) uint64() uint64 {
	if r.left() < 8 {
		r.fail()
		return 0
	}
	r.at += 8
	return binary.BigEndian.Uint64(r.b[r.at-8:])
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(r.left()) {
		r.fail()
		return nil
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at]
}

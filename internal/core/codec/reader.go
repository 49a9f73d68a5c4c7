package codec

import "encoding/binary"

// Reader takes fields off the front of B. After the first that is not there, or
// not as it should be, it is bad and reports nothing but zeros.
type Reader struct {
	B   []byte // what was not taken yet
	Bad bool
}

// Fail makes every later field a zero.
func (r *Reader) Fail() { r.B, r.Bad = nil, true }

// Done reports whether all was taken, and all of it was as it should be.
func (r *Reader) Done() bool { return !r.Bad && len(r.B) == 0 }

// Bytes takes so many, and aliases them; none are nil.
func (r *Reader) Bytes(n int) []byte {
	if n > len(r.B) {
		r.Fail()
		return nil
	}
	if n == 0 {
		return nil
	}
	v := r.B[:n:n]
	r.B = r.B[n:]
	return v
}

// Byte takes one byte.
func (r *Reader) Byte() byte {
	if len(r.B) == 0 {
		r.Fail()
		return 0
	}
	v := r.B[0]
	r.B = r.B[1:]
	return v
}

// Bool takes one byte that is 0 or 1.
func (r *Reader) Bool() bool {
	v := r.Byte()
	if v > 1 {
		r.Fail()
	}
	return v == 1
}

// Uvarint takes a number, in its shortest form alone: what has two forms has two
// digests.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.B)
	if n <= 0 || n > 1 && r.B[n-1] == 0 {
		r.Fail()
		return 0
	}
	r.B = r.B[n:]
	return v
}

// Varint takes a number that may be less than 0.
func (r *Reader) Varint() int64 {
	u := r.Uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// Upto takes a number that is not above most.
func (r *Reader) Upto(most uint64) uint64 {
	v := r.Uvarint()
	if v > most {
		r.Fail()
		return 0
	}
	return v
}

// Uint64 takes eight bytes, little-endian.
func (r *Reader) Uint64() uint64 {
	if v := r.Bytes(8); v != nil {
		return binary.LittleEndian.Uint64(v)
	}
	return 0
}

// Count takes how many follow: none of them shorter than least bytes, so that it
// may size an allocation, and no more than most.
func (r *Reader) Count(least, most int) int {
	n := r.Uvarint()
	if n > uint64(len(r.B)/least) || n > uint64(most) {
		r.Fail()
		return 0
	}
	return int(n)
}

// Text takes a text of at most so many bytes, and copies it.
func (r *Reader) Text(most int) string { return string(r.Bytes(int(r.Upto(uint64(most))))) }

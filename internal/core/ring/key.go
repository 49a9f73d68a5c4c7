package ring

import (
	"crypto/md5"
	"encoding/binary"
)

// Position is a place on the ring: an unsigned 128-bit number, high half first
// (paper, section 4.1: the MD5 of the key).
type Position struct{ Hi, Lo uint64 }

// Hash returns the position of b: its MD5 as a big-endian number.
func Hash(b []byte) Position {
	sum := md5.Sum(b)
	return Position{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:])}
}

// Compare returns -1, 0 or 1 as p lies before, at or after q on the number line
// from 0 to 2^128-1.
func (p Position) Compare(q Position) int {
	switch {
	case p.Hi != q.Hi && p.Hi < q.Hi, p.Hi == q.Hi && p.Lo < q.Lo:
		return -1
	case p == q:
		return 0
	default:
		return 1
	}
}

// Key is an object key with its position, computed once.
type Key struct {
	Bucket string
	Name   string
	Pos    Position
}

// NewKey computes the position of a key: the hash of bucket, NUL, name. A
// bucket has no NUL in its alphabet, so no two keys share that string.
func NewKey(bucket, name string) Key {
	b := make([]byte, 0, 128)
	b = append(b, bucket...)
	b = append(b, 0)
	b = append(b, name...)
	return Key{Bucket: bucket, Name: name, Pos: Hash(b)}
}

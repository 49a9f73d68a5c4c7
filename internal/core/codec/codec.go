// Package codec takes apart and seals what the core keeps on disk and sends in
// bytes of its own: histories, placements, votes, epochs. Records and requests, of
// which there are many more, have forms of their own in packages causal and wire.
package codec

import (
	"encoding/binary"
	"hash/crc32"
)

// sealLen is how many bytes a seal adds.
const sealLen = 4

// Seal appends the CRC-32C, little-endian, of all of b from a place on.
func Seal(b []byte, from int) []byte {
	return binary.LittleEndian.AppendUint32(b, checksum(b[from:]))
}

// Unseal returns what was sealed, and whether it is whole.
func Unseal(b []byte) ([]byte, bool) {
	at := len(b) - sealLen
	if at < 0 {
		return nil, false
	}
	return b[:at:at], checksum(b[:at]) == binary.LittleEndian.Uint32(b[at:])
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// AppendText appends a text with its length before it, as a uvarint.
func AppendText[T ~string](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

package history

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// valueHead is the length of what precedes the key in a value.
const valueHead = 8 + 4 + 2

// Value returns the value that operation op writes under key, at least size
// bytes long. It describes itself:
//
//	op, 8 bytes | length of all, 4 bytes | length of key, 2 bytes | key | filling | CRC-32C of all before, 4 bytes
//
// numbers little-endian, so that any mixture, truncation or misplacement of
// values is found by whoever reads one.
func Value(op uint64, key string, size int) []byte {
	n := max(size, valueHead+len(key)+4)
	b := make([]byte, 0, n)
	b = binary.LittleEndian.AppendUint64(b, op)
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(key)))
	b = append(b, key...)
	for x := op; len(b) < n-4; {
		x = x*6364136223846793005 + 1442695040888963407
		b = append(b, byte(x>>56))
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ParseValue returns which operation wrote a value that was read under key.
func ParseValue(b []byte, key string) (op uint64, err error) {
	switch {
	case len(b) < valueHead+4:
		return 0, fmt.Errorf("a value of %d bytes was never written", len(b))
	case int(binary.LittleEndian.Uint32(b[8:])) != len(b):
		return 0, fmt.Errorf("a value of %d bytes was written with %d", len(b), binary.LittleEndian.Uint32(b[8:]))
	case crc32.Checksum(b[:len(b)-4], castagnoli) != binary.LittleEndian.Uint32(b[len(b)-4:]):
		return 0, fmt.Errorf("the checksum of a value does not match")
	}
	n := int(binary.LittleEndian.Uint16(b[12:]))
	if n > len(b)-valueHead-4 || string(b[valueHead:valueHead+n]) != key {
		return 0, fmt.Errorf("the value belongs to another key")
	}
	return binary.LittleEndian.Uint64(b), nil
}

// ValueOp returns which operation a value says that it is of; false where it is
// too short, or not as long as it says.
func ValueOp(b []byte) (op uint64, ok bool) {
	if len(b) < valueHead+4 || int(binary.LittleEndian.Uint32(b[8:])) != len(b) {
		return 0, false
	}
	return binary.LittleEndian.Uint64(b), true
}

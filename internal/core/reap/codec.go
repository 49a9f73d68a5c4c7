package reap

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// What the disk keeps of the epochs, version 1:
//
//	byte    1, the version of the form
//	uvarint epoch
//	uvarint born
//	4 bytes little-endian CRC-32C of all before
const durableVersion = 1

// ErrDurable says that bytes are not what [AppendDurable] wrote.
var ErrDurable = errors.New("reap: the epoch on disk is damaged, or of a newer program")

// AppendDurable appends the form of d on disk.
func AppendDurable(dst []byte, d Durable) []byte {
	from := len(dst)
	dst = append(dst, durableVersion)
	dst = binary.AppendUvarint(dst, d.Epoch)
	dst = binary.AppendUvarint(dst, d.Born)
	return binary.LittleEndian.AppendUint32(dst, sum(dst[from:]))
}

// DecodeDurable reads what [AppendDurable] wrote; no bytes are the zero value.
func DecodeDurable(b []byte) (Durable, error) {
	if len(b) == 0 {
		return Durable{}, nil
	}
	if len(b) < 4 || b[0] != durableVersion || sum(b[:len(b)-4]) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return Durable{}, ErrDurable
	}
	rest := b[1 : len(b)-4]
	epoch, n := binary.Uvarint(rest)
	if n <= 0 {
		return Durable{}, ErrDurable
	}
	born, m := binary.Uvarint(rest[n:])
	if m <= 0 || n+m != len(rest) {
		return Durable{}, ErrDurable
	}
	return Durable{epoch, born}, nil
}

func sum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

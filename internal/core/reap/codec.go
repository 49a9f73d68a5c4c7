package reap

import (
	"encoding/binary"
	"errors"

	"github.com/ourodb/ouro/internal/core/codec"
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
	return codec.Seal(dst, from)
}

// DecodeDurable reads what [AppendDurable] wrote; no bytes are the zero value.
func DecodeDurable(b []byte) (Durable, error) {
	if len(b) == 0 {
		return Durable{}, nil
	}
	b, ok := codec.Unseal(b)
	r := codec.Reader{B: b}
	if !ok || r.Byte() != durableVersion {
		return Durable{}, ErrDurable
	}
	d := Durable{r.Uvarint(), r.Uvarint()}
	if !r.Done() {
		return Durable{}, ErrDurable
	}
	return d, nil
}

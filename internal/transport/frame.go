package transport

import (
	"encoding/binary"
	"hash/crc32"
)

// HeaderSize is the number of bytes before the body of a frame.
const HeaderSize = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendFrame appends one frame with a copy of body. The body is not empty: an
// empty frame is a keep-alive.
func AppendFrame(dst, body []byte) []byte {
	dst, at := BeginFrame(dst)
	return EndFrame(append(dst, body...), at)
}

// BeginFrame makes room for the header of a frame whose body is appended next.
// The number goes to [EndFrame].
func BeginFrame(dst []byte) ([]byte, int) {
	at := len(dst)
	return append(dst, 0, 0, 0, 0, 0, 0, 0, 0), at
}

// EndFrame completes the frame begun at the given place: its body is what was
// appended since. A body over 4 GiB cannot be framed; senders bound it long
// before that.
func EndFrame(dst []byte, at int) []byte {
	body := dst[at+HeaderSize:]
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(body)))
	binary.LittleEndian.PutUint32(dst[at+4:], crc32.Checksum(body, castagnoli))
	return dst
}

// checkFrames counts the frames in b, which must be whole and within the limit.
func checkFrames(b []byte, limit int) (int, error) {
	n := 0
	for len(b) > 0 {
		if len(b) < HeaderSize {
			return 0, ErrFraming
		}
		size := int(binary.LittleEndian.Uint32(b))
		if size > limit {
			return 0, ErrTooLarge
		}
		if size > len(b)-HeaderSize {
			return 0, ErrFraming
		}
		b = b[HeaderSize+size:]
		n++
	}
	return n, nil
}

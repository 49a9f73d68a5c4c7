package transport

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// minRead is the least room that is worth a read: a chunk with less is left to
// the frames in it.
const minRead = 8 << 10

// frameReader cuts a stream into frames. It reads into chunks and gives the
// bodies away as slices of them: nothing is copied but the beginning of a frame
// that did not fit, and no byte given away is written again.
type frameReader struct {
	src    io.Reader
	limit  int      // bytes of a body
	chunk  []byte   // chunk[at:end] is read and not given away
	at     int      //
	end    int      //
	bodies [][]byte // those given away of this chunk
}

// next blocks for at least one frame and returns the bodies of all that came
// with it, and how many keep-alives. Bodies may come together with an error.
func (f *frameReader) next() (bodies [][]byte, keepAlives int, err error) {
	for {
		f.makeRoom()
		n, readErr := f.src.Read(f.chunk[f.end:])
		f.end += n
		bodies, keepAlives, err = f.cut()
		if err != nil || len(bodies)+keepAlives > 0 {
			return bodies, keepAlives, err
		}
		if readErr == io.EOF && f.at != f.end {
			return nil, 0, io.ErrUnexpectedEOF
		}
		if readErr != nil {
			return nil, 0, readErr
		}
	}
}

// cut takes the whole frames off what was read.
func (f *frameReader) cut() (bodies [][]byte, keepAlives int, err error) {
	first := len(f.bodies)
	for f.end-f.at >= HeaderSize {
		header := f.chunk[f.at:]
		size := int(binary.LittleEndian.Uint32(header))
		if size > f.limit {
			err = ErrTooLarge
			break
		}
		if f.end-f.at-HeaderSize < size {
			break
		}
		from := f.at + HeaderSize
		body := f.chunk[from : from+size : from+size]
		if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(header[4:]) {
			err = ErrChecksum
			break
		}
		f.at = from + size
		if size == 0 {
			keepAlives++
			continue
		}
		f.bodies = append(f.bodies, body)
	}
	return f.bodies[first:len(f.bodies):len(f.bodies)], keepAlives, err
}

// makeRoom takes a new chunk where the old one is used up, and moves the
// beginning of a frame there. A chunk grows with what came, not with what a
// header promises.
func (f *frameReader) makeRoom() {
	have := f.end - f.at
	need := HeaderSize // bytes of the frame that is under way, as far as known
	if have >= HeaderSize {
		need += int(binary.LittleEndian.Uint32(f.chunk[f.at:])) // cut has checked it
	}
	room := len(f.chunk) - f.end
	if room >= minRead || room > 0 && have > 0 && f.at+need <= len(f.chunk) {
		return
	}
	size := max(chunkSize, min(need, 4*have))
	chunk := make([]byte, size)
	f.end = copy(chunk, f.chunk[f.at:f.end])
	f.at = 0
	f.chunk = chunk
	f.bodies = make([][]byte, 0, max(8, len(f.bodies)))
}

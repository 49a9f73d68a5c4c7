package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"
)

// pieces is a reader that returns its bytes in pieces of the lengths given,
// again and again.
type pieces struct {
	b       []byte
	lengths []int
	i       int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := min(p.lengths[p.i%len(p.lengths)], len(b), len(p.b))
	p.i++
	copy(b, p.b[:n])
	p.b = p.b[n:]
	return n, nil
}

// readAll returns what a frameReader makes of a stream.
func readAll(r io.Reader, limit int) (bodies [][]byte, keepAlives int, err error) {
	f := frameReader{src: r, limit: limit}
	for {
		b, k, err := f.next()
		bodies = append(bodies, b...)
		keepAlives += k
		if err != nil {
			return bodies, keepAlives, err
		}
	}
}

func TestFramesSurviveAnyCutting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(chunkSize-100, chunkSize+100), rapid.IntRange(0, 5*chunkSize))
		sizes := rapid.SliceOfN(size, 1, 20).Draw(t, "sizes")
		lengths := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(1, 20), rapid.IntRange(1, 2*chunkSize)), 1, 10).Draw(t, "pieces")
		lengths = append(lengths, 1000) // so that it ends
		var stream []byte
		var want [][]byte
		empty := 0
		for i, n := range sizes {
			body := bytes.Repeat([]byte{byte(i + 1)}, n)
			stream = AppendFrame(stream, body)
			if n == 0 {
				empty++
			} else {
				want = append(want, body)
			}
		}
		got, keepAlives, err := readAll(&pieces{b: stream, lengths: lengths}, 5*chunkSize)
		if err != io.EOF || keepAlives != empty || len(got) != len(want) {
			t.Fatalf("%d bodies and %d keep-alives of %d and %d, %v", len(got), keepAlives, len(want), empty, err)
		}
		for i := range got { // all of them stayed as they were while later ones came
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("body %d of %d bytes differs", i, len(want[i]))
			}
		}
	})
}

func TestCutStreamIsAnError(t *testing.T) {
	f := frame("body")
	for n := 1; n < len(f); n++ {
		if _, _, err := readAll(bytes.NewReader(f[:n]), 100); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d of %d bytes: %v", n, len(f), err)
		}
	}
}

// A header that promises much makes the reader allocate for what comes only.
func TestPromisedLengthIsNotAllocated(t *testing.T) {
	for _, sent := range []int{0, 100, chunkSize, 10 * chunkSize} {
		stream := binary.LittleEndian.AppendUint32(nil, 1<<30)
		stream = append(stream, make([]byte, 4+sent)...)
		f := frameReader{src: bytes.NewReader(stream), limit: 1 << 30}
		if _, _, err := f.next(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		if most := max(chunkSize, 4*len(stream)); len(f.chunk) > most {
			t.Errorf("%d bytes held after %d came", len(f.chunk), len(stream))
		}
	}
}

func TestBodiesDoNotShareCapacity(t *testing.T) {
	f := frameReader{src: bytes.NewReader(append(frame("one"), frame("two")...)), limit: 100}
	bodies, _, err := f.next()
	if err != nil || len(bodies) != 2 {
		t.Fatal(bodies, err)
	}
	_ = append(bodies[0], "overwritten?"...)
	if string(bodies[1]) != "two" {
		t.Errorf("appending to one body wrote into the next: %q", bodies[1])
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(append(frame("a"), keepAlive...), 1)
	f.Add([]byte("\xff\xff\xff\xff\x00\x00\x00\x00"), 3)
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		const limit = 1 << 20
		bodies, keepAlives, err := readAll(&pieces{b: stream, lengths: []int{max(1, piece&0xfff)}}, limit)
		var again []byte
		for _, b := range bodies {
			if len(b) == 0 || len(b) > limit {
				t.Fatalf("a body of %d bytes", len(b))
			}
			again = AppendFrame(again, b)
		}
		if keepAlives == 0 && !bytes.HasPrefix(stream, again) {
			t.Fatal("the bodies are not those of the stream")
		}
		if err == io.EOF {
			if n, err := checkFrames(stream, limit); err != nil || n != len(bodies)+keepAlives {
				t.Fatalf("read %d and %d, checked %d, %v", len(bodies), keepAlives, n, err)
			}
		}
	})
}

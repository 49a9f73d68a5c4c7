package archive

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/merkle"
)

// A file is, version 1:
//
//	8 bytes  "ouroarc1"
//	of each record, in the order of positions, bucket after bucket
//	  uvarint length and bytes of the bucket, of the key, of the record
//	1 byte   0, the end
//	uvarint  number of records
//	16 bytes their root, big-endian
//	4 bytes  CRC-32C of all before, big-endian
const magic = "ouroarc1"

// maxRecord bounds a record that is read, in bytes.
const maxRecord = 1 << 30

// ErrDamaged is what every error wraps that says that a file is not what was written, or
// no file of an archive.
var ErrDamaged = errors.New("archive: damaged")

// Sum is what a file comes to.
type Sum struct {
	Records int64  `json:"records"`
	Bytes   int64  `json:"bytes"` // of keys and records
	Root    string `json:"root"`
}

// writer writes a file.
type writer struct {
	w       *bufio.Writer
	crc     uint32
	records int64
	bytes   int64
	root    merkle.Sum
	buf     []byte
}

func table() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func newWriter(w io.Writer) (*writer, error) {
	out := &writer{w: bufio.NewWriterSize(w, 1<<16)}
	return out, out.put([]byte(magic))
}

func (w *writer) put(b []byte) error {
	w.crc = crc32.Update(w.crc, table(), b)
	_, err := w.w.Write(b)
	return err
}

func (w *writer) add(key ouro.Key, record []byte) error {
	b := w.buf[:0]
	for _, part := range [...]string{key.Bucket, key.Name, string(record)} {
		b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
	}
	w.buf = b
	w.records++
	w.bytes += int64(len(key.Bucket) + len(key.Name) + len(record))
	w.root = merkle.Add(w.root, leaf(key, record))
	return w.put(b)
}

// leaf is what a record adds to the root.
func leaf(key ouro.Key, record []byte) merkle.Sum {
	return merkle.Member(0, key.Bucket+"/"+key.Name, causal.Digest(record, 0))
}

func (w *writer) close() (Sum, error) {
	b := binary.AppendUvarint([]byte{0}, uint64(w.records))
	b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, w.root.Hi), w.root.Lo)
	if err := w.put(b); err != nil {
		return Sum{}, err
	}
	if _, err := w.w.Write(binary.BigEndian.AppendUint32(nil, w.crc)); err != nil {
		return Sum{}, err
	}
	return sumOf(w.records, w.bytes, w.root), w.w.Flush()
}

func sumOf(records, bytes int64, root merkle.Sum) Sum {
	return Sum{Records: records, Bytes: bytes, Root: fmt.Sprintf("%016x%016x", root.Hi, root.Lo)}
}

// scanner reads a file, and keeps the checksum of what it has read.
type scanner struct {
	r   *bufio.Reader
	crc uint32
}

// ReadByte is for binary.ReadUvarint.
func (s *scanner) ReadByte() (byte, error) {
	b, err := s.r.ReadByte()
	if err == nil {
		s.crc = crc32.Update(s.crc, table(), []byte{b})
	}
	return b, err
}

func (s *scanner) take(n uint64) ([]byte, error) {
	if n > maxRecord {
		return nil, fmt.Errorf("%w: a part of %d bytes", ErrDamaged, n)
	}
	var b []byte // grows with what is there, not with what a length says
	for uint64(len(b)) < n {
		chunk := make([]byte, min(n-uint64(len(b)), 1<<16))
		if _, err := io.ReadFull(s.r, chunk); err != nil {
			return nil, err
		}
		b = append(b, chunk...)
	}
	s.crc = crc32.Update(s.crc, table(), b)
	return b, nil
}

// Read reads a file and calls fn with each record whose every version is what it was,
// in order; what it returns ends the reading. The sum counts only where there is no
// error: a file is wrong as a whole or right as a whole, so read it once with a fn that
// does nothing.
func Read(r io.Reader, fn func(key ouro.Key, record []byte) error) (Sum, error) {
	s := &scanner{r: bufio.NewReaderSize(r, 1<<16)}
	head, err := s.take(uint64(len(magic)))
	if err != nil || string(head) != magic {
		return Sum{}, fmt.Errorf("%w: this is no file of an archive, or of another version", ErrDamaged)
	}
	sum, err := s.records(fn)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: the file is cut off", ErrDamaged)
	}
	return sum, err
}

func (s *scanner) records(fn func(key ouro.Key, record []byte) error) (Sum, error) {
	var n, size int64
	var root merkle.Sum
	for {
		key, record, err := s.next()
		if err != nil {
			return Sum{}, err
		}
		if key.Bucket == "" {
			break
		}
		if err := intact(record); err != nil {
			return Sum{}, fmt.Errorf("%w: record %d, of %v: %w", ErrDamaged, n, key, err)
		}
		n++
		size += int64(len(key.Bucket) + len(key.Name) + len(record))
		root = merkle.Add(root, leaf(key, record))
		if err := fn(key, record); err != nil {
			return Sum{}, err
		}
	}
	return s.end(n, size, root)
}

// next reads one record; a key without a bucket is the end.
func (s *scanner) next() (key ouro.Key, record []byte, err error) {
	var parts [3][]byte
	for i := range parts {
		n, err := binary.ReadUvarint(s)
		if err != nil || i == 0 && n == 0 {
			return ouro.Key{}, nil, err
		}
		if parts[i], err = s.take(n); err != nil {
			return ouro.Key{}, nil, err
		}
	}
	key = ouro.Key{Bucket: string(parts[0]), Name: string(parts[1])}
	if err := key.Validate(); err != nil {
		return ouro.Key{}, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return key, parts[2], nil
}

// intact checks that every version of a record has the value it was summed up for.
func intact(record []byte) error {
	state, err := causal.DecodeState(record)
	if err != nil {
		return err
	}
	for i := range state.Versions {
		if v := &state.Versions[i]; v.Sum != causal.SumValue(0, v.ContentType, v.Value) {
			return fmt.Errorf("the value of version %v is not what was archived", v.Dot)
		}
	}
	return nil
}

// end compares what was read with what the end of the file says.
func (s *scanner) end(records, bytes int64, root merkle.Sum) (Sum, error) {
	n, err := binary.ReadUvarint(s)
	if err != nil {
		return Sum{}, err
	}
	b, err := s.take(16)
	if err != nil {
		return Sum{}, err
	}
	crc := s.crc
	tail, err := s.take(4)
	if err != nil {
		return Sum{}, err
	}
	said := merkle.Sum{Hi: binary.BigEndian.Uint64(b), Lo: binary.BigEndian.Uint64(b[8:])}
	switch {
	case binary.BigEndian.Uint32(tail) != crc:
		return Sum{}, fmt.Errorf("%w: the checksum does not match", ErrDamaged)
	case int64(n) != records || said != root:
		return Sum{}, fmt.Errorf("%w: it has %d records and the root %x, and says that it has %d and %x", ErrDamaged, records, root, n, said)
	}
	if _, err := s.r.ReadByte(); !errors.Is(err, io.EOF) {
		return Sum{}, fmt.Errorf("%w: there is more behind its end", ErrDamaged)
	}
	return sumOf(records, bytes, root), nil
}

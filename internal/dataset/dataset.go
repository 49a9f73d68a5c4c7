// Package dataset moves files of records into a store and out of it: newline
// delimited JSON, CSV, and the deb822 stanzas of Debian's package indexes.
//
// An import can be repeated: a record that is stored already with the same
// bytes is left alone, another replaces exactly what was read, so importing a
// file twice makes no siblings. It can be interrupted: see [Progress].
package dataset

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ourodb/ouro"
)

// MaxRecord bounds one record of a file, in bytes. Nodes bound values tighter;
// this bound keeps a file that is no records at all out of memory.
const MaxRecord = 16 << 20

// Record is one record of a file.
type Record struct {
	N      int64 // its number in the file, from 1
	End    int64 // offset of the first byte after it
	Key    string
	Values []ouro.Value // one; several where an export found siblings
	Err    error        // the record can't be imported; reading goes on
}

// Reader reads records one after the other.
type Reader interface {
	// Next returns the next record, or io.EOF after the last. Any other error
	// means that nothing more can be read; a record that is merely bad carries
	// its own Err.
	Next() (Record, error)
}

// Formats are the names of the formats that [Open] knows.
var formats = []string{"ndjson", "csv", "deb822"}

// Formats returns the names of the formats that [Open] knows.
func Formats() []string { return append([]string(nil), formats...) }

// Source says how a file is to be read.
type Source struct {
	Format string   // one of [Formats]
	Key    []string // fields whose values, joined by '/', make the key; nil: the format's own
	Skip   Position // where to go on; the zero value is the beginning
}

// Position is a place between two records of a file.
type Position struct {
	Offset  int64 `json:"offset"`
	Records int64 `json:"records"` // how many records lie before it
}

// Open returns a reader of r, which stands at the beginning of the file. A
// source with a position to skip to needs an r that can seek.
func Open(r io.Reader, src Source) (Reader, error) {
	var open func(io.Reader, Source) (Reader, error)
	switch src.Format {
	case "ndjson":
		open = openNDJSON
	case "csv":
		open = openCSV
	case "deb822":
		open = openDeb822
	default:
		return nil, fmt.Errorf("the format %q is not known: it is one of %s", src.Format, strings.Join(formats, ", "))
	}
	return open(r, src)
}

// skipTo moves r to pos.
func skipTo(r io.Reader, pos Position) error {
	if pos.Offset == 0 {
		return nil
	}
	s, ok := r.(io.Seeker)
	if !ok {
		return errors.New("the input can't be positioned: import it from the beginning")
	}
	_, err := s.Seek(pos.Offset, io.SeekStart)
	return err
}

// lines reads lines and knows where it is.
type lines struct {
	r   *bufio.Reader
	pos Position
}

func newLines(r io.Reader, pos Position) *lines {
	return &lines{r: bufio.NewReaderSize(r, 1<<20), pos: pos}
}

// next returns the next line with its line end, valid for ever, and io.EOF
// after the last. A last line without line end is a line.
func (l *lines) next() ([]byte, error) {
	var line []byte
	for {
		part, err := l.r.ReadSlice('\n')
		line = append(line, part...)
		l.pos.Offset += int64(len(part))
		switch {
		case len(line) > MaxRecord:
			return nil, fmt.Errorf("record %d is longer than %d bytes: is the file in this format?", l.pos.Records+1, MaxRecord)
		case err == nil, err == io.EOF && len(line) > 0:
			return line, nil
		case err != bufio.ErrBufferFull:
			return nil, err
		}
	}
}

// joinKey makes the key of a record from the values of its key fields.
func joinKey(parts []string) string { return strings.Join(parts, "/") }

// missing is the error of a record without a key field.
func missing(n int64, field string) error {
	return fmt.Errorf("record %d has no field %q to take the key from", n, field)
}

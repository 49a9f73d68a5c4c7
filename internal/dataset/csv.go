package dataset

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/ourodb/ouro"
)

// csvFile reads rows under a header. The value of a row is a JSON object with
// the columns in the header's order.
type csvFile struct {
	r      *csv.Reader
	pos    Position
	base   int64 // offset in the file at which r began
	header []string
	key    []int // columns of the key
}

func openCSV(r io.Reader, src Source) (Reader, error) {
	d := &csvFile{r: newCSV(r), pos: src.Skip}
	header, err := d.r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("there is nothing in it: a CSV begins with a header row")
	}
	if err != nil {
		return nil, fmt.Errorf("the header row can't be read: %w", err)
	}
	d.header = header
	if len(header) > 0 { // a byte order mark is no part of the first name
		d.header[0] = string(bytes.TrimPrefix([]byte(header[0]), []byte("\xef\xbb\xbf")))
	}
	if d.key, err = columns(d.header, src.Key); err != nil {
		return nil, err
	}
	if src.Skip.Offset > 0 {
		if err := skipTo(r, src.Skip); err != nil {
			return nil, err
		}
		d.r, d.base = newCSV(r), src.Skip.Offset
	}
	return d, nil
}

func newCSV(r io.Reader) *csv.Reader {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1 // counted here, so that one short row does not end the import
	return c
}

// columns returns the numbers of the named columns, the first where none is.
func columns(header, names []string) ([]int, error) {
	if len(names) == 0 {
		return []int{0}, nil
	}
	var found []int
	for _, name := range names {
		i := 0
		for i < len(header) && header[i] != name {
			i++
		}
		if i == len(header) {
			return nil, fmt.Errorf("the header has no column %q: it has %q", name, header)
		}
		found = append(found, i)
	}
	return found, nil
}

func (d *csvFile) Next() (Record, error) {
	row, err := d.r.Read()
	if errors.Is(err, io.EOF) {
		return Record{}, io.EOF
	}
	d.pos.Records++
	d.pos.Offset = d.base + d.r.InputOffset()
	rec := Record{N: d.pos.Records, End: d.pos.Offset}
	var bad *csv.ParseError
	switch {
	case errors.As(err, &bad):
		rec.Err = fmt.Errorf("record %d: %w", rec.N, bad.Err)
	case err != nil:
		return Record{}, err
	case len(row) != len(d.header):
		rec.Err = fmt.Errorf("record %d has another number of fields (%d) than the header (%d)", rec.N, len(row), len(d.header))
	default:
		rec.Err = rec.fromRow(d.header, row, d.key)
	}
	return rec, nil
}

func (r *Record) fromRow(header, row []string, key []int) error {
	parts := make([]string, len(key))
	for i, c := range key {
		parts[i] = row[c]
	}
	r.Key = joinKey(parts)
	buf := bytes.NewBufferString("{")
	for i, name := range header {
		if i > 0 {
			buf.WriteByte(',')
		}
		for j, text := range []string{name, row[i]} {
			b, err := json.Marshal(text)
			if err != nil {
				return fmt.Errorf("record %d: %w", r.N, err)
			}
			if j == 1 {
				buf.WriteByte(':')
			}
			buf.Write(b)
		}
	}
	buf.WriteByte('}')
	r.Values = []ouro.Value{{Data: buf.Bytes(), ContentType: "application/json"}}
	return nil
}

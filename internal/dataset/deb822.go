package dataset

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/ourodb/ouro"
)

// deb822 reads stanzas separated by blank lines, as in Debian's package
// indexes. The bytes of the stanza, its last line end included and the blank
// line not, are the value.
type deb822 struct {
	lines *lines
	key   []string
}

func openDeb822(r io.Reader, src Source) (Reader, error) {
	if err := skipTo(r, src.Skip); err != nil {
		return nil, err
	}
	key := src.Key
	if len(key) == 0 {
		key = []string{"Package"}
	}
	return &deb822{newLines(r, src.Skip), key}, nil
}

func (d *deb822) Next() (Record, error) {
	var stanza []byte
	found := make([]string, len(d.key))
	for {
		line, err := d.lines.next()
		if err != nil && (err != io.EOF || len(stanza) == 0) {
			return Record{}, err
		}
		if err == io.EOF || len(bytes.TrimSpace(line)) == 0 {
			if len(stanza) == 0 {
				continue
			}
			break
		}
		stanza = append(stanza, line...)
		if len(stanza) > MaxRecord {
			return Record{}, fmt.Errorf("record %d is longer than %d bytes: is the file in this format?", d.lines.pos.Records+1, MaxRecord)
		}
		d.note(line, found)
	}
	d.lines.pos.Records++
	rec := Record{
		N: d.lines.pos.Records, End: d.lines.pos.Offset, Key: joinKey(found),
		Values: []ouro.Value{{Data: stanza, ContentType: "text/plain; charset=utf-8"}},
	}
	for i, value := range found {
		if value == "" {
			rec.Err = missing(rec.N, d.key[i])
		}
	}
	return rec, nil
}

// note keeps the value of the line's field if the key is made of it. Lines that
// begin with a space go on with the field before.
func (d *deb822) note(line []byte, found []string) {
	name, value, ok := strings.Cut(string(line), ":")
	if !ok || line[0] == ' ' || line[0] == '\t' {
		return
	}
	for i, key := range d.key {
		if strings.EqualFold(name, key) {
			found[i] = strings.TrimSpace(value)
		}
	}
}

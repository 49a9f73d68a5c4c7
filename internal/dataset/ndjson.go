package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/ourodb/ouro"
)

// ndjson reads one JSON object a line. With key fields the line itself, without
// its line end, is the value; without, a line is one that [Export] wrote.
type ndjson struct {
	lines *lines
	key   []string
}

func openNDJSON(r io.Reader, src Source) (Reader, error) {
	if err := skipTo(r, src.Skip); err != nil {
		return nil, err
	}
	return &ndjson{newLines(r, src.Skip), src.Key}, nil
}

func (d *ndjson) Next() (Record, error) {
	for {
		line, err := d.lines.next()
		if err != nil {
			return Record{}, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		d.lines.pos.Records++
		rec := Record{N: d.lines.pos.Records, End: d.lines.pos.Offset}
		if len(d.key) == 0 {
			rec.Err = rec.fromExport(line)
		} else {
			rec.Err = rec.fromJSON(line, d.key)
		}
		return rec, nil
	}
}

func (r *Record) fromJSON(line []byte, key []string) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		return fmt.Errorf("record %d is not a JSON object: %s", r.N, unreadable(err))
	}
	parts := make([]string, len(key))
	for i, name := range key {
		raw, ok := fields[name]
		if !ok {
			return missing(r.N, name)
		}
		part, err := keyText(raw)
		if err != nil {
			return fmt.Errorf("record %d: the key field %q %v", r.N, name, err)
		}
		parts[i] = part
	}
	r.Key = joinKey(parts)
	r.Values = []ouro.Value{{Data: line, ContentType: "application/json"}}
	return nil
}

// unreadable says why JSON can't be read, without names of Go's.
func unreadable(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &kind):
		return err.Error()
	case kind.Field == "":
		return "it is of type " + kind.Value
	default:
		return kind.Field + " is of type " + kind.Value
	}
}

// keyText returns the text of a JSON string or number.
func keyText(raw json.RawMessage) (string, error) {
	var s string
	if json.Unmarshal(raw, &s) == nil && raw[0] == '"' {
		return s, nil
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil && n != "" {
		return n.String(), nil
	}
	return "", fmt.Errorf("is %.40s: a key is made of a string or a number", raw)
}

// line is one line of an export. Value and Key are there as text where they are
// valid UTF-8, else in base64 under the other name.
type line struct {
	Bucket    string `json:"bucket"`
	Key       string `json:"key,omitempty"`
	KeyBase64 []byte `json:"key_base64,omitempty"`
	version
	Siblings []version `json:"siblings,omitempty"`
}

type version struct {
	ContentType string    `json:"content_type,omitempty"`
	Modified    time.Time `json:"modified,omitzero"`
	Value       *string   `json:"value,omitempty"`
	ValueBase64 *[]byte   `json:"value_base64,omitempty"`
}

func newVersion(s ouro.Sibling) version {
	v := version{ContentType: s.ContentType, Modified: s.Modified}
	if utf8.Valid(s.Data) {
		text := string(s.Data)
		v.Value = &text
	} else {
		v.ValueBase64 = &s.Data
	}
	return v
}

func (v *version) value() (ouro.Value, bool) {
	switch {
	case v.Value != nil:
		return ouro.Value{Data: []byte(*v.Value), ContentType: v.ContentType}, true
	case v.ValueBase64 != nil:
		return ouro.Value{Data: *v.ValueBase64, ContentType: v.ContentType}, true
	default:
		return ouro.Value{}, false
	}
}

// appendLine appends the export line of a key.
func appendLine(dst []byte, key ouro.Key, siblings []ouro.Sibling) ([]byte, error) {
	l := line{Bucket: key.Bucket}
	if utf8.ValidString(key.Name) {
		l.Key = key.Name
	} else {
		l.KeyBase64 = []byte(key.Name)
	}
	if len(siblings) == 1 {
		l.version = newVersion(siblings[0])
	} else {
		for _, s := range siblings {
			l.Siblings = append(l.Siblings, newVersion(s))
		}
	}
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(l)
	return buf.Bytes(), err
}

func (r *Record) fromExport(b []byte) error {
	var l line
	if err := json.Unmarshal(b, &l); err != nil {
		return fmt.Errorf("record %d is not a line of 'ouro export': %s; name the key field with --key to import other JSON", r.N, unreadable(err))
	}
	if r.Key = l.Key; l.KeyBase64 != nil {
		r.Key = string(l.KeyBase64)
	}
	versions := append(l.Siblings, l.version)
	for i := range versions {
		if v, ok := versions[i].value(); ok {
			r.Values = append(r.Values, v)
		}
	}
	if r.Key == "" || len(r.Values) == 0 {
		return fmt.Errorf("record %d is not a line of 'ouro export': it lacks a key or a value; name the key field with --key to import other JSON", r.N)
	}
	return nil
}

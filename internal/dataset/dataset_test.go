package dataset

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const debian = `Package: 0ad
Version: 0.0.26
Description: Real-time strategy game
 Package: not-a-field
 .

Package: bash
Version: 5.2


Version: 1.0
Description: no name

Package: zsh
Version: 5.9`

func readAll(t *testing.T, r Reader) []Record {
	t.Helper()
	var recs []Record
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return recs
		}
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, rec)
	}
}

func mustOpen(t *testing.T, text string, src Source) Reader {
	t.Helper()
	r, err := Open(strings.NewReader(text), src)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// show tells records as key=value, or key!part of the error.
func show(recs []Record) string {
	var b strings.Builder
	for _, r := range recs {
		if r.Err != nil {
			b.WriteString("!" + r.Err.Error() + "\n")
			continue
		}
		b.WriteString(r.Key)
		for _, v := range r.Values {
			b.WriteString("=" + string(v.Data))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestReaders(t *testing.T) {
	for _, c := range []struct {
		name, in string
		src      Source
		want     string
	}{
		{"deb822", debian, Source{Format: "deb822"}, "0ad=Package: 0ad\nVersion: 0.0.26\nDescription: Real-time strategy game\n Package: not-a-field\n .\n\n" +
			"bash=Package: bash\nVersion: 5.2\n\n!record 3 has no field \"Package\" to take the key from\nzsh=Package: zsh\nVersion: 5.9\n"},
		{"deb822 of two fields", "Package: a\nVersion: 1\n\n", Source{Format: "deb822", Key: []string{"Package", "Version"}}, "a/1=Package: a\nVersion: 1\n\n"},
		{"empty deb822", "\n\n", Source{Format: "deb822"}, ""},
		{
			"ndjson", "{\"id\":\"a\",\"x\":1}\n\n{\"id\": 7}\r\n{\"x\":1}\n[1]\n{\"id\":true}\n",
			Source{Format: "ndjson", Key: []string{"id"}},
			"a={\"id\":\"a\",\"x\":1}\n7={\"id\": 7}\n!record 3 has no field \"id\" to take the key from\n" +
				"!record 4 is not a JSON object: it is of type array\n" +
				"!record 5: the key field \"id\" is true: a key is made of a string or a number\n",
		},
		{
			"export", `{"bucket":"b","key":"k","value":"v","content_type":"text/plain"}` + "\n" + `{"bucket":"b","key_base64":"/w==","siblings":[{"value":""},{"value_base64":"/v8="}]}` + "\n{}\n7\n{\"key\":7}\n",
			Source{Format: "ndjson"},
			"k=v\n\xff==\xfe\xff\n!record 3 is not a line of 'ouro export': it lacks a key or a value; name the key field with --key to import other JSON\n" +
				"!record 4 is not a line of 'ouro export': it is of type number; name the key field with --key to import other JSON\n" +
				"!record 5 is not a line of 'ouro export': key is of type number; name the key field with --key to import other JSON\n",
		},
		{"csv", "\xef\xbb\xbfid,name\n1,\"a\nb\"\n2\n3,\"c\"\"d\"\n", Source{Format: "csv"}, "1={\"id\":\"1\",\"name\":\"a\\nb\"}\n!record 2 has another number of fields (1) than the header (2)\n3={\"id\":\"3\",\"name\":\"c\\\"d\"}\n"},
		{"csv by two columns", "id,name\n1,a\n", Source{Format: "csv", Key: []string{"name", "id"}}, "a/1={\"id\":\"1\",\"name\":\"a\"}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := show(readAll(t, mustOpen(t, c.in, c.src))); got != c.want {
				t.Errorf("read\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// A reader opened at the end of any record goes on with the next one.
func TestSkip(t *testing.T) {
	for _, c := range []struct {
		in  string
		src Source
	}{
		{debian, Source{Format: "deb822"}},
		{"id,name\n1,\"a\nb\"\n2\n3,c\n", Source{Format: "csv"}},
		{"{\"id\":\"a\"}\n\n{\"id\":\"b\"}\nx\n{\"id\":\"c\"}", Source{Format: "ndjson", Key: []string{"id"}}},
	} {
		all := readAll(t, mustOpen(t, c.in, c.src))
		for i, rec := range all {
			src := c.src
			src.Skip = Position{Offset: rec.End, Records: rec.N}
			rest := readAll(t, mustOpen(t, c.in, src))
			if got, want := show(rest), show(all[i+1:]); got != want {
				t.Errorf("%s after record %d:\n%s\nwant\n%s", c.src.Format, rec.N, got, want)
			}
			if len(rest) > 0 && rest[len(rest)-1].End != all[len(all)-1].End {
				t.Errorf("%s after record %d: the end is %d, want %d", c.src.Format, rec.N, rest[len(rest)-1].End, all[len(all)-1].End)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		src      Source
		in, says string
	}{
		{Source{Format: "xml"}, "", "ndjson, csv, deb822"},
		{Source{Format: "csv", Key: []string{"sku"}}, "id,name\n", `no column "sku"`},
		{Source{Format: "csv"}, "", "header"},
	} {
		if _, err := Open(strings.NewReader(c.in), c.src); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want an error that says %q", c.src, err, c.says)
		}
	}
	_, err := Open(io.MultiReader(), Source{Format: "deb822", Skip: Position{Offset: 5}})
	if err == nil || !strings.Contains(err.Error(), "from the beginning") {
		t.Errorf("skipping in a pipe: %v", err)
	}
}

func TestTooLongRecord(t *testing.T) {
	r := mustOpen(t, strings.Repeat("x", MaxRecord+1), Source{Format: "ndjson", Key: []string{"id"}})
	if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "record 1 is longer") {
		t.Errorf("a line of %d bytes: %v", MaxRecord+1, err)
	}
}

func TestProgressIsOnlyForTheSameFile(t *testing.T) {
	dir := t.TempDir()
	data, state := filepath.Join(dir, "data"), filepath.Join(dir, "sub", "state")
	if err := os.WriteFile(data, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	job, err := NewJob(data, "b", Source{Format: "ndjson"}, "127.0.0.1:7070")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Resume(state, job)
	if err != nil || p.Position != (Position{}) {
		t.Fatalf("the first time: %+v %v", p, err)
	}
	if err := p.Save(Position{Offset: 4, Records: 2}); err != nil {
		t.Fatal(err)
	}
	if p, err = Resume(state, job); err != nil || p.Position.Offset != 4 || p.Position.Records != 2 {
		t.Errorf("the second time: %+v %v", p, err)
	}
	for _, change := range []func(*Job){
		func(j *Job) { j.Size++ }, func(j *Job) { j.Bucket = "c" }, func(j *Job) { j.Format = "csv" },
		func(j *Job) { j.Modified = j.Modified.Add(1) }, func(j *Job) { j.Target = "x" }, func(j *Job) { j.File = "y" },
	} {
		other := job
		change(&other)
		if q, err := Resume(state, other); err != nil || q.Position != (Position{}) {
			t.Errorf("another job went on at %+v: %v", q.Position, err)
		}
	}
	if err := p.Finish(); err != nil {
		t.Fatal(err)
	}
	if q, err := Resume(state, job); err != nil || q.Position != (Position{}) {
		t.Errorf("after the end: %+v %v", q, err)
	}
	for _, foreign := range []string{"no json", "", `{"name":"left-pad","version":"1.3.0"}`} {
		if err := os.WriteFile(state, []byte(foreign), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Resume(state, job); err == nil || !strings.Contains(err.Error(), "--state") {
			t.Errorf("a foreign state file, %q: %v", foreign, err)
		}
	}
}

func FuzzReaders(f *testing.F) {
	f.Add([]byte(debian))
	f.Add([]byte("id,name\n1,\"a\nb\"\n2\n"))
	f.Add([]byte(`{"bucket":"b","key":"k","siblings":[{"value":"x"},{"value_base64":"AA=="}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, format := range Formats() {
			r, err := Open(bytes.NewReader(b), Source{Format: format})
			for err == nil {
				var rec Record
				if rec, err = r.Next(); err == nil && rec.Err == nil && len(rec.Values) == 0 {
					t.Errorf("%s: a record without value: %+v", format, rec)
				}
			}
		}
	})
}

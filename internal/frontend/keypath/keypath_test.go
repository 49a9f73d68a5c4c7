package keypath

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ourodb/ouro"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("k", ouro.MaxKeyLen)
	for _, c := range []struct{ raw, bucket, name string }{
		{"b/k", "b", "k"},
		{"b/a/b", "b", "a/b"},
		{"b//", "b", "/"},
		{"b/../../etc/passwd", "b", "../../etc/passwd"},
		{"b/.", "b", "."},
		{"b/%2e%2E", "b", ".."},
		{"b/a%2Fb", "b", "a/b"},
		{"b/%00", "b", "\x00"},
		{"b/%2500", "b", "%00"}, // once, not twice
		{"b/a+b", "b", "a+b"},
		{"b/%FF%fe", "b", "\xff\xfe"},
		{"%62/k", "b", "k"},
		{"b/" + long, "b", long},
	} {
		key, err := Parse(c.raw)
		if err != nil || key.Bucket != c.bucket || key.Name != c.name {
			t.Errorf("Parse(%.40q) = %q, %v", c.raw, key, err)
		}
	}
	for _, raw := range []string{
		"", "b", "b/", "/k", "b%2Fc/k", "b c/k", "b/%", "b/%4", "b/%zz", "%zz/k", "b/" + long + "k", strings.Repeat("b", 65) + "/k",
	} {
		if key, err := Parse(raw); ouro.CodeOf(err) != ouro.BadRequest {
			t.Errorf("Parse(%.40q) = %q, %v: want bad_request", raw, key, err)
		}
	}
}

func TestRawKeepsTheRequestLine(t *testing.T) {
	for _, path := range []string{"/kv/b//a", "//kv/b/a", "/kv/b/../a", "/kv/b/%2e%2E/%00", "/kv/b/a%2Fb", "/kv/b/a#b"} {
		req, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + path + "?r=1 HTTP/1.1\r\nHost: h\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		if got := Raw(req); got != path {
			t.Errorf("Raw = %q, want %q", got, path)
		}
	}
	if got := Raw(httptest.NewRequest("GET", "http://host/kv/b/a%2Fb?r=1", nil)); got != "/kv/b/a%2Fb" {
		t.Errorf("absolute form: %q", got)
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add("bucket", "key")
	f.Add("b", "../\x00//%2F\xff")
	f.Fuzz(func(t *testing.T, bucket, name string) {
		key := ouro.Key{Bucket: bucket, Name: name}
		if key.Validate() != nil {
			t.Skip()
		}
		got, err := Parse(string(Append(nil, key)))
		if err != nil || got != key {
			t.Fatalf("%q came back as %q, %v", key, got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("b/%2F")
	f.Fuzz(func(t *testing.T, raw string) {
		key, err := Parse(raw)
		if err == nil && key.Validate() != nil {
			t.Fatalf("Parse(%q) let %q through", raw, key)
		}
	})
}

package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/frontend/openapi"
)

const path = "/kv/{bucket}/{key}"

// document is what openapi.yaml says of the only path.
type document struct{ *openapi.Document }

func readDocument(t *testing.T) document {
	t.Helper()
	d, err := openapi.Read("../../../docs/reference/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return document{d}
}

func (d document) operation(t *testing.T, method string) openapi.Operation {
	t.Helper()
	op, err := d.Operation(path, method)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// general are headers that say nothing of this protocol.
var general = []string{"Content-Type", "Content-Length", "Cache-Control", "X-Content-Type-Options", "Connection"}

// covered remembers what answers have been seen.
type covered struct {
	statuses map[string]bool // "GET 200"
	headers  map[string]bool
	codes    map[string]bool
}

// hold checks one answer against the document.
func (d document) hold(t *testing.T, req *http.Request, rec *httptest.ResponseRecorder, seen *covered) {
	t.Helper()
	method := req.Method
	if rec.Code == http.StatusMethodNotAllowed {
		method = http.MethodGet
	}
	op := d.operation(t, method)
	status := strconv.Itoa(rec.Code)
	r, ok := op.Responses[status]
	if !ok {
		t.Fatalf("openapi.yaml does not know that %s answers %s", method, status)
	}
	seen.statuses[method+" "+status] = true
	for name := range rec.Header() {
		if slices.Contains(general, name) {
			continue
		}
		seen.headers[name] = true
		if _, ok := r.Headers[name]; !ok {
			t.Errorf("openapi.yaml does not know that %s %s has the header %s", method, status, name)
		}
		if _, ok := d.Components.Headers[name]; !ok {
			t.Errorf("openapi.yaml does not describe the header %s", name)
		}
	}
	d.holdBody(t, r, rec, seen)
}

func (d document) holdBody(t *testing.T, r openapi.Response, rec *httptest.ResponseRecorder, seen *covered) {
	t.Helper()
	if rec.Body.Len() == 0 {
		return
	}
	typ, _, _ := strings.Cut(rec.Header().Get("Content-Type"), ";")
	if r.Content[typ] == nil && r.Content["*/*"] == nil {
		t.Errorf("openapi.yaml does not know that %d comes as %s", rec.Code, typ)
	}
	if typ != "application/json" {
		return
	}
	var body map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
		t.Fatalf("%v: %s", err, rec.Body)
	}
	name := "Versions"
	if rec.Code >= 400 {
		name = "Error"
		seen.codes[fmt.Sprint(body["code"])] = true
	}
	d.holdObject(t, name, body)
	siblings, _ := body["siblings"].([]any)
	for _, s := range siblings {
		d.holdObject(t, "Sibling", s.(map[string]any))
	}
}

func (d document) holdObject(t *testing.T, name string, body map[string]any) {
	t.Helper()
	s := d.Components.Schemas[name]
	for _, field := range s.Required {
		if _, ok := body[field]; !ok {
			t.Errorf("%s has no %s: %v", name, field, body)
		}
	}
	for field := range body {
		if _, ok := s.Properties[field]; !ok {
			t.Errorf("openapi.yaml does not know the field %s of %s", field, name)
		}
	}
}

// TestOpenAPI holds the handler to its document, both ways: what any case of the
// table answers is documented, and what is documented some case answers.
func TestOpenAPI(t *testing.T) {
	d := readDocument(t)
	seen := &covered{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			req, rec := c.send()
			if rec.Code != c.status {
				t.Fatalf("status %d, want %d: %s", rec.Code, c.status, rec.Body)
			}
			if c.code != "" && !strings.Contains(rec.Body.String(), `"code":"`+string(c.code)+`"`) {
				t.Errorf("want code %s: %s", c.code, rec.Body)
			}
			if c.check != nil {
				c.check(t, rec)
			}
			d.hold(t, req, rec, seen)
		})
	}
	for _, method := range []string{"GET", "HEAD", "PUT", "POST", "DELETE"} {
		for status := range d.operation(t, method).Responses {
			if !seen.statuses[method+" "+status] {
				t.Errorf("no case makes %s answer %s", method, status)
			}
		}
	}
	for name := range d.Components.Headers {
		if !seen.headers[name] {
			t.Errorf("no case answers with the header %s", name)
		}
	}
	for _, code := range d.Components.Schemas["Error"].Properties["code"].Enum {
		if !seen.codes[code] {
			t.Errorf("no case answers with the code %s", code)
		}
	}
}

// TestOpenAPIParameters: every documented query parameter is taken on every
// verb, and no other is.
func TestOpenAPIParameters(t *testing.T) {
	d := readDocument(t)
	values := map[string]string{"r": "2", "w": "2", "pr": "1", "pw": "1", "dw": "1", "timeout": "1s", "ttl": "1h", "explain": "true", "local": "true"}
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE"} {
		op := d.operation(t, method)
		for _, p := range op.Parameters {
			if p.In != "query" {
				continue
			}
			rec := ask(one("v"), method, "/kv/b/k?"+p.Name+"="+values[p.Name], "")
			if rec.Code != 200 {
				t.Errorf("%s with %s: %d %s", method, p.Name, rec.Code, rec.Body)
			}
		}
		for name := range values {
			if !op.Has("query", name) && (name != "local" || method == "GET") {
				t.Errorf("%s: the parameter %s is not documented", method, name)
			}
		}
	}
	for _, name := range []string{headerContext, headerRequestID, headerAttempt} {
		if !d.operation(t, "GET").Has("header", name) {
			t.Errorf("the header %s is not documented", name)
		}
	}
}

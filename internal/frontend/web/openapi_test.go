package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// document is what this test reads of docs/reference/openapi.yaml.
type document struct {
	Paths      map[string]map[string]yaml.Node `yaml:"paths"`
	Components struct {
		Parameters map[string]parameter `yaml:"parameters"`
		Responses  map[string]response  `yaml:"responses"`
		Headers    map[string]yaml.Node `yaml:"headers"`
		Schemas    map[string]schema    `yaml:"schemas"`
	} `yaml:"components"`
}

type ref struct {
	Ref string `yaml:"$ref"`
}

type parameter struct {
	ref  `yaml:",inline"`
	Name string `yaml:"name"`
	In   string `yaml:"in"`
}

type operation struct {
	Parameters []parameter         `yaml:"parameters"`
	Responses  map[string]response `yaml:"responses"`
}

type response struct {
	ref     `yaml:",inline"`
	Headers map[string]ref `yaml:"headers"`
	Content map[string]any `yaml:"content"`
}

type schema struct {
	Required   []string             `yaml:"required"`
	Properties map[string]yaml.Node `yaml:"properties"`
}

const path = "/kv/{bucket}/{key}"

func (r ref) name() string { return r.Ref[strings.LastIndex(r.Ref, "/")+1:] }

func readDocument(t *testing.T) *document {
	t.Helper()
	b, err := os.ReadFile("../../../docs/reference/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := yaml.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// operation returns one method of the only path, with its references resolved.
func (d *document) operation(t *testing.T, method string) operation {
	t.Helper()
	var op operation
	node, ok := d.Paths[path][strings.ToLower(method)]
	if !ok {
		t.Fatalf("openapi.yaml has no %s of %s", method, path)
	}
	if err := node.Decode(&op); err != nil {
		t.Fatal(err)
	}
	var shared []parameter
	if node, ok = d.Paths[path]["parameters"]; ok {
		if err := node.Decode(&shared); err != nil {
			t.Fatal(err)
		}
	}
	op.Parameters = append(op.Parameters, shared...)
	for i, p := range op.Parameters {
		if p.Ref != "" {
			op.Parameters[i] = d.Components.Parameters[p.name()]
		}
	}
	for status, r := range op.Responses {
		if r.Ref != "" {
			op.Responses[status] = d.Components.Responses[r.name()]
		}
	}
	return op
}

func (op operation) has(in, name string) bool {
	return slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.In == in && p.Name == name })
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
func (d *document) hold(t *testing.T, req *http.Request, rec *httptest.ResponseRecorder, seen *covered) {
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

func (d *document) holdBody(t *testing.T, r response, rec *httptest.ResponseRecorder, seen *covered) {
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

func (d *document) holdObject(t *testing.T, name string, body map[string]any) {
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
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE"} {
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
	codes := d.Components.Schemas["Error"].Properties["code"]
	var enum struct {
		Enum []string `yaml:"enum"`
	}
	if err := codes.Decode(&enum); err != nil {
		t.Fatal(err)
	}
	for _, code := range enum.Enum {
		if !seen.codes[code] {
			t.Errorf("no case answers with the code %s", code)
		}
	}
}

// TestOpenAPIParameters: every documented query parameter is taken on every
// verb, and no other is.
func TestOpenAPIParameters(t *testing.T) {
	d := readDocument(t)
	values := map[string]string{"r": "2", "w": "2", "pr": "1", "pw": "1", "dw": "1", "timeout": "1s", "explain": "true"}
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
			if !op.has("query", name) {
				t.Errorf("%s: the parameter %s is not documented", method, name)
			}
		}
	}
	for _, name := range []string{headerContext, headerRequestID, headerAttempt} {
		if !d.operation(t, "GET").has("header", name) {
			t.Errorf("the header %s is not documented", name)
		}
	}
}

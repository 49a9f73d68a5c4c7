package admin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/dev"
	"github.com/ourodb/ouro/internal/frontend/openapi"
	"github.com/ourodb/ouro/internal/telemetry"
)

// document is what openapi.yaml says of the admin port's paths.
type document struct{ *openapi.Document }

func readDocument(t *testing.T) document {
	t.Helper()
	d, err := openapi.Read("../../../docs/reference/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for path := range d.Paths {
		if strings.HasPrefix(path, "/kv/") || path == "/ring" || path == "/many" { // of the client port
			delete(d.Paths, path)
		}
	}
	return document{d}
}

// responses returns what a documented method of a path may answer.
func (d document) responses(t *testing.T, path, method string) map[string]openapi.Response {
	t.Helper()
	op, err := d.Operation(path, method)
	if err != nil {
		t.Fatal(err)
	}
	return op.Responses
}

// TestOpenAPIPaths: every path of the admin port is documented with its methods,
// and nothing else is. Profiles are for Go's own tools.
func TestOpenAPIPaths(t *testing.T) {
	d := readDocument(t)
	inner := newHandler(Config{Inspector: node{}, Operator: node{}, Repairer: node{}, Faults: &faulter{}, Dev: func(dev.Command) (dev.Outcome, error) { return dev.Outcome{}, nil }})
	there := map[string][]string{ownersPrefix + "{bucket}/{key}": {"get"}, replicaPrefix + "{bucket}/{key}": {"get"}, archivePrefix + "{bucket}/{key}": {"get", "put"}}
	for path, m := range inner.paths {
		for method := range m {
			there[path] = append(there[path], strings.ToLower(method))
		}
	}
	for path, methods := range there {
		for _, m := range methods {
			if _, ok := d.Paths[path][m]; !ok {
				t.Errorf("openapi.yaml does not know %s of %s", m, path)
			}
		}
	}
	for path := range d.Paths {
		for _, m := range d.Methods(path) {
			if !slices.Contains(there[path], m) {
				t.Errorf("openapi.yaml has %s of %s, which is not there", m, path)
			}
		}
	}
}

// TestOpenAPISchemas holds the documented objects to the types that are sent.
func TestOpenAPISchemas(t *testing.T) {
	d := readDocument(t)
	done := map[string]bool{}
	for name, v := range map[string]any{
		"Status": ouro.Status{}, "RingInfo": ouro.RingInfo{}, "OwnersInfo": ouro.OwnersInfo{}, "ReplicaInfo": ouro.ReplicaInfo{},
		"HintsInfo": ouro.HintsInfo{}, "Build": Build{}, "LogLevel": logLevel{}, "Faults": faults{}, "AdminError": failure{},
		"Plan": ouro.Plan{}, "Committed": ouro.Committed{}, "ClusterInfo": ouro.ClusterInfo{}, "BucketInfo": ouro.BucketInfo{}, "BucketSettings": ouro.BucketSettings{},
		"Latencies": telemetry.Latencies{}, "DevCommand": dev.Command{}, "DevOutcome": dev.Outcome{},
		"Staging": staging{}, "Commit": commit{}, "TransferRate": transferRate{}, "Restart": restart{},
		"ScrubInfo": ouro.ScrubInfo{}, "RepairInfo": ouro.RepairInfo{}, "RepairPairs": ouro.RepairPairs{}, "RepairRun": ouro.RepairRun{}, "RepairPause": ouro.RepairPause{},
		"ArchiveRecord": archiveRecord{}, "HeldBuckets": heldBuckets{},
	} {
		d.hold(t, name, reflect.TypeOf(v), done)
	}
}

// hold holds one object to its type, and those in it to theirs.
func (d document) hold(t *testing.T, name string, typ reflect.Type, done map[string]bool) {
	t.Helper()
	if done[name] {
		return
	}
	done[name] = true
	s, ok := d.Components.Schemas[name]
	if !ok {
		t.Errorf("openapi.yaml has no schema %s", name)
		return
	}
	fields := map[string]bool{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		tag, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[tag] = true
		p, ok := s.Properties[tag]
		if !ok {
			t.Errorf("openapi.yaml does not know the field %s of %s", tag, name)
			continue
		}
		if optional := strings.Contains(rest, "omit"); slices.Contains(s.Required, tag) == optional && name != "Fault" {
			t.Errorf("%s of %s: required %v, may be left out %v", tag, name, !optional, optional)
		}
		d.holdField(t, name+"."+tag, p, f.Type, done)
	}
	for p := range s.Properties {
		if !fields[p] {
			t.Errorf("openapi.yaml has a field %s of %s, which is not there", p, name)
		}
	}
}

func (d document) holdField(t *testing.T, name string, s openapi.Schema, typ reflect.Type, done map[string]bool) {
	t.Helper()
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	want := ""
	switch {
	case typ == reflect.TypeFor[time.Time]():
		want = "string"
		if s.Format != "date-time" {
			t.Errorf("%s is a time", name)
		}
	case typ == reflect.TypeFor[[]byte]():
		want = "string"
		if s.Encoding != "base64" {
			t.Errorf("%s is base64", name)
		}
	case typ.Kind() == reflect.Struct:
		d.hold(t, s.Target(), typ, done)
		return
	case typ.Kind() == reflect.Slice && s.Items != nil:
		want = "array"
		d.holdField(t, name+"[]", *s.Items, typ.Elem(), done)
	case typ.Kind() == reflect.Map && s.More != nil:
		want = "object"
		d.holdField(t, name+"{}", *s.More, typ.Elem(), done)
	case typ.Kind() == reflect.String:
		want = "string"
	case typ.Kind() == reflect.Bool:
		want = "boolean"
	case typ.Kind() == reflect.Float64:
		want = "number"
	case typ.ConvertibleTo(reflect.TypeFor[int64]()):
		want = "integer"
	}
	if s.Type != want {
		t.Errorf("%s is said to be of type %q, want %q", name, s.Type, want)
	}
}

// answerCase is a call and the node that it is made at.
type answerCase struct {
	method, path, target, body string
	node                       node
	match                      string // If-None-Match
}

// TestOpenAPIAnswers: what the handler answers is documented, and what is
// documented some case answers.
func TestOpenAPIAnswers(t *testing.T) {
	d := readDocument(t)
	bad := &ouro.Error{Code: ouro.QuorumUnavailable}
	late := &ouro.Error{Code: ouro.TimedOut}
	const level, fault, cluster, owners, replica = "/admin/v1/log-level", "/admin/v1/dev/fault", "/admin/v1/dev/cluster", ownersPrefix + "{bucket}/{key}", replicaPrefix + "{bucket}/{key}"
	const scrub = "/admin/v1/scrub"
	const buckets, record = "/admin/v1/archive/buckets", archivePrefix + "{bucket}/{key}"
	huge := `{"level":"` + strings.Repeat("x", maxBody) + `"}`
	seen := map[string]bool{}
	for _, c := range append(operatorCases(), []answerCase{
		{method: "GET", path: "/healthz"},
		{method: "GET", path: "/livez"},
		{method: "GET", path: "/readyz", target: "/readyz?verbose"},
		{method: "GET", path: "/readyz", node: node{ready: errors.New("no")}},
		{method: "GET", path: "/version"},
		{method: "GET", path: "/metrics"},
		{method: "GET", path: "/admin/v1/status"},
		{method: "GET", path: "/admin/v1/ring"},
		{method: "GET", path: "/admin/v1/hints"},
		{method: "GET", path: "/admin/v1/repair"},
		{method: "GET", path: "/admin/v1/repair", node: node{fails: bad}},
		{method: "GET", path: "/admin/v1/repair", node: node{fails: late}},
		{method: "GET", path: scrub},
		{method: "GET", path: scrub, node: node{fails: bad}},
		{method: "GET", path: scrub, node: node{fails: late}},
		{method: "POST", path: scrub},
		{method: "POST", path: scrub, node: node{fails: bad}},
		{method: "POST", path: scrub, node: node{fails: late}},
		{method: "DELETE", path: scrub},
		{method: "DELETE", path: scrub, node: node{fails: bad}},
		{method: "DELETE", path: scrub, node: node{fails: late}},
		{method: "GET", path: "/admin/v1/staleness", target: "/admin/v1/staleness?n=5"},
		{method: "GET", path: "/admin/v1/staleness", target: "/admin/v1/staleness?n=many"},
		{method: "GET", path: "/admin/v1/staleness", node: node{fails: bad}},
		{method: "GET", path: "/admin/v1/staleness", node: node{fails: late}},
		{method: "GET", path: "/admin/v1/verify", target: "/admin/v1/verify?from=0:74"},
		{method: "GET", path: "/admin/v1/verify", target: "/admin/v1/verify?from=x", node: node{fails: ouro.Errorf(ouro.BadRequest, ouro.NotDone, "from")}},
		{method: "GET", path: "/admin/v1/verify", node: node{fails: bad}},
		{method: "GET", path: "/admin/v1/verify", node: node{fails: late}},
		{method: "GET", path: "/admin/v1/hints", node: node{fails: bad}},
		{method: "GET", path: "/admin/v1/hints", node: node{fails: late}},
		{method: "GET", path: owners, target: ownersPrefix + "b/k"},
		{method: "GET", path: owners, target: ownersPrefix + "b/"},
		{method: "GET", path: owners, target: ownersPrefix + "b/k", node: node{fails: bad}},
		{method: "GET", path: replica, target: replicaPrefix + "b/k"},
		{method: "GET", path: replica, target: replicaPrefix + "b/"},
		{method: "GET", path: replica, target: replicaPrefix + "b/k", node: node{fails: bad}},
		{method: "GET", path: replica, target: replicaPrefix + "b/k", node: node{fails: late}},
		{method: "GET", path: buckets},
		{method: "GET", path: buckets, node: node{fails: bad}},
		{method: "GET", path: record, target: archivePrefix + "b/k"},
		{method: "GET", path: record, target: archivePrefix + "b/"},
		{method: "GET", path: record, target: archivePrefix + "b/k", node: node{fails: &ouro.Error{Code: ouro.NotFound}}},
		{method: "GET", path: record, target: archivePrefix + "b/k", node: node{fails: bad}},
		{method: "GET", path: record, target: archivePrefix + "b/k", node: node{fails: late}},
		{method: "PUT", path: record, target: archivePrefix + "b/k", body: `{"record":"AAAA"}`},
		{method: "PUT", path: record, target: archivePrefix + "b/", body: `{"record":"AAAA"}`},
		{method: "PUT", path: record, target: archivePrefix + "b/k", body: `{"recordings":1}`},
		{method: "PUT", path: record, target: archivePrefix + "b/k", body: `{"record":"AAAA"}`, node: node{fails: bad}},
		{method: "PUT", path: record, target: archivePrefix + "b/k", body: `{"record":"AAAA"}`, node: node{fails: late}},
		{method: "GET", path: level},
		{method: "PUT", path: level, body: `{"level":"debug"}`},
		{method: "PUT", path: level, body: `{"level":"loud"}`},
		{method: "PUT", path: level, body: huge},
		{method: "POST", path: fault, body: `{"peers":{"n2":{"drop_in":true}}}`},
		{method: "POST", path: fault, body: `{"peers":{"n9":{}}}`},
		{method: "POST", path: fault, body: huge},
		{method: "DELETE", path: fault},
		{method: "GET", path: "/"},
		{method: "GET", path: "/", match: "*"},
		{method: "GET", path: "/admin/v1/latencies"},
		{method: "GET", path: cluster},
		{method: "GET", path: cluster, node: node{fails: errors.New("it is gone")}},
		{method: "POST", path: cluster, body: `{"verb":"kill","nodes":[2]}`},
		{method: "POST", path: cluster, body: `{"verb":"kill","nodes":[9]}`, node: node{fails: errors.New("there is no node 9")}},
		{method: "POST", path: cluster, body: `{"verb":2}`},
		{method: "POST", path: cluster, body: huge},
	}...) {
		h, _ := newTestHandler(c.node, &faulter{set: map[string]string{}})
		target := c.target
		if target == "" {
			target = c.path
		}
		rec := ask(h, c.method, target, c.body, "Content-Type", "application/json", "If-None-Match", c.match)
		status := strconv.Itoa(rec.Code)
		r, ok := d.responses(t, c.path, c.method)[status]
		if !ok {
			t.Errorf("openapi.yaml does not know that %s %s answers %s: %s", c.method, target, status, rec.Body)
			continue
		}
		seen[c.method+" "+c.path+" "+status] = true
		holdType(t, c.method+" "+target, r, rec)
	}
	for path := range d.Paths {
		for _, method := range d.Methods(path) {
			for status := range d.responses(t, path, method) {
				if name := strings.ToUpper(method) + " " + path + " " + status; !seen[name] {
					t.Errorf("no case answers %s", name)
				}
			}
		}
	}
}

// holdType holds an answer to the documented type of its body.
func holdType(t *testing.T, name string, r openapi.Response, rec *httptest.ResponseRecorder) {
	t.Helper()
	typ, _, _ := strings.Cut(rec.Header().Get("Content-Type"), ";")
	if rec.Code == http.StatusNoContent || rec.Code == http.StatusNotModified {
		if rec.Body.Len() != 0 {
			t.Errorf("%s has a body", name)
		}
		return
	}
	if _, ok := r.Content[typ]; !ok {
		t.Errorf("openapi.yaml does not know that %s answers with %s", name, typ)
	}
}

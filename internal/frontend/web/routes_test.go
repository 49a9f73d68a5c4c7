package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/ourodb/ouro"
)

// mapped is a store that knows where keys are.
type mapped struct {
	ouro.Store
	routes ouro.Routes
}

func (m *mapped) Routes() ouro.Routes { return m.routes }

func TestRing(t *testing.T) {
	s := &mapped{one("v"), ouro.Routes{ClusterID: "c", Q: 1, N: 3, Nodes: []ouro.RouteNode{{ID: "a", Clients: "h:1"}}, Lists: [][]int{{0}}}}
	rec := ask(s, "GET", "/ring", "")
	var got ouro.Routes
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != 200 || got.Nodes[0] != s.routes.Nodes[0] || got.Q != 1 {
		t.Fatalf("%d %s: %v", rec.Code, rec.Body, err)
	}
	tag := rec.Header().Get("Etag")
	if rec := ask(s, "GET", "/ring", "", "If-None-Match", tag); rec.Code != http.StatusNotModified || rec.Body.Len() > 0 {
		t.Errorf("unchanged: %d %s", rec.Code, rec.Body)
	}
	s.routes.Nodes[0].Clients = "h:2"
	if rec := ask(s, "GET", "/ring", "", "If-None-Match", tag); rec.Code != 200 || !strings.Contains(rec.Body.String(), "h:2") {
		t.Errorf("changed: %d %s", rec.Code, rec.Body)
	}
	if rec := ask(s, "PUT", "/ring", "x"); rec.Code != 405 {
		t.Errorf("PUT: %d", rec.Code)
	}
	if rec := ask(one("v"), "GET", "/ring", ""); rec.Code != 400 {
		t.Errorf("without a ring: %d", rec.Code)
	}
}

// The document has the ring with all that it answers.
func TestRingIsDescribed(t *testing.T) {
	d := readDocument(t)
	op, err := d.Operation(ringPath, "GET")
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []string{"200", "304", "405", "421"} {
		if _, ok := op.Responses[status]; !ok {
			t.Errorf("openapi.yaml does not know that the ring answers %s", status)
		}
	}
	b, _ := json.Marshal(ouro.Routes{Buckets: map[string]int{"b": 1}})
	var body map[string]any
	if err := json.Unmarshal(b, &body); err != nil {
		t.Fatal(err)
	}
	d.holdObject(t, "Routes", body)
}

// A request for a node of another cluster, which had this address before, does
// nothing here.
func TestMisdirected(t *testing.T) {
	cfg := Config{Cluster: "0123"}
	for _, method := range []string{"GET", "PUT", "POST", "DELETE"} {
		rec := askWith(cfg, nil, method, "/kv/b/k", "v", "Ouro-Cluster", "4567")
		if rec.Code != http.StatusMisdirectedRequest || !strings.Contains(rec.Body.String(), `"outcome":"not_done","retryable":true`) {
			t.Errorf("%s: %d %s", method, rec.Code, rec.Body)
		}
	}
	if rec := askWith(cfg, one("v"), "GET", "/kv/b/k", "", "Ouro-Cluster", "0123"); rec.Code != 200 {
		t.Errorf("the right one: %d %s", rec.Code, rec.Body)
	}
}

package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/dev"
	"github.com/ourodb/ouro/internal/telemetry"
)

// node is an inspector that tells what it is given.
type node struct {
	ready error
	fails error
}

func (n node) Ready() error { return n.ready }

func (n node) Status() ouro.Status {
	return ouro.Status{
		Node: "n1", Cluster: "test", Version: "v1", Q: 8, Notes: []string{"fewer members than n"},
		Members: []ouro.MemberInfo{{ID: "n1", Self: true, Up: true}, {ID: "n2"}},
	}
}

func (n node) Ring() ouro.RingInfo {
	return ouro.RingInfo{Q: 8, Epoch: 3, Hash: "abcd", Nodes: []ouro.RingNode{{ID: "n1", Weight: 1, Tokens: []uint32{0, 1}}}}
}

func (n node) Owners(key ouro.Key) (ouro.OwnersInfo, error) {
	return ouro.OwnersInfo{Bucket: key.Bucket, Key: key.Name, N: 3, Primaries: []string{"n1"}}, n.fails
}

func (n node) Record(context.Context, ouro.Key) ([]byte, error) { return []byte("r"), n.fails }
func (n node) Restore(context.Context, ouro.Key, []byte) error  { return n.fails }
func (n node) HeldBuckets(context.Context) ([]string, error)    { return []string{"b"}, n.fails }

func (n node) Hints(context.Context) (ouro.HintsInfo, error) {
	return ouro.HintsInfo{Node: "n1", Bytes: 9, Targets: []ouro.HintTarget{{Target: "n2", Records: 4, Bytes: 9}}}, n.fails
}

func (n node) Repair(context.Context) (ouro.RepairInfo, error) {
	return ouro.RepairInfo{Node: "n1", Started: time.Unix(1, 0).UTC(), SinceAgreed: 2, Peers: []ouro.RepairPeer{{Peer: "n2", Partitions: 8, Marked: 1, Repaired: 4}}}, n.fails
}

func (n node) Scrub(context.Context) (ouro.ScrubInfo, error) {
	at := time.Unix(1700000000, 0).UTC()
	return ouro.ScrubInfo{Node: "n1", Size: 9, Round: &ouro.ScrubRound{Began: at, Bytes: 4}, Last: &ouro.ScrubRound{Began: at, Ended: at}}, n.fails
}

func (n node) Staleness(_ context.Context, of int) (ouro.Staleness, error) {
	return ouro.Staleness{
		Node: "n1", N: max(of, 3), Delays: []float64{0, .1}, Pairs: []ouro.StalePair{{R: 1, W: 1, Stale: []float64{.5, .1}, TwoBehind: .25, Visible99: .2, Visible999: .3}},
		Measured: []ouro.AnswerTimes{{Node: "n1", Reads: 3, ReadMean: .001, Writes: 4, WriteMean: .002}},
		Canary: &ouro.CanaryInfo{
			Bucket: ouro.CanaryBucket, N: 3, Every: 1, Since: time.Unix(1700000000, 0).UTC(), Delays: []float64{0, .1},
			Pairs: []ouro.CanaryPair{{R: 1, W: 1, Reads: []uint64{8, 8}, Stale: []uint64{4, 1}, StoodIn: 2, StoodInStale: 1}},
		},
	}, n.fails
}

func (n node) Verify(_ context.Context, from string) (ouro.VerifyInfo, error) {
	return ouro.VerifyInfo{Node: "n1", Trees: 3, Leaves: 8, Records: 40, Bytes: 900, Wrong: []string{"from " + from}, Next: "0:74"}, n.fails
}

func (n node) Replica(_ context.Context, key ouro.Key) (ouro.ReplicaInfo, error) {
	return ouro.ReplicaInfo{Node: "n1", Bucket: key.Bucket, Key: key.Name, Status: "have", Versions: []ouro.VersionInfo{{Dot: "a/1:1", Value: []byte("\x00v"), Bytes: 2}}}, n.fails
}

// faulter notes the faults it is told of.
type faulter struct {
	set     map[string]string
	cleared int
}

func (f *faulter) SetFault(peer string, dropOut, dropIn bool, delay time.Duration) {
	f.set[peer] = fmt.Sprint(dropOut, dropIn, delay)
}

func (f *faulter) ClearFaults() { f.cleared++ }

func (n node) ReplicaAt(ctx context.Context, member string, key ouro.Key) (ouro.ReplicaInfo, error) {
	info, err := n.Replica(ctx, key)
	info.Node = member
	return info, err
}

func newTestHandler(n node, f Faulter) (http.Handler, *slog.LevelVar) {
	reg := prometheus.NewRegistry()
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "ouro_test_total", Help: "A test."})
	reg.MustRegister(c)
	level := new(slog.LevelVar)
	cfg := Config{
		Inspector: n, Operator: n, Repairer: n, Archiver: n, Metrics: reg, Level: level, Build: Build{Version: "v1", Go: "go1"}, Faults: f, Hosts: []string{"Ops.Example.org"},
		Latencies: telemetry.New(prometheus.NewRegistry(), "v1", slog.New(slog.DiscardHandler)).Latencies,
		Keys:      http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", r.Method, r.RequestURI) }),
	}
	if f != nil {
		cfg.Dev = func(c dev.Command) (dev.Outcome, error) {
			return dev.Outcome{Nodes: []dev.NodeState{{ID: "n1", State: c.Verb}}}, n.fails
		}
	}
	return New(cfg), level
}

func ask(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	req.Host = "127.0.0.1:7072"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "host" {
			req.Host = headers[i+1]
		} else if headers[i+1] != "" {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec
}

func TestPages(t *testing.T) {
	h, _ := newTestHandler(node{}, nil)
	for target, mentions := range map[string]string{
		"/healthz":                    "ok",
		"/livez":                      "ok",
		"/readyz":                     "ok",
		"/readyz?verbose":             "note: fewer members than n",
		"/version":                    `"version":"v1"`,
		"/metrics":                    "# HELP ouro_test_total A test.",
		"/debug/pprof/":               "goroutine",
		"/debug/pprof/heap?gc=0":      "",
		"/admin/v1/status":            `"node":"n1"`,
		"/admin/v1/latencies":         `{"verb":"get","answered":[0,`,
		"/":                           "<title>Ouro</title>",
		"/console/app.js":             "round()",
		"/kv/b//../k%2F?explain=true": "GET /kv/b//../k%2F?explain=true",
		"/admin/v1/ring":              `"hash":"abcd"`,
		"/admin/v1/log-level":         `"level":"info"`,
		"/admin/v1/repair":            `{"peer":"n2","partitions":8,"never":0,"marked":1,"repaired":4}`,
		"/admin/v1/verify?from=0:7":   `"wrong":["from 0:7"],"next":"0:74"`,
		"/admin/v1/scrub":             `"began":"2023-11-14T22:13:20Z","bytes":4,`,
		"/admin/v1/hints":             `{"target":"n2","records":4,"bytes":9,"over_age":0}`,
		"/admin/v1/owners/b/k":        `"primaries":["n1"]`,
		"/admin/v1/replica/b/k":       `"dot":"a/1:1"`,
		"/admin/v1/owners/b//a%2F":    `"key":"/a/"`,
		"/admin/v1/replica/b/..":      `"key":".."`,

		"/admin/v1/replica/b/k?node=n7": `"node":"n7"`,
		"/admin/v1/replica/b/k?most=1":  `"value":"AA==","bytes":2`,
		"/admin/v1/replica/b/k?most=2":  `"value":"AHY=","bytes":2`,
	} {
		rec := ask(h, "GET", target, "")
		if rec.Code != 200 || !strings.Contains(rec.Body.String(), mentions) {
			t.Errorf("%s: %d %s", target, rec.Code, rec.Body)
		}
		if rec.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s can be sniffed", target)
		}
	}
}

// TestReadyWithoutPeers: a node whose peers are all gone is ready; one that says
// it is not, is not.
func TestReadyWithoutPeers(t *testing.T) {
	h, _ := newTestHandler(node{}, nil)
	if rec := ask(h, "GET", "/readyz?verbose", ""); rec.Code != 200 || !strings.Contains(rec.Body.String(), "member n2 up=false") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	h, _ = newTestHandler(node{ready: errors.New("the engine is closed")}, nil)
	if rec := ask(h, "GET", "/readyz", ""); rec.Code != 503 || !strings.Contains(rec.Body.String(), "the engine is closed") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := ask(h, "GET", "/healthz", ""); rec.Code != 200 {
		t.Errorf("healthz of a node that is not ready: %d", rec.Code)
	}
}

func TestRefusals(t *testing.T) {
	f := &faulter{set: map[string]string{}}
	h, level := newTestHandler(node{}, f)
	big := `{"level":"` + strings.Repeat("x", 70_000) + `"}`
	for _, c := range []struct {
		method, target, body, contentType string
		status                            int
		mentions                          string
	}{
		{"GET", "/other", "", "", 404, "there is nothing here"},
		{"POST", "/", "", "", 405, "use GET"},
		{"GET", "/admin/v1/other", "", "", 404, "there is nothing here"},
		{"POST", "/admin/v1/status", "", "", 405, "use GET"},
		{"DELETE", "/admin/v1/replica/b/k", "", "", 405, "use GET"},
		{"POST", "/admin/v1/log-level", "", "", 405, "GET or PUT"},
		{"GET", "/admin/v1/dev/fault", "", "", 405, "POST or DELETE"},
		{"DELETE", "/admin/v1/dev/cluster", "", "", 405, "GET or POST"},
		{"POST", "/admin/v1/dev/cluster", `{"verb":"kill","nodes":[1]}`, "text/plain", 400, "application/json"},
		{"GET", "/admin/v1/owners/b", "", "", 400, "key is empty"},
		{"GET", "/admin/v1/replica/b%2F/k", "", "", 400, "bucket name"},
		{"GET", "/admin/v1/replica/b/k?most=-1", "", "", 400, "number of bytes"},
		{"PUT", "/admin/v1/log-level", `{"level":"debug"}`, "text/plain", 400, "application/json"},
		{"PUT", "/admin/v1/log-level", `{"level":"debug"}`, "", 400, "application/json"},
		{"PUT", "/admin/v1/log-level", `{"level":"loud"}`, "application/json", 400, "debug, info, warn or error"},
		{"PUT", "/admin/v1/log-level", `{"lever":"debug"}`, "application/json", 400, "lever"},
		{"PUT", "/admin/v1/log-level", `{`, "application/json", 400, "understood"},
		{"PUT", "/admin/v1/log-level", big, "application/json", 413, "65536"},
		{"POST", "/admin/v1/dev/fault", `{"peers":{"n9":{}}}`, "application/json", 400, "n9"},
		{"POST", "/admin/v1/dev/fault", `{"peers":{"n1":{}}}`, "application/json", 400, "no peer"},
		{"POST", "/admin/v1/dev/fault", `{"peers":{"n2":{"delay":"-1s"}}}`, "application/json", 400, "delay"},
		{"POST", "/admin/v1/dev/fault", `{"peers":{"n2":{"delay":"2m"}}}`, "application/json", 400, "1m0s"},
	} {
		rec := ask(h, c.method, c.target, c.body, "Content-Type", c.contentType)
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.mentions) {
			t.Errorf("%s %s %.60s: %d %s", c.method, c.target, c.body, rec.Code, rec.Body)
		}
		var e failure
		if err := json.Unmarshal(rec.Body.Bytes(), &e); err != nil || e.Code == "" || e.Outcome != "not_done" {
			t.Errorf("%s %s: the error is %s", c.method, c.target, rec.Body)
		}
	}
	if level.Level() != slog.LevelInfo || len(f.set) > 0 {
		t.Errorf("a refused call had an effect: %v, %v", level, f.set)
	}
}

func TestInspectorErrors(t *testing.T) {
	for err, status := range map[error]int{
		ouro.Errorf(ouro.Overloaded, ouro.NotDone, "full"): 503,
		ouro.Errorf(ouro.TimedOut, ouro.NotDone, "late"):   504,
		ouro.Errorf(ouro.NotFound, ouro.NotDone, "none"):   404,
		errors.New("something"):                            500,
	} {
		h, _ := newTestHandler(node{fails: err}, nil)
		for _, target := range []string{"/admin/v1/owners/b/k", "/admin/v1/replica/b/k"} {
			if rec := ask(h, "GET", target, ""); rec.Code != status {
				t.Errorf("%s with %v: %d", target, err, rec.Code)
			}
		}
	}
}

// TestPagesFromElsewhere: what a browser sends for a page of another origin
// changes nothing.
func TestPagesFromElsewhere(t *testing.T) {
	f := &faulter{set: map[string]string{}}
	h, _ := newTestHandler(node{}, f)
	rec := ask(h, "DELETE", "/admin/v1/dev/fault", "", "Sec-Fetch-Site", "cross-site")
	if rec.Code != 403 || f.cleared != 0 {
		t.Errorf("%d, cleared %d times", rec.Code, f.cleared)
	}
	rec = ask(h, "PUT", "/admin/v1/log-level", `{"level":"debug"}`, "Origin", "http://elsewhere", "Content-Type", "application/json")
	if rec.Code != 403 {
		t.Errorf("%d", rec.Code)
	}
}

// TestNoFaultsOutsideDev: without a faulter the hook does not exist.
func TestNoFaultsOutsideDev(t *testing.T) {
	h, _ := newTestHandler(node{}, nil)
	for _, method := range []string{"POST", "DELETE"} {
		if rec := ask(h, method, "/admin/v1/dev/fault", `{"peers":{"n2":{}}}`, "Content-Type", "application/json"); rec.Code != 404 {
			t.Errorf("%s: %d %s", method, rec.Code, rec.Body)
		}
	}
	for _, method := range []string{"GET", "POST"} {
		if rec := ask(h, method, "/admin/v1/dev/cluster", `{"verb":"kill","nodes":[1]}`, "Content-Type", "application/json"); rec.Code != 404 {
			t.Errorf("%s: %d %s", method, rec.Code, rec.Body)
		}
	}
}

// TestClient holds the Go client's admin calls to the handler.
func TestClient(t *testing.T) {
	f := &faulter{set: map[string]string{}}
	n := node{}
	h, level := newTestHandler(n, f)
	srv := httptest.NewServer(h)
	defer srv.Close()
	a, err := client.NewAdmin(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ctx := t.Context()
	if got, err := a.Status(ctx); err != nil || fmt.Sprint(got) != fmt.Sprint(n.Status()) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := a.Ring(ctx); err != nil || fmt.Sprint(got) != fmt.Sprint(n.Ring()) {
		t.Errorf("%+v, %v", got, err)
	}
	key := ouro.Key{Bucket: "b", Name: "../a//b\x00%2F"}
	if got, err := a.Owners(ctx, key); err != nil || got.Key != key.Name {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := a.Replica(ctx, key); err != nil || got.Key != key.Name || !bytes.Equal(got.Versions[0].Value, []byte("\x00v")) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := a.SetLogLevel(ctx, "debug"); err != nil || level.Level() != slog.LevelDebug {
		t.Errorf("%v, %v", level, err)
	}
	if got, err := a.LogLevel(ctx); err != nil || got != "debug" {
		t.Errorf("%q, %v", got, err)
	}
	if err := a.SetLogLevel(ctx, "loud"); ouro.CodeOf(err) != ouro.BadRequest {
		t.Error(err)
	}
	if err := a.SetFaults(ctx, map[string]client.Fault{"n2": {DropOut: true, Delay: 200 * time.Millisecond}}); err != nil || f.set["n2"] != "true false 200ms" {
		t.Errorf("%v, %v", f.set, err)
	}
	if err := a.ClearFaults(ctx); err != nil || f.cleared != 1 {
		t.Errorf("%d, %v", f.cleared, err)
	}
	if err := a.Ready(ctx); err != nil {
		t.Error(err)
	}
	if _, err := a.Owners(ctx, ouro.Key{}); ouro.CodeOf(err) != ouro.BadRequest {
		t.Error(err)
	}
}

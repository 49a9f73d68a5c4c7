package admin

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

var _ ouro.Operator = node{}

func (n node) Found(ctx context.Context) (ouro.ClusterInfo, error) { return n.Cluster(ctx) }

func (n node) Stage(_ context.Context, changes []ouro.Change) (ouro.Plan, error) {
	p := ouro.Plan{Node: "n1", Version: "5f0c", Tokens: 8, Bytes: -1, Seconds: -1}
	for _, c := range changes {
		p.Changes = append(p.Changes, fmt.Sprint(c))
	}
	return p, n.fails
}

func (n node) Plan(ctx context.Context) (ouro.Plan, error) { return n.Stage(ctx, nil) }

func (n node) Commit(_ context.Context, version string) (ouro.Committed, error) {
	if version != "5f0c" && n.fails == nil {
		return ouro.Committed{}, ouro.Errorf(ouro.Conflict, ouro.NotDone, "the history is 5f0c now")
	}
	return ouro.Committed{Version: "6aaa", Changes: []string{"add n4"}}, n.fails
}

func (n node) Unstage(context.Context) error { return n.fails }

func (n node) Cluster(context.Context) (ouro.ClusterInfo, error) {
	return ouro.ClusterInfo{Node: "n1", Members: []ouro.ClusterMember{{ID: "n1", State: "member"}}}, n.fails
}

func (n node) Restart(ctx context.Context, _ []string) (ouro.ClusterInfo, error) {
	return n.Cluster(ctx)
}

func (n node) SetTransferRate(_ context.Context, rate int64) error {
	if rate < 1 {
		return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%d bytes a second", rate)
	}
	return n.fails
}

func (n node) RepairPairs(context.Context) (ouro.RepairPairs, error) {
	return ouro.RepairPairs{Node: "n1", Pairs: []ouro.RepairPair{{Partition: 7, Peer: "n2", Failures: 2, Error: "no answer"}}}, n.fails
}

func (n node) RunRepair(_ context.Context, run ouro.RepairRun) (ouro.RepairRun, error) {
	run.Pairs = 3
	return run, n.fails
}

func (n node) PauseRepair(_ context.Context, pause ouro.RepairPause) (ouro.RepairPause, error) {
	if pause.Seconds > 0 {
		pause.Until = time.Unix(int64(pause.Seconds), 0).UTC()
	}
	return pause, n.fails
}

func (n node) RunScrub(context.Context) error { return n.fails }

func (n node) PauseScrub(context.Context) error { return n.fails }

func (n node) Bucket(_ context.Context, name string) (ouro.BucketInfo, error) {
	return ouro.BucketInfo{Name: name, Mode: "siblings", Timeout: time.Second}, n.fails
}

func (n node) Buckets(ctx context.Context) ([]ouro.BucketInfo, error) {
	b, err := n.Bucket(ctx, "")
	return []ouro.BucketInfo{b}, err
}

func (n node) SetBucket(_ context.Context, name string, set ouro.BucketSettings) (ouro.BucketInfo, error) {
	b := ouro.BucketInfo{Name: name, Defined: true}
	if set.N != nil {
		b.Set.N = *set.N
	}
	return b, n.fails
}

// operatorCases call every path of the operator with what works and with what
// does not.
func operatorCases() (cases []answerCase) {
	const root = "/admin/v1/cluster"
	paths := []answerCase{
		{method: "GET", path: root},
		{method: "POST", path: root},
		{method: "GET", path: root + "/plan"},
		{method: "POST", path: root + "/changes", body: `{"changes":[{"verb":"leave","node":"n2"}]}`},
		{method: "DELETE", path: root + "/changes"},
		{method: "POST", path: root + "/commit", body: `{"version":"5f0c"}`},
		{method: "POST", path: root + "/restart", body: `{"without":["n2"]}`},
		{method: "PUT", path: root + "/transfer-rate", body: `{"bytes_per_second":1000}`},
		{method: "GET", path: "/admin/v1/repair/pairs"},
		{method: "POST", path: "/admin/v1/repair/run", body: `{"partition":7,"peer":"n2"}`},
		{method: "PUT", path: "/admin/v1/repair/pause", body: `{"seconds":3600}`},
		{method: "GET", path: "/admin/v1/buckets"},
		{method: "GET", path: "/admin/v1/bucket", target: "/admin/v1/bucket?name=carts"},
		{method: "PUT", path: "/admin/v1/bucket", target: "/admin/v1/bucket?name=", body: `{"n":5}`},
	}
	for _, c := range paths {
		cases = append(cases, c)
		for _, code := range []ouro.Code{ouro.BadRequest, ouro.Conflict, ouro.QuorumUnavailable, ouro.TimedOut} {
			c.node = node{fails: &ouro.Error{Code: code, Outcome: ouro.NotDone}}
			cases = append(cases, c)
		}
		if c.body != "" {
			c.node, c.body = node{}, `{"x":"`+strings.Repeat("x", maxBody)+`"}`
			cases = append(cases, c)
		}
	}
	return cases
}

func TestOperatorRefusals(t *testing.T) {
	h, _ := newTestHandler(node{}, nil)
	for _, c := range []struct {
		method, target, body string
		status               int
		mentions             string
	}{
		{"POST", "/admin/v1/cluster/commit", `{"version":"0000"}`, 409, "5f0c now"},
		{"POST", "/admin/v1/cluster/changes", `{"change":[]}`, 400, "change"},
		{"PUT", "/admin/v1/cluster/changes", `{}`, 405, "POST or DELETE"},
		{"PUT", "/admin/v1/cluster/transfer-rate", `{"bytes_per_second":0}`, 400, "0 bytes"},
		{"GET", "/admin/v1/bucket", "", 400, "?name=carts"},
		{"GET", "/admin/v1/bucket?name=a&name=b", "", 400, "name the bucket"},
		{"GET", "/admin/v1/bucket?name=a&n=3", "", 400, "name the bucket"},
		{"GET", "/admin/v1/bucket?name=a%2Fb", "", 400, "bucket name"},
		{"PUT", "/admin/v1/bucket?name=a", `{"n":"3"}`, 400, "understood"},
	} {
		rec := ask(h, c.method, c.target, c.body, "Content-Type", "application/json")
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.mentions) {
			t.Errorf("%s %s %s: %d %s", c.method, c.target, c.body, rec.Code, rec.Body)
		}
	}
}

// TestOperatorClient holds the Go client's calls to the handler.
func TestOperatorClient(t *testing.T) {
	h, _ := newTestHandler(node{}, nil)
	srv := httptest.NewServer(h)
	defer srv.Close()
	a, err := client.NewAdmin(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ctx := t.Context()
	plan, err := a.Stage(ctx, []ouro.Change{{Verb: ouro.Join, Node: "n4", Addr: "h:1", Weight: 2}})
	if err != nil || len(plan.Changes) != 1 || !strings.Contains(plan.Changes[0], "n4") {
		t.Errorf("%+v, %v", plan, err)
	}
	if done, err := a.Commit(ctx, plan.Version); err != nil || done.Version != "6aaa" {
		t.Errorf("%+v, %v", done, err)
	}
	if _, err := a.Commit(ctx, "0000"); ouro.CodeOf(err) != ouro.Conflict {
		t.Errorf("%v", err)
	}
	if plan, err = a.Plan(ctx); err != nil || plan.Node != "n1" {
		t.Errorf("%+v, %v", plan, err)
	}
	if err := a.Unstage(ctx); err != nil {
		t.Error(err)
	}
	for _, ask := range []func(context.Context) (ouro.ClusterInfo, error){a.Cluster, a.Found} {
		if c, err := ask(ctx); err != nil || c.Members[0].ID != "n1" {
			t.Errorf("%+v, %v", c, err)
		}
	}
	if c, err := a.Restart(ctx, []string{"n2"}); err != nil || c.Node != "n1" {
		t.Errorf("%+v, %v", c, err)
	}
	if err := a.SetTransferRate(ctx, 5); err != nil {
		t.Error(err)
	}
	if p, err := a.RepairPairs(ctx); err != nil || len(p.Pairs) != 1 || p.Pairs[0].Failures != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	part := uint32(7)
	if r, err := a.RunRepair(ctx, ouro.RepairRun{Partition: &part}); err != nil || r.Pairs != 3 || *r.Partition != 7 {
		t.Errorf("%+v, %v", r, err)
	}
	if p, err := a.PauseRepair(ctx, ouro.RepairPause{Seconds: 60}); err != nil || p.Until.Unix() != 60 {
		t.Errorf("%+v, %v", p, err)
	}
	n := 5
	if b, err := a.SetBucket(ctx, "carts", ouro.BucketSettings{N: &n}); err != nil || b.Name != "carts" || b.Set.N != 5 {
		t.Errorf("%+v, %v", b, err)
	}
	if b, err := a.Bucket(ctx, ""); err != nil || b.Timeout != time.Second {
		t.Errorf("%+v, %v", b, err)
	}
	if all, err := a.Buckets(ctx); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// door is a way into a cluster: what the scenario of figure 3 needs of one.
type door interface {
	// put stores a value under a context, which may be empty, at node i.
	put(t *testing.T, i int, key, value, context string)
	// get returns what a key shows at node i, sorted, and its context.
	get(t *testing.T, i int, key string) (values []string, context string)
	// refused puts under a context that is not of this key, and returns the code of
	// the error.
	refused(t *testing.T, i int, key, context string) string
}

// The scenario of the paper's figure 3, section 4.4, through every way in, and each
// write through the next: D1, D2 over it by Sx; D3 by Sy and D4 by Sz, which both
// have seen D2 alone; both are there until D5 is put by who has seen both.
func TestFigure3ThroughEveryFrontEnd(t *testing.T) {
	c := start(t, "", 3)
	doors := map[string]door{"HTTP": overHTTP{c}, "gRPC": overGRPC{c}, "RESP": overRESP{c}, "Go": overGo{c}}
	names := []string{"HTTP", "gRPC", "RESP", "Go"}
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			figure3(t, "by-"+name, doors[name], doors[name], doors[name])
		})
		// Contexts mean the same everywhere.
		x, y, z := names[i], names[(i+1)%4], names[(i+2)%4]
		t.Run(x+", "+y+" and "+z, func(t *testing.T) {
			figure3(t, "mixed-"+name, doors[x], doors[y], doors[z])
		})
	}
	other := start(t, "", 1)
	overHTTP{other}.put(t, 1, "k", "v", "")
	_, foreign := overHTTP{other}.get(t, 1, "k")
	overHTTP{c}.put(t, 1, "k", "v", "")
	for _, name := range names {
		if code := doors[name].refused(t, 1, "k", foreign); code != string(ouro.BadContext) {
			t.Errorf("%s takes a context of another cluster: %q", name, code)
		}
	}
}

func figure3(t *testing.T, key string, x, y, z door) {
	shows := func(d door, i int, want ...string) string {
		t.Helper()
		values, context := d.get(t, i, key)
		if !slices.Equal(values, want) {
			t.Fatalf("shows %q, want %q", values, want)
		}
		return context
	}
	x.put(t, 1, key, "D1", "")
	x.put(t, 1, key, "D2", shows(x, 1, "D1"))
	seen := shows(y, 2, "D2")
	y.put(t, 2, key, "D3", seen)
	z.put(t, 3, key, "D4", seen)
	both := shows(x, 1, "D3", "D4")
	shows(z, 2, "D3", "D4")
	for _, d := range []door{x, y, z} {
		if code := d.refused(t, 1, key+"-other", both); code != string(ouro.BadContext) {
			t.Errorf("a context of another key: %q", code)
		}
	}
	x.put(t, 1, key, "D5", both)
	shows(y, 2, "D5")
	z.put(t, 3, key, "D6", seen) // stale: it replaces nothing that it has not seen
	shows(x, 1, "D5", "D6")
}

const figureBucket = "figure3"

// overHTTP speaks HTTP as curl does.
type overHTTP struct{ c *cluster }

func (d overHTTP) do(i int, method, key, value, context string) answer {
	var header []string
	if context != "" {
		header = []string{"Ouro-Context", context}
	}
	return d.c.http(i, method, "/kv/"+figureBucket+"/"+key, value, header...)
}

func (d overHTTP) put(t *testing.T, i int, key, value, context string) {
	t.Helper()
	d.do(i, http.MethodPut, key, value, context).want(t, http.StatusOK, "")
}

func (d overHTTP) get(t *testing.T, i int, key string) (values []string, context string) {
	t.Helper()
	a := d.do(i, http.MethodGet, key, "", "")
	if a.status == http.StatusOK {
		return []string{a.body}, a.header.Get("Ouro-Context")
	}
	var several struct{ Siblings []struct{ Value []byte } }
	if err := json.Unmarshal([]byte(a.body), &several); err != nil || a.status != http.StatusMultipleChoices {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	for _, s := range several.Siblings {
		values = append(values, string(s.Value))
	}
	slices.Sort(values)
	return values, a.header.Get("Ouro-Context")
}

func (d overHTTP) refused(_ *testing.T, i int, key, context string) string {
	var f struct{ Code string }
	_ = json.Unmarshal([]byte(d.do(i, http.MethodPut, key, "x", context).body), &f) // else there is no code
	return f.Code
}

// overGRPC speaks ouro.v1.
type overGRPC struct{ c *cluster }

func (d overGRPC) call(t *testing.T, i int, do func(ctx context.Context, c ourov1.StoreServiceClient)) {
	t.Helper()
	conn, err := grpc.NewClient(d.c.Nodes[i-1].GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	do(t.Context(), ourov1.NewStoreServiceClient(conn))
}

func (d overGRPC) try(t *testing.T, i int, key, value, text string) (err error) {
	t.Helper()
	var seen []byte
	if text != "" {
		if seen, err = base64.RawURLEncoding.DecodeString(text); err != nil {
			t.Fatal(err)
		}
	}
	d.call(t, i, func(ctx context.Context, c ourov1.StoreServiceClient) {
		_, err = c.Put(ctx, &ourov1.PutRequest{
			Key: &ourov1.Key{Bucket: figureBucket, Name: []byte(key)}, Value: &ourov1.Value{Data: []byte(value)}, Context: seen,
		})
	})
	return err
}

func (d overGRPC) put(t *testing.T, i int, key, value, context string) {
	t.Helper()
	if err := d.try(t, i, key, value, context); err != nil {
		t.Fatal(err)
	}
}

func (d overGRPC) get(t *testing.T, i int, key string) (values []string, text string) {
	t.Helper()
	d.call(t, i, func(ctx context.Context, c ourov1.StoreServiceClient) {
		out, err := c.Get(ctx, &ourov1.GetRequest{Key: &ourov1.Key{Bucket: figureBucket, Name: []byte(key)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range out.GetSiblings() {
			values = append(values, string(s.GetValue().GetData()))
		}
		text = base64.RawURLEncoding.EncodeToString(out.GetContext())
	})
	slices.Sort(values)
	return values, text
}

func (d overGRPC) refused(t *testing.T, i int, key, context string) string {
	for _, detail := range status.Convert(d.try(t, i, key, "x", context)).Details() {
		if f, ok := detail.(*ourov1.Failure); ok {
			return f.GetCode()
		}
	}
	return ""
}

// overRESP speaks the Redis protocol through redis-cli.
type overRESP struct{ c *cluster }

func (d overRESP) do(t *testing.T, i int, command string) string {
	t.Helper()
	host, port, _ := strings.Cut(d.c.Nodes[i-1].RESP, ":")
	if _, err := exec.LookPath("redis-cli"); err != nil {
		t.Skip("SKIPPED: redis-cli is not on this machine")
	}
	cmd := exec.CommandContext(t.Context(), "redis-cli", "-h", host, "-p", port)
	cmd.Stdin = strings.NewReader("OURO.BUCKET " + figureBucket + "\n" + command + "\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	_, answer, _ := strings.Cut(string(out), "\n")
	return answer
}

func (d overRESP) putting(t *testing.T, i int, key, value, context string) string {
	command := fmt.Sprintf("OURO.PUT %s %s", key, value)
	if context != "" {
		command += " CONTEXT " + context
	}
	return d.do(t, i, command)
}

func (d overRESP) put(t *testing.T, i int, key, value, context string) {
	t.Helper()
	if out := d.putting(t, i, key, value, context); !strings.Contains(out, "quorum") {
		t.Fatal(out)
	}
}

func (d overRESP) get(t *testing.T, i int, key string) (values []string, context string) {
	t.Helper()
	lines := strings.Split(d.do(t, i, "OURO.GET "+key), "\n")
	for i, line := range lines[:len(lines)-1] {
		switch line {
		case "value":
			values = append(values, lines[i+1])
		case "context":
			context = lines[i+1]
		}
	}
	slices.Sort(values)
	return values, context
}

func (d overRESP) refused(t *testing.T, i int, key, context string) string {
	words := strings.Fields(d.putting(t, i, key, "x", context))
	if len(words) < 2 {
		return ""
	}
	return words[1] // after ERR
}

// overGo is the Go client of one node, so that the scenario says which.
type overGo struct{ c *cluster }

func (d overGo) client(t *testing.T, i int) *client.Client {
	t.Helper()
	c, err := client.New(d.c.Nodes[i-1].Client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (d overGo) try(t *testing.T, i int, key, value, text string) error {
	opt := ouro.Blind()
	if text != "" {
		seen, err := ouro.ParseContext(text)
		if err != nil {
			return err
		}
		opt = ouro.WithContext(seen)
	}
	_, err := d.client(t, i).Put(t.Context(), ouro.Key{Bucket: figureBucket, Name: key}, ouro.Value{Data: []byte(value)}, opt)
	return err
}

func (d overGo) put(t *testing.T, i int, key, value, context string) {
	t.Helper()
	if err := d.try(t, i, key, value, context); err != nil {
		t.Fatal(err)
	}
}

func (d overGo) get(t *testing.T, i int, key string) (values []string, context string) {
	t.Helper()
	res, err := d.client(t, i).Get(t.Context(), ouro.Key{Bucket: figureBucket, Name: key})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range res.Siblings {
		values = append(values, string(s.Data))
	}
	slices.Sort(values)
	return values, res.Context.String()
}

func (d overGo) refused(t *testing.T, i int, key, context string) string {
	return string(ouro.CodeOf(d.try(t, i, key, "x", context)))
}

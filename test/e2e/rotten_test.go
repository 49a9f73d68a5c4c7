package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/pebble"
	ourov1 "github.com/ourodb/ouro/proto/ouro/v1"
)

// TestRottenRecordIsNeverNotFound: of the one record of a key a byte has turned over, and
// nobody else holds it. Whoever asks for it gets an error, by any door: HTTP, Redis, gRPC,
// the command line, one key or many; and a list of keys does not say that it is complete
// and has no such key. Other keys are served (PAPER 9.12).
func TestRottenRecordIsNeverNotFound(t *testing.T) {
	data, ports := filepath.Join(t.TempDir(), "data"), freePorts(t, 5)
	args := []string{"--data", data, "--q", "8", "--resp-listen", ports[3], "--grpc-listen", ports[4]}
	s := serveOn(t, ports, args...).ready(t)
	for _, name := range []string{"rotten", "whole"} {
		must(t, "put", "default/"+name, "v", "--addr", s.client)
	}
	s.stop(t, unix.SIGTERM)
	rotRecord(t, filepath.Join(data, "data"), "rotten")
	s = serveOn(t, ports, args...).ready(t)

	for _, target := range []struct{ method, path, body string }{
		{"GET", "/kv/default/rotten", ""},
		{"HEAD", "/kv/default/rotten", ""},
		{"DELETE", "/kv/default/rotten", ""},
		{"POST", "/many", `{"op":"get","bucket":"default","key":"rotten"}`},
	} {
		code, body := do(t, target.method, "http://"+s.client+target.path, target.body)
		if code == http.StatusNotFound || strings.Contains(body, "not_found") || target.method != "POST" && code < 500 || target.method == "POST" && !strings.Contains(body, `"code":"`) {
			t.Errorf("%s %s: %d %s", target.method, target.path, code, body)
		}
	}
	if code, body := do(t, "GET", "http://"+s.client+"/kv/default/whole", ""); code != 200 || body != "v" {
		t.Errorf("the other key: %d %s", code, body)
	}
	if r := runs(t, "get", "default/rotten", "--addr", s.client); r.code == 0 || strings.Contains(r.err, "not found") {
		t.Errorf("ouro get: %+v", r)
	}
	for _, list := range [](func() string){
		func() string { _, body := do(t, "GET", "http://"+s.client+"/kv/default", ""); return body },
		func() string {
			r := runs(t, "keys", "--bucket", "default", "--addr", s.client)
			return fmt.Sprint(r.out, r.err, " code ", r.code)
		},
	} {
		if said := list(); !strings.Contains(said, "rotten") && !strings.Contains(said, `"complete":false`) && !strings.Contains(said, "code 1") {
			t.Errorf("a list: %s", said)
		}
	}
	redisNeverNil(t, ports[3])
	grpcNeverNotFound(t, ports[4])
}

// rotRecord turns over a byte of the record of a name in the folder of a node that is down.
func rotRecord(t *testing.T, dir, name string) {
	t.Helper()
	e, err := pebble.Open(dir, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var batch store.Batch
	if err := e.Range(nil, nil, func(key, value []byte) bool {
		if _, _, n, ok := store.SplitKey(key); ok && string(n) == name {
			rotten := append([]byte{}, value...)
			rotten[len(rotten)/2] ^= 1
			batch.Set(append([]byte{}, key...), rotten)
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if batch.Len() != 1 {
		t.Fatalf("%d records of %s", batch.Len(), name)
	}
	done := make(chan error, 1)
	if err := e.Apply(&batch, func(err error) { done <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func do(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-ndjson")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// redisNeverNil asks over the Redis protocol, where "not found" is an empty answer or 0.
func redisNeverNil(t *testing.T, addr string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	fmt.Fprint(conn, "OURO.BUCKET default\r\n")
	if line, err := r.ReadString('\n'); err != nil || line != "+OK\r\n" {
		t.Fatalf("%q %v", line, err)
	}
	for _, command := range []string{"GET rotten", "EXISTS rotten", "STRLEN rotten", "TTL rotten", "MGET rotten whole", "TYPE rotten", "GETRANGE rotten 0 1", "OURO.GET rotten", "DEL rotten", "GETDEL rotten"} {
		fmt.Fprintf(conn, "%s\r\n", command)
		line, err := r.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "-") || strings.Contains(line, "unknown command") {
			t.Errorf("%s: %q %v", command, line, err)
		}
	}
	fmt.Fprint(conn, "GET whole\r\n")
	if line, err := r.ReadString('\n'); err != nil || line != "$1\r\n" {
		t.Errorf("the other key: %q %v", line, err)
	}
}

func grpcNeverNotFound(t *testing.T, addr string) {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c, key := ourov1.NewStoreServiceClient(conn), &ourov1.Key{Bucket: "default", Name: []byte("rotten")}
	if _, err := c.Get(t.Context(), &ourov1.GetRequest{Key: key}); err == nil || status.Code(err) == codes.NotFound {
		t.Errorf("get: %v", err)
	}
	if _, err := c.Delete(t.Context(), &ourov1.DeleteRequest{Key: key}); err == nil || status.Code(err) == codes.NotFound {
		t.Errorf("delete: %v", err)
	}
	many, err := c.MultiGet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := many.Send(&ourov1.MultiGetRequest{Tag: 7, Get: &ourov1.GetRequest{Key: key}}); err != nil {
		t.Fatal(err)
	}
	if err := many.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if item, err := many.Recv(); err != nil || item.GetFailure() == nil || item.GetFailure().GetCode() == "not_found" {
		t.Errorf("one of many: %v %v", item, err)
	}
	list, err := c.Keys(t.Context(), &ourov1.KeysRequest{Bucket: "default"})
	if err != nil {
		t.Fatal(err)
	}
	listed, incomplete := false, false
	for {
		page, err := list.Recv()
		if err != nil {
			incomplete = incomplete || err != io.EOF
			break
		}
		incomplete = incomplete || len(page.GetMissing()) > 0
		for _, name := range page.GetKeys() {
			listed = listed || string(name) == "rotten"
		}
	}
	if !listed && !incomplete {
		t.Error("a list that is complete has no such key")
	}
}

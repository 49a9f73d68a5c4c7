package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro/internal/dev"
)

// serving is a node that a test started by itself.
type serving struct {
	cmd                 *exec.Cmd
	log                 *lockedBuffer
	client, peer, admin string
	args                []string
}

// freePorts returns addresses that nobody listens on, and that no other test is
// given while this one runs.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	claims, err := dev.Claim(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(claims.Release)
	return claims.Addrs
}

// serve starts a node on free ports; the arguments come after its own.
func serve(t *testing.T, args ...string) *serving {
	t.Helper()
	return serveOn(t, freePorts(t, 3), args...)
}

// serveOn starts a node on three ports: for clients, nodes and operators.
func serveOn(t *testing.T, ports []string, args ...string) *serving {
	t.Helper()
	return serveBy(t, func(args []string) *exec.Cmd { return exec.Command(binary, args...) }, ports, args...)
}

// serveBy is serveOn with a command of its own.
func serveBy(t *testing.T, command func(args []string) *exec.Cmd, ports []string, args ...string) *serving {
	t.Helper()
	s := &serving{log: new(lockedBuffer), client: ports[0], peer: ports[1], admin: ports[2]}
	s.args = append([]string{"serve", "--listen", s.client, "--peer-listen", s.peer, "--admin-listen", s.admin, "--resp-listen", "off", "--grpc-listen", "off"}, args...)
	s.cmd = command(s.args)
	s.cmd.Env = clean(os.Environ())
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.cmd.Wait()
	})
	return s
}

// ready waits until the node can serve.
func (s *serving) ready(t *testing.T) *serving {
	t.Helper()
	s.within(t, "the node is ready", func() bool {
		resp, err := http.Get("http://" + s.admin + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return s
}

// foundAll waits until the node reaches every member: a node that serves may still
// be on its way to the others.
func (s *serving) foundAll(t *testing.T, members int) {
	t.Helper()
	s.within(t, "the nodes have found each other", func() bool {
		st := runs(t, "status", "--admin", s.admin).out
		return strings.Contains(st, fmt.Sprintf("%d of %d members", members, members)) && !strings.Contains(st, "Recovering")
	})
}

// within fails the test unless ok turns true, and shows what the node logged.
func (s *serving) within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !turns(patience, ok) {
		t.Fatalf("never: %s; its log:\n%s", what, s.log.String())
	}
}

// stop ends the node with a signal and returns its exit code. A node that does
// not end has to show where it stands.
func (s *serving) stop(t *testing.T, sig unix.Signal) int {
	t.Helper()
	s.cmd.Process.Signal(sig)
	late := time.AfterFunc(30*time.Second, func() { s.cmd.Process.Signal(unix.SIGQUIT) })
	s.cmd.Wait()
	if !late.Stop() {
		t.Errorf("%v does not end the node:\n%s", sig, s.log.String())
	}
	return s.cmd.ProcessState.ExitCode()
}

// An empty folder is a cluster of one; SIGTERM ends it in order; the folder
// goes on as it was.
func TestClusterOfOne(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := serve(t, "--data", data, "--id", "solo", "--q", "64").ready(t)
	must(t, "put", "a/b", "c", "--addr", s.client)
	st := must(t, "status", "--admin", s.admin)
	for _, want := range []string{"solo", "n=1 r=1 w=1", "only 1 member", "64 partitions"} {
		if !strings.Contains(st, want) {
			t.Errorf("status does not say %q:\n%s", want, st)
		}
	}
	if code := s.stop(t, unix.SIGTERM); code != 0 || !strings.Contains(s.log.String(), "stopped") {
		t.Errorf("SIGTERM: exit code %d\n%s", code, s.log.String())
	}
	again := serve(t, "--data", data).ready(t) // id and q are the folder's
	if got := must(t, "get", "a/b", "--addr", again.client); got != "c" {
		t.Errorf("after a restart: %q", got)
	}
	if st := must(t, "status", "--admin", again.admin); !strings.Contains(st, "solo") || !strings.Contains(st, "64 partitions") {
		t.Errorf("the folder's settings were not kept:\n%s", st)
	}
}

// Folders that are not this node's are refused with what to do.
func TestForeignFolders(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := serve(t, "--data", data, "--cluster", "shop").ready(t)
	refuse := func(says string, args ...string) {
		t.Helper()
		ports := freePorts(t, 3)
		all := append([]string{"serve", "--data", data, "--listen", ports[0], "--peer-listen", ports[1], "--admin-listen", ports[2], "--resp-listen", "off", "--grpc-listen", "off"}, args...)
		fails(t, 1, says, all...)
	}
	refuse("in use by another process", "--cluster", "shop")
	s.stop(t, unix.SIGKILL)
	refuse(`belongs to cluster "shop", not "books"`, "--cluster", "books")
	refuse(`is that of node "n1", not "n2"`, "--id", "n2")
	refuse("1024 partitions, not 64", "--q", "64")
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, bytes.Repeat([]byte("k"), 32), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse("another cluster key", "--cluster-key-file", key)

	identity := filepath.Join(data, "node.json")
	b, err := os.ReadFile(identity)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	fields["format"] = 4
	if b, err = json.Marshal(fields); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(identity, b, 0o600); err != nil {
		t.Fatal(err)
	}
	refuse("format 4")
	if err := os.Remove(identity); err != nil {
		t.Fatal(err)
	}
	refuse("holds data but no node.json")
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fails(t, 1, "is in use", "serve", "--listen", l.Addr().String(), "--data", t.TempDir())
	_, port, _ := net.SplitHostPort(l.Addr().String())
	fails(t, 1, "the client port of n1, is in use", "dev", "--base-port", port, "--dir", t.TempDir())
}

// With seeds alone a node waits, says so, and is not ready.
func TestSeedsAlone(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := serve(t, "--data", data, "--seeds", "127.0.0.1:9")
	eventually(t, "the admin port answers", func() bool {
		resp, err := http.Get("http://" + s.admin + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusServiceUnavailable
	})
	if st := must(t, "status", "--admin", s.admin); !strings.Contains(st, "waits to be joined") {
		t.Errorf("status:\n%s", st)
	}
	if out := must(t, "ring", "--admin", s.admin); strings.Contains(out, "n1") {
		t.Errorf("a node that waits has founded a cluster:\n%s", out)
	}
	if code := s.stop(t, unix.SIGTERM); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
}

// Off loopback nothing is served unless told so, because links are not encrypted.
func TestOffLoopbackNeedsInsecure(t *testing.T) {
	for _, port := range []string{"listen", "grpc-listen", "resp-listen", "peer-listen", "admin-listen"} {
		fails(t, 2, port+": 0.0.0.0:0 can be reached from other machines", "serve", "--"+port, "0.0.0.0:0", "--data", t.TempDir())
	}
	s := serve(t, "--data", filepath.Join(t.TempDir(), "d"), "--listen", "0.0.0.0:0", "--insecure").ready(t)
	if !strings.Contains(s.log.String(), "not encrypted") {
		t.Errorf("no warning:\n%s", s.log.String())
	}
}

// What is no node of this cluster does a node no harm.
func TestGarbageOnThePeerPort(t *testing.T) {
	c := start(t, "", 3)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 50 {
		conn, err := net.Dial("tcp", c.Nodes[i%3].Peer)
		if err != nil {
			t.Fatal(err)
		}
		junk := make([]byte, r.IntN(4096))
		for j := range junk {
			junk[j] = byte(r.Uint32())
		}
		if i%3 == 0 {
			junk = append([]byte("OURO\x01\x00\x01\x00"), junk...)
		}
		conn.Write(junk)
		conn.Close()
	}
	other := serve(t, "--data", filepath.Join(t.TempDir(), "d"), "--cluster", "other", "--id", "n1",
		"--members", "n2="+c.Nodes[1].Peer+",n1="+freePorts(t, 1)[0]).ready(t)
	eventually(t, "the other cluster's node is refused", func() bool {
		return strings.Contains(other.log.String(), "foreign cluster")
	})
	c.put(1, "a/b", "fine")
	c.expect(2, "a/b", "fine", "--r", "3")
	for _, n := range c.Nodes {
		if !alive(n.PID) {
			t.Errorf("%s is gone", n.ID)
		}
	}
}

// SIGTERM lets requests under way finish.
func TestSIGTERMDrains(t *testing.T) {
	c := start(t, "", 3)
	c.put(1, "a/b", "v")
	c.dev("slow", "2", "3", "--by", "1500ms")
	done := make(chan result)
	go func() { done <- runs(t, "get", "a/b", "--timeout", "10s", "--addr", c.Nodes[0].Client) }()
	admin := c.admin(1)
	defer admin.Close()
	eventually(t, "the request is under way", func() bool {
		st, err := admin.Status(t.Context())
		return err == nil && st.InFlight > 0
	})
	unix.Kill(c.Nodes[0].PID, unix.SIGTERM)
	if r := <-done; r.code != 0 || r.out != "v" {
		t.Errorf("a request that was under way: %+v", r)
	}
	eventually(t, "the node ends", func() bool { return !alive(c.Nodes[0].PID) })
}

// No node outlives dev, however it ends.
func TestNoNodeOutlivesDev(t *testing.T) {
	for name, sig := range map[string]unix.Signal{"Ctrl-C": unix.SIGINT, "SIGTERM": unix.SIGTERM, "kill -9": unix.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			c := start(t, "", 3)
			c.dev("pause", "2")
			c.sup.Process.Signal(sig)
			<-c.ended
			for _, n := range c.Nodes {
				eventually(t, n.ID+" is gone", func() bool { return !alive(n.PID) })
			}
			if code := c.sup.ProcessState.ExitCode(); sig != unix.SIGKILL && code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// Without --dir nothing is left behind.
func TestTemporaryFolderIsRemoved(t *testing.T) {
	cmd := exec.Command(binary, "dev", "-o", "json", "--nodes", "1", "--base-port", "0")
	cmd.Env = append(clean(os.Environ()), "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var in struct{ Dir string }
	if err := json.NewDecoder(out).Decode(&in); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(in.Dir); err != nil {
		t.Error(err)
	}
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if _, err := os.Stat(in.Dir); err == nil {
		t.Errorf("%s was left behind", in.Dir)
	}
}

// fetch gets a page of an admin port.
func fetch(t *testing.T, admin, path string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + admin + path)
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

// The admin port tells what goes on; being ready does not depend on peers.
func TestAdminPort(t *testing.T) {
	c := start(t, "", 3)
	c.put(1, "a/b", "secret")
	c.get(1, "a/b")
	c.dev("kill", "2", "3")
	admin := c.Nodes[0].Admin
	c.seesUp(1, 1)
	for path, want := range map[string]string{
		"/healthz": "", "/readyz": "", "/version": `"version"`, "/debug/pprof/": "goroutine",
		"/metrics": "ouro_requests_total", "/admin/v1/status": `"up":false`, "/admin/v1/ring": `"hash"`,
		"/admin/v1/owners/a/b": `"primaries"`, "/admin/v1/replica/a/b": `"digest"`,
	} {
		if code, body := fetch(t, admin, path); code != http.StatusOK || !strings.Contains(strings.ReplaceAll(body, ": ", ":"), want) {
			t.Errorf("%s: status %d, no %s in it: %.300s", path, code, want, body)
		}
	}
	for i := range 3 {
		log, err := os.ReadFile(filepath.Join(c.Dir, fmt.Sprintf("n%d.log", i+1)))
		if err != nil || bytes.Contains(log, []byte("secret")) {
			t.Errorf("the log of n%d holds a value, or can't be read: %v", i+1, err)
		}
	}
}

// Only nodes of a dev cluster take faults.
func TestFaultsOutsideDevAreRefused(t *testing.T) {
	s := serve(t, "--data", filepath.Join(t.TempDir(), "d")).ready(t)
	resp, err := http.Post("http://"+s.admin+"/admin/v1/dev/fault", "application/json", strings.NewReader(`{"peers":{"n2":{"drop_out":true}}}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode/100 != 4 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

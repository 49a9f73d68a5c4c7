// Package e2e tests the binary as a user runs it: real processes, real sockets,
// real disks.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// binary is the path of the program under test.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		fmt.Println("left out with -short")
		return
	}
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ouro-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "ouro")
	out, err := exec.Command("go", "build", "-o", binary, "github.com/ourodb/ouro/cmd/ouro").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}
	return m.Run()
}

// result is what a command line came to.
type result struct {
	out, err string
	code     int
}

// runs starts the binary and returns what it said.
func runs(t *testing.T, args ...string) result {
	t.Helper()
	return feed(t, nil, args...)
}

// feed runs the binary with something to read.
func feed(t *testing.T, stdin io.Reader, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	cmd.Env = clean(os.Environ())
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// clean takes the settings of whoever runs the tests out of the environment.
func clean(env []string) []string {
	var kept []string
	for _, e := range env {
		if !strings.HasPrefix(e, "OURO_") {
			kept = append(kept, e)
		}
	}
	return kept
}

// must fails the test unless the command line worked, and returns its output.
func must(t *testing.T, args ...string) string {
	t.Helper()
	r := runs(t, args...)
	if r.code != 0 {
		t.Fatalf("ouro %s: exit code %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.err)
	}
	return r.out
}

// fails fails the test unless the command line ended with the code and said so.
func fails(t *testing.T, code int, says string, args ...string) {
	t.Helper()
	if r := runs(t, args...); r.code != code || !strings.Contains(r.err, says) {
		t.Errorf("ouro %s: exit code %d, want %d and %q\n%s%s", strings.Join(args, " "), r.code, code, says, r.out, r.err)
	}
}

// cluster is a dev cluster with its supervisor.
type cluster struct {
	t     *testing.T
	sup   *exec.Cmd
	ended chan struct{} // closed when the supervisor is gone
	Dir   string
	Nodes []struct {
		ID, Client, Peer, Admin, RESP, GRPC, Data string
		PID                                       int
	}
}

// start runs 'ouro dev' on free ports, in dir or, where that is "", in a folder
// of its own. The flags come after its own.
func start(t *testing.T, dir string, nodes int, flags ...string) *cluster {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
	}
	c := &cluster{t: t, ended: make(chan struct{})}
	if nodes > 0 { // else as many as the folder has
		flags = append([]string{"--nodes", fmt.Sprint(nodes)}, flags...)
	}
	c.sup = exec.Command(binary, append([]string{"dev", "-o", "json", "--base-port", "0", "--dir", dir}, flags...)...)
	c.sup.Env = clean(os.Environ())
	var errs lockedBuffer
	out, err := c.sup.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.sup.Stderr = &errs
	if err := c.sup.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.stop() })
	dec := json.NewDecoder(out)
	if err := dec.Decode(c); err != nil {
		t.Fatalf("dev said nothing: %v\n%s", err, errs.String())
	}
	go func() {
		defer close(c.ended)
		if rest, _ := io.ReadAll(io.MultiReader(dec.Buffered(), out)); len(bytes.TrimSpace(rest)) > 0 {
			t.Errorf("dev -o json printed more than one line: %q", rest)
		}
		c.sup.Wait()
	}()
	return c
}

// lockedBuffer may be written to and read at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// stop ends the cluster as a user does.
func (c *cluster) stop() {
	c.sup.Process.Signal(unix.SIGTERM)
	select {
	case <-c.ended:
	case <-time.After(30 * time.Second):
		c.t.Error("dev did not end within 30 s of SIGTERM")
		c.sup.Process.Kill()
	}
}

// dev runs a command on the cluster.
func (c *cluster) dev(args ...string) string {
	c.t.Helper()
	return must(c.t, append([]string{"dev"}, append(args, "--dir", c.Dir)...)...)
}

// put, get and their like act on node i, counted from 1.
func (c *cluster) put(i int, key, value string, args ...string) {
	c.t.Helper()
	must(c.t, append([]string{"put", key, value, "--addr", c.Nodes[i-1].Client}, args...)...)
}

func (c *cluster) get(i int, key string, args ...string) string {
	c.t.Helper()
	return must(c.t, append([]string{"get", key, "--addr", c.Nodes[i-1].Client}, args...)...)
}

func (c *cluster) expect(i int, key, want string, args ...string) {
	c.t.Helper()
	if got := c.get(i, key, args...); got != want {
		c.t.Errorf("%s at n%d is %q, want %q", key, i, got, want)
	}
}

// answer is an HTTP reply.
type answer struct {
	status int
	header http.Header
	body   string
}

// http sends one request to node i.
func (c *cluster) http(i int, method, path, body string, header ...string) answer {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, "http://"+c.Nodes[i-1].Client+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for j := 0; j < len(header); j += 2 {
		req.Header.Set(header[j], header[j+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(b)}
}

func (a answer) want(t *testing.T, status int, says string) {
	t.Helper()
	if a.status != status || !strings.Contains(a.body, says) {
		t.Errorf("status %d, want %d; the body is %q, want %q in it", a.status, status, a.body, says)
	}
}

// alive reports whether a process runs.
func alive(pid int) bool { return unix.Kill(pid, 0) == nil }

// patience is how long a test waits for what has to happen, a command's end among it.
// Machines that test are slow at times, and some of it is tried once a minute; so it
// only bounds how long a test that fails takes.
const patience = 3 * time.Minute

// turns waits until ok is true, and reports whether it was in time.
func turns(within time.Duration, ok func() bool) bool {
	for deadline := time.Now().Add(within); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// eventually fails the test unless ok turns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !turns(patience, ok) {
		t.Fatalf("never: %s", what)
	}
}

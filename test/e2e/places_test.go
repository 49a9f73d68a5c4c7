package e2e

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// serveWith starts a node whose process may have so many files and sockets open.
func serveWith(t *testing.T, files int, args ...string) *serving {
	t.Helper()
	return serveBy(t, func(args []string) *exec.Cmd {
		return exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, files), binary}, args...)...)
	}, freePorts(t, 3), args...)
}

// Connections, however many, take no file from the engine, which could not go on
// without: the node says that it may have few, and serves whom it has.
func TestConnectionsTakeNoFilesFromTheEngine(t *testing.T) {
	s := serveWith(t, 256, "--data", t.TempDir(), "--q", "16").ready(t)
	c, err := client.New(s.client, client.MaxConns(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	value := ouro.Value{Data: make([]byte, 256<<10)}
	put := func(i int) {
		if _, err := c.Put(t.Context(), ouro.Key{Bucket: "b", Name: fmt.Sprint(i)}, value, ouro.Blind()); err != nil {
			t.Fatalf("put %d: %v\n%s", i, err, s.log.String())
		}
	}
	put(0)
	for i := range 300 {
		for _, addr := range []string{s.client, s.peer, s.admin} {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatalf("connection %d to %s: %v", i, addr, err)
			}
			defer conn.Close()
		}
	}
	for i := range 400 { // some hundred megabytes: logs are made and tables written
		put(i)
	}
	if code := s.stop(t, unix.SIGTERM); code != 0 || strings.Contains(s.log.String(), "too many open files") {
		t.Errorf("exit code %d; the log:\n%s", code, s.log.String())
	}
	if !strings.Contains(s.log.String(), "LimitNOFILE") {
		t.Errorf("the node does not say that it takes fewer connections:\n%s", s.log.String())
	}
}

func TestTooFewFilesAreRefused(t *testing.T) {
	s := serveWith(t, 100, "--data", t.TempDir())
	s.cmd.Wait()
	if code := s.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(s.log.String(), "100 files and sockets open, and needs 256") {
		t.Errorf("exit code %d; the log:\n%s", code, s.log.String())
	}
}

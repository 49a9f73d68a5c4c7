package dev

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro"
)

// TestMain makes the test binary serve as a node and as a supervisor too: the
// package is about processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "fake-node":
			fakeNode(os.Args[2:])
		case "fake-dev":
			fakeDev(os.Args[2])
		}
	}
	os.Exit(m.Run())
}

// fakeNode answers on the admin port what a node answers, links to all members.
func fakeNode(args []string) {
	fs := flag.NewFlagSet("fake-node", flag.ExitOnError)
	admin, members := fs.String("admin", "", ""), fs.String("members", "", "")
	broken := fs.Bool("broken", false, "")
	fs.Parse(args)
	if *broken {
		fmt.Fprintln(os.Stderr, "the disk is on fire")
		os.Exit(3)
	}
	Leash(func() { os.Exit(0) })
	var mu sync.Mutex
	var told []byte
	http.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/admin/v1/status", func(w http.ResponseWriter, _ *http.Request) {
		var st ouro.Status
		for _, id := range strings.Split(*members, ",") {
			st.Members = append(st.Members, ouro.MemberInfo{ID: id, Up: true})
		}
		json.NewEncoder(w).Encode(st)
	})
	http.HandleFunc("/admin/v1/dev/fault", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPost {
			told, _ = io.ReadAll(r.Body)
		}
		w.Write(told)
	})
	l, err := net.Listen("tcp", *admin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, unix.SIGTERM)
	go http.Serve(l, nil)
	<-term
	fmt.Println("drained")
	os.Exit(0)
}

func fakeOptions(dir string) Options {
	return Options{Dir: dir, Nodes: 3, Binary: os.Args[0], Args: fakeArgs, Log: io.Discard}
}

func fakeArgs(n Node, all []Node) []string {
	var ids []string
	for _, m := range all {
		ids = append(ids, m.ID)
	}
	return []string{"fake-node", "-admin", n.Admin, "-members", strings.Join(ids, ",")}
}

// fakeDev is a supervisor that a test can kill.
func fakeDev(dir string) {
	if _, err := Run(context.Background(), fakeOptions(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}

func run(t *testing.T, opts Options) *Cluster {
	t.Helper()
	c, err := Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop(10 * time.Second) })
	return c
}

func do(t *testing.T, dir string, cmd Command) Outcome {
	t.Helper()
	out, err := Call(dir, cmd)
	if err != nil {
		t.Fatalf("%+v: %v", cmd, err)
	}
	return out
}

func exists(pid int) bool { return unix.Kill(pid, 0) == nil }

// eventually fails the test unless ok turns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func TestKillStartPauseResume(t *testing.T) {
	dir := t.TempDir()
	c := run(t, fakeOptions(dir))
	in, err := ReadInfo(dir)
	if err != nil || len(in.Nodes) != 3 || in.Nodes[2].ID != "n3" || in.Nodes[0].PID == 0 {
		t.Fatalf("dev.json: %+v %v", in, err)
	}
	out := do(t, dir, Command{Verb: Kill, Nodes: []int{3, 3}})
	if s := out.Nodes[2]; s.State != "dead" || exists(in.Nodes[2].PID) || out.Nodes[0].State != "running" {
		t.Errorf("after kill 3: %+v", out)
	}
	eventually(t, "dev.json says that n3 is dead", func() bool {
		now, err := ReadInfo(dir)
		return err == nil && now.Nodes[2].PID == 0
	})
	if _, err := Call(dir, Command{Verb: Pause, Nodes: []int{1, 3}}); err == nil || !strings.Contains(err.Error(), "n3 does not run") {
		t.Errorf("pausing a dead node: %v", err)
	}
	if out := do(t, dir, Command{Verb: Start, Nodes: []int{3}}); out.Nodes[2].State != "running" || out.Nodes[0].State != "running" {
		t.Errorf("after start 3: %+v", out)
	}
	if got := c.Info().Nodes[2]; got.PID == in.Nodes[2].PID || got.Client != in.Nodes[2].Client {
		t.Errorf("n3 was %+v and is %+v", in.Nodes[2], got)
	}
	if _, err := Call(dir, Command{Verb: Start, Nodes: []int{1}}); err == nil || !strings.Contains(err.Error(), "runs already") {
		t.Errorf("starting a live node: %v", err)
	}
	if out := do(t, dir, Command{Verb: Pause, Nodes: []int{2}}); out.Nodes[1].State != "paused" {
		t.Errorf("after pause 2: %+v", out)
	}
	if out := do(t, dir, Command{Verb: Resume, Nodes: []int{2}}); out.Nodes[1].State != "running" {
		t.Errorf("after resume 2: %+v", out)
	}
}

// toldFault is the form in which a node's admin port takes what to do to a link.
type toldFault struct {
	DropOut bool   `json:"drop_out"`
	DropIn  bool   `json:"drop_in"`
	Delay   string `json:"delay"`
}

func told(t *testing.T, n Node) map[string]toldFault {
	t.Helper()
	resp, err := http.Get("http://" + n.Admin + "/admin/v1/dev/fault")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body struct{ Peers map[string]toldFault }
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return body.Peers
}

func TestFaultsReachTheNodes(t *testing.T) {
	dir := t.TempDir()
	nodes := run(t, fakeOptions(dir)).Info().Nodes
	none, both := toldFault{}, toldFault{DropOut: true, DropIn: true}
	expect := func(node int, peer string, want toldFault) {
		t.Helper()
		if want.Delay == "" {
			want.Delay = "0s"
		}
		if got := told(t, nodes[node-1])[peer]; got != want {
			t.Errorf("n%d does %+v to %s, want %+v", node, got, peer, want)
		}
	}
	do(t, dir, Command{Verb: Cut, Nodes: []int{1}})
	expect(1, "n2", both)
	expect(2, "n1", both)
	expect(2, "n3", none)

	do(t, dir, Command{Verb: Kill, Nodes: []int{1}})
	do(t, dir, Command{Verb: Start, Nodes: []int{1}})
	expect(1, "n2", both) // a restart heals nothing

	do(t, dir, Command{Verb: Pause, Nodes: []int{2}})
	do(t, dir, Command{Verb: Heal})
	expect(1, "n2", none)
	do(t, dir, Command{Verb: Resume, Nodes: []int{2}})
	expect(2, "n1", none) // told once it listens again

	do(t, dir, Command{Verb: Cut, Nodes: []int{1, 2}, OneWay: true})
	expect(1, "n3", toldFault{DropOut: true})
	expect(3, "n1", toldFault{DropIn: true})
	expect(1, "n2", none)

	out := do(t, dir, Command{Verb: Slow, Nodes: []int{3}, By: 200 * time.Millisecond})
	expect(3, "n2", toldFault{DropIn: true, Delay: "200ms"})
	expect(2, "n3", toldFault{DropOut: true})
	if got := strings.Join(out.Nodes[2].Faults, "; "); !strings.Contains(got, "hears nothing of n1") || !strings.Contains(got, "200ms late at n2") {
		t.Errorf("n3 is said to have %q", got)
	}
	do(t, dir, Command{Verb: Heal, Nodes: []int{3}})
	expect(3, "n2", none)
	expect(2, "n3", none)
}

func TestCommandsThatMakeNoSense(t *testing.T) {
	dir := t.TempDir()
	run(t, fakeOptions(dir))
	for says, cmd := range map[string]Command{
		"nodes 1 to 3":    {Verb: Kill, Nodes: []int{4}},
		"there is no":     {Verb: Cut, Nodes: []int{0}},
		"which nodes":     {Verb: Pause},
		"not a command":   {Verb: "burn", Nodes: []int{1}},
		"0 to 1m0s":       {Verb: Slow, Nodes: []int{1}, By: time.Hour},
		"a delay of -1ns": {Verb: Slow, Nodes: []int{1}, By: -1},
	} {
		if _, err := Call(dir, cmd); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want an error that says %q", cmd, err, says)
		}
	}
	if _, err := Call(t.TempDir(), Command{Verb: Kill, Nodes: []int{1}}); err == nil || !strings.Contains(err.Error(), "no dev cluster") {
		t.Errorf("a folder without cluster: %v", err)
	}
}

func TestStopDrainsAndKeepsWhatIsNeededToGoOn(t *testing.T) {
	dir := t.TempDir()
	opts := fakeOptions(dir)
	c := run(t, opts)
	before := c.Info()
	do(t, dir, Command{Verb: Pause, Nodes: []int{2}}) // even a paused node drains
	c.Stop(10 * time.Second)
	for i, n := range before.Nodes {
		if exists(n.PID) {
			t.Errorf("%s is alive", n.ID)
		}
		if log := lastLines(before.Log(i+1), 1); log != "drained" {
			t.Errorf("%s was not asked to end: %q", n.ID, log)
		}
	}
	if _, err := Call(dir, Command{Verb: Heal}); err == nil || !strings.Contains(err.Error(), "no dev cluster runs") {
		t.Errorf("a stopped cluster: %v", err)
	}
	opts.Nodes = 5
	if _, err := Run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "ouro dev add") {
		t.Errorf("another number of nodes: %v", err)
	}
	opts.Nodes = 0
	if again := run(t, opts); len(again.Info().Nodes) != 3 {
		t.Errorf("the folder's number of nodes was not kept: %+v", again.Info())
	}
}

func TestStartErrors(t *testing.T) {
	dir := t.TempDir()
	c := run(t, fakeOptions(dir))
	if _, err := Run(t.Context(), fakeOptions(dir)); err == nil || !strings.Contains(err.Error(), "runs in "+dir+" already") {
		t.Errorf("a second supervisor: %v", err)
	}
	_, port, _ := net.SplitHostPort(c.Info().Nodes[0].Admin)
	var base int
	fmt.Sscan(port, &base)
	opts := fakeOptions(t.TempDir())
	opts.BasePort = base - adminOffset
	if _, err := Run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "port "+port+", the admin port of n1, is in use") {
		t.Errorf("a port in use: %v", err)
	}
	opts = fakeOptions(t.TempDir())
	opts.BasePort = 65530
	if _, err := Run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "65535") {
		t.Errorf("ports beyond the last: %v", err)
	}
	opts = fakeOptions(t.TempDir())
	opts.Args = func(n Node, all []Node) []string {
		args := fakeArgs(n, all)
		if n.ID == "n2" {
			args = append(args, "-broken")
		}
		return args
	}
	_, err := Run(t.Context(), opts)
	if err == nil || !strings.Contains(err.Error(), "n2 ended while it was starting (exit status 3)") || !strings.Contains(err.Error(), "on fire") {
		t.Errorf("a node that can't start: %v", err)
	}
	in, err := ReadInfo(opts.Dir)
	if err != nil || in.Nodes[0].PID != 0 {
		t.Errorf("after a failed start: %+v %v", in, err)
	}
}

// The socket's path has a bound that folders do not have.
func TestDeepFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 30))
	run(t, fakeOptions(dir))
	do(t, dir, Command{Verb: Kill, Nodes: []int{1}})
}

// Nodes end with their supervisor, even when it has no time to end them.
func TestNoNodeOutlivesItsSupervisor(t *testing.T) {
	dir := t.TempDir()
	sup := exec.Command(os.Args[0], "fake-dev", dir)
	sup.Stderr = os.Stderr
	if err := sup.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cluster runs", func() bool {
		_, err := Call(dir, Command{Verb: Heal})
		return err == nil
	})
	in, err := ReadInfo(dir)
	if err != nil {
		t.Fatal(err)
	}
	do(t, dir, Command{Verb: Pause, Nodes: []int{3}})
	if err := sup.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	sup.Wait()
	for _, n := range in.Nodes {
		eventually(t, n.ID+" is gone", func() bool { return !exists(n.PID) })
	}
	run(t, fakeOptions(dir)) // nothing that was left behind is in the way
}

// Nodes are in zones by turns, and a folder keeps them there.
func TestZones(t *testing.T) {
	opts := fakeOptions(t.TempDir())
	opts.Zones = 2
	zones := func(c *Cluster) (all []string) {
		for _, n := range c.Info().Nodes {
			all = append(all, n.Zone)
		}
		return all
	}
	want := []string{"z1", "z2", "z1"}
	c := run(t, opts)
	if got := zones(c); !slices.Equal(got, want) {
		t.Errorf("three nodes in two zones: %q", got)
	}
	c.Stop(10 * time.Second)
	opts.Zones = 3
	if _, err := Run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "relabel") {
		t.Errorf("the folder's nodes in other zones: %v", err)
	}
	opts.Zones = 0
	if got := zones(run(t, opts)); !slices.Equal(got, want) {
		t.Errorf("the folder's own zones: %q", got)
	}
	opts.Dir, opts.Zones = t.TempDir(), -1
	if _, err := Run(t.Context(), opts); err == nil {
		t.Error("a negative number of zones is taken")
	}
}

// TestSpawnAndLook: one more node runs and waits to be joined, and looking at the
// cluster tells how and where all are without doing anything.
func TestSpawnAndLook(t *testing.T) {
	dir := t.TempDir()
	run(t, fakeOptions(dir))
	out := do(t, dir, Command{Verb: Spawn})
	if len(out.Nodes) != 4 || out.Nodes[3].ID != "n4" || out.Nodes[3].State != "running" || out.Nodes[3].Peer == "" {
		t.Fatalf("%+v", out)
	}
	in, err := ReadInfo(dir)
	if err != nil || len(in.Nodes) != 4 || !in.Nodes[3].Added {
		t.Fatalf("%+v, %v", in, err)
	}
	seen := do(t, dir, Command{Verb: Look})
	for i, n := range in.Nodes {
		if s := seen.Nodes[i]; s.PID != n.PID || s.Admin != n.Admin || s.Peer != n.Peer || s.Client != n.Client || s.State != "running" || len(s.Faults) > 0 {
			t.Errorf("%+v is said to be %+v", n, s)
		}
	}
}

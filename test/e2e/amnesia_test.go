package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// copyFolder copies a data folder that no process uses.
func copyFolder(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir() + "/copy"
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// linked tells whether the node of a data folder goes by links: nothing but a link
// changes which disk is whose from then on (decision 0034).
func linked(folder string) bool {
	b, err := os.ReadFile(filepath.Join(folder, "node.json"))
	return err == nil && strings.Contains(string(b), `"linked": true`)
}

func (c *cluster) status(i int) string {
	c.t.Helper()
	return runs(c.t, "status", "--admin", c.Nodes[i-1].Admin).out
}

// seesUp waits until node i says that so many members are up, itself among them.
func (c *cluster) seesUp(i, members int) {
	c.t.Helper()
	eventually(c.t, fmt.Sprintf("n%d sees %d members", i, members), func() bool {
		return strings.Contains(c.status(i), fmt.Sprintf("%d of %d members", members, len(c.Nodes)))
	})
}

// TestDisksLostAndRestored: one node loses its data folder, another is started
// from an old copy of its own, while writes go on. Both find out from the others,
// count for no read until they have compared, and miss nothing in the end; nothing
// that was deleted is back (paper, 4.6 and its omissions 9.2, 9.10; RULES R9-R11).
func TestDisksLostAndRestored(t *testing.T) {
	t.Parallel()
	c := start(t, "", 3)
	for _, n := range c.Nodes {
		eventually(t, n.ID+" goes by links", func() bool { return linked(n.Data) })
	}
	c.put(1, "lost/deleted", "was here", "--w", "3")
	c.put(1, "lost/both", "old", "--w", "3")
	c.dev("kill", "3")
	old := copyFolder(t, c.Nodes[2].Data)
	c.dev("start", "3")
	must(t, "del", "lost/deleted", "--w", "3", "--addr", c.Nodes[0].Client)
	for i := range 30 {
		c.put(i%3+1, fmt.Sprintf("lost/%d", i), fmt.Sprint("value ", i), "--w", "3")
	}
	c.dev("kill", "2", "3")
	for _, n := range []int{1, 2} {
		if err := os.RemoveAll(c.Nodes[n].Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(old, c.Nodes[2].Data); err != nil {
		t.Fatal(err)
	}
	c.dev("start", "2", "3")
	for _, n := range []int{2, 3} {
		eventually(t, fmt.Sprintf("n%d knows that it may have forgotten something", n), func() bool {
			return strings.Contains(c.status(n), "comparisons begin at")
		})
	}
	// They take writes, and their acknowledgements count for w.
	c.put(2, "lost/during", "taken by those that recover", "--blind", "--w", "3")
	// Only n1 counts for reads: two cannot be had, one can.
	if r := runs(t, "get", "lost/7", "--r", "2", "--addr", c.Nodes[1].Client); r.code == 0 {
		t.Errorf("r=2 was met while two of three recover: %q", r.out)
	}
	c.expect(3, "lost/7", "value 7", "--r", "1")
	c.expect(2, "lost/during", "taken by those that recover", "--r", "1")
	// Two of three disks are no majority that could name the new ones: an operator says
	// that it is to go on.
	eventually(t, "the chain waits", func() bool {
		return strings.Contains(must(t, "cluster", "status", "--admin", c.Nodes[1].Admin), "the next link:")
	})
	fails(t, 2, "--strict-promises-end", "cluster", "restart", "--admin", c.Nodes[0].Admin)
	must(t, "cluster", "restart", "--strict-promises-end", "--admin", c.Nodes[0].Admin)
	for _, n := range []int{2, 3} {
		eventually(t, fmt.Sprintf("n%d is current", n), func() bool { return !strings.Contains(c.status(n), "Recovering") })
	}
	// What each holds by itself, without asking others.
	for _, n := range []int{2, 3} {
		for i := range 30 {
			key := fmt.Sprintf("lost/%d", i)
			if got := must(t, "key", "inspect", key, "--admin", c.Nodes[n-1].Admin); !strings.Contains(got, fmt.Sprint("value ", i)) {
				t.Errorf("n%d has not got back %s:\n%s", n, key, got)
			}
		}
		fails(t, 1, "", "get", "lost/deleted", "--r", "3", "--addr", c.Nodes[n-1].Client)
		c.expect(n, "lost/both", "old", "--r", "3")
	}
}

// trio starts three nodes with members that know each other, and returns them
// with the arguments of each.
func trio(t *testing.T) (nodes []*serving, args [][]string) {
	t.Helper()
	var ports [][]string
	var members []string
	for i := range 3 {
		ports = append(ports, freePorts(t, 3))
		members = append(members, fmt.Sprintf("n%d=%s", i+1, ports[i][1]))
	}
	dir := t.TempDir()
	for i := range 3 {
		a := []string{"--id", fmt.Sprintf("n%d", i+1), "--cluster", "trio", "--q", "16", "--data", fmt.Sprintf("%s/n%d", dir, i+1), "--members", strings.Join(members, ",")}
		args = append(args, a)
		nodes = append(nodes, serveOn(t, ports[i], a...))
	}
	for _, n := range nodes {
		n.ready(t).foundAll(t, 3)
	}
	return nodes, args
}

// TestFoundersThatLostTheirDataFoundNothing: all founders lose their data and not their
// folders. None of them knows a link, and all know that there were any: they found
// nothing by themselves, say so, and go on when an operator says that it is to be
// (decision 0034).
func TestFoundersThatLostTheirDataFoundNothing(t *testing.T) {
	t.Parallel()
	nodes, args := trio(t)
	for _, a := range args {
		eventually(t, "the folder knows that there are links", func() bool { return linked(a[7]) })
	}
	for i, n := range nodes {
		n.stop(t, unix.SIGKILL)
		if err := os.RemoveAll(args[i][7] + "/data"); err != nil {
			t.Fatal(err)
		}
	}
	for i, n := range nodes {
		nodes[i] = serveOn(t, []string{n.client, n.peer, n.admin}, args[i]...)
	}
	for _, n := range nodes {
		eventually(t, "the node says that it has lost links", func() bool {
			return strings.Contains(runs(t, "cluster", "status", "--admin", n.admin).out, "has lost them")
		})
	}
	time.Sleep(5 * time.Second) // they would have founded it again by now
	for _, n := range nodes {
		if got := must(t, "cluster", "status", "--admin", n.admin); !strings.Contains(got, "has lost them") {
			t.Errorf("it goes on by itself:\n%s", got)
		}
	}
	must(t, "cluster", "restart", "--strict-promises-end", "--admin", nodes[0].admin)
	for _, n := range nodes {
		eventually(t, "the chain goes on", func() bool {
			return !strings.Contains(must(t, "cluster", "status", "--admin", n.admin), "has lost them")
		})
	}
}

// TestCopyBesideTheOriginal: a copy of a data folder that is started while the
// original runs is refused by the others, and ends with what to do; the original
// serves on (RULES R11).
func TestCopyBesideTheOriginal(t *testing.T) {
	t.Parallel()
	nodes, args := trio(t)
	must(t, "put", "a/b", "c", "--w", "3", "--addr", nodes[0].client)
	if code := nodes[0].stop(t, unix.SIGKILL); code != -1 {
		t.Errorf("exit code %d", code)
	}
	data := args[0][7]
	copied := copyFolder(t, data)
	again := serveOn(t, []string{nodes[0].client, nodes[0].peer, nodes[0].admin}, args[0]...).ready(t)
	eventually(t, "the original is back", func() bool {
		return strings.Contains(runs(t, "status", "--admin", again.admin).out, "3 of 3 members")
	})
	twin := serve(t, append(append([]string{}, args[0]...), "--data", copied)...)
	ended := make(chan struct{})
	go func() {
		twin.cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatalf("the copy runs on:\n%s", twin.log.String())
	}
	if code := twin.cmd.ProcessState.ExitCode(); code != 4 || !strings.Contains(twin.log.String(), "stop one of the two") {
		t.Errorf("exit code %d\n%s", code, twin.log.String())
	}
	if got := must(t, "get", "a/b", "--r", "3", "--addr", again.client); got != "c" {
		t.Errorf("the original shows %q", got)
	}
	if strings.Contains(again.log.String(), "comes back as recovering") {
		t.Errorf("the original was disturbed:\n%s", again.log.String())
	}
}

// TestRecoverMarksAFolder: 'ouro recover' marks a restored folder, and only one
// that is not in use.
func TestRecoverMarksAFolder(t *testing.T) {
	t.Parallel()
	nodes, args := trio(t)
	data := args[2][7]
	must(t, "put", "a/b", "c", "--w", "3", "--addr", nodes[0].client)
	fails(t, 1, "stop its node first", "recover", "--data", data)
	fails(t, 1, "no data folder", "recover", "--data", t.TempDir())
	nodes[2].stop(t, unix.SIGTERM)
	if out := must(t, "recover", "--data", data); !strings.Contains(out, "node n3") {
		t.Errorf("said %q", out)
	}
	again := serveOn(t, []string{nodes[2].client, nodes[2].peer, nodes[2].admin}, args[2]...).ready(t)
	eventually(t, "it recovers", func() bool {
		st := runs(t, "status", "--admin", again.admin).out
		return strings.Contains(st, "Recovering") && strings.Contains(st, "3 of 3 members")
	})
	if r := runs(t, "get", "a/b", "--r", "3", "--addr", nodes[0].client); r.code == 0 {
		t.Error("r=3 was met while one of three recovers")
	}
	if got := must(t, "get", "a/b", "--addr", again.client); got != "c" {
		t.Errorf("it shows %q", got)
	}
}

// TestDataAlonePutBack: in a folder that is current the data is put back from a copy of
// its own, of before the last start. What was acknowledged since is not in it: the node
// finds that out by itself, whoever else is there, and counts for no read.
func TestDataAlonePutBack(t *testing.T) {
	t.Parallel()
	nodes, args := trio(t)
	data := filepath.Join(args[2][7], "data")
	again := func() {
		nodes[2] = serveOn(t, []string{nodes[2].client, nodes[2].peer, nodes[2].admin}, args[2]...).ready(t)
	}
	must(t, "put", "a/b", "old", "--w", "3", "--addr", nodes[0].client)
	nodes[2].stop(t, unix.SIGTERM)
	old := copyFolder(t, data)
	again()
	if strings.Contains(nodes[2].log.String(), "is not that of this folder") {
		t.Error("it may have lost something, though nothing was done to its data")
	}
	nodes[2].foundAll(t, 3)
	must(t, "put", "a/b", "new", "--w", "3", "--addr", nodes[0].client)
	nodes[2].stop(t, unix.SIGKILL)
	nodes[0].stop(t, unix.SIGTERM)
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(old, data); err != nil {
		t.Fatal(err)
	}
	again()
	if !strings.Contains(nodes[2].log.String(), "is not that of this folder") {
		t.Errorf("it did not notice:\n%s", nodes[2].log.String())
	}
	nodes[2].within(t, "it finds another", func() bool {
		return strings.Contains(runs(t, "status", "--admin", nodes[2].admin).out, "2 of 3 members")
	})
	if r := runs(t, "get", "a/b", "--r", "1", "--addr", nodes[2].client); r.code == 0 && !strings.Contains(r.out, "new") {
		t.Errorf("it shows %q", r.out)
	}
	fails(t, 1, "", "get", "a/b", "--r", "2", "--addr", nodes[2].client)
}

// TestAwayForLong: a node that comes back after longer than hints are kept compares
// before it counts, which takes no minute: it has forgotten nothing.
func TestAwayForLong(t *testing.T) {
	t.Parallel()
	nodes, args := trio(t)
	must(t, "put", "a/b", "c", "--w", "3", "--addr", nodes[0].client)
	nodes[2].stop(t, unix.SIGTERM)
	must(t, "put", "a/b", "meanwhile", "--addr", nodes[0].client)
	file := args[2][7] + "/node.json"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	aged := regexp.MustCompile(`"alive": [0-9]+`).ReplaceAll(b, []byte(`"alive": 1000`))
	if string(aged) == string(b) {
		t.Fatalf("the folder does not say when it was last in use:\n%s", b)
	}
	if err := os.WriteFile(file, aged, 0o600); err != nil {
		t.Fatal(err)
	}
	again := serveOn(t, []string{nodes[2].client, nodes[2].peer, nodes[2].admin}, args[2]...).ready(t)
	eventually(t, "it is current", func() bool {
		st := runs(t, "status", "--admin", again.admin).out
		return strings.Contains(st, "3 of 3 members") && !strings.Contains(st, "Recovering") &&
			strings.Contains(must(t, "key", "inspect", "a/b", "--admin", again.admin), "meanwhile")
	})
	if !strings.Contains(again.log.String(), "away for longer") {
		t.Errorf("it did not notice:\n%s", again.log.String())
	}
}

// TestUncleanStopLosesNothingAcknowledged: kill -9 under writes, again and again;
// every write that was acknowledged is there, and the node counts at once.
func TestUncleanStopLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	c := start(t, "", 3)
	want := map[string]string{}
	for round := range 3 {
		killed := make(chan struct{})
		for i, over := 0, false; !over; i++ {
			if i == 10 {
				go func() {
					defer close(killed)
					runs(t, "dev", "kill", fmt.Sprint(round+1), "--dir", c.Dir)
				}()
			}
			key, value := fmt.Sprintf("unclean/%d-%d", round, i), fmt.Sprint("v", i)
			if c.http((round+1)%3+1, "PUT", "/kv/"+key, value).status == 200 {
				want[key] = value
			}
			select {
			case <-killed:
				over = true
			default:
			}
		}
		c.dev("start", fmt.Sprint(round+1))
		if strings.Contains(c.status(round+1), "Recovering") {
			t.Errorf("n%d recovers though its disk lost nothing", round+1)
		}
	}
	if len(want) < 20 {
		t.Errorf("only %d writes were acknowledged", len(want))
	}
	for key, value := range want {
		if got := c.http(1, "GET", "/kv/"+key+"?r=2", ""); got.body != value {
			t.Errorf("%s is %q, want %q", key, got.body, value)
		}
	}
}

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// smallDisk mounts a file system of so many MiB, which only root may.
func smallDisk(t *testing.T, mib int) string {
	t.Helper()
	dir := t.TempDir()
	mount(t, dir, mib)
	return dir
}

func mount(t *testing.T, dir string, mib int) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mib)); err != nil {
		t.Skipf("a small file system can't be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// ballast fills a file system until so many bytes are left, and returns the file
// to remove.
func ballast(t *testing.T, dir string, left int64) string {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err != nil {
			t.Fatal(err)
		}
		take := int64(st.Bavail)*st.Bsize - left
		if take <= 0 {
			return name
		}
		if _, err := f.Write(make([]byte, min(take, 1<<20))); errors.Is(err, unix.ENOSPC) {
			return name
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// A disk that runs full: writes are refused by name, reads go on, the node is
// ready and says what is wrong; with room again it takes writes by itself.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t, 96)
	s := serve(t, "--data", filepath.Join(disk, "d"), "--disk-reserve", "16MiB").ready(t)
	must(t, "put", "a/b", "before", "--addr", s.client)
	full := ballast(t, disk, 10<<20)
	eventually(t, "puts are refused", func() bool {
		r := runs(t, "put", "a/b", "meanwhile", "--addr", s.client)
		if r.code != 0 && !strings.Contains(r.err, "disk_full") {
			t.Fatalf("a put on a full disk: %+v", r)
		}
		return r.code == 1
	})
	if r := runs(t, "del", "a/b", "--addr", s.client); r.code != 1 || !strings.Contains(r.err, "disk_full") {
		t.Errorf("a delete on a full disk: %+v", r)
	}
	if r := runs(t, "get", "a/b", "--addr", s.client); r.code != 0 {
		t.Errorf("a get on a full disk: %+v", r)
	}
	if st := must(t, "status", "--admin", s.admin); !strings.Contains(st, "disk_full: 9 MiB are free and 16 MiB are kept") && !strings.Contains(st, "disk_full: 10 MiB are free") {
		t.Errorf("the status of a node whose disk is full:\n%s", st)
	}
	if code, _ := fetch(t, s.admin, "/readyz"); code != http.StatusOK {
		t.Errorf("/readyz answers %d", code)
	}
	if _, metrics := fetch(t, s.admin, "/metrics"); !strings.Contains(metrics, "\nouro_disk_full 1\n") {
		t.Error("the metrics do not say that the disk is full")
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	eventually(t, "puts are taken again", func() bool {
		return runs(t, "put", "a/b", "after", "--addr", s.client).code == 0
	})
	if got := must(t, "get", "a/b", "--addr", s.client); got != "after" {
		t.Errorf("after all that: %q", got)
	}
	for _, line := range []string{"the disk is nearly full", "there is room on the disk again"} {
		if n := strings.Count(s.log.String(), line); n != 1 {
			t.Errorf("%q is in the log %d times:\n%s", line, n, s.log.String())
		}
	}
}

// A disk that somebody else fills to the last byte, faster than the node can
// see: it may end, with the exit code of a disk that failed, or refuse. What it
// acknowledged is there when it is started with room again.
func TestNotAByteLeft(t *testing.T) {
	disk := smallDisk(t, 64)
	data := filepath.Join(disk, "d")
	var acked []string
	for round := range 3 {
		s := serve(t, "--data", data, "--disk-reserve", "1MiB").ready(t)
		for _, key := range acked {
			if r := runs(t, "get", key, "--addr", s.client); r.code != 0 || !strings.HasPrefix(r.out, key) {
				t.Fatalf("%s was acknowledged in an earlier round: %+v", key, r)
			}
		}
		w := writing(s, fmt.Sprintf("full/%d", round))
		eventually(t, "a put is acknowledged", func() bool { return w.count() > 0 })
		full := ballast(t, disk, 0)
		eventually(t, "the node refuses or ends", func() bool { return w.refused.Load() > 20 })
		acked = append(acked, w.stop()...)
		if len(acked) == 0 {
			t.Fatal("nothing was acknowledged: there is nothing to check")
		}
		t.Logf("round %d: %d acknowledged so far, %d refused", round, len(acked), w.refused.Load())
		if err := os.Remove(full); err != nil {
			t.Fatal(err)
		}
		switch code := s.stop(t, unix.SIGTERM); {
		case code == 0:
		case code == 3 && strings.Contains(s.log.String(), "so this node ends"):
			t.Log("the node has ended by itself")
		default:
			t.Fatalf("exit code %d\n%s", code, s.log.String())
		}
		acked = acked[max(0, len(acked)-100):]
	}
}

// writer puts ever new keys.
type writer struct {
	refused atomic.Int64
	over    chan struct{}
	wg      sync.WaitGroup
	mu      sync.Mutex
	acked   []string
}

// impatient gives a node up that does not answer.
var impatient = &http.Client{Timeout: 5 * time.Second}

// writing starts clients that put keys below prefix until they are stopped; a
// value begins with its key.
func writing(s *serving, prefix string) *writer {
	w := &writer{over: make(chan struct{})}
	for c := range 4 {
		w.wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-w.over:
					return
				default:
				}
				key := fmt.Sprintf("%s-%d-%d", prefix, c, i)
				req, err := http.NewRequest(http.MethodPut, "http://"+s.client+"/kv/"+key, strings.NewReader(key+strings.Repeat(".", 4000)))
				if err != nil {
					panic(err)
				}
				resp, err := impatient.Do(req)
				if err != nil || resp.StatusCode != http.StatusOK {
					w.refused.Add(1)
					time.Sleep(10 * time.Millisecond)
				} else {
					w.mu.Lock()
					w.acked = append(w.acked, key)
					w.mu.Unlock()
				}
				if err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
		})
	}
	return w
}

// count tells how many keys were acknowledged.
func (w *writer) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// stop stops them and returns the keys that were acknowledged.
func (w *writer) stop() []string {
	close(w.over)
	w.wg.Wait()
	return w.acked
}

// One disk of a cluster is full: no request fails for that, whichever node is
// asked, and when there is room the node gets what it refused.
func TestFullDiskOfOneNode(t *testing.T) {
	dir := t.TempDir()
	disk := filepath.Join(dir, "n3")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	mount(t, disk, 360)
	c := start(t, dir, 4)
	c.put(1, "full/k0", "before", "--w", "3")
	full := ballast(t, disk, 200<<20) // of the 256 MiB that are kept free
	noted := func(want bool) func() string {
		return func() string {
			if st := must(t, "status", "--admin", c.Nodes[2].Admin); strings.Contains(st, "disk_full: ") != want {
				return fmt.Sprintf("the node notes that its disk is full: %v\n%s", want, st)
			}
			return ""
		}
	}
	c.within(noted(true))
	const keys = 12
	for k := range keys {
		c.put(1+k%4, fmt.Sprintf("full/k%d", k), "meanwhile")
		c.expect(3, fmt.Sprintf("full/k%d", k), "meanwhile")
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	c.within(noted(false))
	for k := range keys { // what others keep for it may come up to a minute later
		c.get(1, fmt.Sprintf("full/k%d", k), "--r", "3")
	}
	c.equalReplicas("full", keys)
}

// A disk that stands still, with a file system that is frozen: its node is
// written around, and goes on when it thaws.
func TestFrozenDisk(t *testing.T) {
	dir := t.TempDir()
	disk := filepath.Join(dir, "n3")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(t.TempDir(), "image")
	for _, cmd := range [][]string{{"truncate", "-s", "400M", image}, {"mkfs.ext4", "-q", image}, {"mount", "-o", "loop", image, disk}} {
		if out, err := exec.Command(cmd[0], cmd[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%v: %v %s", cmd, err, out)
		}
	}
	t.Cleanup(func() { unix.Unmount(disk, unix.MNT_DETACH) })
	c := start(t, dir, 4)
	c.put(1, "frozen/k0", "before", "--w", "3")
	if out, err := exec.Command("fsfreeze", "-f", disk).CombinedOutput(); err != nil {
		t.Skipf("fsfreeze: %v %s", err, out)
	}
	thaw := sync.OnceFunc(func() { exec.Command("fsfreeze", "-u", disk).Run() })
	defer thaw()
	const keys = 20
	for k := range keys {
		c.put(1+k%2, fmt.Sprintf("frozen/k%d", k), "meanwhile")
	}
	thaw()
	c.noHints()
	for k := range keys {
		c.get(1, fmt.Sprintf("frozen/k%d", k), "--r", "3")
	}
	c.equalReplicas("frozen", keys)
}

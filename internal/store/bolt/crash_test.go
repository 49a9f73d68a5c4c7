package bolt_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/bolt"
)

const childEnv = "OURO_BOLT_CHILD"

// TestKilled kills a process that writes at random moments: every batch that it had
// told synced is there, whole, and so are all before it.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(childEnv); dir != "" {
		writeUntilKilled(dir)
		return
	}
	dir := filepath.Join(t.TempDir(), "store")
	last := uint64(0)
	for round := range 6 {
		synced := killedAfter(t, dir, time.Duration(20+37*round)*time.Millisecond)
		last = checkBatches(t, dir, max(synced, last))
	}
	if last == 0 {
		t.Error("nothing was written")
	}
}

// killedAfter lets a child write for a while after its first batch, and returns the
// last that it told synced.
func killedAfter(t *testing.T, dir string, d time.Duration) (synced uint64) {
	child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	child.Env = append(os.Environ(), childEnv+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if timer == nil {
			timer = time.AfterFunc(d, func() { _ = child.Process.Kill() })
		}
		n, ok := strings.CutPrefix(lines.Text(), "synced ")
		if !ok {
			t.Errorf("the child says: %s", lines.Text())
			continue
		}
		if synced, err = strconv.ParseUint(n, 10, 64); err != nil {
			t.Error(err)
		}
	}
	if err := child.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
	return synced
}

func writeUntilKilled(dir string) {
	e, err := bolt.Open(dir, bolt.Options{Reserve: -1})
	if err != nil {
		fmt.Println(err)
		return
	}
	next := lastBatch(e) + 1
	var b store.Batch
	for i := next; ; i++ {
		b.Reset()
		value := binary.BigEndian.AppendUint64(nil, i)
		b.Set(fmt.Appendf(nil, "a%08d", i), append(value, make([]byte, i%3000)...))
		b.Set([]byte("counter"), value)
		b.Set(fmt.Appendf(nil, "z%08d", i), value)
		if err := e.Apply(&b, func(err error) {
			if err == nil {
				fmt.Println("synced", i)
			}
		}); err != nil {
			fmt.Println(err)
			return
		}
	}
}

func lastBatch(e store.Engine) (last uint64) {
	if _, err := e.Get([]byte("counter"), func(v []byte) { last = binary.BigEndian.Uint64(v) }); err != nil {
		fmt.Println(err)
	}
	return last
}

func checkBatches(t *testing.T, dir string, synced uint64) uint64 {
	e, err := bolt.Open(dir, bolt.Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	last := lastBatch(e)
	if last < synced {
		t.Errorf("batch %d was synced, the last is %d", synced, last)
	}
	for _, family := range []string{"a", "z"} {
		next := uint64(1)
		err := e.Range([]byte(family), []byte(family+"\xff"), func(k, v []byte) bool {
			if want := fmt.Sprintf("%s%08d", family, next); string(k) != want || binary.BigEndian.Uint64(v) != next {
				t.Errorf("found %q, want %s: a batch is missing before batch %d", k, want, last)
				return false
			}
			next++
			return true
		})
		if err != nil || next != last+1 {
			t.Errorf("family %s ends at %d, the counter at %d, error %v", family, next-1, last, err)
		}
	}
	return last
}

// TestOtherFiles: a file that is no store, or was cut off, is refused and not
// changed.
func TestOtherFiles(t *testing.T) {
	for name, content := range map[string]string{"text": strings.Repeat("no store\n", 4000), "short": "x"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "data.bolt")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if e, err := bolt.Open(dir, bolt.Options{}); err == nil {
				t.Errorf("it was opened; close: %v", e.Close())
			} else {
				t.Log(err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != content {
				t.Errorf("it was changed, error %v", err)
			}
		})
	}
}

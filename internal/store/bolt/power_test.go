package bolt_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/bolt"
)

// diskImage makes a file system in a file, which only root may mount.
func diskImage(t *testing.T) (image string) {
	t.Helper()
	image = filepath.Join(t.TempDir(), "image")
	run(t, "truncate", "-s", "64M", image)
	run(t, "mkfs.ext4", "-q", image)
	return image
}

// mounted mounts an image. The file system writes to it what it is told to sync, and
// what is not only after minutes.
func mounted(t *testing.T, image string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	run(t, "mount", "-o", "loop,commit=600", image, dir)
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func run(t *testing.T, cmd ...string) {
	t.Helper()
	if out, err := exec.Command(cmd[0], cmd[1:]...).CombinedOutput(); err != nil {
		t.Skipf("%v: %v %s", cmd, err, out)
	}
}

// TestPowerCut: what the disk itself has whenever all batches were told synced is all of
// them. A process that is killed, as in TestKilled, leaves behind what its kernel was to
// write and never did; a machine without power does not.
func TestPowerCut(t *testing.T) {
	const rounds, each = 4, 25
	image := diskImage(t)
	e, err := bolt.Open(filepath.Join(mounted(t, image), "store"), bolt.Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	synced := make(chan error, each)
	var b store.Batch
	for i := uint64(1); i <= rounds*each; i++ {
		b.Reset()
		value := binary.BigEndian.AppendUint64(nil, i)
		b.Set(fmt.Appendf(nil, "a%08d", i), append(value, make([]byte, 100*i)...))
		b.Set([]byte("counter"), value)
		b.Set(fmt.Appendf(nil, "z%08d", i), value)
		if err := e.Apply(&b, func(err error) { synced <- err }); err != nil {
			t.Fatal(err)
		}
		if i%each > 0 {
			continue
		}
		for range each {
			if err := <-synced; err != nil {
				t.Fatal(err)
			}
		}
		run(t, "cp", "--sparse=always", image, fmt.Sprint(image, i)) // the power goes
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for i := uint64(each); i <= rounds*each; i += each {
		dir := filepath.Join(mounted(t, fmt.Sprint(image, i)), "store")
		if _, err := os.Stat(filepath.Join(dir, "data.bolt")); err != nil {
			t.Fatalf("after %d batches: %v", i, err)
		}
		if last := checkBatches(t, dir, i); last != i {
			t.Errorf("after %d batches the disk has %d", i, last)
		}
	}
}

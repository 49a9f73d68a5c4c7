package pebble_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	cockroach "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/pebble"
)

// failing injects err into operations of one kind on files with one suffix,
// while it is on.
type failing struct {
	on      atomic.Bool
	err     error
	kinds   []errorfs.OpKind
	pattern string
}

func (f *failing) String() string { return "failing " + f.pattern }

func (f *failing) MaybeError(op errorfs.Op) error {
	if !f.on.Load() || !strings.Contains(filepath.Base(op.Path), f.pattern) {
		return nil
	}
	for _, k := range f.kinds {
		if op.Kind == k {
			return f.err
		}
	}
	return nil
}

func syncKinds() []errorfs.OpKind {
	return []errorfs.OpKind{errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo}
}

func batchOf(pairs ...string) *store.Batch {
	var b store.Batch
	for i := 0; i < len(pairs); i += 2 {
		b.Set([]byte(pairs[i]), []byte(pairs[i+1]))
	}
	return &b
}

// TestFailedSyncOfTheLog checks that after a failed fsync nothing is
// acknowledged any more, and nothing panics.
func TestFailedSyncOfTheLog(t *testing.T) {
	for name, fault := range map[string]*failing{
		"Sync":  {err: syscall.EIO, pattern: ".log", kinds: syncKinds()},
		"Write": {err: syscall.EIO, pattern: ".log", kinds: []errorfs.OpKind{errorfs.OpFileWrite}},
	} {
		t.Run(name, func(t *testing.T) {
			fs := newCrashFS(fault)
			var fatal atomic.Int64
			e, err := pebble.Open("/s", pebble.Options{FS: fs, OnFatal: func(error) { fatal.Add(1) }})
			if err != nil {
				t.Fatal(err)
			}
			good := make(chan error, 1)
			if err := e.Apply(batchOf("a", "1"), func(err error) { good <- err }); err != nil {
				t.Fatal(err)
			}
			if err := <-good; err != nil {
				t.Fatal(err)
			}
			fault.on.Store(true)
			checkDies(t, e)
			fault.on.Store(false)
			checkDead(t, e)
			if fatal.Load() != 0 {
				t.Error("OnFatal was called, though the callers of Apply were told")
			}
			again, err := pebble.Open("/s", pebble.Options{FS: fs.crash(0, nil)})
			if err != nil {
				t.Fatal(err)
			}
			found, err := again.Get([]byte("a"), func([]byte) {})
			if err != nil || !found {
				t.Errorf("the synced record after the restart: found %v, error %v", found, err)
			}
			if err := again.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDeadBeforeItIsTold checks the moment between a failed sync and its being
// told: no Apply may reach the library any more, which might end the process
// without a word.
func TestDeadBeforeItIsTold(t *testing.T) {
	fault := &failing{err: syscall.EIO, pattern: ".log", kinds: syncKinds()}
	var log lockedBuffer
	e, err := pebble.Open("/s", pebble.Options{
		FS: newCrashFS(fault), Logger: slog.New(slog.NewTextHandler(&log, nil)),
		OnFatal: func(err error) { t.Errorf("OnFatal: %v", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	// While the first callback is held up, nobody learns of the failed sync.
	held, hold := make(chan struct{}), make(chan struct{})
	if err := e.Apply(batchOf("a", "1"), func(error) { close(held); <-hold }); err != nil {
		t.Fatal(err)
	}
	<-held
	fault.on.Store(true)
	var told error
	if err := e.Apply(batchOf("b", "1"), func(err error) { told = err }); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = e.Get([]byte("a"), func([]byte) {})
		time.Sleep(time.Millisecond)
	}
	if err := e.Apply(batchOf("c", "1"), func(error) { t.Error("called back") }); !errors.Is(err, store.ErrDead) {
		t.Errorf("apply after the failed sync: %v", err)
	}
	if !strings.Contains(log.String(), "the store cannot go on") || !strings.Contains(log.String(), "write the log: input/output error") {
		t.Errorf("the log says %q", log.String())
	}
	close(hold)
	checkDead(t, e) // it closes, so every callback has come
	if !errors.Is(told, store.ErrDead) {
		t.Errorf("the callback: %v", told)
	}
}

// TestNoNextLog checks that the process is told where the library cannot make
// its next log, and would end it by itself.
func TestNoNextLog(t *testing.T) {
	fault := &failing{err: syscall.ENOSPC, pattern: ".log", kinds: []errorfs.OpKind{errorfs.OpCreate}}
	fault.on.Store(true)
	if _, err := pebble.Open("/s", pebble.Options{FS: newCrashFS(fault)}); !errors.Is(err, store.ErrFull) {
		t.Errorf("open without space: %v", err)
	}
	fault.on.Store(false)
	checkFatal(t, fault, "make the next log")
}

// TestFailedManifest is the same for its list of files.
func TestFailedManifest(t *testing.T) {
	checkFatal(t, &failing{err: syscall.EIO, pattern: "MANIFEST", kinds: syncKinds()}, "MANIFEST")
}

// checkDies applies until Apply refuses: every callback must be an error, and
// each batch that was taken must get one.
func checkDies(t *testing.T, e *pebble.Engine) {
	t.Helper()
	taken, answers := 0, make(chan error, 10000)
	var err error
	for err == nil && taken < 5000 {
		if err = e.Apply(batchOf("b", fmt.Sprint(taken)), func(err error) { answers <- err }); err == nil {
			taken++
		}
	}
	if !errors.Is(err, store.ErrDead) || !errors.Is(err, syscall.EIO) && !strings.Contains(err.Error(), "input/output") {
		t.Errorf("apply after the fault: %v", err)
	}
	for i := range taken {
		select {
		case err := <-answers:
			if !errors.Is(err, store.ErrDead) {
				t.Errorf("callback %d after the fault: %v", i, err)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("callback %d of %d never came", i, taken)
		}
	}
}

func checkDead(t *testing.T, e *pebble.Engine) {
	t.Helper()
	_, getErr := e.Get([]byte("a"), func([]byte) { t.Error("a dead engine shows data") })
	for what, err := range map[string]error{
		"get":   getErr,
		"range": e.Range(nil, nil, func(_, _ []byte) bool { t.Error("a dead engine shows data"); return false }),
		"apply": e.Apply(batchOf("c", "1"), func(error) { t.Error("a dead engine called back") }),
		"close": e.Close(),
	} {
		if !errors.Is(err, store.ErrDead) {
			t.Errorf("%s of a dead engine: %v", what, err)
		}
	}
}

// lockedBuffer is written and read by several goroutines.
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

// checkFatal writes until the fault ends the store by OnFatal, for the reason
// given.
func checkFatal(t *testing.T, fault *failing, reason string) {
	t.Helper()
	fatal := make(chan error, 1)
	var log lockedBuffer
	e, err := pebble.Open("/s", pebble.Options{
		FS: newCrashFS(fault), MemTableBytes: 64 << 10, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		OnFatal: func(err error) {
			fatal <- err
			select {} // a process would end here
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	fault.on.Store(true)
	go func() {
		for err == nil { // until it is dead, or for ever once the library holds its locks
			err = e.Apply(batchOf("k", strings.Repeat("v", 4096)), func(error) {})
		}
	}()
	select {
	case err := <-fatal:
		if !errors.Is(err, store.ErrDead) || !strings.Contains(err.Error(), reason) {
			t.Errorf("OnFatal was told %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("OnFatal was not told")
	}
	if !strings.Contains(log.String(), "the store cannot go on") {
		t.Errorf("the log says %q", log.String())
	}
	if _, err := e.Get([]byte("k"), func([]byte) {}); !errors.Is(err, store.ErrDead) {
		t.Errorf("get afterwards: %v", err)
	}
}

// TestFullDisk checks that writes stop at the reserve, deletes do not, and
// reads go on.
func TestFullDisk(t *testing.T) {
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 3 << 20})
	e, err := pebble.Open("/s", pebble.Options{FS: mem, Reserve: 2 << 20})
	if err != nil {
		t.Fatal(err)
	}
	apply := func(b *store.Batch) error {
		synced := make(chan error, 1)
		if err := e.Apply(b, func(err error) { synced <- err }); err != nil {
			return err
		}
		return <-synced
	}
	if err := apply(batchOf("a", "1")); err != nil {
		t.Fatal(err)
	}
	if u, err := e.Usage(); err != nil || u.FreeBytes != 3<<20 {
		t.Errorf("usage %+v, error %v", u, err)
	}
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
	// An eighth of what was free above the reserve is taken before it is
	// measured again.
	for i := 0; err == nil; i++ {
		if err = apply(batchOf("b", strings.Repeat("v", 10<<10))); i > 15 {
			t.Fatal("writes go on below the reserve")
		}
	}
	if !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "1 MiB are left") {
		t.Errorf("apply on a full disk: %v", err)
	}
	if found, err := e.Get([]byte("a"), func([]byte) {}); err != nil || !found {
		t.Errorf("get on a full disk: found %v, error %v", found, err)
	}
	var b store.Batch
	b.DeleteRange([]byte("a"), []byte("z"))
	if err := apply(&b); err != nil {
		t.Errorf("delete on a full disk: %v", err)
	}
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 8 << 20})
	if err := apply(batchOf("c", "1")); err != nil {
		t.Errorf("apply with room again: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// TestNoSpaceUnderTheLog checks that a disk that runs full in spite of the
// reserve is told as full, and dead.
func TestNoSpaceUnderTheLog(t *testing.T) {
	fault := &failing{err: syscall.ENOSPC, pattern: ".log", kinds: syncKinds()}
	e, err := pebble.Open("/s", pebble.Options{FS: newCrashFS(fault)})
	if err != nil {
		t.Fatal(err)
	}
	fault.on.Store(true)
	synced := make(chan error, 1)
	if err := e.Apply(batchOf("a", "1"), func(err error) { synced <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-synced; !errors.Is(err, store.ErrDead) || !errors.Is(err, store.ErrFull) {
		t.Errorf("sync without space: %v", err)
	}
}

// TestNewerFormat checks that a store of a later library is refused in words.
func TestNewerFormat(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	e, err := pebble.Open(dir, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	markers, err := filepath.Glob(filepath.Join(dir, "marker.format-version.*"))
	if err != nil || len(markers) != 1 {
		t.Fatalf("format markers %q, error %v", markers, err)
	}
	if want := fmt.Sprintf(".%03d", pebble.Format); !strings.HasSuffix(markers[0], want) {
		t.Errorf("the store was made with the marker %q, want it to end in %q", markers[0], want)
	}
	newer := filepath.Join(dir, "marker.format-version.999999.099")
	if err := os.Rename(markers[0], newer); err != nil {
		t.Fatal(err)
	}
	if _, err := pebble.Open(dir, pebble.Options{}); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("open of a newer store: %v", err)
	}
	// The refusal let go of the folder.
	if err := os.Rename(newer, markers[0]); err != nil {
		t.Fatal(err)
	}
	if e, err = pebble.Open(dir, pebble.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// TestFormatIsPinned fails when the library's newest format moves on: then a
// person decides whether stores follow.
func TestFormatIsPinned(t *testing.T) {
	if pebble.Format != 24 || cockroach.FormatNewest != 24 {
		t.Errorf("format %d, newest of the library %d: both were 24; decide whether to raise Format, which has no way back",
			pebble.Format, cockroach.FormatNewest)
	}
}

// TestOpenUnusable checks errors of a folder that cannot be one.
func TestOpenUnusable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := pebble.Open(file, pebble.Options{}); err == nil || errors.Is(err, store.ErrLocked) {
		t.Errorf("open of a file as a folder: %v", err)
	}
}

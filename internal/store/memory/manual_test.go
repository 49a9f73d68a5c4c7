package memory_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/memory"
)

// manual is an engine synced by hand, with the syncs told so far.
type manual struct {
	*memory.Engine
	told []string
}

func (m *manual) apply(t *testing.T, name string) {
	t.Helper()
	var b store.Batch
	b.Set([]byte(name), []byte("v"))
	b.Set([]byte("last"), []byte(name))
	err := m.Apply(&b, func(err error) {
		if err != nil {
			name += ": " + err.Error()
		}
		m.told = append(m.told, name)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, e store.Engine) []string {
	t.Helper()
	var out []string
	if err := e.Range(nil, nil, func(k, v []byte) bool {
		out = append(out, fmt.Sprintf("%s=%s", k, v))
		return true
	}); err != nil {
		t.Error(err)
	}
	return out
}

func TestSyncByHand(t *testing.T) {
	m := &manual{Engine: memory.New(memory.Options{Manual: true})}
	for _, name := range []string{"a", "b", "c", "d"} {
		m.apply(t, name)
	}
	if m.Pending() != 4 || len(m.told) != 0 {
		t.Fatalf("pending %d, told %q", m.Pending(), m.told)
	}
	m.SyncTo(2)
	if m.Pending() != 2 || !slices.Equal(m.told, []string{"a", "b"}) {
		t.Fatalf("after two: pending %d, told %q", m.Pending(), m.told)
	}
	m.Sync()
	m.SyncTo(5)
	if m.Pending() != 0 || !slices.Equal(m.told, []string{"a", "b", "c", "d"}) {
		t.Fatalf("after all: pending %d, told %q", m.Pending(), m.told)
	}
}

// TestCrash checks every number of batches that may survive one.
func TestCrash(t *testing.T) {
	want := [][]string{
		{"a=v", "last=a"},
		{"a=v", "b=v", "last=b"},
		{"a=v", "b=v", "c=v", "last=c"},
		{"a=v", "b=v", "c=v", "last=c"},
	}
	for keep, want := range want {
		m := &manual{Engine: memory.New(memory.Options{Manual: true})}
		m.apply(t, "a")
		m.Sync()
		m.apply(t, "b")
		m.apply(t, "c")
		after := &manual{Engine: m.Crash(keep)}
		if got := contents(t, after); !slices.Equal(got, want) {
			t.Errorf("keeping %d: %q, want %q", keep, got, want)
		}
		if after.Pending() != 0 || !slices.Equal(m.told, []string{"a"}) {
			t.Errorf("keeping %d: pending %d, told %q", keep, after.Pending(), m.told)
		}
		m.Sync()
		if _, err := m.Get([]byte("a"), func([]byte) {}); !errors.Is(err, store.ErrClosed) || len(m.told) != 1 {
			t.Errorf("the crashed engine still answers: %v, told %q", err, m.told)
		}
		// What survived is on the disk now: a second crash keeps it.
		after.apply(t, "z")
		if got := contents(t, after.Crash(0)); !slices.Equal(got, want) {
			t.Errorf("keeping %d, second crash: %q, want %q", keep, got, want)
		}
	}
	automatic := memory.New(memory.Options{})
	m := &manual{Engine: automatic}
	m.apply(t, "a")
	if got := contents(t, automatic.Crash(0)); !slices.Equal(got, []string{"a=v", "last=a"}) {
		t.Errorf("an engine that syncs by itself keeps %q", got)
	}
}

func TestFail(t *testing.T) {
	broken := errors.New("broken")
	m := &manual{Engine: memory.New(memory.Options{Manual: true})}
	m.apply(t, "a")
	m.Sync()
	m.apply(t, "b")
	m.apply(t, "c")
	m.Fail(broken)
	m.Sync()
	if len(m.told) != 3 || !strings.HasPrefix(m.told[1], "b: ") || !strings.HasPrefix(m.told[2], "c: ") {
		t.Errorf("told %q", m.told)
	}
	_, getErr := m.Get([]byte("a"), func([]byte) {})
	for _, err := range []error{getErr, m.Apply(&store.Batch{}, func(error) { t.Error("called back") })} {
		if !errors.Is(err, store.ErrDead) || !errors.Is(err, broken) {
			t.Errorf("a dead engine says %v", err)
		}
	}
	if got := contents(t, m.Crash(1)); !slices.Equal(got, []string{"a=v", "b=v", "last=b"}) {
		t.Errorf("after the crash: %q", got)
	}
}

// TestSyncedMayApply checks that a callback may use the engine.
func TestSyncedMayApply(t *testing.T) {
	m := &manual{Engine: memory.New(memory.Options{Manual: true})}
	var b store.Batch
	b.Set([]byte("a"), nil)
	if err := m.Apply(&b, func(error) { m.apply(t, "b") }); err != nil {
		t.Fatal(err)
	}
	m.Sync()
	if m.Pending() != 1 {
		t.Errorf("pending %d", m.Pending())
	}
}

func TestDamagedCheckpoint(t *testing.T) {
	m := &manual{Engine: memory.New(memory.Options{})}
	m.apply(t, "a")
	dir := filepath.Join(t.TempDir(), "c")
	if err := m.Checkpoint(dir); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "checkpoint")
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 0x10
		for _, b := range [][]byte{bad, good[:i]} {
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := memory.Open(dir, memory.Options{}); err == nil {
				t.Fatalf("damage at byte %d was not noticed", i)
			}
		}
	}
}

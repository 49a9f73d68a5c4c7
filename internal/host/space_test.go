package host

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/fault"
	"github.com/ourodb/ouro/internal/store/memory"
)

// small is an engine on a file system as full as a test wants it, which refuses
// batches that need room where it is told to.
type small struct {
	store.Engine
	free  atomic.Int64
	fails atomic.Bool // Usage fails
}

func (s *small) Usage() (store.Usage, error) {
	if s.fails.Load() {
		return store.Usage{}, errors.New("no such file system")
	}
	return store.Usage{FreeBytes: s.free.Load()}, nil
}

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

// alone starts a cluster of one over an engine, which measures only when told.
func alone(t *testing.T, e store.Engine, tune func(*Config)) *Host {
	t.Helper()
	seen := &observer{facts: map[fact.Kind]int{}, requests: map[string]int{}, refused: map[string]int{}}
	self := ring.Node{ID: "a", Weight: 1}
	tokens, err := ring.Assign(16, []ring.Node{self})
	if err != nil {
		t.Fatal(err)
	}
	r, err := ring.New([]ring.Node{self}, tokens)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Cluster: "test", Members: []Member{{Node: self}}, Links: link{&cluster{}, "a"}, Observer: seen, Log: slog.New(slog.DiscardHandler),
		Replica: replica.Config{Seed: 7}, ContextKey: []byte("0123456789abcdef0123456789abcdef"),
		Fatal: func(err error) { t.Error(err) }, Reserve: 800, Sample: time.Hour, Shards: 2,
	}
	if tune != nil {
		tune(&cfg)
	}
	cfg.Steward.Self = "a"
	cfg.Steward.Fixed = &node.View{Self: "a", Ring: r, Buckets: node.Buckets{Default: node.Bucket{N: 1, R: 1, W: 1, Timeout: time.Second}}}
	h, err := New(cfg, e)
	if err != nil {
		t.Fatal(err)
	}
	h.Start()
	t.Cleanup(func() {
		h.Close(time.Second)
		h.Close(time.Second) // a second time does no harm
	})
	return h
}

// Below the reserve writes are refused by name and reads go on; they are taken
// again when there is an eighth more. The log tells each change once, and being
// ready does not depend on it.
func TestDiskReserve(t *testing.T) {
	e := &small{Engine: memory.New(memory.Options{})}
	e.free.Store(799)
	log := new(lines)
	h := alone(t, e, func(c *Config) { c.Log, c.Notes = slog.New(slog.NewTextHandler(log, nil)), []string{"a note"} })
	put := func(name string) ouro.Code {
		_, err := h.Put(t.Context(), ouro.Key{Bucket: "b", Name: name}, ouro.Value{Data: []byte("v")})
		return ouro.CodeOf(err)
	}
	if code := put("k"); code != ouro.DiskFull {
		t.Errorf("a node that starts on a full disk answers a put with %q", code)
	}
	for _, step := range []struct {
		free int64
		full bool
	}{{800, true}, {899, true}, {900, false}, {801, false}, {800, false}, {799, true}, {0, true}, {10000, false}, {500, true}} {
		e.free.Store(step.free)
		h.measure()
		h.measure()
		if free, full := h.Space(); free != step.free || full != step.full {
			t.Errorf("with %d bytes free: %d, full %v; want full %v", step.free, free, full, step.full)
		}
		for _, name := range []string{"k", "l", "m", "n"} { // of both shards
			if code := put(name); (code == ouro.DiskFull) != step.full {
				t.Errorf("with %d bytes free a put of %s is answered %q", step.free, name, code)
			}
		}
	}
	if _, err := h.Get(t.Context(), ouro.Key{Bucket: "b", Name: "k"}); err != nil && ouro.CodeOf(err) != ouro.SiblingsFound {
		t.Errorf("a get on a full disk: %v", err)
	}
	if err := h.Ready(); err != nil {
		t.Errorf("a node with a full disk is not ready: %v", err)
	}
	if st := h.Status(); len(st.Notes) != 2 || !strings.HasPrefix(st.Notes[1], "disk_full: ") {
		t.Errorf("the status of a full disk notes %q", st.Notes)
	}
	e.free.Store(10000)
	h.measure()
	if st := h.Status(); len(st.Notes) != 1 {
		t.Errorf("with room again the status notes %q", st.Notes)
	}
	if full, room := log.count("nearly full"), log.count("room on the disk again"); full != 3 || room != 3 {
		t.Errorf("the disk was full three times, and the log says so %d times and takes it back %d times", full, room)
	}
}

// Where free space can't be found out what was known stays in force, and the
// log says it once.
func TestDiskThatCannotBeMeasured(t *testing.T) {
	e := &small{Engine: memory.New(memory.Options{})}
	log := new(lines)
	h := alone(t, e, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(log, nil)) })
	e.fails.Store(true)
	h.measure()
	h.measure()
	if free, full := h.Space(); free != -1 || !full || log.count("can't be found out") != 1 {
		t.Errorf("free %d, full %v, logged %d times", free, full, log.count("can't be found out"))
	}
	e.fails.Store(false)
	e.free.Store(-1) // an engine without a file system
	h.measure()
	if _, full := h.Space(); full {
		t.Error("an engine without a file system is full")
	}
}

// An engine without room that the watcher has not seen yet: the write is refused
// with the name of the reason and is not stored, reads go on, and when there is
// room the next write is taken.
func TestEngineWithoutRoom(t *testing.T) {
	var full atomic.Bool
	e := fault.New(memory.New(memory.Options{}), func(op fault.Op, _ []byte) fault.Fault {
		if op == fault.Apply && full.Load() {
			return fault.Fault{Err: store.ErrFull}
		}
		return fault.Fault{}
	})
	h := alone(t, e, nil)
	key := ouro.Key{Bucket: "b", Name: "k"}
	if _, err := h.Put(t.Context(), key, ouro.Value{Data: []byte("kept")}); err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	_, err := h.Put(t.Context(), key, ouro.Value{Data: []byte("refused")})
	if ouro.CodeOf(err) != ouro.DiskFull {
		t.Errorf("a put without room: %v", err)
	}
	if _, err := h.Delete(t.Context(), key); ouro.CodeOf(err) != ouro.DiskFull {
		t.Errorf("a delete without room: %v", err)
	}
	res, err := h.Get(t.Context(), key)
	if err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != "kept" {
		t.Errorf("a get without room: %v, %+v", err, res.Siblings)
	}
	full.Store(false)
	if _, err := h.Put(t.Context(), key, ouro.Value{Data: []byte("taken")}, ouro.WithContext(res.Context)); err != nil {
		t.Errorf("a put with room again: %v", err)
	}
}

// A sync that fails for want of room ends the node: what was in flight is
// unknown, and nothing is acknowledged any more.
func TestNoRoomUnderASync(t *testing.T) {
	var full atomic.Bool
	e := fault.New(memory.New(memory.Options{}), func(op fault.Op, _ []byte) fault.Fault {
		if op == fault.Sync && full.Load() {
			return fault.Fault{Err: store.ErrFull}
		}
		return fault.Fault{}
	})
	ended := make(chan error, 1)
	h := alone(t, e, func(c *Config) { c.Fatal = func(err error) { ended <- err } })
	full.Store(true)
	_, err := h.Put(t.Context(), ouro.Key{Bucket: "b", Name: "k"}, ouro.Value{Data: []byte("v")}, ouro.Timeout(time.Second))
	if err == nil {
		t.Error("a put whose sync failed is acknowledged")
	}
	if err := <-ended; !errors.Is(err, store.ErrDead) || !errors.Is(err, store.ErrFull) {
		t.Errorf("the node ends for %v", err)
	}
}

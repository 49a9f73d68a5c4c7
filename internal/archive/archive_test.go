package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
)

// store is a cluster of one map.
type store struct {
	mu      sync.Mutex
	records map[ouro.Key][]byte
	fails   int // requests that are refused first
	read    int
}

func newStore(n int) *store {
	s := &store{records: map[ouro.Key][]byte{}}
	for i := range n {
		s.records[ouro.Key{Bucket: []string{"carts", "users"}[i%2], Name: fmt.Sprint(i)}] = record(fmt.Sprint("value ", i))
	}
	return s
}

func record(value string) []byte {
	v := causal.Version{Value: []byte(value)}
	v.Sum = causal.SumValue(0, "", v.Value)
	s, _ := causal.State{}.Mint(causal.Claims{}, v, causal.Actor{Run: 7, Life: 1}, 1000, causal.DefaultLimits())
	return s.Append(nil)
}

func (s *store) refuses() error {
	if s.fails > 0 {
		s.fails--
		return ouro.Errorf(ouro.Overloaded, ouro.NotDone, "busy")
	}
	return nil
}

// Keys pages by 10.
func (s *store) Keys(_ context.Context, bucket string, q ouro.KeysQuery) (page ouro.KeysPage, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refuses(); err != nil {
		return page, err
	}
	var keys []ouro.Key
	for k := range s.records {
		if k.Bucket == bucket && position(k) >= uint64(q.Cursor) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b ouro.Key) int {
		if position(a) < position(b) {
			return -1
		}
		return 1
	})
	for i, k := range keys {
		if i == 10 {
			page.Next = ouro.Cursor(position(k))
			break
		}
		page.Keys = append(page.Keys, k.Name)
	}
	return page, nil
}

func (s *store) Record(_ context.Context, key ouro.Key) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read++
	if err := s.refuses(); err != nil {
		return nil, err
	}
	if r, ok := s.records[key]; ok {
		return r, nil
	}
	return nil, ouro.Errorf(ouro.NotFound, ouro.NotDone, "nothing")
}

func (s *store) Restore(_ context.Context, key ouro.Key, r []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refuses(); err != nil {
		return err
	}
	s.records[key] = r
	return nil
}

func work(dir string) *Work {
	return &Work{Dir: dir, Workers: 4, Patience: time.Minute, Step: func() {}}
}

func manifest(q int) *Manifest {
	return &Manifest{Cluster: "c", ClusterID: "1", Q: q, Buckets: []string{"carts", "users", "empty"}}
}

func made(t *testing.T, n, q int) (dir string, from *store) {
	t.Helper()
	dir, from = t.TempDir(), newStore(n)
	from.fails = 3
	if err := work(dir).Create(t.Context(), manifest(q), from); err != nil {
		t.Fatal(err)
	}
	return dir, from
}

func load(t *testing.T, dir string) *Manifest {
	t.Helper()
	m, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestRoundTrip: what is archived is what is restored, whatever the partitions.
func TestRoundTrip(t *testing.T) {
	for _, q := range []int{1, 8, 64} {
		dir, from := made(t, 500, q)
		m := load(t, dir)
		if wrong := m.Verify(dir, func() {}); len(wrong) > 0 || !m.Complete || m.Total().Records != 500 {
			t.Fatalf("q=%d: %v, complete %v, %+v", q, wrong, m.Complete, m.Total())
		}
		to := &store{records: map[ouro.Key][]byte{}, fails: 3}
		if sum, err := work(dir).Restore(t.Context(), m, to); err != nil || sum != m.Total() {
			t.Fatalf("q=%d: %+v, %v", q, sum, err)
		}
		if !maps.EqualFunc(from.records, to.records, bytes.Equal) {
			t.Errorf("q=%d: %d records are %d", q, len(from.records), len(to.records))
		}
	}
}

// TestEveryFlippedBitIsFound: in a file of an archive, whichever it is; and nothing of
// that file is restored.
func TestEveryFlippedBitIsFound(t *testing.T) {
	dir, _ := made(t, 12, 1)
	m := load(t, dir)
	good, err := os.ReadFile(fileOf(dir, 0))
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(good) {
		bad := slices.Clone(good)
		bad[i] ^= 1 << (i % 8)
		if err := os.WriteFile(fileOf(dir, 0), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if wrong := m.Verify(dir, func() {}); len(wrong) != 1 || !errors.Is(wrong[0], ErrDamaged) {
			t.Fatalf("byte %d: %v", i, wrong)
		}
		to := &store{records: map[ouro.Key][]byte{}}
		if _, err := work(dir).Restore(t.Context(), m, to); err == nil || len(to.records) > 0 {
			t.Fatalf("byte %d: %d records were restored, %v", i, len(to.records), err)
		}
	}
	for n := range len(good) {
		if err := os.WriteFile(fileOf(dir, 0), good[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if wrong := m.Verify(dir, func() {}); len(wrong) != 1 {
			t.Fatalf("cut off at %d: %v", n, wrong)
		}
	}
}

// TestFilesOfOthers: a good file of another archive, or of another partition, is none of
// this one.
func TestFilesOfOthers(t *testing.T) {
	dir, _ := made(t, 100, 8)
	other, _ := made(t, 99, 8)
	m := load(t, dir)
	copyFile := func(from, to string) {
		t.Helper()
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	differs := 0
	for p := range 8 {
		if m.Partitions[p] != load(t, other).Partitions[p] {
			differs = p
		}
	}
	copyFile(fileOf(other, differs), fileOf(dir, differs))
	if wrong := m.Verify(dir, func() {}); len(wrong) != 1 || !strings.Contains(wrong[0].Error(), "another archive") {
		t.Errorf("a file of another archive: %v", wrong)
	}
	copyFile(fileOf(dir, (differs+1)%8), fileOf(dir, differs))
	if wrong := m.Verify(dir, func() {}); len(wrong) != 1 || !strings.Contains(wrong[0].Error(), "not of this partition") {
		t.Errorf("a file of another partition: %v", wrong)
	}
	if err := os.Remove(fileOf(dir, differs)); err != nil {
		t.Fatal(err)
	}
	if wrong := m.Verify(dir, func() {}); len(wrong) != 1 || !strings.Contains(wrong[0].Error(), "missing") {
		t.Errorf("no file: %v", wrong)
	}
}

// TestGoesOn: an archive that was interrupted is gone on with, without reading again what
// is there; until it is complete it is not restored, and nothing else is begun in its
// folder.
func TestGoesOn(t *testing.T) {
	dir, from := t.TempDir(), newStore(200)
	ctx, cancel := context.WithCancel(t.Context())
	w := work(dir)
	steps := 0
	w.Step = func() {
		if steps++; steps == 5 {
			cancel()
		}
	}
	if err := w.Create(ctx, manifest(8), from); err == nil {
		t.Fatal("it was not interrupted")
	}
	before := from.read
	if _, err := work(dir).Restore(t.Context(), load(t, dir), from); err == nil || !strings.Contains(err.Error(), "not complete") {
		t.Errorf("restored: %v", err)
	}
	foreign := manifest(8)
	foreign.ClusterID = "2"
	if err := work(dir).Create(t.Context(), foreign, from); err == nil {
		t.Error("another cluster's archive goes on in the same folder")
	}
	if err := work(dir).Create(t.Context(), manifest(8), from); err != nil {
		t.Fatal(err)
	}
	if m := load(t, dir); m.Total().Records != 200 || from.read != 200 || before == 0 || before == 200 {
		t.Errorf("%d records, %d were read, %d of them before", m.Total().Records, from.read, before)
	}
	if err := work(dir).Create(t.Context(), manifest(8), from); err == nil {
		t.Error("a complete archive is made anew")
	}
}

// FuzzRead: what is no file of an archive is refused, whatever it is.
func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	w, _ := newWriter(&b)
	_ = w.add(ouro.Key{Bucket: "b", Name: "k"}, record("v"))
	_, _ = w.close()
	f.Add(b.Bytes())
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, in []byte) {
		if _, err := Read(bytes.NewReader(in), func(ouro.Key, []byte) error { return nil }); err == nil && !bytes.Equal(in, b.Bytes()) {
			var again bytes.Buffer
			w, _ := newWriter(&again)
			if _, err := Read(bytes.NewReader(in), w.add); err != nil {
				t.Fatal(err)
			}
			if _, err := w.close(); err != nil || !bytes.Equal(again.Bytes(), in) {
				t.Fatalf("what is read is written as something else")
			}
		}
	})
}

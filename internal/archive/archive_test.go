package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
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
	missing int // pages that are not complete first
	gone    ouro.Key
	broken  ouro.Key // whose record is not to be had
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
	if s.missing > 0 {
		s.missing--
		page.Missing = []ouro.KeyRange{{Why: "a node is down"}}
		return page, nil
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
	if key == s.broken {
		return nil, errors.New("the machine is on fire")
	}
	if r, ok := s.records[key]; ok && key != s.gone {
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

// TestNothingOfADamagedFileIsRestored: not even what comes long before the damage.
func TestNothingOfADamagedFileIsRestored(t *testing.T) {
	dir, _ := made(t, 5*chunk, 1)
	flipLast(t, fileOf(dir, 0))
	to := &store{records: map[ouro.Key][]byte{}}
	if _, err := work(dir).Restore(t.Context(), load(t, dir), to); !errors.Is(err, ErrDamaged) || len(to.records) > 0 {
		t.Errorf("%d records were restored, %v", len(to.records), err)
	}
}

func flipLast(t *testing.T, name string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err == nil {
		b[len(b)-1] ^= 1
		err = os.WriteFile(name, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestARootThatDoesNotFit: a file whose checksum is right and whose records are not those
// of its root is none.
func TestARootThatDoesNotFit(t *testing.T) {
	for name, spoil := range map[string]func(w *writer){
		"the root":   func(w *writer) { w.root.Lo++ },
		"the number": func(w *writer) { w.records++ },
	} {
		var b bytes.Buffer
		w, _ := newWriter(&b)
		_ = w.add(ouro.Key{Bucket: "b", Name: "k"}, record("v"))
		spoil(w)
		_, _ = w.close()
		if _, err := Read(&b, func(ouro.Key, []byte) error { return nil }); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s is wrong: %v", name, err)
		}
	}
}

// TestWhatIsNotToldIsAskedForAgain: a page that is not complete is none, or keys would be
// missing; a key that has been deleted since it was listed is left out.
func TestWhatIsNotToldIsAskedForAgain(t *testing.T) {
	dir, from := t.TempDir(), newStore(50)
	from.missing, from.gone = 3, ouro.Key{Bucket: "users", Name: "7"}
	if err := work(dir).Create(t.Context(), manifest(4), from); err != nil {
		t.Fatal(err)
	}
	if n := load(t, dir).Total().Records; n != 49 {
		t.Errorf("%d records, not 49", n)
	}
}

// TestTornFiles: an archive that ends amidst a partition leaves no file that looks like
// one, and is gone on with.
func TestTornFiles(t *testing.T) {
	dir, from := t.TempDir(), newStore(1000)
	from.broken = ouro.Key{Bucket: "users", Name: "501"}
	if err := work(dir).Create(t.Context(), manifest(1), from); err == nil {
		t.Fatal("it is done")
	}
	if _, err := os.Stat(fileOf(dir, 0)); err == nil {
		t.Error("there is a part of a file under the name of the whole")
	}
	from.broken = ouro.Key{}
	if err := work(dir).Create(t.Context(), manifest(1), from); err != nil || load(t, dir).Total().Records != 1000 {
		t.Errorf("gone on with: %v", err)
	}
	if err := os.Truncate(fileOf(dir, 0), 30_000); err != nil {
		t.Fatal(err)
	}
	to := &store{records: map[ouro.Key][]byte{}}
	if _, err := work(dir).Restore(t.Context(), load(t, dir), to); err == nil || !strings.Contains(err.Error(), "cut off") || len(to.records) > 0 {
		t.Errorf("%d records of a torn file were restored, %v", len(to.records), err)
	}
}

// TestPatience lasts for as long as anything succeeds, and no longer.
func TestPatience(t *testing.T) {
	p := newPatience(time.Second)
	p.begun = time.Now().Add(-time.Hour)
	since := time.Hour - 2*time.Second
	if !p.over(since, 0) {
		t.Error("it lasts for two seconds")
	}
	_ = p.again(t.Context(), func() error { return nil })
	if p.over(since, 0) || !p.over(since, 2*time.Second) {
		t.Error("what succeeds beside it is not seen")
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

// TestFolderOfOthers: no archive is begun among the files of somebody else; what a first
// run left that ended at once is in nobody's way.
func TestFolderOfOthers(t *testing.T) {
	dir := t.TempDir()
	touch := func(name string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	letter := touch("letter.txt")
	if err := work(dir).Create(t.Context(), manifest(8), newStore(1)); err == nil || !strings.Contains(err.Error(), "letter.txt") {
		t.Errorf("beside a letter: %v", err)
	}
	if err := os.Remove(letter); err != nil {
		t.Fatal(err)
	}
	touch("archive.json.part")
	if err := work(dir).Create(t.Context(), manifest(8), newStore(1)); err != nil {
		t.Error(err)
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

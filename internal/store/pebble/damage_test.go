package pebble

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/store"
)

// TestDamageIsToldAndNeverAbsent: a byte of any file of a store is flipped, at several
// places of each. It may not open, or may not tell some of what is in it, and says
// that it is damaged; nothing that was synced is absent or another.
func TestDamageIsToldAndNeverAbsent(t *testing.T) {
	const keys = 400
	key := func(i int) []byte { return fmt.Appendf(nil, "key %06d", i) }
	value := func(i int) []byte { // one in five is in a file of its own
		size := 60
		if i%5 == 0 {
			size = DefaultSeparateFrom + i
		}
		return bytes.Repeat(fmt.Appendf(nil, "%d,", i), size)[:size]
	}
	whole := filepath.Join(t.TempDir(), "whole")
	e, err := Open(whole, Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	put := func(from, to int) {
		for i := from; i < to; i++ {
			var b store.Batch
			b.Set(key(i), value(i))
			synced := make(chan error, 1)
			if err := e.Apply(&b, func(err error) { synced <- err }); err != nil {
				t.Fatal(err)
			}
			if err := <-synced; err != nil {
				t.Fatal(err)
			}
		}
	}
	put(0, keys/2)
	if err := e.db.Flush(); err != nil {
		t.Fatal(err)
	}
	put(keys/2, keys) // in the log alone
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(whole)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	told := map[string]int{}
	for _, f := range files {
		kind := filepath.Ext(f.Name())
		if kind == "" {
			kind = strings.SplitN(f.Name(), "-", 2)[0]
		}
		text, err := os.ReadFile(filepath.Join(whole, f.Name()))
		if err != nil || len(text) == 0 || f.Name() == "LOCK" {
			continue
		}
		for n := range 5 {
			dir := filepath.Join(t.TempDir(), fmt.Sprint(n))
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			at := r.IntN(len(text))
			bad := bytes.Clone(text)
			bad[at] ^= 1 << r.IntN(8)
			if err := os.WriteFile(filepath.Join(dir, f.Name()), bad, 0o600); err != nil {
				t.Fatal(err)
			}
			where := fmt.Sprintf("byte %d of %d of %s", at, len(text), f.Name())
			e, err := Open(dir, Options{Reserve: -1})
			if err != nil {
				if told[kind]++; !errors.Is(err, store.ErrDamaged) {
					t.Errorf("%s: it does not open, and does not say why: %v", where, err)
				}
				continue
			}
			missing, wrong, damaged := 0, 0, 0
			for i := range keys {
				var got []byte
				found, err := e.Get(key(i), func(v []byte) { got = bytes.Clone(v) })
				switch {
				case errors.Is(err, store.ErrDamaged):
					damaged++
				case err != nil:
					t.Errorf("%s: get: %v", where, err)
				case !found:
					missing++
				case !bytes.Equal(got, value(i)):
					wrong++
				}
			}
			seen := 0
			err = e.Range(nil, nil, func(_, _ []byte) bool { seen++; return true })
			if err == nil && seen != keys-missing || err != nil && !errors.Is(err, store.ErrDamaged) {
				t.Errorf("%s: a range shows %d of %d keys, and says %v", where, seen, keys, err)
			}
			if kind == ".log" && wrong == 0 && damaged == 0 && missing <= keys/2 && seen == keys-missing {
				continue // the end of the log looks like one that a power failure has cut: see docs/operate/engines.md
			}
			if missing > 0 || wrong > 0 {
				t.Errorf("%s: %d keys are absent, %d have another value, %d are said to be damaged", where, missing, wrong, damaged)
			}
			if damaged > 0 || err != nil {
				told[kind]++
			}
			_ = e.Close()
		}
	}
	t.Logf("told: %v", told)
}

// TestHalfACopy: a store of which files are missing, or not whole, is damaged, too.
func TestHalfACopy(t *testing.T) {
	for name, c := range map[string]struct {
		files string
		spoil func(file string) error
	}{
		"a table is missing":    {"*.sst", os.Remove},
		"a table is empty":      {"*.sst", func(file string) error { return os.Truncate(file, 0) }},
		"the manifest is gone":  {"MANIFEST-*", os.Remove},
		"the manifest is empty": {"MANIFEST-*", func(file string) error { return os.Truncate(file, 0) }},
		"the markers are gone":  {"marker.*", os.Remove},
		"the options are not":   {"OPTIONS-*", func(file string) error { return os.WriteFile(file, []byte("else"), 0o600) }},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e, err := Open(dir, Options{Reserve: -1})
			if err != nil {
				t.Fatal(err)
			}
			var b store.Batch
			b.Set([]byte("k"), []byte("v"))
			if err := errors.Join(e.Apply(&b, func(error) {}), e.db.Flush(), e.Close()); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(dir, c.files))
			if err != nil || len(files) == 0 {
				t.Fatalf("no files: %v", err)
			}
			for _, f := range files {
				if err := c.spoil(f); err != nil {
					t.Fatal(err)
				}
			}
			if e, err := Open(dir, Options{Reserve: -1}); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("open: %v", err)
				if err == nil {
					e.Close()
				}
			}
		})
	}
}

// TestFilesOfValuesThatAreGone: the library panics where it can't open a file of values.
// Here that is damage as any other, however often it is met, and the rest is read.
func TestFilesOfValuesThatAreGone(t *testing.T) {
	for name, spoil := range map[string]func(file string) error{
		"missing":         os.Remove,
		"empty":           func(file string) error { return os.Truncate(file, 0) },
		"cut off":         func(file string) error { return os.Truncate(file, 100) },
		"without its end": func(file string) error { return os.WriteFile(file, make([]byte, 9000), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e, err := Open(dir, Options{Reserve: -1})
			if err != nil {
				t.Fatal(err)
			}
			var b store.Batch
			b.Set([]byte("large"), bytes.Repeat([]byte("v"), 2*DefaultSeparateFrom))
			b.Set([]byte("small"), []byte("v"))
			if err := errors.Join(e.Apply(&b, func(error) {}), e.db.Flush(), e.Close()); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "*.blob"))
			if err != nil || len(files) != 1 {
				t.Fatalf("files of values: %v, %v", files, err)
			}
			if err := spoil(files[0]); err != nil {
				t.Fatal(err)
			}
			told := 0
			if e, err = Open(dir, Options{Reserve: -1, OnDamage: func(string) { told++ }}); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if _, err := e.Get([]byte("large"), func(v []byte) { t.Errorf("it has %d bytes", len(v)) }); !errors.Is(err, store.ErrDamaged) {
					t.Errorf("get: %v", err)
				}
				if found, err := e.Get([]byte("small"), func([]byte) {}); !found || err != nil {
					t.Errorf("what is in no such file: %v, %v", found, err)
				}
				if found, err := e.Get([]byte("none"), func([]byte) {}); found || err != nil {
					t.Errorf("what is not there: %v, %v", found, err)
				}
				if err := e.Range(nil, nil, func(_, _ []byte) bool { return true }); !errors.Is(err, store.ErrDamaged) {
					t.Errorf("range: %v", err)
				}
			}
			if told == 0 {
				t.Error("nobody was told")
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

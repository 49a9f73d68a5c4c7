package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/bolt"
)

// TestDamageIsTold: the file is cut off, or pages of it are spoiled. It does not open, or
// does not tell some of what is in it, and says that it is damaged. No key is absent, and
// the process lives.
func TestDamageIsTold(t *testing.T) {
	const keys, page = 400, 4096
	key := func(i int) []byte { return fmt.Appendf(nil, "key %06d", i) }
	value := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 100+i%3*5000) }
	whole := t.TempDir()
	e, err := bolt.Open(whole, bolt.Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	var b store.Batch
	for i := range keys {
		b.Set(key(i), value(i))
	}
	synced := make(chan error, 1)
	if err := errors.Join(e.Apply(&b, func(err error) { synced <- err }), <-synced, e.Close()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(whole, "data.bolt"))
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(text []byte) []byte{
		"cut off after the metas":   func(text []byte) []byte { return text[:2*page] },
		"half of it":                func(text []byte) []byte { return text[:len(text)/16/page*page] },
		"the metas":                 func(text []byte) []byte { return spoilt(text, 0, 2) },
		"what says what pages hold": func(text []byte) []byte { return spoilt(text, 2, len(text)/page) },
		"one in three of those pages": func(text []byte) []byte {
			for p := 8; p < len(text)/page; p += 3 {
				text = spoilt(text, p, p+1)
			}
			return text
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "data.bolt"), spoil(bytes.Clone(text)), 0o600); err != nil {
				t.Fatal(err)
			}
			told := 0
			e, err := bolt.Open(dir, bolt.Options{Reserve: -1, OnDamage: func(string) { told++ }})
			if err != nil {
				if !errors.Is(err, store.ErrDamaged) || told == 0 {
					t.Errorf("it does not open, and was told %d times: %v", told, err)
				}
				return
			}
			defer e.Close()
			damaged := 0
			for i := range keys {
				var got []byte
				found, err := e.Get(key(i), func(v []byte) { got = bytes.Clone(v) })
				switch {
				case errors.Is(err, store.ErrDamaged):
					damaged++
				case err != nil || !found || !bytes.Equal(got, value(i)):
					t.Errorf("key %d: %v, %v, %d bytes", i, found, err, len(got))
				}
			}
			if err := e.Range(nil, nil, func(_, _ []byte) bool { return true }); damaged == 0 || told == 0 || !errors.Is(err, store.ErrDamaged) {
				t.Errorf("%d keys are damaged, a range says %v, and it was told %d times", damaged, err, told)
			}
		})
	}
}

// spoilt is a file of whose pages some say that they are something else.
func spoilt(text []byte, from, to int) []byte {
	for p := from; p < to; p++ {
		copy(text[p*4096+8:], "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
	}
	return text
}

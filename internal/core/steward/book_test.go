package steward

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/ourodb/ouro/internal/core/codec"
	"github.com/ourodb/ouro/internal/core/ring"
)

func TestBookIsSortedAndBounded(t *testing.T) {
	var b book
	for i := range maxBook + 10 {
		b, _ = b.with(Peer{ring.NodeID(fmt.Sprint("n", i*7919%10007)), fmt.Sprint("h:", i)})
	}
	if len(b) != maxBook {
		t.Fatalf("%d entries", len(b))
	}
	c, err := decodeBook(b.append(nil))
	if err != nil || !bytes.Equal(c.append(nil), b.append(nil)) {
		t.Fatalf("not what was written: %v", err)
	}
	id := b[17].ID
	if b, news := b.without(id); !news || b.of(id) != "" || len(b) != maxBook-1 {
		t.Errorf("%s is still there", id)
	}
	if c.of(id) == "" {
		t.Error("a book that was copied changed")
	}
	if _, news := b.with(b[3]); news {
		t.Error("what is there is no news")
	}
}

func FuzzBook(f *testing.F) {
	f.Add([]byte{})
	f.Add(book{{"a", "h:1"}, {"b", ""}}.append(nil))
	f.Fuzz(func(t *testing.T, in []byte) {
		b, err := decodeBook(in)
		if err == nil && len(in) > 0 && !bytes.Equal(b.append(nil), in) {
			t.Errorf("%x was read as %v", in, b)
		}
		// Sealed, so that the checksum stops no attempt.
		if b, err := decodeBook(codec.Seal(bytes.Clone(in), 0)); err == nil && len(b) > maxBook {
			t.Errorf("%d entries", len(b))
		}
	})
}

package codec_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/ourodb/ouro/internal/core/codec"
)

func TestFields(t *testing.T) {
	b := []byte{7, 1}
	b = binary.AppendUvarint(b, 300)
	b = binary.AppendVarint(b, -300)
	b = binary.LittleEndian.AppendUint64(b, math.MaxUint64-1)
	b = codec.AppendText(b, "text")
	b = append(b, 2, 'x', 'y')
	r := codec.Reader{B: b}
	if v := r.Byte(); v != 7 {
		t.Errorf("byte %d", v)
	}
	if !r.Bool() {
		t.Error("a true is false")
	}
	if v := r.Uvarint(); v != 300 {
		t.Errorf("uvarint %d", v)
	}
	if v := r.Varint(); v != -300 {
		t.Errorf("varint %d", v)
	}
	if v := r.Uint64(); v != math.MaxUint64-1 {
		t.Errorf("uint64 %d", v)
	}
	if v := r.Text(4); v != "text" {
		t.Errorf("text %q", v)
	}
	if v := r.Count(1, 2); v != 2 {
		t.Errorf("count %d", v)
	}
	if v := r.Bytes(2); string(v) != "xy" || cap(v) != 2 {
		t.Errorf("bytes %q of capacity %d", v, cap(v))
	}
	if !r.Done() {
		t.Errorf("%d bytes are left", len(r.B))
	}
}

func TestBadFields(t *testing.T) {
	for name, take := range map[string]func(r *codec.Reader){
		"too few bytes":           func(r *codec.Reader) { r.B = r.B[:7]; r.Uint64() },
		"no byte":                 func(r *codec.Reader) { r.B = nil; r.Byte() },
		"a flag of 2":             func(r *codec.Reader) { r.B[0] = 2; r.Bool() },
		"a longer form":           func(r *codec.Reader) { r.B[0], r.B[1] = 0x80, 0; r.Uvarint() },
		"a number without end":    func(r *codec.Reader) { r.Uvarint() },
		"a number above its most": func(r *codec.Reader) { r.B[0] = 9; r.Upto(8) },
		"more than there are":     func(r *codec.Reader) { r.B[0] = 5; r.Count(2, 100) },
		"more than may be":        func(r *codec.Reader) { r.B[0] = 5; r.Count(1, 4) },
		"a long text":             func(r *codec.Reader) { r.B[0] = 5; r.Text(4) },
	} {
		b := make([]byte, 10)
		for i := range b {
			b[i] = 0xff
		}
		r := codec.Reader{B: b}
		take(&r)
		if !r.Bad || r.Done() {
			t.Errorf("%s is taken", name)
		}
		if r.Byte() != 0 || r.Uvarint() != 0 || r.Uint64() != 0 || r.Text(1) != "" {
			t.Errorf("after %s there is more", name)
		}
	}
}

func TestSeal(t *testing.T) {
	whole := codec.Seal([]byte("headbody"), len("head"))[len("head"):]
	if body, ok := codec.Unseal(whole); !ok || string(body) != "body" {
		t.Fatalf("unsealed %q, %v", body, ok)
	}
	for i := range whole {
		for bit := range 8 {
			whole[i] ^= 1 << bit
			if _, ok := codec.Unseal(whole); ok {
				t.Errorf("bit %d of byte %d may flip", bit, i)
			}
			whole[i] ^= 1 << bit
		}
	}
	for n := range len(whole) {
		if _, ok := codec.Unseal(whole[:n]); ok {
			t.Errorf("%d bytes of %d are taken for whole", n, len(whole))
		}
	}
}

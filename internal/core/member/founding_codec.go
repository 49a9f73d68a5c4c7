package member

import (
	"encoding/binary"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/codec"
	"github.com/ourodb/ouro/internal/core/ring"
)

func (f *Founding) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(f.count()))
	if f == nil {
		return append(b, 0, 0) // nobody, nothing
	}
	b = binary.AppendUvarint(b, uint64(len(f.Members)))
	for i := range f.Members {
		b = f.Members[i].append(b)
	}
	b = binary.AppendUvarint(b, uint64(len(f.Buckets)))
	for i := range f.Buckets {
		b = f.Buckets[i].append(codec.AppendText(b, f.Buckets[i].Name))
	}
	if f.count() == 1 {
		return b // its origin follows from the list
	}
	b = append(append(b, f.Origin[:]...), f.Digest[:]...)
	for _, i := range f.Owners {
		b = binary.AppendUvarint(b, uint64(i))
	}
	b = appendIDs(appendIDs(b, f.Removed), f.Forced)
	b = binary.AppendUvarint(b, uint64(len(f.Marks)))
	for _, k := range f.Marks {
		b = binary.AppendUvarint(codec.AppendText(b, string(k.Issuer)), uint64(k.Stamp))
	}
	b = binary.AppendUvarint(b, uint64(len(f.Absorbed)))
	for _, a := range f.Absorbed {
		b = binary.AppendUvarint(append(b, a.Origin[:]...), uint64(a.Count))
	}
	return b
}

func appendIDs(b []byte, ids []ring.NodeID) []byte {
	b = binary.AppendUvarint(b, uint64(len(ids)))
	for _, id := range ids {
		b = codec.AppendText(b, string(id))
	}
	return b
}

func (d *decoder) founding(q int) *Founding {
	f := &Founding{Count: d.uint(MaxCount)}
	if f.Count == 0 {
		d.fail("a founding stands for nothing")
	}
	f.Members = list(d, MaxMembers, (*decoder).member)
	f.Buckets = list(d, MaxBuckets, (*decoder).namedBucket)
	if f.Count <= 1 {
		return f
	}
	f.Origin, f.Digest = d.hash(), d.hash()
	for i := 0; i < q && d.err == nil; i++ {
		f.Owners = append(f.Owners, uint32(d.uint(MaxMembers)))
	}
	f.Removed = list(d, MaxRemoved, (*decoder).id)
	f.Forced = list(d, MaxRemoved, (*decoder).id)
	f.Marks = list(d, MaxRemoved, func(d *decoder) Key {
		id := d.id()
		return Key{Stamp: causal.Stamp(d.uvarint()), Issuer: id}
	})
	f.Absorbed = list(d, MaxRings, func(d *decoder) Absorbed { return Absorbed{d.hash(), d.uint(MaxCount)} })
	return f
}

// list reads a list of at most so many; it grows only with what is there.
func list[T any](d *decoder, most int, item func(*decoder) T) []T {
	n := d.uint(uint64(most))
	var out []T
	for i := 0; i < n && d.err == nil; i++ {
		out = append(out, item(d))
	}
	return out
}

func (d *decoder) namedBucket() NamedBucket {
	name := d.text(MaxClusterName)
	return NamedBucket{name, d.bucket()}
}

func (d *decoder) hash() (h [16]byte) {
	if len(d.b) < len(h) {
		d.fail("a hash is cut off")
		return h
	}
	copy(h[:], d.b)
	d.b = d.b[len(h):]
	return h
}

package wire

import (
	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/replica"
)

// A Survey has
//
//	ticket, uvarint | look | bucket | first and last of the span, 8 bytes each,
//	unless it looks at roots | after | prefix, if it looks at names
func appendSurvey(dst []byte, s *replica.Survey) []byte {
	dst = appendUvarint(dst, s.ID)
	dst = appendString(append(dst, byte(s.Look)), s.Bucket)
	if s.Look != replica.Roots {
		dst = appendUint64(appendUint64(dst, s.Span.First), s.Span.Last)
	}
	if dst = appendString(dst, s.After); s.Look == replica.Names {
		dst = appendString(dst, s.Prefix)
	}
	return dst
}

// readSurvey refuses names that are too long to be any: they would not fit into
// an engine key.
func readSurvey(r *reader, s *replica.Survey) {
	s.ID = r.uvarint()
	s.Look, s.Bucket = replica.Look(r.byte()), r.string()
	if s.Look != replica.Roots {
		s.Span = merkle.Span{First: r.uint64(), Last: r.uint64()}
	}
	if s.After = r.string(); s.Look == replica.Names {
		s.Prefix = r.string()
	}
	if len(s.Bucket) > ouro.MaxBucketLen || len(s.After) > ouro.MaxKeyLen || len(s.Prefix) > ouro.MaxKeyLen || s.Look == replica.Roots && len(s.After) > ouro.MaxBucketLen {
		r.fail()
	}
}

// A Found has
//
//	ticket, uvarint | look | status | reason | flags | unreadable, uvarint | next |
//	number of roots, uvarint, and of each: bucket | count, uvarint | sum, 16 bytes |
//	number of parts, uvarint, and of each: number | count, uvarint | sum, 16 bytes |
//	number of keys, uvarint, and of each: name | digest, 16 bytes |
//	until, 8 bytes | number of names, uvarint, and of each: name | length, uvarint, and bytes of the state
const (
	foundRecovering = 1 << iota
	foundKnown      = foundRecovering<<1 - 1
)

func appendFound(dst []byte, f *replica.Found) []byte {
	dst = appendUvarint(dst, f.ID)
	dst = append(dst, byte(f.Look), byte(f.Status), byte(f.Reason), bit(f.Recovering, foundRecovering))
	dst = appendUvarint(dst, uint64(f.Unreadable))
	dst = appendString(dst, f.Next)
	dst = appendUvarint(dst, uint64(len(f.Roots)))
	for i := range f.Roots {
		dst = appendSum(appendUvarint(appendString(dst, f.Roots[i].Bucket), uint64(f.Roots[i].Count)), f.Roots[i].Sum)
	}
	dst = appendUvarint(dst, uint64(len(f.Parts)))
	for i := range f.Parts {
		dst = appendSum(appendUvarint(append(dst, f.Parts[i].Number), uint64(f.Parts[i].Count)), f.Parts[i].Sum)
	}
	dst = appendUvarint(dst, uint64(len(f.Keys)))
	for i := range f.Keys {
		dst = appendSum(appendString(dst, f.Keys[i].Name), f.Keys[i].Digest)
	}
	dst = appendUint64(dst, f.Until)
	dst = appendUvarint(dst, uint64(len(f.Names)))
	for i := range f.Names {
		dst = appendBytes(appendString(dst, f.Names[i].Name), f.Names[i].State)
	}
	return dst
}

// leastListed is how many bytes a root, a part or a key takes at least: a sum
// and a byte.
const leastListed = 17

// leastNamed is how many bytes a name with a state takes at least.
const leastNamed = 2

func readFound(r *reader, f *replica.Found) {
	f.ID = r.uvarint()
	f.Look, f.Status, f.Reason = replica.Look(r.byte()), replica.Status(r.byte()), replica.Reason(r.byte())
	f.Recovering = r.flags(foundKnown)&foundRecovering != 0
	f.Unreadable = int(r.uvarint() & (1<<31 - 1))
	f.Next = r.string()
	if n := r.count(leastListed); n > 0 {
		f.Roots = make([]replica.Root, n)
		for i := range f.Roots {
			f.Roots[i] = replica.Root{Bucket: r.string(), Count: uint32(r.uvarint()), Sum: readSum(r)}
		}
	}
	if n := r.count(leastListed); n > 0 {
		f.Parts = make([]merkle.Part, n)
		for i := range f.Parts {
			f.Parts[i] = merkle.Part{Number: r.byte(), Count: uint32(r.uvarint()), Sum: readSum(r)}
		}
	}
	if n := r.count(leastListed); n > 0 {
		f.Keys = make([]replica.Listed, n)
		for i := range f.Keys {
			f.Keys[i] = replica.Listed{Name: r.string(), Digest: readSum(r)}
		}
	}
	f.Until = r.uint64()
	if n := r.count(leastNamed); n > 0 {
		f.Names = make([]replica.Named, n)
		for i := range f.Names {
			f.Names[i] = replica.Named{Name: r.string(), State: r.bytes()}
		}
	}
}

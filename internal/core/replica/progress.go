package replica

import (
	"encoding/binary"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/codec"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Progress is what a replica keeps on disk of a partition in which it may have
// forgotten something that it acknowledged, for as long as it may (RULES R9,
// R10), or in which it was away for so long that it has not been told of what it
// missed. As stored, version 1:
//
//	byte    1, the version of the form
//	byte    1: it was away, and has forgotten nothing
//	varint  since when, wall-clock milliseconds
//	uvarint number of buckets, and of each uvarint length and bytes of its name
//	uvarint number of sources; of each
//	          byte    1: it was recovering itself
//	          uvarint length, bytes of the id
//	4 bytes little-endian CRC-32C of all before
type Progress struct {
	Away  bool // it was away for long, and has forgotten nothing
	Since int64
	// Buckets are those in which it may have forgotten; none: in all. Of the others it
	// knows what it holds.
	Buckets []string
	Sources []Source // complete comparisons that are merged durably, in their order
}

// Source is a node whose whole partition was compared and merged.
type Source struct {
	Node       ring.NodeID
	Recovering bool // it was itself, then
}

const progressVersion = 1

// MaxRecoveringBuckets is how many buckets of a partition may be recovering by name:
// where it would be more, all are.
const MaxRecoveringBuckets = 64

const errProgress DamageError = "progress of a recovery: damaged"

// AppendProgress appends the stored form of p.
func AppendProgress(dst []byte, p *Progress) []byte {
	at := len(dst)
	away := byte(0)
	if p.Away {
		away = 1
	}
	dst = binary.AppendVarint(append(dst, progressVersion, away), p.Since)
	dst = binary.AppendUvarint(dst, uint64(len(p.Buckets)))
	for _, b := range p.Buckets {
		dst = codec.AppendText(dst, b)
	}
	dst = binary.AppendUvarint(dst, uint64(len(p.Sources)))
	for _, s := range p.Sources {
		b := byte(0)
		if s.Recovering {
			b = 1
		}
		dst = codec.AppendText(append(dst, b), s.Node)
	}
	return codec.Seal(dst, at)
}

// DecodeProgress is the inverse of [AppendProgress]. The error is a
// [DamageError]: then no progress was made.
func DecodeProgress(b []byte) (Progress, error) {
	b, ok := codec.Unseal(b)
	r := codec.Reader{B: b}
	if !ok || r.Byte() != progressVersion {
		return Progress{}, errProgress
	}
	p := Progress{Away: r.Bool(), Since: r.Varint()}
	for range r.Count(1, MaxRecoveringBuckets) {
		p.Buckets = append(p.Buckets, string(r.Text(ouro.MaxBucketLen)))
	}
	for range r.Count(2, len(b)) {
		recovering := r.Bool()
		p.Sources = append(p.Sources, Source{ring.NodeID(r.Text(ring.MaxIDLen)), recovering})
	}
	if !r.Done() {
		return Progress{}, errProgress
	}
	return p, nil
}

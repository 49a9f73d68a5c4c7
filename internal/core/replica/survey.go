package replica

import (
	"strings"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/core/typed"
)

// Look is what a [Survey] looks at.
type Look uint8

// What can be looked at, each for one partition.
const (
	Roots Look = 1 + iota // the roots of its trees
	Parts                 // the parts of a span of the tree of Bucket
	Keys                  // the records in a span of that tree
	Names                 // the names of the records in Bucket, with what has become of each
)

// Survey asks what a replica holds of a partition, so that it can be compared
// with what another holds (paper, section 4.7), or its keys be listed. Pending
// records are not shown.
type Survey struct {
	ID        uint64 // the asker's ticket; the answer carries it
	Look      Look
	Partition uint32
	Bucket    string // Parts, Keys, Names
	// Span is what to look at, of Parts, Keys and Names; that of Parts is one that a leaf may
	// have.
	Span  merkle.Span
	After string // Roots: the bucket, Keys: the key after which to go on; "": from the first
	// Prefix is, of Names, what those begin with that are to be listed.
	Prefix string
}

// Found answers a [Survey]. It is one page: there is more where Next is set.
// What it shows has been synced.
type Found struct {
	ID     uint64
	Look   Look
	Status Status // Have, or Failed for Reason
	Reason Reason
	// Recovering: the replica may have lost something that it acknowledged (RULES
	// R9), so what it does not show proves nothing.
	Recovering bool
	// Number is that of the partition's lists, as the peer had them when it was asked.
	// It is sent with the message, where the question had one.
	Number uint64

	Roots []Root        // those of empty trees left out; in the order of [BucketOrder]
	Parts []merkle.Part // empty ones left out; in order of positions
	Keys  []Listed      // in the order of [KeyOrder]
	// Unreadable is how many records of the page can't be read; they are not in
	// Keys.
	Unreadable int
	// Rotten are some of these, for the node that stores them. They are not sent.
	Rotten []Rotten
	Next   string // what After is to be for the next page; "": this was the last

	Names []Named // in the order of [KeyOrder]
	// Until is, of Names, the upper half of the last position that the page is about.
	Until uint64
}

// Root is the root of the tree of a bucket.
type Root struct {
	Bucket string
	Count  uint32 // of records, for whoever thinks about how to go on
	Sum    merkle.Sum
}

// Listed is a key and the digest of its state.
type Listed struct {
	Name   string
	Digest causal.Sum
}

// Named is a key and the canonical form of its state without the values, which is
// enough to say whether it shows one once it is merged with those of other
// replicas.
type Named struct {
	Name  string
	State []byte
}

// Outline returns the canonical form of the state in a stored record without its
// values, but for the elements of data types, which say themselves whether the key
// shows anything.
func Outline(record []byte) ([]byte, error) {
	s, err := DecodeRecord(record)
	if err != nil {
		return nil, err
	}
	for i := range s.Versions {
		if v := &s.Versions[i]; !typed.IsMark(v.ContentType) {
			v.Value, v.ContentType = nil, ""
		}
	}
	return s.Append(nil), nil
}

// Mark says that what this node holds of a partition must be compared with what
// another holds.
type Mark struct {
	Partition uint32
	Peer      ring.NodeID
}

// BucketOrder compares two buckets as a list of roots has them: the shorter name
// comes first.
func BucketOrder(a, b string) int {
	if d := len(a) - len(b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

// KeyOrder compares two keys of one bucket as a list has them: by the upper
// halves of their positions, then by name.
func KeyOrder(a, b *ring.Key) int {
	switch {
	case a.Pos.Hi < b.Pos.Hi:
		return -1
	case a.Pos.Hi > b.Pos.Hi:
		return 1
	default:
		return strings.Compare(a.Name, b.Name)
	}
}

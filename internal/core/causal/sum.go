package causal

import "github.com/zeebo/xxh3"

// Sums are keyed by a seed derived from a secret of the cluster.

// Rekey makes the sums of a state's versions those of a cluster with another secret. By
// which requests they were written stays, which another cluster knows nothing of: without
// it they would not be the versions that they are where they come from.
func (s *State) Rekey(seed uint64) {
	for i := range s.Versions {
		v := &s.Versions[i]
		v.Sum = SumValue(seed, v.ContentType, v.Value)
	}
}

// SumValue returns the keyed hash of what a client stored.
func SumValue(seed uint64, contentType string, value []byte) Sum {
	h := xxh3.Hash128Seed(value, xxh3.HashStringSeed(contentType, seed))
	return Sum{h.Hi, h.Lo}
}

// Digest returns the keyed hash of a state in canonical form, as made by
// [State.Append]. It reads the meta section alone, which has the sum of every
// value. Bytes that are no such form give the hash of all of them.
func Digest(canonical []byte, seed uint64) Sum {
	h := xxh3.Hash128Seed(canonical[:metaEnd(canonical)], seed)
	return Sum{h.Hi, h.Lo}
}

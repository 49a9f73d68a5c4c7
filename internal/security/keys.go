// Package security holds the cluster's secret and what is derived from it.
//
// Every node of a cluster has the same key file. From it come, each under a
// label of its own, the key that seals contexts (RULES R6), the seed of digests
// (R26) and the key that hashes request ids (R29). So what one key gives away
// tells nothing about another, and the file itself is never used directly.
package security

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Keys are what a node needs of the cluster's secret.
type Keys struct {
	Sealing [32]byte // seals contexts
	Digest  uint64   // seed of digests and leaf sums
	Request uint64   // key of the hash of request ids
	// Public says that the keys come from the cluster's name, which is no secret:
	// they tell clusters apart, and stop no one who wants to forge a context.
	Public bool

	mark [32]byte
}

// Secret is the content of a cluster key file, or what stands for one.
type Secret struct {
	bytes  []byte
	public bool
}

// FromName makes the secret of a cluster without a key file from its name. It is
// not secret: the keys derived from it are marked [Keys.Public].
func FromName(cluster string) Secret {
	return Secret{bytes: []byte("ouro cluster without a key: " + cluster), public: true}
}

// Derive derives the keys. Two nodes with equal secrets get equal keys.
func (s Secret) Derive() (Keys, error) {
	k := Keys{Public: s.public}
	sealing, err := s.derive("context sealing", 32)
	if err != nil {
		return Keys{}, err
	}
	seeds, err := s.derive("digest and request seeds", 16)
	if err != nil {
		return Keys{}, err
	}
	mark, err := s.derive("cluster mark", 32)
	if err != nil {
		return Keys{}, err
	}
	copy(k.Sealing[:], sealing)
	copy(k.mark[:], mark)
	k.Digest = binary.BigEndian.Uint64(seeds)
	k.Request = binary.BigEndian.Uint64(seeds[8:])
	return k, nil
}

// derive is HKDF with SHA-256; the label tells keys apart.
func (s Secret) derive(label string, length int) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, s.bytes, []byte("ouro v1"), label, length)
	if err != nil {
		return nil, fmt.Errorf("security: derive %s: %w", label, err)
	}
	return key, nil
}

// ClusterID combines the id of a cluster's history with its secret: nodes with
// another key show another id, so they are refused at the first word instead of
// failing at every context.
func (k Keys) ClusterID(history uint64) uint64 {
	mac := hmac.New(sha256.New, k.mark[:])
	mac.Write(binary.BigEndian.AppendUint64(nil, history))
	return max(binary.BigEndian.Uint64(mac.Sum(nil)), 1)
}

package steward

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/ourodb/ouro/internal/core/codec"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// book is where nodes were last found, where that is not what the history says, or
// it does not know them: sorted by id, at most maxBook of them. So a node finds
// others again after all else has changed, as long as any of them stays where it
// was.
type book []Peer

// maxBook is how many nodes the book has room for. Those that are in no cluster and
// were never heard of since are forgotten first.
const maxBook = 1024

// What the disk keeps of the book, version 1:
//
//	byte    1, the version of the form
//	uvarint number of nodes; of each: id, address
//	4 bytes little-endian CRC-32C of all before
//
// Texts have their length as a uvarint before them.
const bookVersion = 1

var errBook = errors.New("steward: the addresses on disk are damaged, or of a newer program")

func (b book) find(id ring.NodeID) (int, bool) {
	return slices.BinarySearchFunc(b, id, func(p Peer, id ring.NodeID) int { return strings.Compare(string(p.ID), string(id)) })
}

// of returns where a node was last found; "": that is not known.
func (b book) of(id ring.NodeID) string {
	if i, ok := b.find(id); ok {
		return b[i].Addr
	}
	return ""
}

// with returns the book with a node at an address, and whether that is news.
func (b book) with(p Peer) (book, bool) {
	i, ok := b.find(p.ID)
	switch {
	case ok && b[i].Addr == p.Addr, !ok && len(b) >= maxBook:
		return b, false
	case ok:
		b = slices.Clone(b)
		b[i] = p
		return b, true
	}
	return slices.Insert(slices.Clone(b), i, p), true
}

// without returns the book without a node, and whether that is news.
func (b book) without(id ring.NodeID) (book, bool) {
	i, ok := b.find(id)
	if !ok {
		return b, false
	}
	return slices.Delete(slices.Clone(b), i, i+1), true
}

func (b book) append(dst []byte) []byte {
	from := len(dst)
	dst = binary.AppendUvarint(append(dst, bookVersion), uint64(len(b)))
	for _, p := range b {
		dst = codec.AppendText(codec.AppendText(dst, p.ID), p.Addr)
	}
	return codec.Seal(dst, from)
}

// decodeBook reads what append wrote; no bytes are an empty book.
func decodeBook(b []byte) (book, error) {
	if len(b) == 0 {
		return nil, nil
	}
	b, ok := codec.Unseal(b)
	r := codec.Reader{B: b}
	if !ok || r.Byte() != bookVersion {
		return nil, errBook
	}
	var all book
	for range r.Upto(maxBook) {
		p := Peer{ID: ring.NodeID(r.Text(ring.MaxIDLen)), Addr: r.Text(member.MaxAddr)}
		if r.Bad || len(all) > 0 && all[len(all)-1].ID >= p.ID {
			return nil, errBook
		}
		all = append(all, p)
	}
	if !r.Done() {
		return nil, errBook
	}
	return all, nil
}

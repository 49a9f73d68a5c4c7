// Package wire holds the bytes of every message between nodes.
//
// A message is one frame body of the transport:
//
//	kind, 1 byte | partition, uvarint | version, 1 byte | epoch, uvarint |
//	fields of the kind | length of the tail, uvarint | tail
//
// Kind and partition come first so that [PartitionOf] finds a message's shard
// without looking at the rest. Integers are uvarints (zig-zag where they may be
// negative), random 64-bit numbers and hashes are 8 or 16 bytes little-endian,
// strings and byte slices have a uvarint length before them. Canonical states
// are carried as they are: wire neither reads nor changes them.
//
// # Changes
//
// What an older node may ignore is added to the tail, which a decoder skips
// past what it knows. What it must not ignore takes a free bit of a flags byte,
// and a decoder refuses bits it does not know; or another version, which it
// refuses whole. Codes (verbs, statuses, reasons, kinds of fact) are carried
// unjudged: what they mean is the core's business.
//
// # Memory
//
// Decoded messages alias the frame body, strings included: no byte of a key or
// a value is copied. The transport gives the body away with the message and
// never writes to it again, which is what makes that safe. Whoever keeps a
// string or a slice of a message for longer than the request it belongs to
// clones it, so as not to hold the rest of the frame in memory. Empty and nil
// slices are one and the same on the wire; both decode as nil.
//
// No length read from the input sizes an allocation before it was checked
// against the bytes that are there.
package wire

// Package steward keeps what a node knows of its cluster: the history of what
// operators did, where each partition is, where everybody can be reached, and the
// epoch by which tombstones are reaped. There is one steward for all shards of a
// node, beside them.
//
// A [Steward] is a composite like a node: it routes what happens to the machines
// and what they want to its surroundings, and knows what each of them is told by
// another. Whatever it lets anybody know is on stable storage first, so the shards
// never act on what the node could forget.
package steward

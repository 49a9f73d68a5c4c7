// Package place says where each partition is, and lets the members of a cluster
// agree on where it goes next.
//
// Where a partition should be follows from the history alone (package member).
// Where it is cannot: two operators on two sides of a cut would each make a
// ring of their own, and two quorums might never meet (RULES H3, H4). So the
// placement of a cluster is one chain of links. Each [Link] names the members
// that choose the next one and the partitions whose lists it changes, and is
// chosen once, by a majority of the members that the link before it names
// (RULES R12, R13). Without that majority nothing moves, and requests go on.
//
// A partition moves through three configurations (RULES R14): it is at its old
// list; it is at both, where a quorum is counted in the old list and in the new
// one; it is at the new list. The number of the last link that names a partition
// goes with every request for it, and a replica that knows of a later one does
// not answer as if there were none (R15).
//
// A [Placement] is an immutable value.
package place

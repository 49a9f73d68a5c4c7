// Package transfer holds the machine that brings partitions to this node and lets
// them go (paper, section 4.9): what each link of the chain (package place) asks
// of one who is new in a list, and of one who holds what it is not to hold.
//
// A newcomer compares itself with members of the old list, one after the other,
// until it has merged so much that the move may end (RULES R16), and proves it.
// A comparison with one who holds nothing yet is the transfer: leaf by leaf the
// others offer their keys, and what is asked for is the confirmation, so that
// nothing is sent twice, also not after a crash of either side: leaves that are
// equal already cost nothing. Who is asked first differs from partition to
// partition, so that the load spreads over the others.
//
// What a node holds and is not to hold is left over: of a partition that went to
// others, or of a move that was aborted. The former is given to everybody who
// holds the partition now, as far as they lack it, and then let go; the latter is
// let go at once. What is left over is known from the disk after a restart too.
//
// All comparisons carry the number of the partition and count only where the peer
// is at the same one; with another number everything begins anew.
//
// The machine is told what happened and the time, states what is to be done in
// [Effects] and reports one deadline. What it holds is bounded by the number of
// partitions and of the buckets in them.
package transfer

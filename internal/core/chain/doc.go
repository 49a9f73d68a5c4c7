// Package chain lets the members of a cluster agree on which link follows which:
// the machine of RULES R12 and R13. The values are in package place.
//
// There is one instance of single-decree Paxos for each link. Its acceptors are
// the members that the placement before it names, each under the disk that it is
// named with; a majority of them chooses. An acceptor tells nothing that is not
// on its disk: what it promised, what it accepted, what it adopted. So a disk
// that forgot never votes, and until a link names the new one its node is no
// acceptor. Where no majority can be reached nothing is chosen, nothing grows, and
// requests go on.
//
// The first link after the founding is an exception: it names the founders'
// disks, so nobody knows before it which answers come from a disk that forgot.
// All founders must choose it (decision 0019).
//
// Any node may propose. As a rule the first member that can be reached does: the
// others report to it what they are ready for. It names in one link all that is
// due, at most once a second. Another one does if that leads to nothing.
//
// A [Chain] is pure: it is told of time, messages and what became durable, and
// returns what is to be done as [Effects].
package chain

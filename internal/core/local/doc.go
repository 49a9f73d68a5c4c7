// Package local is what a replica says of its own copy of a key, and when what
// several say is together the answer of a read (paper, section 6.4): a client that
// knows the ring asks as many replicas as must answer, at the same time, and none of
// them asks another.
//
// A coordinator counts replicas of the lists in force that do not recover, each
// answering under the lists that it was asked under, and merges what they hold
// (RULES R9, R12 to R16, R28). Here each replica says under which lists it answers,
// says nothing where it would not be counted or the partition moves, and gives the
// digest of its state. Where lists and digests are the same there is nothing to merge:
// any of the answers is what a coordinator would have said. Everything else is left to
// a coordinator, which merges and repairs. So a client needs to know neither what
// digests are of nor what contexts hold.
package local

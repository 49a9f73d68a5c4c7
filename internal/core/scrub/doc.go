// Package scrub holds the machine that has everything on a disk read back, a
// slice at a time, so that what rots is found while others still have it
// (DESIGN 6; PAPER 9.6).
//
// A round reads each record, each leaf of a tree and each record that is kept for
// others once. It is spread over half of the time that it may take, faster where
// it is late, and never faster than a bound; the next begins a while after it
// began. What the disk finds is told in an answer: records that can't be read
// are to be had from others (package recovery), leaves that were not the sum of
// their records have been added up from them by then.
//
// The place is noted on the disk now and then, so that a node that is started
// every day still gets round. The machine is told what happened and the time,
// states what is to be done in [Effects] and reports one deadline.
package scrub

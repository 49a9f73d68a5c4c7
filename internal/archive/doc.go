// Package archive writes what a cluster holds into a folder, a file for each partition,
// and brings it into a cluster of any size and number of partitions (paper, section
// 6.2; PAPER 6.2.5).
//
// A file has whole records, as a read of r replicas merges them: every version that
// survives, and what has been seen. So bringing one back is a merge: whatever has seen a
// version of the archive, or a delete of it, stands. The root of a file is the sum over
// its records that is the root of a Merkle tree over them (package merkle), keyed with
// nothing, so that a file can be verified without the cluster.
package archive

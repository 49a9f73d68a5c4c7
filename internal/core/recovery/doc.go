// Package recovery brings a replica back that may have forgotten something it
// acknowledged: one whose disk was lost or restored, partition by partition, or
// a single record that fails its checksum (RULES R9, R10; holes H8, H9).
//
// Until then the replica takes writes, and its acknowledgements count for w, but
// it counts for no read. First it waits as long as any request may take, so that
// no coordinator still holds an acknowledgement of its earlier life. Then it
// compares with the other replicas, and counts again once it has merged what as
// many of them hold as could have a write between them that it forgot: n-w+1 that
// do not recover themselves, or all.
//
// Package repair compares partitions; this package says which, with whom, and
// what follows.
package recovery

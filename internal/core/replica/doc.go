// Package replica is one replica's storage as a machine: Write, Join, Read and
// Recall as functions of the bytes stored under a key, the verb and what the
// replica remembers of its own run. It is the only judge of what an answer
// counts for (RULES R1-R3, R9, R29, R33).
//
// It does no input or output. Whoever drives it reads the stored bytes, calls
// [Replica.Do], stores [Result.Record] and only then passes the answer on.
package replica

// Package history records what clients of a store did and saw, and judges it.
//
// It knows nothing of how the store works: an operation is what a client asked,
// when, under the context of which earlier response, and what came back. From
// that alone follows which writes each write has seen, and from that what must
// never be seen again and what must never be lost. The simulator uses it with
// virtual time; nothing in it would be different for a cluster of processes.
//
// A value tells which operation wrote it (see [Value]), so that reading it back
// is enough to know what was read. Contexts stay opaque: causality is known
// from the client's own records. For an operation p that was given the context
// of response r
//
//	cov(p) = sees(r) + cov of each of sees(r) + cov(r's own input context)
//
// where sees(r) are the writes whose values r showed.
package history

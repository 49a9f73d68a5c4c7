// Package host drives the pure core in real time: many requests at once, real
// links, a real engine.
//
// The partitions of a node are spread over shards. A shard is one goroutine
// that owns one node core, one disk runner and one bounded inbox; nothing on the
// data path is shared between shards, so nothing is locked there. Its loop is
//
//	take what is in the inbox, a few megabytes at a time
//	step the core on each input
//	run the storage operations, as one engine batch
//	step the core on the answers that are ready
//	flush a buffer per peer, in pieces where it is large
//	answer clients
//
// Under load the log, the system calls and the wake-ups are batched by that loop
// alone; an idle shard adds no delay. Answers that wait for the log to sync come
// back through the inbox, so batches are pipelined.
//
// Whatever is decided is decided in the core: nothing here knows the protocol.
package host

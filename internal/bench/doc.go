// Package bench puts a cluster under load and measures it.
//
// A closed loop keeps a number of workers busy, each with one operation at a
// time: it finds out what the cluster can take. An open loop starts operations
// on a schedule, whether or not earlier ones have been answered, and measures
// each from the moment it was due: a stall then shows in every operation that it
// delayed, and not only in the one it hit (no coordinated omission).
//
// A put carries the context that was last seen for its key, by any worker. So
// siblings come from puts that really were concurrent, as many as concurrency
// makes; they are counted.
package bench

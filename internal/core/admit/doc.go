// Package admit holds the machine that says how much of a node the background
// may use (paper, section 6.5): an admission controller.
//
// All background work has one pool of slices: what is kept for others is handed
// over, partitions are brought, replicas are compared, records are read back, and
// tombstones are reaped. Each [Kind] gets some of the pool, and goes at the share of
// its full pace that these are of all it can have. How many slices the pool has
// follows from what clients saw: how long reads of the engine for them took, which of
// them failed, and how long inputs waited in the queue. Where more than one of a
// hundred of either, over a trailing window, took longer than a threshold, the pool is
// halved, step by step as long as that goes on; where it is well again it grows.
//
// Every kind has its floor, whatever is measured, so that repair is never starved; no
// kind has more than its ceiling, which is the pace that was configured.
//
// The machine is told what was measured and the time. It wants no tick: where nothing
// is measured nothing changes. All it holds is bounded by the steps of its window.
package admit

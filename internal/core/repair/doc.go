// Package repair holds the machine that compares what this node holds of a
// partition with what another holds, and makes both equal (paper, section 4.7).
//
// One comparison goes down the trees of package merkle: the roots of both, the
// leaves of buckets whose roots differ, the keys of leaves that differ, and of
// keys that differ the states. A state is fetched and joined here, and what
// comes of it is joined there, so that both keep what either has. Everything
// that is compared was asked for after the comparison began, and every answer
// shows only what is synced: a comparison that ends complete has merged here,
// durably, all that the other held when it began (RULES R10, R28). Only buckets
// whose primaries both nodes are among are compared (R17, R25).
//
// Partitions are compared in turn, one at a time and at a pace. Those that are
// marked come first: somebody knows that the other missed something, it was
// away, or a comparison with it failed. Others may ask for a comparison; those
// are made at once and their [Outcome] is told.
//
// The machine is told what happened and the time, states what is to be done in
// [Effects] and reports one deadline. All it holds is bounded by the number of
// partitions and their replicas, and by a page and a window for each of few
// comparisons under way. Doing it twice is harmless: joins are idempotent.
package repair

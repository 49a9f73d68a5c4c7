// Package causal is what Ouro knows of cause and effect: dots, version vectors,
// sibling sets and contexts, with the laws they obey.
//
// A stored object is a sibling set: claims (what has been seen) and the versions
// that survive of it. It is the vector clock of the paper (section 4.4) made
// exact, after the dotted version vectors of Preguiça et al. (2010) and Almeida
// et al. (2014): the clock belongs to the set, and each version has one dot, the
// event that wrote it. So two clients that write through one coordinator with
// one stale context lose nothing and breed no false siblings.
//
// Everything here is a value. No function modifies its arguments, and results
// may share memory with them, so the slices inside a [State], a [Claims] or a
// [Version] must never be written to.
//
// Joining is commutative and idempotent always, a join contains what it was made
// of, and among states of one prune floor it is associative. Across floors it
// can't be: pruning is lossy by nature, and what it loses can only bring back an
// extra version, never take one away (RULES R4, R7). [State.At] brings states to
// one floor.
package causal

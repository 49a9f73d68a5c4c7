// Package handoff holds the machine that hands over what a node keeps for
// others (paper, section 4.6): it walks the pending records page by page, sends
// each to those it is owed to, and pays it off when they have it durably.
//
// A record is handed over at least once: what is lost on the way, or changes
// while it is, is found by the next walk. Handing over twice is harmless, since
// a join is idempotent; a payment names the state that was delivered and pays
// for no other. Nothing here ever drops a record for any other reason.
//
// The machine is told what happened and the time, states what is to be done in
// [Effects] and reports one deadline. All it holds is bounded by its window, a
// page, and the number of nodes.
package handoff

// Package handoff holds the machine that hands over what a node keeps for
// others (paper, section 4.6): it walks the pending records page by page, sends
// each to those it is owed to, and pays it off when they have it durably.
//
// A record is handed over at least once: what is lost on the way, or changes
// while it is, is found by the next walk. Handing over twice is harmless, since
// a join is idempotent; a payment names the state that was delivered and pays
// for no other.
//
// There are three other ways in which a debt ends, and no fifth. A target that is
// no primary of the key any more hands its claim to all that are (RULES R34).
// What the node keeps though it is a primary itself goes into its own record.
// And what is too old, or the oldest where little room is left, is let go once
// two primaries besides the target have said that they hold its state durably;
// they are told which node missed it, so that they compare what it has. Where
// two do not say so it stays, whatever its age: it may be all there is.
//
// The machine is told what happened and the time, states what is to be done in
// [Effects] and reports one deadline. All it holds is bounded by its window, a
// page, and the number of nodes.
package handoff

// Package reap lets tombstones go (RULES E1, E2; PAPER 9.4). It holds two
// machines.
//
// [Epochs] keeps the epoch of a node. The members of a cluster go from epoch to
// epoch no further than one apart, and only while somebody waits for it. A node
// shows epoch e+1 only when every member has shown e and it keeps nothing for
// others that is older; from then on it takes nothing older for others. So what
// is stamped below the epoch before a node's own is nowhere any more but on its
// way, and is refused where it arrives.
//
// [Reaper] lets the primaries of a key vote for its tombstone and, when every
// copy of what was there before it has become too old to be taken, lets them drop
// it. Votes are in memory: losing them delays.
//
// Neither guesses by the clock. One member that cannot be reached delays reaping,
// and nothing else.
package reap

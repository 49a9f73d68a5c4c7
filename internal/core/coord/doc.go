// Package coord holds the machines that coordinate one client request each
// (paper, section 5: one state machine per request): [Put], which also deletes,
// [Get], and [Forward] at nodes that do not coordinate the request themselves.
//
// A machine is told what happened (Start, Answer, Down, Tick), with the time as
// an argument, and states what is to be done as plain data in [Effects]. It
// reports one deadline. It knows no other machine, no network and no disk: the
// storage of its own node is asked as every other replica is.
//
// A machine counts an answer once, only from the replica that was asked, and
// only if it answers that very ask: each ask has an id of its own, made of the
// machine's ticket, the round and the replica's place in the list.
//
// Machines are values without locks: copying one clones it, which the
// exhaustive tests use, and a finished one may be started again, which its
// owner uses to recycle memory.
package coord

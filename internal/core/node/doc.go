// Package node is what one shard of a node does, as a pure function of its
// inputs: [Node.Step] takes what happened and appends what is to be done to an
// [Out].
//
// It is a composite. The machines below it never import each other; only here does
// one of them hear what another found out, and only here is it said what a message
// of a peer or an answer of the disk is about:
//
//   - requests go to the machines of package coord (request.go, slots.go), or to a
//     node that can coordinate them (forwards.go, walk.go), and lists of keys to
//     package listing;
//   - what peers ask of this replica goes to the disk and back (asks.go, surveys.go),
//     unless they ask under lists that are not in force (fence.go);
//   - what is kept for others goes home by package handoff, what differs is made
//     equal by package repair, what was forgotten is had back by package recovery, what
//     moves is brought by package transfer, what rots is found by package scrub, and
//     tombstones go by package reap;
//   - package admit says how fast all of these may go, package hot how many requests
//     one key may have.
//
// What it knows by itself is who is asked first: who does not answer (health.go, by
// package detector), and what is asked twice all the same (spare.go).
//
// All it owns are tables with bounds: requests and operations of peers under way,
// forwards taken lately, operations that wait for later lists.
//
// A Node is not safe for concurrent use and keeps what its inputs point to
// until the request is done.
package node

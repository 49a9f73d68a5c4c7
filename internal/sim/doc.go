// Package sim runs a whole cluster in one goroutine on virtual time, breaks it
// on purpose, and judges what its clients saw.
//
// A [World] is a cluster: for each node the real core, the real runner of
// storage operations and an engine in memory that loses what was not synced; a
// network that delays, loses, repeats and reorders messages, is cut and clogs;
// clocks that jump. Everything that happens is an event in one queue, ordered
// by virtual time and then by number, and every choice is drawn from one seed:
// the same seed gives the same history, to the byte, on any machine.
//
// [Run] lets a seed choose a cluster, a load and the kinds of fault there are,
// runs some thousand operations and checks the promises of package history.
// [Seeds] runs many. Tests direct a World of their own, step by step.
package sim

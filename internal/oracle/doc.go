// Package oracle is a slow, obviously right reference for [ouro.Store]: one
// place, one lock, and causality kept as plain sets of events instead of clocks.
// Every write is an event; a context is the set of events its client has seen;
// a version survives until a write that has seen it.
//
// Tests hold the other bodies of the store, and the front ends, against it. It
// shares no code with the store proper, and its memory only grows.
package oracle

// Package ouro is the vocabulary of the Ouro key-value store: keys, values,
// siblings, contexts, options, errors, and the [Store] interface that every
// body of the store answers to (a remote client, a node embedded in your own
// program, the simulator).
//
// Ouro is the system of "Dynamo: Amazon's Highly Available Key-value Store"
// (DeCandia et al., SOSP 2007): leaderless, always writable, with conflicting
// versions kept side by side until a client merges them.
//
// The package depends on the standard library alone.
package ouro

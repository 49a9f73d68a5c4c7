// Package rpc is the gRPC front end: the service ouro.v1.StoreService of package
// ourov1, with health and reflection, on a port of its own.
//
// The handlers see only the vocabulary of package ouro. A connection is wrapped in
// a conn before gRPC has it: that counts what waits for a client that does not
// read, which gRPC itself does not bound, and ends the connection of one that takes
// too long. Handlers find it in the call's context, as what the handshake said of
// the peer.
package rpc

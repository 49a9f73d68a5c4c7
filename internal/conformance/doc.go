// Package conformance holds what every body of [ouro.Store] has to do, as tests
// written once: the oracle, the host and the client over HTTP pass the same
// cases.
package conformance

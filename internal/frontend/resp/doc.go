// Package resp is the Redis front end: RESP2 and RESP3, so that any Redis client
// can use the store. Plain commands show the last writer's value; the OURO
// commands show siblings, contexts and quorums (paper, sections 2.3 and 4.5).
// docs/reference/resp.md has every command with what it means where several
// clients write at once; a test holds it to the table in this package.
//
// A connection is one goroutine that parses what has arrived, carries out what
// was pipelined side by side as far as no two commands have a key in common, and
// answers in order. Everything a client can make grow is bounded by [Config].
package resp

// Package web is the HTTP front end: keys under /kv/{bucket}/{key}, bodies as
// they are, everything else in headers and query parameters, so that curl, any
// language's HTTP library and a load balancer can use the store (paper, section
// 2.3 and 4.5). docs/reference/openapi.yaml describes what clients see; a test
// holds the handler to it.
//
// The handler sees only the vocabulary of package ouro. Bodies are read whole
// into memory of their exact size and handed to the store, which may keep them:
// the front end neither pools nor touches them afterwards.
package web

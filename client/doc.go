// Package client is the Go client of Ouro: a body of [ouro.Store] that asks a
// node over HTTP, and the admin calls of a node.
//
//	c, err := client.New("127.0.0.1:7070")
//	key := ouro.Key{Bucket: "greetings", Name: "hello"}
//	_, err = c.Put(ctx, key, ouro.Value{Data: []byte("Hello"), ContentType: "text/plain"})
//	res, err := c.Get(ctx, key)
//	for _, s := range res.Siblings { … }
//
// A plain Put or Delete, given no context, reads first and writes under what it
// read, so that it replaces what is there. With [ouro.WithContext] it writes
// under what the caller has seen; with [ouro.Blind] under nothing, and a put
// then stands beside whatever is there as a sibling.
package client

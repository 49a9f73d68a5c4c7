// Package client is the Go client of Ouro: bodies of [ouro.Store] that ask nodes
// over HTTP, and the admin calls of a node.
//
//	c, err := client.Connect([]string{"127.0.0.1:7070", "127.0.0.1:7080"})
//	defer c.Close()
//	key := ouro.Key{Bucket: "greetings", Name: "hello"}
//	_, err = c.Put(ctx, key, ouro.Value{Data: []byte("Hello"), ContentType: "text/plain"})
//	res, err := c.Get(ctx, key)
//	for _, s := range res.Siblings { … }
//
// A [Cluster] knows the ring, goes to the replicas of a key, and tries for as long as
// the context lets it. A [Client] asks one node, once.
//
// A plain Put or Delete, given no context, reads first and writes under what it
// read, so that it replaces what is there. With [ouro.WithContext] it writes
// under what the caller has seen; with [ouro.Blind] under nothing, and a put
// then stands beside whatever is there as a sibling.
//
// [Update] reads, lets the program merge, and writes; [Values] does that for values
// of one type:
//
//	carts := client.Values[Cart]{Store: c, Codec: client.JSON[Cart](), Resolve: merge}
//	cart, _, err := carts.Update(ctx, key, func(c Cart) (Cart, error) { return c.With(item), nil })
package client

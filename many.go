package ouro

import "context"

// Batcher is a [Store] that takes several requests at once and answers each by
// itself: there is nothing that all of them do or none. Package client has functions
// that do the same in any store.
type Batcher interface {
	// GetMany reads keys, each as Get does. The answers are in the order of keys.
	GetMany(ctx context.Context, keys []Key, opts ...Option) []Answer
	// PutMany stores items, each as Put does under its own context. The answers are
	// in the order of items. Items of one key are put in no order.
	PutMany(ctx context.Context, items []Item, opts ...Option) []Answer
}

// MaxItems is how many items one request over the network may have. Clients send
// more in several.
const MaxItems = 1000

// Item is a value to be put.
type Item struct {
	Key     Key
	Value   Value
	Context Context // what was seen of the key; nil: as a put without a context
}

// Answer is what one of several requests came to.
type Answer struct {
	Result Result
	Err    error // as [Store] has it; nil: it is done
}

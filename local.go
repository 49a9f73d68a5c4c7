package ouro

import "context"

// LocalReader is a node of a [Store] that answers a read from its own copy alone, for
// clients that coordinate reads themselves (paper, section 6.4).
type LocalReader interface {
	// GetLocal returns what Get would if this node's copy were the only one, with a
	// context for that, and by what right: the text of an Ouro-Local header. Answers
	// with the same text from as many different nodes as it says are needed are
	// together that of a Get; any of them is it. The text is empty, and there is an
	// error other than [NotFound], where the copy does not count: the node is no
	// replica of the key, or recovers, or the key moves.
	GetLocal(ctx context.Context, key Key, opts ...Option) (res Result, by string, err error)
}

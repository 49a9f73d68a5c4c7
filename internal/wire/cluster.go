package wire

import (
	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/gossip"
)

// What is said of the cluster itself goes as bytes whose form its package knows:
// history and links are kept on disk too. What is read keeps nothing of the body.

func readGossip(r *reader) *gossip.Message {
	m, err := gossip.DecodeMessage(r.bytes())
	if err != nil {
		r.fail()
	}
	return m
}

func readChain(r *reader) *chain.Message {
	m, err := chain.DecodeMessage(r.bytes())
	if err != nil {
		r.fail()
	}
	return m
}

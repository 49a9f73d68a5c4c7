package strategy

import (
	"fmt"
	"slices"

	"github.com/ourodb/ouro/internal/core/ring"
)

// Random is the paper's first strategy: T tokens of each node at random places, and
// ranges from token to token.
type Random struct{ T int }

// Name implements [Strategy].
func (Random) Name() string { return "1: T random tokens per node, partition by token value" }

// Place implements [Strategy].
func (s Random) Place(ids []ring.NodeID) (*Layout, error) {
	r, err := randomRing(ids, s.T)
	if err != nil {
		return nil, errStrategy("1", err)
	}
	l := &Layout{ring: r}
	last := r.Tokens()[len(r.Tokens())-1].End
	before := fraction(last) - 1 // the first arc begins behind the last token
	for i, t := range r.Tokens() {
		l.Arcs = append(l.Arcs, Arc{Share: fraction(t.End) - before, End: t.End, Token: uint32(i)})
		before = fraction(t.End)
	}
	// What is behind the last token belongs to the first, whose arc has that share
	// already; as an arc of its own it is only compared.
	l.Arcs = append(l.Arcs, Arc{End: top(), Token: 0})
	return l, nil
}

// top is the last position of the circle.
func top() ring.Position { return ring.Position{Hi: ^uint64(0), Lo: ^uint64(0)} }

// randomRing draws the tokens of a node from its name: they stay where they are,
// whoever else comes.
func randomRing(ids []ring.NodeID, each int) (*ring.Ring, error) {
	var tokens []ring.Token
	for _, id := range ids {
		for i := range each {
			tokens = append(tokens, ring.Token{End: ring.Hash(fmt.Appendf(nil, "%s token %d", id, i)), Owner: id})
		}
	}
	slices.SortFunc(tokens, func(a, b ring.Token) int { return a.End.Compare(b.End) })
	return ring.New(nodesOf(ids), tokens)
}

// Mapped is the paper's second strategy: Q equal partitions, each placed where the
// walk from its end meets the T random tokens of each node. It served while the
// paper's clusters went from the first to the third.
type Mapped struct{ Q, T int }

// Name implements [Strategy].
func (Mapped) Name() string { return "2: T random tokens per node and equal sized partitions" }

// Place implements [Strategy].
func (s Mapped) Place(ids []ring.NodeID) (*Layout, error) {
	r, err := randomRing(ids, s.T)
	if err != nil {
		return nil, errStrategy("2", err)
	}
	l := &Layout{Fixed: true, ring: r}
	for _, t := range equal(s.Q) {
		l.Arcs = append(l.Arcs, Arc{Share: 1 / float64(s.Q), End: t.End, Token: r.Partition(t.End)})
	}
	return l, nil
}

// equal cuts the circle into q equal partitions, as nearly as 64 bits can.
func equal(q int) []ring.Token {
	tokens := make([]ring.Token, q)
	for i := range tokens {
		tokens[i].End = top()
		if i < q-1 {
			tokens[i].End.Hi = uint64(float64(i+1)/float64(q)*(1<<63))<<1 - 1
		}
	}
	return tokens
}

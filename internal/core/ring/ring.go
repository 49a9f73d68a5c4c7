package ring

import (
	"slices"
	"sort"
	"strings"
)

// NodeID names a node for ever: 1 to 64 characters of a-z A-Z 0-9 . _ -.
type NodeID string

// Node is a member of the cluster as placement sees it.
type Node struct {
	ID     NodeID
	Weight int    // share of the data relative to the others; 1 is normal, 0 means 1
	Zone   string // failure domain within DC
	DC     string // data centre
}

// Token gives its owner the arc that ends at End, End included, and begins
// after the token before it (paper, sections 4.2 and 4.9; PAPER 8.1).
type Token struct {
	End   Position
	Owner NodeID
}

// cached is how many entries of every preference list are computed ahead: more
// than any usual n, so that finding the replicas of a key costs two look-ups.
const cached = 8

// Ring is an immutable set of tokens with their owners, and the preference lists
// that follow from it. Its slices are shared with its callers: nobody may modify
// them.
type Ring struct {
	nodes   []Node  // sorted by id
	tokens  []Token // sorted by end
	owners  []int32 // index into nodes of each token's owner
	counts  []int   // tokens of each node
	holders int     // nodes that own tokens: no preference list is longer
	lists   []NodeID
	width   int // entries of lists per token
	shift   uint
	equal   bool // the tokens are equal partitions: a shift finds the token
	epoch   uint64
	hash    [16]byte
}

// New makes a ring of nodes and of tokens sorted by End, at epoch 0. Every token
// must be owned by one of the nodes; a node may own none. It copies both.
func New(nodes []Node, tokens []Token) (*Ring, error) {
	r := &Ring{nodes: slices.Clone(nodes), tokens: slices.Clone(tokens)}
	sortNodes(r.nodes)
	if err := checkNodes(r.nodes); err != nil {
		return nil, err
	}
	if err := checkTokens(r.tokens); err != nil {
		return nil, err
	}
	if err := r.resolve(); err != nil {
		return nil, err
	}
	r.shift, r.equal = equalShift(r.tokens)
	r.hash = digest(r.nodes, r.tokens)
	r.fill()
	return r, nil
}

// WithEpoch returns the same ring under another epoch: the number of the change
// of membership that made it.
func (r *Ring) WithEpoch(epoch uint64) *Ring {
	c := *r
	c.epoch = epoch
	return &c
}

// Q returns the number of tokens, which is the number of partitions.
func (r *Ring) Q() int { return len(r.tokens) }

// Bits returns how many of the first bits of a position are the number of its
// partition, where all partitions are equal; else 0.
func (r *Ring) Bits() uint {
	if !r.equal {
		return 0
	}
	return 64 - r.shift
}

// Epoch returns the number of the change of membership that made this ring.
func (r *Ring) Epoch() uint64 { return r.epoch }

// Hash returns a hash of nodes and tokens: equal on any two nodes whose rings
// place every key alike. The epoch is not part of it.
func (r *Ring) Hash() [16]byte { return r.hash }

// Nodes returns the nodes, sorted by id.
func (r *Ring) Nodes() []Node { return r.nodes }

// Tokens returns the tokens, sorted by End.
func (r *Ring) Tokens() []Token { return r.tokens }

// Partition returns the number of the token that owns position p.
func (r *Ring) Partition(p Position) uint32 {
	if r.equal {
		return uint32(p.Hi >> r.shift)
	}
	i := sort.Search(len(r.tokens), func(i int) bool { return r.tokens[i].End.Compare(p) >= 0 })
	if i == len(r.tokens) {
		i = 0 // beyond the last token the first one's arc begins
	}
	return uint32(i)
}

// Owner returns the node that owns a partition: the head of its preference list.
func (r *Ring) Owner(partition uint32) NodeID { return r.tokens[partition].Owner }

// Index returns the place of a node in [Ring.Nodes], or -1 where it is not there.
func (r *Ring) Index(id NodeID) int { return indexOf(r.nodes, id) }

// Node returns the node with this id and whether there is one.
func (r *Ring) Node(id NodeID) (Node, bool) {
	if i := r.Index(id); i >= 0 {
		return r.nodes[i], true
	}
	return Node{}, false
}

// Count returns how many tokens a node owns; 0 where there is no such node.
func (r *Ring) Count(id NodeID) int {
	if i := r.Index(id); i >= 0 {
		return r.counts[i]
	}
	return 0
}

// TokensOf returns the numbers of the partitions that a node owns, ascending.
func (r *Ring) TokensOf(id NodeID) []uint32 {
	i := r.Index(id)
	if i < 0 {
		return nil
	}
	own := make([]uint32, 0, r.counts[i])
	for t, o := range r.owners {
		if int(o) == i {
			own = append(own, uint32(t))
		}
	}
	return own
}

func indexOf(nodes []Node, id NodeID) int {
	i, ok := slices.BinarySearchFunc(nodes, id, func(n Node, id NodeID) int { return strings.Compare(string(n.ID), string(id)) })
	if !ok {
		return -1
	}
	return i
}

func sortNodes(nodes []Node) {
	slices.SortFunc(nodes, func(a, b Node) int { return strings.Compare(string(a.ID), string(b.ID)) })
}

package ring

import (
	"fmt"
	"math/bits"
	"slices"
)

// EqualTokens cuts the circle into q equal partitions, q a power of two, owned
// by nobody yet (paper, section 6.2, strategies 2 and 3). Partition i holds the
// positions whose uppermost log2(q) bits are i.
func EqualTokens(q int) ([]Token, error) {
	if !GoodQ(q) {
		return nil, fmt.Errorf("q is %d: the number of partitions must be a power of two from 1 to %d, such as 1024", q, MaxTokens)
	}
	shift := 64 - uint(bits.TrailingZeros(uint(q)))
	tokens := make([]Token, q)
	for i := range tokens {
		tokens[i].End = equalEnd(i, shift)
	}
	return tokens, nil
}

// GoodQ says whether the circle can be cut into q equal partitions: a power of
// two from 1 to [MaxTokens].
func GoodQ(q int) bool { return q >= 1 && q <= MaxTokens && bits.OnesCount(uint(q)) == 1 }

// Assign spreads q equal partitions over the nodes that found a cluster together.
// Lists are more even than where they had joined one by one, as nothing is kept
// where it was.
func Assign(q int, nodes []Node) ([]Token, error) {
	tokens, err := EqualTokens(q)
	if err != nil {
		return nil, err
	}
	return Rebalance(tokens, nodes)
}

// AddNode gives a new node its share, taken from all others.
func AddNode(tokens []Token, nodes []Node, node Node) ([]Token, error) {
	return Rebalance(tokens, append(slices.Clone(nodes), node))
}

// RemoveNode gives the tokens of a node to all others.
func RemoveNode(tokens []Token, nodes []Node, id NodeID) ([]Token, error) {
	left := slices.DeleteFunc(slices.Clone(nodes), func(n Node) bool { return n.ID == id })
	return Rebalance(tokens, left)
}

// Rebalance returns the tokens with owners such that each node has its share of
// them, rounded down or up, and as few tokens as possible have changed hands
// (paper, section 6.2: Q/S tokens per node). A node's share is the number of
// tokens times its weight over the weight of all. Tokens whose owner is not
// among the nodes, or who have none, are given away.
//
// Which tokens move is drawn by a hash, so a newcomer takes from everywhere and
// what a leaver had is scattered over all (section 4.2); where there is a choice
// the tokens of a node, and of a zone, are kept some places apart, so that most n
// in a row belong to different ones and replicas are nearly as even as tokens. Equal arguments give equal
// results, in whatever order the nodes are.
func Rebalance(tokens []Token, nodes []Node) ([]Token, error) {
	return rebalance(tokens, nodes, widestGap)
}

// RebalanceAtRandom is [Rebalance] without the last rule: where there is a choice,
// the lot decides alone, as in the paper. It serves comparisons.
func RebalanceAtRandom(tokens []Token, nodes []Node) ([]Token, error) {
	return rebalance(tokens, nodes, 0)
}

func rebalance(tokens []Token, nodes []Node, widest int) ([]Token, error) {
	nodes = slices.Clone(nodes)
	sortNodes(nodes)
	if err := checkNodes(nodes); err != nil {
		return nil, err
	}
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	m := newMoves(tokens, nodes)
	m.settle()
	m.run(widest)
	out := slices.Clone(tokens)
	for t, owner := range m.owners {
		out[t].Owner = nodes[owner].ID
	}
	return out, nil
}

// Least returns the fewest tokens that must change hands for every node to have
// its share of them, rounded down or up: what is to be taken from those with more
// than that, or given to those with less, whichever is more.
func Least(tokens []Token, nodes []Node) int {
	nodes = slices.Clone(nodes)
	sortNodes(nodes)
	total := 0
	for _, n := range nodes {
		total += n.weight()
	}
	have, give, take := make([]int, len(nodes)), 0, 0
	for _, t := range tokens {
		if i := indexOf(nodes, t.Owner); i >= 0 {
			have[i]++
		} else {
			take++
		}
	}
	for i, n := range nodes {
		share := len(tokens) * n.weight()
		give += max(0, share/total-have[i])
		take += max(0, have[i]-(share+total-1)/total)
	}
	return max(give, take)
}

// nobody owns the tokens that are to be given away.
const nobody = -1

// moves is one rebalancing: who owns what, who should have how many.
type moves struct {
	tokens []Token
	nodes  []Node
	owners []int32
	have   []int
	want   []int
	zone   []int32 // of each node, numbered from 0; a zone is one of one data centre
	zones  int
}

func newMoves(tokens []Token, nodes []Node) *moves {
	m := &moves{tokens: tokens, nodes: nodes, owners: make([]int32, len(tokens)), have: make([]int, len(nodes)), want: make([]int, len(nodes))}
	seen := map[[2]string]int32{}
	for _, n := range nodes {
		m.zone = append(m.zone, number(seen, [2]string{n.DC, n.Zone}))
	}
	m.zones = len(seen)
	for t, token := range tokens {
		i := indexOf(nodes, token.Owner)
		m.owners[t] = int32(i)
		if i >= 0 {
			m.have[i]++
		}
	}
	return m
}

// settle decides how many tokens each node shall have: what it has, forced
// between its share rounded down and rounded up. The sum is then brought to the
// number of tokens where rounding is most wrong. Any choice here costs the same
// number of moves: the larger of what must be taken and what must be given.
func (m *moves) settle() {
	total := 0
	for _, n := range m.nodes {
		total += n.weight()
	}
	over := make([]int, len(m.nodes)) // how far want is over the share, times total
	sum := 0
	for i, n := range m.nodes {
		share := len(m.tokens) * n.weight()
		low, high := share/total, (share+total-1)/total
		m.want[i] = min(max(m.have[i], low), high)
		over[i] = m.want[i]*total - share
		sum += m.want[i]
	}
	order := make([]int, len(m.nodes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return over[a] - over[b] })
	if sum > len(m.tokens) {
		slices.Reverse(order)
	}
	for _, i := range order {
		// Who is not under (over) its share is never reached: rounding is wrong by
		// less than one token at each, so enough others are.
		switch {
		case sum < len(m.tokens):
			m.want[i]++
			sum++
		case sum > len(m.tokens):
			m.want[i]--
			sum--
		}
	}
}

// run moves tokens until every node has what it should.
func (m *moves) run(widest int) {
	givers, takers := m.givers(), m.takers()
	for gap := min((len(m.nodes)-1)/2, widest); len(takers) > 0; gap-- {
		for _, t := range givers {
			if from := m.owners[t]; from != nobody && m.have[from] <= m.want[from] {
				continue
			}
			if to, ok := m.taker(t, takers, gap); ok {
				m.move(t, to)
			}
		}
		takers = slices.DeleteFunc(takers, func(i int32) bool { return m.have[i] == m.want[i] })
	}
}

// widestGap is how many places on either side of a token are kept free of its
// owner's other tokens, where possible: enough for lists of five. More would
// turn scattered tokens into rows that always follow each other, and a lost
// node's load would fall on its followers alone.
const widestGap = 4

// givers returns the tokens that may move, in the order of their hash.
func (m *moves) givers() []int {
	var givers []int
	keys := make([]uint64, len(m.tokens))
	salt := m.salt()
	for t, owner := range m.owners {
		if owner == nobody || m.have[owner] > m.want[owner] {
			givers = append(givers, t)
			keys[t] = mix(m.tokens[t].End.Hi ^ mix(m.tokens[t].End.Lo^salt))
		}
	}
	slices.SortStableFunc(givers, func(a, b int) int {
		if keys[a] < keys[b] {
			return -1
		}
		return 1
	})
	return givers
}

// takers returns the nodes that are to get tokens.
func (m *moves) takers() []int32 {
	var takers []int32
	for i := range m.nodes {
		if m.have[i] < m.want[i] {
			takers = append(takers, int32(i))
		}
	}
	return takers
}

// salt makes each change of the nodes draw other tokens.
func (m *moves) salt() uint64 {
	h := uint64(len(m.nodes))
	for i, n := range m.nodes {
		if m.have[i] == m.want[i] {
			continue
		}
		for j := range len(n.ID) {
			h = mix(h ^ uint64(n.ID[j]))
		}
	}
	return h
}

// taker chooses who gets token t: of those not near it, who lacks most;
// among equals a hash decides.
func (m *moves) taker(t int, takers []int32, gap int) (best int32, ok bool) {
	most, draw := 0, uint64(0)
	for _, i := range takers {
		lacks := m.want[i] - m.have[i]
		if lacks <= 0 || lacks < most || m.near(t, i, gap) {
			continue
		}
		key := mix(uint64(t)<<32 ^ uint64(i))
		if lacks > most || key > draw {
			best, most, draw, ok = i, lacks, key, true
		}
	}
	return best, ok
}

// near reports whether node i owns a token within gap places of t, or its zone
// does within as many places as a list of three can skip.
func (m *moves) near(t int, i int32, gap int) bool {
	q := len(m.owners)
	zoneGap := min(m.zones-1, 2)
	for d := 1; d <= gap; d++ {
		after, before := m.owners[(t+d)%q], m.owners[(t-d%q+q)%q]
		if after == i || before == i {
			return true
		}
		if d <= zoneGap && (m.inZone(after, i) || m.inZone(before, i)) {
			return true
		}
	}
	return false
}

// inZone reports whether an owner is in the zone of node i.
func (m *moves) inZone(owner, i int32) bool { return owner != nobody && m.zone[owner] == m.zone[i] }

func (m *moves) move(t int, to int32) {
	if from := m.owners[t]; from != nobody {
		m.have[from]--
	}
	m.owners[t] = to
	m.have[to]++
}

// mix scrambles 64 bits (the finalizer of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

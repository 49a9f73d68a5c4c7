package ring

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"unicode/utf8"
)

// Bounds of a ring. MaxTokens keeps what every node holds of the ring in memory
// within some tens of megabytes; MaxWeight keeps shares well within 64 bits.
const (
	MaxTokens = 1 << 20
	MaxWeight = 10_000
	MaxIDLen  = 64
	MaxZone   = 64
)

// CheckID says what is wrong with a node id, or returns nil.
func CheckID(id NodeID) error {
	switch {
	case id == "":
		return fmt.Errorf("a node id is empty: give each node an id of 1 to %d characters of A-Z a-z 0-9 . _ -", MaxIDLen)
	case len(id) > MaxIDLen:
		return fmt.Errorf("node id %.80q has %d characters: at most %d are allowed", id, len(id), MaxIDLen)
	}
	for i := range len(id) {
		if !idByte(id[i]) {
			return fmt.Errorf("node id %q has the character %q: use A-Z a-z 0-9 . _ - only", id, id[i])
		}
	}
	return nil
}

func idByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}

// Check says what is wrong with a node's settings, or returns nil.
func (n Node) Check() error {
	if err := CheckID(n.ID); err != nil {
		return err
	}
	if n.Weight < 0 || n.Weight > MaxWeight {
		return fmt.Errorf("node %s has weight %d: give a weight from 1 (normal) to %d", n.ID, n.Weight, MaxWeight)
	}
	for _, label := range [...]string{n.Zone, n.DC} {
		if err := CheckLabel(label); err != nil {
			return fmt.Errorf("zone or data centre of node %s: %w", n.ID, err)
		}
	}
	return nil
}

// CheckLabel says what is wrong with the name of a zone or a data centre, or returns
// nil; "" is none. They are printed as they are, in tables: what can't be seen there
// would make two of them look the same, or do things to a terminal.
func CheckLabel(label string) error {
	if len(label) > MaxZone {
		return fmt.Errorf("%.80q is longer than %d bytes: choose a shorter name", label, MaxZone)
	}
	for _, c := range label {
		if c == utf8.RuneError || c == ' ' || !strconv.IsPrint(c) {
			return fmt.Errorf("%q has the character %q: use characters that can be seen, and no spaces", label, c)
		}
	}
	return nil
}

// weight is the weight in force: the zero value of a node has the normal one.
func (n Node) weight() int { return max(n.Weight, 1) }

// checkNodes wants nodes sorted by id.
func checkNodes(nodes []Node) error {
	if len(nodes) == 0 {
		return errors.New("there are no nodes: name at least one")
	}
	for i, n := range nodes {
		if err := n.Check(); err != nil {
			return err
		}
		if i > 0 && nodes[i-1].ID == n.ID {
			return fmt.Errorf("node id %s is used twice: give each node its own", n.ID)
		}
	}
	return nil
}

func checkTokens(tokens []Token) error {
	if len(tokens) == 0 || len(tokens) > MaxTokens {
		return fmt.Errorf("%d tokens: a ring has 1 to %d", len(tokens), MaxTokens)
	}
	for i := 1; i < len(tokens); i++ {
		switch tokens[i-1].End.Compare(tokens[i].End) {
		case 0:
			return fmt.Errorf("tokens %d and %d end at the same position: each needs its own", i-1, i)
		case 1:
			return fmt.Errorf("token %d ends before token %d: sort tokens by End", i, i-1)
		}
	}
	return nil
}

// resolve finds the owner of each token among the nodes.
func (r *Ring) resolve() error {
	r.owners = make([]int32, len(r.tokens))
	r.counts = make([]int, len(r.nodes))
	for t, token := range r.tokens {
		i := indexOf(r.nodes, token.Owner)
		if i < 0 {
			return fmt.Errorf("token %d is owned by %q, which is not among the nodes: add the node or give the token to another", t, token.Owner)
		}
		r.owners[t] = int32(i)
		r.counts[i]++
	}
	return nil
}

// equalShift reports whether the tokens are equal partitions, and by how much
// to shift the upper half of a position to get the number of its partition.
func equalShift(tokens []Token) (uint, bool) {
	if bits.OnesCount(uint(len(tokens))) != 1 {
		return 0, false
	}
	shift := 64 - uint(bits.TrailingZeros(uint(len(tokens))))
	for i, t := range tokens {
		if t.End != equalEnd(i, shift) {
			return 0, false
		}
	}
	return shift, true
}

// equalEnd is the last position whose upper bits, after the shift, are i. A
// shift of 64 is one partition, the whole circle.
func equalEnd(i int, shift uint) Position {
	return Position{uint64(i)<<shift | (1<<shift - 1), ^uint64(0)}
}

// digest hashes everything placement depends on; each text goes with its length.
func digest(nodes []Node, tokens []Token) [16]byte {
	b := make([]byte, 0, 64*len(nodes)+24*len(tokens))
	b = binary.AppendUvarint(b, uint64(len(nodes)))
	for _, n := range nodes {
		b = appendText(b, string(n.ID))
		b = appendText(b, n.Zone)
		b = appendText(b, n.DC)
		b = binary.AppendUvarint(b, uint64(n.weight()))
	}
	for _, t := range tokens {
		b = binary.BigEndian.AppendUint64(b, t.End.Hi)
		b = binary.BigEndian.AppendUint64(b, t.End.Lo)
		b = appendText(b, string(t.Owner))
	}
	sum := sha256.Sum256(b)
	return [16]byte(sum[:16])
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

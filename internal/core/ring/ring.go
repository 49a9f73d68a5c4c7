package ring

// NodeID names a node for ever: 1 to 64 characters of a-z A-Z 0-9 . _ -.
type NodeID string

// Node is a member of the cluster as placement sees it.
type Node struct {
	ID     NodeID
	Weight int    // share of the data relative to the others; 1 is normal
	Zone   string // failure domain within DC
	DC     string // data centre
}

// Token gives its owner the arc that ends at End, End included, and begins
// after the token before it (paper, sections 4.2 and 4.9; PAPER 8.1).
type Token struct {
	End   Position
	Owner NodeID
}

// Ring is an immutable set of tokens.
type Ring struct{}

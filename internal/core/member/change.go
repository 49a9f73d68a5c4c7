package member

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Kind says what a [Change] does.
type Kind uint8

// The kinds of change. The comment says which fields of a [Change] each uses.
const (
	Found     Kind = 1 + iota // the cluster begins: Name is its name, Q its partitions
	Add                       // a node joins: Member
	Remove                    // a node leaves for ever, its id is fenced: Member.ID
	Reweigh                   // a node's share changes: Member.ID, Member.Weight
	Relabel                   // a node is elsewhere: Member.ID, Member.Zone, Member.DC
	Readdress                 // a node is reached elsewhere: Member.ID, Member.Addr
	Define                    // a bucket is made: Name ("" is the default), Bucket
	Tune                      // a bucket's settings change, but n and kind: Name, Bucket
)

var kindNames = [...]string{
	Found: "found", Add: "add", Remove: "remove", Reweigh: "reweigh", Relabel: "relabel",
	Readdress: "readdress", Define: "define", Tune: "tune",
}

// String returns the name of the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("change %d", uint8(k))
}

// Member is a node of the cluster and the address of its node-to-node port.
type Member struct {
	ring.Node
	Addr string
}

// Change is one entry of a [History]. Stamp and Issuer together are its id: a
// node never issues two changes under one stamp.
type Change struct {
	Stamp  causal.Stamp
	Issuer ring.NodeID // the node at which the operator made it; "" for the founding list
	Kind   Kind
	Name   string
	Q      int
	Member Member
	Bucket Bucket
}

// Bounds on the texts of a change, in bytes.
const (
	MaxClusterName = 64
	MaxAddr        = 256
)

// Check says what is wrong with a change taken by itself, or returns nil.
func (c Change) Check() error {
	if c.Issuer != "" {
		if err := ring.CheckID(c.Issuer); err != nil {
			return fmt.Errorf("member: issuer: %w", err)
		}
	}
	switch c.Kind {
	case Found:
		return c.checkFound()
	case Add, Remove, Reweigh, Relabel, Readdress:
		return c.checkMember()
	case Define, Tune:
		return c.checkBucket()
	default:
		return fmt.Errorf("member: unknown kind of change %d: a newer version of ouro made it; upgrade this node", uint8(c.Kind))
	}
}

func (c Change) checkFound() error {
	if c.Name == "" || len(c.Name) > MaxClusterName {
		return fmt.Errorf("member: the cluster's name has %d bytes: give it 1 to %d", len(c.Name), MaxClusterName)
	}
	if _, err := ring.EqualTokens(c.Q); err != nil {
		return fmt.Errorf("member: %w", err)
	}
	return nil
}

func (c Change) checkMember() error {
	if err := c.Member.Check(); err != nil {
		return fmt.Errorf("member: %w", err)
	}
	if len(c.Member.Addr) > MaxAddr {
		return fmt.Errorf("member: the address of node %s has %d bytes: at most %d are allowed", c.Member.ID, len(c.Member.Addr), MaxAddr)
	}
	return nil
}

func (c Change) checkBucket() error {
	if c.Name != "" {
		if err := ouro.ValidateBucket(c.Name); err != nil {
			return fmt.Errorf("member: %w", err)
		}
	}
	if err := c.Bucket.Validate(); err != nil {
		return fmt.Errorf("member: bucket %q: %w", c.Name, err)
	}
	return nil
}

// String tells the change in one line.
func (c Change) String() string {
	what := string(c.Member.ID)
	switch c.Kind {
	case Found:
		what = fmt.Sprintf("%s q=%d", c.Name, c.Q)
	case Add:
		what = fmt.Sprintf("%s addr=%s zone=%s dc=%s weight=%d", c.Member.ID, c.Member.Addr, c.Member.Zone, c.Member.DC, c.Member.Weight)
	case Reweigh:
		what = fmt.Sprintf("%s weight=%d", c.Member.ID, c.Member.Weight)
	case Relabel:
		what = fmt.Sprintf("%s zone=%s dc=%s", c.Member.ID, c.Member.Zone, c.Member.DC)
	case Readdress:
		what = fmt.Sprintf("%s addr=%s", c.Member.ID, c.Member.Addr)
	case Define, Tune:
		what = fmt.Sprintf("%q n=%d r=%d w=%d", c.Name, c.Bucket.N, c.Bucket.R, c.Bucket.W)
	}
	return c.Kind.String() + " " + what
}

// compare orders changes by stamp, then issuer. The encoding decides between
// two changes under one id, which no healthy node issues: the order must be
// total, or two unions could differ.
func compare(a, b Change) int {
	if c := cmp.Or(cmp.Compare(a.Stamp, b.Stamp), strings.Compare(string(a.Issuer), string(b.Issuer))); c != 0 {
		return c
	}
	return bytes.Compare(a.append(nil), b.append(nil))
}

package member

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Kind says what a [Change] does.
type Kind uint8

// The kinds of change. The comment says which fields of a [Change] each uses.
const (
	Found       Kind = 1 + iota // the cluster begins: Name is its name, Q its partitions, Founding who is in it
	Add                         // a node joins: Member
	Remove                      // a node leaves for ever, its id is fenced: Member.ID
	Reweigh                     // a node's share changes: Member.ID, Member.Weight
	Relabel                     // a node is elsewhere: Member.ID, Member.Zone, Member.DC
	Readdress                   // a node is reached elsewhere: Member.ID, Member.Addr
	Define                      // a bucket is made: Name ("" is the default), Bucket
	Tune                        // a bucket's settings change, but n and kind: Name, Bucket
	Replace                     // a node takes the tokens and the weight of Old, which leaves for ever: Old, Member
	ForceRemove                 // as Remove, but the node will never come back to hand over what it holds
)

var kindNames = [...]string{
	Found: "found", Add: "add", Remove: "remove", Reweigh: "reweigh", Relabel: "relabel",
	Readdress: "readdress", Define: "define", Tune: "tune", Replace: "replace", ForceRemove: "force-remove",
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
// node never issues two changes under one stamp. Only the fields that its kind
// uses are part of it.
type Change struct {
	Stamp    causal.Stamp
	Issuer   ring.NodeID // the node at which the operator made it; "" for a static list of members
	Kind     Kind
	Name     string
	Q        int
	Member   Member
	Old      ring.NodeID
	Bucket   Bucket
	Founding *Founding // nil: nobody and nothing yet
}

// Key is a place in the order of changes. Clusters that were formed from
// different static lists have one in common.
type Key struct {
	Stamp  causal.Stamp
	Issuer ring.NodeID
}

// Compare orders keys by stamp, then issuer.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Stamp, o.Stamp), strings.Compare(string(k.Issuer), string(o.Issuer)))
}

// key is the place of a change in the order of all.
func (c *Change) key() Key { return Key{c.Stamp, c.Issuer} }

// Bounds on the texts of a change, in bytes.
const (
	MaxClusterName = 64
	MaxAddr        = 256
)

// Check says what is wrong with a change taken by itself, or returns nil.
func (c Change) Check() error {
	if c.Issuer != "" {
		if err := ring.CheckID(c.Issuer); err != nil {
			return fmt.Errorf("issuer: %w", err)
		}
	}
	switch c.Kind {
	case Found:
		return c.checkFound()
	case Replace:
		if err := ring.CheckID(c.Old); err != nil {
			return fmt.Errorf("the node to be replaced: %w", err)
		}
		return c.Member.check()
	case Add, Remove, ForceRemove, Reweigh, Relabel, Readdress:
		return c.Member.check()
	case Define, Tune:
		return c.checkBucket()
	default:
		return fmt.Errorf("unknown kind of change %d: a newer version of ouro made it; upgrade this node", uint8(c.Kind))
	}
}

func (c Change) checkFound() error {
	if c.Name == "" || len(c.Name) > MaxClusterName {
		return fmt.Errorf("the cluster's name has %d bytes: give it 1 to %d", len(c.Name), MaxClusterName)
	}
	if !ring.GoodQ(c.Q) {
		return fmt.Errorf("q is %d: the number of partitions must be a power of two from 1 to %d, such as 1024", c.Q, ring.MaxTokens)
	}
	return c.Founding.check(c.Q)
}

// check says what is wrong with a member taken by itself, or returns nil.
func (m Member) check() error {
	if err := m.Check(); err != nil {
		return err
	}
	if len(m.Addr) > MaxAddr {
		return fmt.Errorf("the address of node %s has %d bytes: at most %d are allowed", m.ID, len(m.Addr), MaxAddr)
	}
	return nil
}

func (c Change) checkBucket() error { return NamedBucket{c.Name, c.Bucket}.check() }

// String tells the change in one line.
func (c Change) String() string {
	what := string(c.Member.ID)
	switch c.Kind {
	case Found:
		what = fmt.Sprintf("%s q=%d", c.Name, c.Q)
		if c.Founding != nil && c.Founding.Count > 1 {
			what += fmt.Sprintf(" and %d changes", c.Founding.Count-1)
		}
	case Replace:
		what = fmt.Sprintf("%s by %s addr=%s zone=%s dc=%s", c.Old, c.Member.ID, c.Member.Addr, c.Member.Zone, c.Member.DC)
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

// compare orders changes by stamp, then issuer. Between two changes under one id,
// which no healthy node issues, the encoding decides: the order must be total, or
// two unions could differ. One founding folded more and less far is one entry.
func compare(a, b *Change) int {
	if c := a.key().Compare(b.key()); c != 0 {
		return c
	}
	if a.Kind == Found && b.Kind == Found {
		return bytes.Compare(a.Founding.Origin[:], b.Founding.Origin[:])
	}
	return bytes.Compare(a.append(nil), b.append(nil))
}

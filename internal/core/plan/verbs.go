package plan

import (
	"errors"
	"fmt"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Init returns the change that founds a cluster with one node in it. It is
// refused where there is a cluster already.
func Init(h member.History, name string, q int, self member.Member, buckets ...member.NamedBucket) (member.Change, error) {
	if h.Count() > 0 {
		return member.Change{}, errors.New("this node is of a cluster already: join other nodes to it, or give this one an empty data folder")
	}
	return member.NewFounding(name, []member.Member{self}, q, buckets...)
}

// change turns what an operator wants into a change of the history of a cluster.
func change(c *ouro.Change, now *member.Cluster) (member.Change, error) {
	id := ring.NodeID(c.Node)
	node := ring.Node{ID: id, Weight: c.Weight, Zone: c.Zone, DC: c.DC}
	made := member.Change{Member: member.Member{Node: ring.Node{ID: id}}}
	switch c.Verb {
	case ouro.Join:
		node.Weight = max(c.Weight, 1)
		made.Kind, made.Member = member.Add, member.Member{Node: node, Addr: c.Addr}
		if c.Weight < 0 {
			return made, fmt.Errorf("join %s: weight %d: give a weight from 1 (normal) to %d", id, c.Weight, ring.MaxWeight)
		}
		return made, needs(c, c.Addr, "the address of its node-to-node port")
	case ouro.Leave:
		made.Kind = member.Remove
	case ouro.ForceRemove:
		made.Kind = member.ForceRemove
	case ouro.Replace:
		node.ID = ring.NodeID(c.By)
		made = member.Change{Kind: member.Replace, Old: id, Member: member.Member{Node: node, Addr: c.Addr}}
		if old, ok := now.Member(id); ok && c.Zone == "" && c.DC == "" {
			made.Member.Zone, made.Member.DC = old.Zone, old.DC
		}
		return made, errors.Join(needs(c, c.By, "the node that takes its place"), needs(c, c.Addr, "the address of the newcomer's node-to-node port"))
	case ouro.Reweigh:
		made.Kind, made.Member.Weight = member.Reweigh, c.Weight
		if c.Weight < 1 {
			return made, fmt.Errorf("reweigh %s: weight %d: give a weight from 1 (normal) to %d; to take all of its data away let it leave", id, c.Weight, ring.MaxWeight)
		}
	case ouro.Relabel:
		made.Kind, made.Member.Zone, made.Member.DC = member.Relabel, c.Zone, c.DC
	case ouro.Readdress:
		made.Kind, made.Member.Addr = member.Readdress, c.Addr
		return made, needs(c, c.Addr, "the new address of its node-to-node port")
	default:
		return made, fmt.Errorf("unknown verb %q: choose join, leave, replace, reweigh, relabel, readdress or force-remove", c.Verb)
	}
	return made, nil
}

func needs(c *ouro.Change, text, what string) error {
	if text == "" {
		return fmt.Errorf("%s %s: give %s", c.Verb, c.Node, what)
	}
	return nil
}

package dev

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// places returns the nodes of the cluster, without ports: those that its folder
// has, or the founders of a new one.
func (o Options) places() ([]Node, error) {
	if o.Nodes < 0 || o.Nodes > maxNodes {
		return nil, fmt.Errorf("--nodes %d: it is 1 to %d", o.Nodes, maxNodes)
	}
	if o.Zones < 0 || o.Zones > maxNodes {
		return nil, fmt.Errorf("--zones %d: it is 1 to %d", o.Zones, maxNodes)
	}
	old, err := os.Stat(filepath.Join(o.Dir, infoName))
	if err != nil || old.IsDir() {
		return o.founders(), nil
	}
	in, err := ReadInfo(o.Dir)
	if err != nil {
		return nil, err
	}
	for i := range in.Nodes {
		n := &in.Nodes[i]
		*n = Node{ID: n.ID, Data: o.data(i), Zone: n.Zone, Added: n.Added, Gone: n.Gone}
	}
	left := staying(in.Nodes)
	if left == 0 {
		return nil, errors.New("all nodes of the cluster have left it: choose another --dir")
	}
	if o.Nodes != 0 && o.Nodes != left {
		return nil, fmt.Errorf("the folder %s holds a cluster of %d nodes, not %d: start it without --nodes, then use 'ouro dev add' or 'ouro dev remove'", o.Dir, left, o.Nodes)
	}
	if o.Zones != 0 && o.Zones != zonesOf(in.Nodes) {
		return nil, fmt.Errorf("the folder %s holds a cluster whose nodes are in %d zones: start it without --zones, and move nodes with 'ouro cluster relabel'", o.Dir, zonesOf(in.Nodes))
	}
	return in.Nodes, nil
}

// founders are the nodes of a new cluster.
func (o Options) founders() []Node {
	count := o.Nodes
	if count == 0 {
		count = defaultNodes
	}
	nodes := make([]Node, count)
	for i := range nodes {
		nodes[i] = Node{ID: NodeID(i + 1), Data: o.data(i), Zone: zone(i, o.Zones)}
	}
	return nodes
}

// zone returns the zone of node i, counted from 0: they take turns. There may be
// none.
func zone(i, zones int) string {
	if zones == 0 {
		return ""
	}
	return fmt.Sprintf("z%d", i%zones+1)
}

// zonesOf counts the zones that nodes are in.
func zonesOf(nodes []Node) int {
	var zones []string
	for _, n := range nodes {
		if n.Zone != "" && !slices.Contains(zones, n.Zone) {
			zones = append(zones, n.Zone)
		}
	}
	return len(zones)
}

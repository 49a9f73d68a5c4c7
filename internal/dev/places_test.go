package dev

import (
	"strings"
	"testing"
)

// A folder goes on with the nodes it has: those that joined later are no founders,
// those that left are not started again, and their ids are used by nobody.
func TestPlacesOfAClusterThatChanged(t *testing.T) {
	o := Options{Dir: t.TempDir(), Zones: 2}
	nodes, err := o.places()
	if err != nil || len(nodes) != defaultNodes || zonesOf(nodes) != 2 {
		t.Fatalf("%v, %v", nodes, err)
	}
	nodes[0].Gone = true
	nodes = append(nodes, Node{ID: "n4", Zone: "z2", Added: true, Peer: "127.0.0.1:1"})
	if err := writeInfo(Info{Dir: o.Dir, Nodes: nodes}); err != nil {
		t.Fatal(err)
	}
	o.Zones, o.Nodes = 0, 3
	again, err := o.places()
	if err != nil || len(again) != 4 || !again[0].Gone || !again[3].Added || again[3].Peer != "" || again[3].Data != o.data(3) {
		t.Errorf("%+v, %v", again, err)
	}
	o.Nodes = 4
	if _, err := o.places(); err == nil || !strings.Contains(err.Error(), "3 nodes, not 4") {
		t.Errorf("one that left counts: %v", err)
	}
	for i := range nodes {
		nodes[i].Gone = true
	}
	o.Nodes = 0
	if err := writeInfo(Info{Dir: o.Dir, Nodes: nodes}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.places(); err == nil || !strings.Contains(err.Error(), "all nodes") {
		t.Errorf("all have left: %v", err)
	}
}

// One more node changes nothing about the links of the others.
func TestFaultsGrow(t *testing.T) {
	f := newFaults(2)
	f.cut([]bool{true, false}, false)
	f.grow()
	if !f.parted(0, 1) || f.parted(0, 2) || f.parted(2, 1) || len(f.of(2)) != 2 {
		t.Errorf("%+v", f.at)
	}
}

// A cluster has room for so many nodes at a time, however many came and left; but ids
// run out.
func TestRoomForNodes(t *testing.T) {
	nodes := make([]Node, maxNodes)
	if err := hasRoom(nodes); err == nil || !strings.Contains(err.Error(), "let one leave") {
		t.Errorf("a full cluster: %v", err)
	}
	nodes[7].Gone = true
	if err := hasRoom(nodes); err != nil {
		t.Errorf("one has left: %v", err)
	}
	for range maxEver - maxNodes {
		nodes = append(nodes, Node{Gone: true})
	}
	if err := hasRoom(nodes); err == nil || !strings.Contains(err.Error(), "ids") {
		t.Errorf("all ids are given out: %v", err)
	}
}

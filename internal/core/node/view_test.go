package node

import (
	"slices"
	"testing"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

// viewOf is a view of five nodes of whom the first four are members. The ring has
// partition 0 at some of them; it is at a, b and c, and d comes for c.
func viewOf(t *testing.T) *View {
	t.Helper()
	nodes := []ring.Node{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d"}, {ID: "e"}}
	tokens, err := ring.Assign(16, nodes)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ring.New(nodes, tokens)
	if err != nil {
		t.Fatal(err)
	}
	lists := make([]place.Lists, 16)
	for i := range lists {
		lists[i] = place.Lists{Number: 3, Old: []ring.NodeID{"a", "b", "c"}}
	}
	lists[0] = place.Lists{Number: 7, Old: []ring.NodeID{"a", "b", "c"}, New: []ring.NodeID{"a", "d", "b"}}
	p := place.New(7, place.Hash{}, []place.Member{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d"}}, lists)
	return &View{Self: "d", Ring: r, Place: p, Buckets: Buckets{Default: member.DefaultBucket()}}
}

// Who holds a partition is told by the placement alone, never by the ring.
func TestViewGoesByThePlacement(t *testing.T) {
	v := viewOf(t)
	if got, want := v.Primaries(0, 3), []ring.NodeID{"a", "b", "c", "d"}; !slices.Equal(got, want) {
		t.Errorf("primaries of the one that moves: %v, want %v", got, want)
	}
	if got, want := v.Primaries(0, 2), []ring.NodeID{"a", "b", "d"}; !slices.Equal(got, want) {
		t.Errorf("for two replicas: %v, want %v", got, want)
	}
	if got, want := v.Primaries(1, 3), []ring.NodeID{"a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("primaries: %v, want %v", got, want)
	}
	if v.Number(0) != 7 || v.Number(1) != 3 {
		t.Errorf("numbers %d and %d", v.Number(0), v.Number(1))
	}
	if got := v.Held(); !slices.Equal(got, []uint32{0}) {
		t.Errorf("the newcomer is to hold %v", got)
	}
	if got := v.StandIns(nil, 0, v.Primaries(0, 3), 5); len(got) != 0 {
		t.Errorf("who is no member stands in: %v", got)
	}
	if got := v.StandIns(nil, 1, v.Primaries(1, 3), 5); !slices.Equal(got, []ring.NodeID{"d"}) {
		t.Errorf("%v stand in, want d", got)
	}
	if v.Member("e") || !v.Member("d") {
		t.Error("a member is who is named as one")
	}
}

// Without a placement everything is where the ring has it.
func TestViewWithoutPlacement(t *testing.T) {
	v := viewOf(t)
	v.Place = nil
	for p := range uint32(16) {
		want := v.Ring.Owners(p)
		if got := v.Primaries(p, 3); !slices.Equal(got, want[:3]) || v.Number(p) != 0 {
			t.Errorf("partition %d is at %v by number %d", p, got, v.Number(p))
		}
		if got := v.StandIns(nil, p, want[:3], 5); !slices.Equal(got, want[3:]) {
			t.Errorf("%v stand in, want %v", got, want[3:])
		}
	}
}

// A node that is in an old list without having been on its way there has forgotten that
// it was; one that was on its way, or begins, has not.
func TestWhoIsGivenWhatItDidNotProveHasForgotten(t *testing.T) {
	old := func(list ...ring.NodeID) func(*View) {
		return func(v *View) { v.set(place.Lists{Number: 8, Old: list}) }
	}
	for name, test := range map[string]struct {
		before, after func(*View)
		gained        bool
	}{
		"the move that it was on ends":       {func(*View) {}, old("a", "d", "b"), false},
		"the move that it was on is aborted": {func(*View) {}, old("a", "b", "c"), false},
		"it goes on holding it":              {old("a", "b", "d"), old("d", "a"), false},
		"it was not on its way":              {old("a", "b", "c"), old("a", "d", "b"), true},
		"it is on its way":                   {old("a", "b", "c"), func(*View) {}, false},
		"it had no placement":                {func(v *View) { v.Place = nil }, old("a", "d", "b"), false},
		"it has none":                        {old("a", "b", "c"), func(v *View) { v.Place = nil }, false},
		"its placement was that of another cluster": {func(v *View) {
			v.Place = place.Founded(place.Hash{7}, v.Ring, 3)
		}, old("a", "d", "b"), true},
	} {
		before, after := viewOf(t), viewOf(t)
		test.before(before)
		test.after(after)
		if got := after.Gained(before); len(got) > 0 != test.gained {
			t.Errorf("%s: gained %v", name, got)
		}
	}
}

// set gives a view other lists of partition 0.
func (v *View) set(l place.Lists) {
	lists := make([]place.Lists, v.Place.Q())
	for i := range lists {
		lists[i] = *v.Place.Of(uint32(i))
	}
	lists[0] = l
	v.Place = place.New(8, place.Hash{}, v.Place.Members(), lists)
}

// A disk that is lost may have held anything, as far as an older placement knows; and
// it counts from when a link names the new one.
func TestWhatALostDiskHeld(t *testing.T) {
	v := viewOf(t)
	if got := v.Lost(4); len(got) != 16 || got[15] != 15 {
		t.Errorf("by a placement of 16 it is %v", got)
	}
	if v.Disk = 9; v.Named() {
		t.Error("a disk that no link names is named")
	}
	v.Place = place.New(8, place.Hash{}, []place.Member{{ID: "a", Disk: 1}, {ID: "d", Disk: 9}}, []place.Lists{{Old: []ring.NodeID{"a"}}})
	if !v.Named() || v.Unnamed() {
		t.Error("a disk that a link names is not named")
	}
	if v.Self = "e"; v.Named() {
		t.Error("who is no member is named")
	}
	v = &View{Self: "d", Ring: &ring.Ring{}}
	if got := v.Lost(4); len(got) != 4 || v.Named() {
		t.Errorf("where nothing is known it is %v", got)
	}
	v = viewOf(t)
	v.Place = nil
	if got := v.Lost(4); !slices.Equal(got, v.Held()) || !v.Named() {
		t.Errorf("where the ring never changes it is %v", got)
	}
}

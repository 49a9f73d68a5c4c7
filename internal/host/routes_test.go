package host

import (
	"slices"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
)

// What a node tells clients is where a key's primaries are, and where it was told
// that its peers serve clients, also after it has told it once.
func TestRoutes(t *testing.T) {
	h := startCluster(t, []string{"a", "b", "c", "d", "e"}, nil).hosts["a"]
	h.cfg.Clients = "self:1"
	for i, want := range []string{"peer:1", "peer:2"} {
		h.Serves("b", want)
		r := h.Routes()
		if at := slices.IndexFunc(r.Nodes, func(n ouro.RouteNode) bool { return n.ID == "b" }); at < 0 || r.Nodes[at].Clients != want {
			t.Errorf("address %d: %+v", i, r.Nodes)
		}
		if at := slices.IndexFunc(r.Nodes, func(n ouro.RouteNode) bool { return n.ID == "a" }); at < 0 || r.Nodes[at].Clients != "self:1" {
			t.Errorf("%+v", r.Nodes)
		}
	}
	r := h.Routes()
	if r.N != 3 || len(r.Lists) != r.Q || r.Q == 0 {
		t.Fatalf("n=%d, q=%d, %d lists", r.N, r.Q, len(r.Lists))
	}
	for _, name := range []string{"x", "y", "z", "\x00/\xff"} {
		own, err := h.Owners(ouro.Key{Bucket: "b", Name: name})
		if err != nil {
			t.Fatal(err)
		}
		p := ring.NewKey("b", name).Pos.Hi / (1 << 63 / (uint64(r.Q) / 2))
		var ids []string
		for _, at := range r.Lists[p] {
			ids = append(ids, r.Nodes[at].ID)
		}
		if !slices.Equal(ids, own.Primaries) {
			t.Errorf("%q: routes say %v, owners %v", name, ids, own.Primaries)
		}
	}
}

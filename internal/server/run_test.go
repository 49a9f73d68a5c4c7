package server

import (
	"testing"

	"github.com/ourodb/ouro/internal/config"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// A members list that has the node where it does not listen is told of; what may be
// the same place is not.
func TestElsewhere(t *testing.T) {
	for _, c := range []struct {
		listed, listens, advertise string
		told                       bool
	}{
		{"10.0.0.1:7071", "10.0.0.1:7071", "", false},
		{"10.0.0.1:7071", "10.0.0.1:7171", "", true},
		{"10.0.0.1:7071", "10.0.0.9:7071", "", true},
		{"10.0.0.1:7071", "10.0.0.9:7071", "10.0.0.1:7071", false},
		{"n1.example:7071", "10.0.0.9:7071", "", false},
		{"n1.example:7071", "10.0.0.9:7171", "", true},
		{"10.0.0.1:7071", "0.0.0.0:7071", "", false},
		{"[::1]:7071", "[0:0::1]:7071", "", false},
	} {
		cfg := config.Default()
		cfg.PeerListen, cfg.Advertise = c.listens, c.advertise
		self := member.Member{Addr: c.listed}
		self.ID = ring.NodeID(cfg.ID)
		cfg.Members = []member.Member{self}
		if told := elsewhereWarning(&cfg); (told != "") != c.told {
			t.Errorf("listed at %s, listening at %s, advertised at %q: %q", c.listed, c.listens, c.advertise, told)
		}
	}
}

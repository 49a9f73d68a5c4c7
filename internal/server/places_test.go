package server

import (
	"testing"

	"github.com/ourodb/ouro/internal/config"
)

// Whatever the system lets the process open, no more than that is given away, and
// everybody has something.
func TestPlaces(t *testing.T) {
	cfg := config.Default()
	wanted := wantedPlaces(&cfg)
	for files := leastFiles; files < 2*wanted.sum(); files += 37 {
		p := wanted.within(files)
		if p.sum() > files {
			t.Fatalf("%d files are given away of %d: %+v", p.sum(), files, p)
		}
		if p.engine < 80 || p.links() < 8 || p.handshakes() < 8 || p.operators < 8 || p.http < 8 || p.redis < 8 || p.grpc < 8 {
			t.Fatalf("with %d files somebody has next to none: %+v", files, p)
		}
		if files >= wanted.sum() && p != wanted {
			t.Fatalf("with %d files: %+v, not %+v", files, p, wanted)
		}
	}
	if p := wanted; p.links() != cfg.Limits.MaxLinks || p.handshakes() != 64 {
		t.Errorf("%d links and %d handshakes where there is room for all", p.links(), p.handshakes())
	}
}

// A port that is off has no places, and its own go to the others.
func TestPlacesOfPortsThatAreOff(t *testing.T) {
	cfg := config.Default()
	cfg.RESPListen, cfg.GRPCListen = config.Off, config.Off
	p := wantedPlaces(&cfg).within(1024)
	every := config.Default()
	if all := wantedPlaces(&every).within(1024); p.redis != 0 || p.grpc != 0 || p.http < 2*all.http {
		t.Errorf("%+v; with all ports %+v", p, all)
	}
}

package server

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/ourodb/ouro/internal/config"
)

// listeners are a node's ports; redis and grpc are nil where it has none for such
// clients.
type listeners struct{ clients, peers, operators, redis, grpc net.Listener }

// listen opens all of them, or none.
func listen(cfg *config.Config) (listeners, error) {
	var l listeners
	for _, p := range []struct {
		at         *net.Listener
		flag, addr string
	}{{&l.clients, "listen", cfg.Listen}, {&l.peers, "peer-listen", cfg.PeerListen}, {&l.operators, "admin-listen", cfg.AdminListen}, {&l.redis, "resp-listen", cfg.RESPListen}, {&l.grpc, "grpc-listen", cfg.GRPCListen}} {
		if p.addr == config.Off {
			continue
		}
		opened, err := net.Listen("tcp", p.addr)
		if err != nil {
			l.close()
			return listeners{}, listenError(err, p.flag, p.addr)
		}
		*p.at = opened
	}
	return l, nil
}

func listenError(err error, flag, addr string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("the address %s is in use: stop what uses it, or choose another with --%s", addr, flag)
	}
	return fmt.Errorf("--%s %s: %w", flag, addr, err)
}

func (l listeners) close() {
	for _, one := range []net.Listener{l.clients, l.peers, l.operators, l.redis, l.grpc} {
		if one != nil {
			one.Close()
		}
	}
}

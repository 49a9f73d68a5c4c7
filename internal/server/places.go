package server

import (
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro/internal/config"
)

// places are how many files and sockets of each kind the process has open at most. An
// engine that can open no file ends the node, so that connections, which strangers
// make, must never take what it needs.
type places struct {
	engine, peers, operators int
	http, redis, grpc        int
}

const (
	leastFiles = 256 // of a process: fewer leave next to nothing for clients
	ownFiles   = 64  // listeners, the lock, what a seed or a canary is asked by

	mostEngine     = 1000
	mostOperators  = 256
	mostHTTP       = 8192
	mostHandshakes = 64 // of peers, at a time
)

// placesFor shares out what the system lets the process open, and tells where that is
// not enough for all connections that the settings allow.
func placesFor(cfg *config.Config, log *slog.Logger) (places, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return places{}, fmt.Errorf("how many files the process may open: %w", err)
	}
	wanted := wantedPlaces(cfg)
	files := int(min(limit.Cur, 1<<30))
	if files < leastFiles {
		return places{}, fmt.Errorf("the process may have %d files and sockets open, and needs %d at least: raise that (ulimit -n, LimitNOFILE of systemd)", files, leastFiles)
	}
	p := wanted.within(files)
	if p != wanted {
		log.Warn("the process may have too few files and sockets open for all connections that the settings allow, so it takes fewer: raise that (ulimit -n, LimitNOFILE of systemd)",
			"files", files, "wanted", wanted.sum(), "http", p.http, "redis", p.redis, "grpc", p.grpc, "links", p.links())
	}
	return p, nil
}

// wantedPlaces are what the settings allow.
func wantedPlaces(cfg *config.Config) places {
	p := places{engine: mostEngine, peers: 2*cfg.Limits.MaxLinks + mostHandshakes, operators: mostOperators, http: mostHTTP}
	if cfg.RESPListen != config.Off {
		p.redis = cfg.Limits.RESPMaxClients
	}
	if cfg.GRPCListen != config.Off {
		p.grpc = cfg.Limits.GRPCMaxClients
	}
	return p
}

func (p places) sum() int {
	return ownFiles + p.engine + p.peers + p.operators + p.http + p.redis + p.grpc
}

// within are places that come to no more than so many files. The engine, other nodes
// and operators come first: clients have the rest, each port in the measure it wanted.
func (p places) within(files int) places {
	if p.sum() <= files {
		return p
	}
	clients := p.http + p.redis + p.grpc
	p.engine, p.peers, p.operators = min(p.engine, files/3), min(p.peers, files/8), min(p.operators, files/16)
	rest := min(clients, files-ownFiles-p.engine-p.peers-p.operators)
	share := func(wanted int) int { return int(int64(wanted) * int64(rest) / int64(clients)) }
	p.http, p.redis, p.grpc = share(p.http), share(p.redis), share(p.grpc)
	return p
}

// handshakes are how many of the peers' places are for those that have not said yet
// who they are. Of the others, half are for links that they make, half for those that
// this node makes.
func (p places) handshakes() int { return min(mostHandshakes, p.peers/4) }

func (p places) links() int { return (p.peers - p.handshakes()) / 2 }

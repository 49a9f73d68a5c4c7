package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ourodb/ouro/internal/config"
	"github.com/ourodb/ouro/internal/transport"
)

// seeker finds out who lives at seeds. The steward asks it again as long as it does
// not know.
type seeker struct {
	node *node
	mu   sync.Mutex
	busy map[string]bool // seeds that are being tried
}

// seekPatience bounds one attempt, and how often a seed is tried.
const seekPatience = 5 * time.Second

// seek tries one seed, unless that is being done.
func (s *seeker) seek(seed string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy == nil {
		s.busy = map[string]bool{}
	}
	if s.busy[seed] {
		return
	}
	s.busy[seed] = true
	go func() {
		err := s.try(seed)
		s.judge(seed, err)
		if err != nil {
			s.node.log.Warn("a seed could not be reached; it is tried again", "seed", seed, "error", err)
			select {
			case <-time.After(seekPatience):
			case <-s.node.ended:
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.busy, seed)
	}()
}

// judge notes for status where a seed does not help: that it can't be reached matters
// only to a node that is in no cluster.
func (s *seeker) judge(seed string, err error) {
	var refused *transport.RefusedError
	if err == nil || !errors.As(err, &refused) && s.node.host.Ready() == nil {
		s.node.troubles.end("seed " + seed)
		return
	}
	s.node.troubles.tell("seed "+seed, fmt.Sprintf("seed %s does not help: %s", seed, strings.TrimPrefix(err.Error(), "transport: ")))
}

func (s *seeker) try(seed string) error {
	ctx, cancel := context.WithTimeout(context.Background(), seekPatience)
	defer cancel()
	addr, err := resolve(ctx, seed)
	if err != nil {
		return err
	}
	h, err := s.node.links.Who(ctx, addr)
	if err != nil {
		return err
	}
	if config.Dialable(h.Addr) {
		addr = h.Addr
	}
	s.node.host.Met(h.Node, addr, seed)
	return nil
}

// resolve draws one address out of those that a seed stands for: a host may have
// many, and a file names one a line.
func resolve(ctx context.Context, seed string) (string, error) {
	if path, ok := strings.CutPrefix(seed, config.SeedFile); ok {
		return fromFile(path)
	}
	host, port, err := net.SplitHostPort(seed)
	if err != nil {
		return "", err
	}
	addrs, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(addrs[rand.IntN(len(addrs))], port), nil
}

func fromFile(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var all []string
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	if len(all) == 0 {
		return "", fmt.Errorf("%s names no address", path)
	}
	return all[rand.IntN(len(all))], nil
}

// peerAddr is where other nodes reach this one; "": that is not known.
func (n *node) peerAddr() string {
	addr := n.cfg.PeerAddr()
	if _, port, err := net.SplitHostPort(addr); err == nil && port == "0" {
		addr = n.listeners.peers.Addr().String()
	}
	if !config.Dialable(addr) {
		return ""
	}
	return addr
}

// clientAddr is where clients reach this node; "": that is not known. A node that
// listens on all interfaces is reached at the host at which other nodes reach it.
func (n *node) clientAddr() string {
	addr := n.listeners.clients.Addr().String()
	if n.cfg.AdvertiseClients != "" {
		addr = n.cfg.AdvertiseClients
	} else if !config.Dialable(addr) {
		_, port, _ := net.SplitHostPort(addr) // of a listener, so it has one
		host, _, _ := net.SplitHostPort(n.peerAddr())
		addr = net.JoinHostPort(host, port)
	}
	if !config.Dialable(addr) {
		return ""
	}
	return addr
}

// otherQ makes the node begin again with another number of partitions: that of the
// cluster that it was joined to. It holds nothing yet.
func (n *node) otherQ(q int) {
	n.again.Do(func() {
		n.log.Info("the cluster has another number of partitions: this node begins again with that", "q", q)
		n.cfg.Q = q
		if err := n.dir.SetQ(q); err != nil {
			n.fail(err)
			return
		}
		n.fail(errAgain)
	})
}

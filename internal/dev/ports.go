package dev

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"syscall"
)

// Offsets of a node's ports from the first of its ten.
const (
	portsPerNode = 10
	peerOffset   = 1
	adminOffset  = 2
)

const loopback = "127.0.0.1"

// layOut returns count nodes with their ports and folders: node i, from 1, has
// base + 10*(i-1) and the ports after it. Base 0 picks free ones.
func layOut(dir string, count, base int) ([]Node, error) {
	free, err := newPicker(base, count)
	if err != nil {
		return nil, err
	}
	defer free.release()
	nodes := make([]Node, count)
	for i := range nodes {
		n := Node{ID: NodeID(i + 1), Data: filepath.Join(dir, NodeID(i+1))}
		for _, p := range []struct {
			addr   *string
			what   string
			offset int
		}{{&n.Client, "client", 0}, {&n.Peer, "peer", peerOffset}, {&n.Admin, "admin", adminOffset}} {
			want := 0
			if base > 0 {
				want = base + portsPerNode*i + p.offset
			}
			if *p.addr, err = free.take(want); err != nil {
				return nil, portError(err, n.ID, p.what, want)
			}
		}
		nodes[i] = n
	}
	return nodes, nil
}

func portError(err error, id, what string, port int) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d, the %s port of %s, is in use: stop what uses it, or choose others with --base-port (0 picks free ones)", port, what, id)
	}
	return fmt.Errorf("the %s port of %s: %w", what, id, err)
}

// picker finds out that ports are free by listening on all of them at once.
type picker struct{ held []net.Listener }

func newPicker(base, count int) (*picker, error) {
	if last := base + portsPerNode*count; base < 0 || last > 65535 {
		return nil, fmt.Errorf("--base-port %d: %d nodes take the ports up to %d, the last there is is 65535", base, count, last)
	}
	return &picker{}, nil
}

func (p *picker) take(port int) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return "", err
	}
	p.held = append(p.held, l)
	return l.Addr().String(), nil
}

func (p *picker) release() {
	for _, l := range p.held {
		l.Close()
	}
}

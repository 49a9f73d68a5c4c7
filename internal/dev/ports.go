package dev

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// Offsets of a node's ports from the first of its ten.
const (
	portsPerNode = 10
	peerOffset   = 1
	adminOffset  = 2
	grpcOffset   = 8
	respOffset   = 9
)

const loopback = "127.0.0.1"

// layOut gives the nodes their ports: node i of the cluster, from 1, has
// base + 10*(i-1) and the ports after it. Base 0 picks free ones, which are claimed.
func layOut(nodes []Node, base int) (*Claims, error) {
	if last := base + portsPerNode*len(nodes); base < 0 || last > 65535 {
		return nil, fmt.Errorf("--base-port %d: %d nodes take the ports up to %d, the last there is is 65535", base, len(nodes), last)
	}
	if base > 0 {
		return nil, layFrom(base, nodes)
	}
	claims, err := Claim(5 * len(nodes))
	if err != nil {
		return nil, err
	}
	for i := range nodes {
		a := claims.Addrs[5*i:]
		nodes[i].Client, nodes[i].Peer, nodes[i].Admin, nodes[i].RESP, nodes[i].GRPC = a[0], a[1], a[2], a[3], a[4]
	}
	return claims, nil
}

// layFrom gives the nodes their ports, all of which must be free at once.
func layFrom(base int, nodes []Node) error {
	var held holder
	defer held.release()
	for i := range nodes {
		n := &nodes[i]
		for _, p := range []struct {
			addr   *string
			what   string
			offset int
		}{{&n.Client, "client", 0}, {&n.Peer, "peer", peerOffset}, {&n.Admin, "admin", adminOffset}, {&n.RESP, "Redis", respOffset}, {&n.GRPC, "gRPC", grpcOffset}} {
			port := base + portsPerNode*i + p.offset
			*p.addr = address(port)
			if err := held.listen(*p.addr); err != nil {
				return portError(err, n.ID, p.what, port)
			}
		}
	}
	return nil
}

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

func portError(err error, id, what string, port int) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d, the %s port of %s, is in use: stop what uses it, or choose others with --base-port (0 picks free ones)", port, what, id)
	}
	return fmt.Errorf("the %s port of %s: %w", what, id, err)
}

// holder finds out that ports are free by listening on all of them at once.
type holder []net.Listener

func (h *holder) listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	*h = append(*h, l)
	return nil
}

func (h *holder) release() {
	for _, l := range *h {
		l.Close()
	}
}

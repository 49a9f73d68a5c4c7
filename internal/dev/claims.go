package dev

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net"
)

// Free ports are looked for from freeFirst on. The system takes the ports of
// outgoing connections from above them (32768 on Linux, 49152 elsewhere): a port
// from there can be gone before the node that it is meant for listens, or while
// that node is down; and who dials it meanwhile may even reach itself.
const (
	freeFirst = 12000
	freeCount = 20000
)

// Claims are ports that nobody else who claims ports is given, in whatever
// process, until they are released or this process ends. A claim is the UDP port
// of the same number: a node listens on TCP alone, and the system gives a socket
// back however its process ends.
type Claims struct {
	Addrs []string // on loopback
	signs []net.PacketConn
}

// Claim claims so many ports that nobody listens on.
func Claim(ports int) (*Claims, error) {
	c := new(Claims)
	for i, first := 0, rand.IntN(freeCount); len(c.Addrs) < ports; i++ {
		if i == freeCount {
			c.Release()
			return nil, fmt.Errorf("no %d ports are free from %d to %d", ports, freeFirst, freeFirst+freeCount-1)
		}
		c.try(address(freeFirst + (first+i)%freeCount))
	}
	return c, nil
}

// try claims a port unless somebody has it.
func (c *Claims) try(addr string) {
	sign, err := net.ListenPacket("udp", addr)
	if err != nil {
		return
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		sign.Close()
		return
	}
	l.Close()
	c.Addrs, c.signs = append(c.Addrs, addr), append(c.signs, sign)
}

// and adds other claims, of which there may be none.
func (c *Claims) and(o *Claims) *Claims {
	if c == nil || o == nil {
		return cmp.Or(c, o)
	}
	return &Claims{Addrs: append(c.Addrs, o.Addrs...), signs: append(c.signs, o.signs...)}
}

// Release gives the ports back. Nil claims have none.
func (c *Claims) Release() {
	if c == nil {
		return
	}
	for _, s := range c.signs {
		s.Close()
	}
	c.signs = nil
}

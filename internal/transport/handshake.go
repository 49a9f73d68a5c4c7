package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"time"
)

// The protocol versions that this package speaks. Two nodes use the highest that
// both know, so a cluster can be upgraded node by node.
const (
	lowestVersion  = 1
	highestVersion = 1
)

const magic = "OURO"

const preambleSize = len(magic) + 4

// greet sends this side's half of a handshake in one write.
func greet(conn net.Conn, g greeting) error {
	b := append(make([]byte, 0, 512), magic...)
	b = binary.LittleEndian.AppendUint16(b, lowestVersion)
	b = binary.LittleEndian.AppendUint16(b, highestVersion)
	b, at := BeginFrame(b)
	_, err := conn.Write(EndFrame(appendGreeting(b, g), at))
	return err
}

// readPreamble reads the other side's preamble.
func readPreamble(conn io.Reader) error {
	var b [preambleSize]byte
	if _, err := io.ReadFull(conn, b[:len(magic)]); err != nil {
		return fmt.Errorf("transport: no handshake: %w", err)
	}
	if string(b[:len(magic)]) != magic {
		return refuse(NotOuro, "%s: check that the address is that of a node's peer port", describe(b[:len(magic)]))
	}
	if _, err := io.ReadFull(conn, b[len(magic):]); err != nil {
		return fmt.Errorf("transport: no handshake: %w", err)
	}
	low, high := binary.LittleEndian.Uint16(b[4:]), binary.LittleEndian.Uint16(b[6:])
	if low > highestVersion || high < lowestVersion || low > high {
		return refuse(WrongVersion, "this node speaks versions %d to %d of the node protocol, the other %d to %d: upgrade the older one",
			lowestVersion, highestVersion, low, high)
	}
	return nil
}

// describe guesses what sent the first bytes of a connection.
func describe(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte{0x16, 0x03}):
		return "the other side speaks TLS and this one does not"
	case bytes.HasPrefix(b, []byte("HTTP")), bytes.HasPrefix(b, []byte("GET ")), bytes.HasPrefix(b, []byte("PUT ")),
		bytes.HasPrefix(b, []byte("POST")), bytes.HasPrefix(b, []byte("HEAD")), bytes.HasPrefix(b, []byte("PRI ")):
		return "the other side speaks HTTP"
	default:
		return fmt.Sprintf("the other side began with %q", b)
	}
}

// readGreeting reads the frame that follows the preamble.
func readGreeting(conn io.Reader) (greeting, error) {
	var header [HeaderSize]byte
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		return greeting{}, fmt.Errorf("transport: no handshake: %w", err)
	}
	size := binary.LittleEndian.Uint32(header[:])
	if size > maxHello {
		return greeting{}, errGreeting
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(conn, body); err != nil {
		return greeting{}, fmt.Errorf("transport: no handshake: %w", err)
	}
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(header[4:]) {
		return greeting{}, ErrChecksum
	}
	return decodeGreeting(body)
}

// handshakeOut introduces self on a connection just dialled and returns what the
// other side is, which check has accepted. target is the node meant, or "".
func handshakeOut(conn net.Conn, self Hello, target string, check func(Hello) ([]uint64, error)) (Hello, error) {
	if err := greet(conn, greeting{hello: self, target: target}); err != nil {
		return Hello{}, fmt.Errorf("transport: no handshake: %w", err)
	}
	if err := readPreamble(conn); err != nil {
		return Hello{}, err
	}
	g, err := readGreeting(conn)
	switch {
	case err != nil:
		return Hello{}, err
	case g.refusal != nil:
		return Hello{}, g.refusal
	}
	if r := judge(self, g.hello, target); r != nil {
		return Hello{}, r
	}
	if _, err := check(g.hello); err != nil {
		return Hello{}, asRefusal(err)
	}
	return g.hello, nil
}

// handshakeIn answers the handshake on a connection just accepted. A refusal is
// told to the dialler; whoever does not speak the protocol is told nothing.
func handshakeIn(conn net.Conn, self Hello, check func(Hello) ([]uint64, error)) (Hello, error) {
	g, err := readDialler(conn)
	if err == nil {
		self.Knows, err = admit(self, g, check)
	}
	if err == nil {
		err = greet(conn, greeting{hello: self})
		return g.hello, err
	}
	var r *RefusedError
	if errors.As(err, &r) && r.Code != NotOuro {
		_ = greet(conn, greeting{refusal: tellable(r, g.hello)}) // it is refused either way
	}
	return g.hello, err
}

func readDialler(conn net.Conn) (greeting, error) {
	if err := readPreamble(conn); err != nil {
		return greeting{}, err
	}
	g, err := readGreeting(conn)
	if err == nil && g.refusal != nil {
		err = errGreeting
	}
	return g, err
}

// admit decides on a dialler, and returns what it was known by.
func admit(self Hello, g greeting, check func(Hello) ([]uint64, error)) (knows []uint64, err error) {
	if r := judge(self, g.hello, ""); r != nil {
		return nil, r
	}
	if g.target != "" && g.target != self.Node {
		return nil, refuse(WrongNode, "the dialler wants node %q and this is %q: check the members list", g.target, self.Node)
	}
	if knows, err = check(g.hello); err != nil {
		return nil, asRefusal(err)
	}
	return knows, nil
}

// asRefusal is what a check said, with a code.
func asRefusal(err error) *RefusedError {
	var r *RefusedError
	if errors.As(err, &r) {
		return r
	}
	return refuse(RefusedByHandler, "%v", err)
}

// tellable is a refusal without what a stranger must not learn.
func tellable(r *RefusedError, h Hello) *RefusedError {
	if r.Code == ForeignCluster {
		return refuse(ForeignCluster, "this node does not belong to your cluster %q with id %016x: check the address, the cluster's name and its key", h.Cluster, h.ClusterID)
	}
	return r
}

// judge compares the two sides of a link. want is the node that was dialled, or
// "" where this side was.
func judge(self, other Hello, want string) *RefusedError {
	switch {
	case other.Cluster != self.Cluster:
		return refuse(ForeignCluster, "the other side is of cluster %q, this node of %q: check the address, and --cluster on both", other.Cluster, self.Cluster)
	case other.ClusterID != self.ClusterID && !(other.Client && other.ClusterID == 0) && !(self.Client && self.ClusterID == 0):
		return refuse(ForeignCluster, "the other side is of a cluster that is also called %q but has id %016x, not %016x: check the address, and that both have the same --cluster-key-file",
			other.Cluster, other.ClusterID, self.ClusterID)
	case other.Client || self.Client:
		return nil
	case other.Node == "":
		return refuse(WrongNode, "the other side gives no node id")
	case other.Node == self.Node && other.run() == self.run():
		return refuse(OwnAddress, "the address is this node's own: check the members list for two nodes with one address")
	case other.Node == self.Node:
		return refuse(DuplicateNode, "another process runs with this node's id %q: give each node an id and a data folder of its own", self.Node)
	case want != "" && other.Node != want:
		return refuse(WrongNode, "node %q lives there, not %q: check the members list", other.Node, want)
	}
	return nil
}

// bounded runs a handshake that ends by the deadline.
func bounded(conn net.Conn, deadline time.Time, shake func() (Hello, error)) (Hello, error) {
	if err := conn.SetDeadline(deadline); err != nil {
		return Hello{}, err
	}
	h, err := shake()
	if err != nil {
		return h, err
	}
	return h, conn.SetDeadline(time.Time{})
}

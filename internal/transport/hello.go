package transport

import (
	"encoding/binary"
	"errors"
)

// MaxRuns is the number of run ids that a node remembers and shows, and of disk
// ids that it had before (RULES R11, R13).
const MaxRuns = 64

const (
	maxName  = 255     // bytes of the cluster name, a node id, an address
	maxHello = 8 << 10 // bytes of a hello's frame body, its tail included
)

// Hello is what each side of a new connection says of itself.
type Hello struct {
	Cluster   string   // name of the cluster
	ClusterID uint64   // drawn when the cluster was founded; 0 only for clients: whichever
	Node      string   // id of the node; the name of a client
	Client    bool     // answers are wanted on this connection
	Starts    uint64   // how often the node's data folder was started (RULES R11)
	Runs      []uint64 // run ids of its last starts, newest last; at most MaxRuns
	Disk      uint64   // id of its data folder, drawn anew after each loss (RULES R13)
	Replaced  []uint64 // ids of folders that it had before, as far as it knows; at most MaxRuns
	// Recovering: it may have forgotten what it acknowledged (RULES R9).
	Recovering bool
	// Knows, in the answer to a hello: the disks that the other side was known by
	// until now, the latest last; at most MaxRuns.
	Knows []uint64
	Addr  string // where the node can be dialled
	// Clients is where its clients reach it; empty where nobody does.
	Clients string
}

// run returns the newest run id.
func (h Hello) run() uint64 {
	if len(h.Runs) == 0 {
		return 0
	}
	return h.Runs[len(h.Runs)-1]
}

// The first byte of a handshake's frame.
const (
	greetHello   = 1
	greetRefusal = 2
)

// The flags of a hello.
const (
	helloClient     = 1 << iota // answers are wanted
	helloRecovering             // Recovering
)

var errGreeting = errors.New("transport: malformed handshake")

// greeting is what one side says in a handshake: hello or refusal.
type greeting struct {
	hello   Hello
	target  string // the node that the dialler means to reach; "": whichever
	refusal *RefusedError
}

// appendGreeting appends
//
//	1 | flags | cluster id, 8 bytes | cluster | node | address |
//	where its clients reach it | target |
//	starts, uvarint | number of runs, 1 byte | runs, 8 bytes each |
//	disk, 8 bytes | number of disks the other side is known by, 1 byte |
//	these, 8 bytes each |
//	number of replaced disks, 1 byte | these, 8 bytes each | tail
//
// or
//
//	2 | code | message | epoch, uvarint | 1 if linked, else 0 | tail
//
// where texts and tails have a uvarint length before them. What later versions
// add goes to the tail, which others skip.
func appendGreeting(dst []byte, g greeting) []byte {
	if g.refusal != nil {
		dst = append(dst, greetRefusal, byte(g.refusal.Code))
		linked := byte(0)
		if g.refusal.Linked {
			linked = 1
		}
		return append(binary.AppendUvarint(appendText(dst, g.refusal.Message), g.refusal.Epoch), linked, 0)
	}
	h := g.hello
	flags := byte(0)
	if h.Client {
		flags |= helloClient
	}
	if h.Recovering {
		flags |= helloRecovering
	}
	dst = append(dst, greetHello, flags)
	dst = binary.LittleEndian.AppendUint64(dst, h.ClusterID)
	dst = appendText(appendText(dst, h.Cluster), h.Node)
	dst = appendText(appendText(appendText(dst, h.Addr), h.Clients), g.target)
	dst = appendIDs(binary.AppendUvarint(dst, h.Starts), h.Runs)
	dst = binary.LittleEndian.AppendUint64(dst, h.Disk)
	return append(appendIDs(appendIDs(dst, h.Knows), h.Replaced), 0)
}

func appendIDs(dst []byte, ids []uint64) []byte {
	dst = append(dst, byte(len(ids)))
	for _, id := range ids {
		dst = binary.LittleEndian.AppendUint64(dst, id)
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// decodeGreeting copies what it keeps of b.
func decodeGreeting(b []byte) (greeting, error) {
	r := greetReader{b: b}
	var g greeting
	switch r.byte() {
	case greetHello:
		flags := r.byte()
		g.hello.Client, g.hello.Recovering = flags&helloClient != 0, flags&helloRecovering != 0
		g.hello.ClusterID = r.uint64()
		g.hello.Cluster, g.hello.Node = r.text(maxName), r.text(maxName)
		g.hello.Addr, g.hello.Clients, g.target = r.text(maxName), r.text(maxName), r.text(maxName)
		g.hello.Starts = r.uvarint()
		g.hello.Runs = r.ids()
		g.hello.Disk = r.uint64()
		g.hello.Knows, g.hello.Replaced = r.ids(), r.ids()
	case greetRefusal:
		g.refusal = &RefusedError{Code: RefusalCode(r.byte()), Message: r.text(maxHello), Epoch: r.uvarint(), Linked: r.byte() == 1, ByPeer: true}
	default:
		return greeting{}, errGreeting
	}
	r.text(maxHello) // the tail
	if r.bad || len(r.b) != 0 {
		return greeting{}, errGreeting
	}
	return g, nil
}

// greetReader takes fields off a handshake frame; after the first that is not
// there it reports zeros and bad.
type greetReader struct {
	b   []byte
	bad bool
}

// take returns the next n bytes, or nil.
func (r *greetReader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *greetReader) byte() byte {
	if v := r.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *greetReader) uint64() uint64 {
	if v := r.take(8); v != nil {
		return binary.LittleEndian.Uint64(v)
	}
	return 0
}

// ids reads a list of at most MaxRuns ids.
func (r *greetReader) ids() []uint64 {
	n := int(r.byte())
	if n > MaxRuns || n > len(r.b)/8 {
		r.b, r.bad = nil, true
		return nil
	}
	var ids []uint64
	for range n {
		ids = append(ids, r.uint64())
	}
	return ids
}

func (r *greetReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *greetReader) text(limit int) string {
	n := r.uvarint()
	if n > uint64(limit) {
		r.b, r.bad = nil, true
		return ""
	}
	return string(r.take(n))
}

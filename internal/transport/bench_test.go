//go:build unix

package transport

import (
	"bytes"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkEcho sends frames of 1 KiB to another transport over loopback TCP,
// which answers each with 16 bytes on its own link. Both ends are in this
// process, so cpu-µs/op is what the two sides use together.
func BenchmarkEcho(b *testing.B) {
	for _, outstanding := range []int{1, 32, 128} {
		for _, inline := range []bool{true, false} {
			writer := "inline"
			if !inline {
				writer = "goroutine"
			}
			b.Run(fmt.Sprintf("out=%d/write=%s", outstanding, writer), func(b *testing.B) {
				benchmarkEcho(b, outstanding, inline)
			})
		}
	}
}

func benchmarkEcho(b *testing.B, outstanding int, inline bool) {
	var left atomic.Int64
	done := make(chan struct{})
	request := AppendFrame(nil, bytes.Repeat([]byte("r"), 1100))
	answer := AppendFrame(nil, bytes.Repeat([]byte("a"), 16))
	var out [2][]byte
	var nodes [2]*benchNode
	nodes[0] = newBenchNode(b, "a", inline, func(bodies [][]byte) {
		buf := out[0][:0]
		for range bodies {
			switch n := left.Add(-1); {
			case n >= int64(outstanding):
				buf = append(buf, request...)
			case n == 0:
				close(done)
			}
		}
		out[0] = buf
		send(b, nodes[0].t, "b", buf)
	})
	nodes[1] = newBenchNode(b, "b", inline, func(bodies [][]byte) {
		buf := out[1][:0]
		for range bodies {
			buf = append(buf, answer...)
		}
		out[1] = buf
		send(b, nodes[1].t, "a", buf)
	})
	nodes[0].t.SetPeers(map[string]string{"b": nodes[1].addr})
	nodes[1].t.SetPeers(map[string]string{"a": nodes[0].addr})
	<-nodes[0].up
	<-nodes[1].up
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	began := cpuTime()
	for range min(outstanding, b.N) {
		send(b, nodes[0].t, "b", request)
	}
	<-done
	b.ReportMetric(float64((cpuTime()-began).Nanoseconds())/1e3/float64(b.N), "cpu-µs/op")
}

func send(b *testing.B, t *Transport, to string, frames []byte) {
	if err := t.Send(to, frames); err != nil {
		b.Error(err)
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type benchNode struct {
	t      *Transport
	addr   string
	up     chan struct{}
	frames func([][]byte)
}

func newBenchNode(b *testing.B, id string, inline bool, frames func([][]byte)) *benchNode {
	n := &benchNode{up: make(chan struct{}), frames: frames}
	cfg := Config{Self: Hello{Cluster: "bench", Node: id, Runs: []uint64{1}}, Log: quiet}
	wrap := func(c net.Conn) net.Conn {
		if inline {
			return c
		}
		return struct{ net.Conn }{c}
	}
	cfg.Dial = wrapDial(wrap)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	n.addr = ln.Addr().String()
	n.t, err = New(cfg, n)
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = n.t.Serve(ln) }()
	b.Cleanup(func() { _ = n.t.Close() })
	return n
}

func (n *benchNode) Check(Hello, uint64) ([]uint64, error) { return nil, nil }
func (n *benchNode) Refused(string, *RefusedError)         {}
func (n *benchNode) Denied(_, _ string, _ *RefusedError)   {}
func (n *benchNode) Up(string, uint64, Hello)              { close(n.up) }
func (n *benchNode) Down(string, uint64, error)            {}
func (n *benchNode) Frames(_ string, _ uint64, bodies [][]byte, _ func([]byte) error) {
	n.frames(bodies)
}

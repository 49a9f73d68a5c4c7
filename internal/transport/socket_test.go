package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// listenTCP makes a member listen on loopback and returns its address.
func listenTCP(t *testing.T, m *member) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- m.Serve(ln) }()
	t.Cleanup(func() {
		_ = m.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return ln.Addr().String()
}

func overTCP(c *Config) { c.Dial = nil }

// Many senders at once, against a receiver that is slow now and then so that
// sockets fill up: frames of every size arrive whole, once, and each sender's in
// order, whoever wrote them.
func TestManySendersOverSockets(t *testing.T) {
	const senders, each = 4, 3000
	n := newNetwork()
	a, b := start(t, n, "a", overTCP), start(t, n, "b", overTCP)
	var next [senders]atomic.Uint32
	var got atomic.Int64
	done := make(chan struct{})
	b.recorder.frames = func(_ string, _ uint64, bodies [][]byte, _ func([]byte) error) {
		for _, body := range bodies {
			sender, i := body[0], binary.LittleEndian.Uint32(body[1:])
			if want := next[sender].Add(1) - 1; i != want {
				t.Errorf("sender %d: frame %d, not %d", sender, i, want)
			}
			if !bytes.Equal(body[5:], bytes.Repeat([]byte{sender}, len(body)-5)) {
				t.Errorf("sender %d: frame %d is not as it was sent", sender, i)
			}
		}
		if got.Add(int64(len(bodies))) == senders*each {
			close(done)
		}
		if got.Load()%7 == 0 {
			runtime.Gosched()
		}
	}
	a.SetPeers(map[string]string{"b": listenTCP(t, b)})
	a.await(t, "link", func() bool { return a.turns("b") == "up" })
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			var buf []byte
			for i := range each {
				body := append([]byte{byte(s)}, binary.LittleEndian.AppendUint32(nil, uint32(i))...)
				body = append(body, bytes.Repeat([]byte{byte(s)}, i*i%20_000)...)
				buf = AppendFrame(buf[:0], body)
				for errors.Is(a.Send("b", buf), ErrFull) {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	<-done
	for a.Stats().Peers[0].PendingBytes != 0 { // the receiver may be first to know that all has been written
		runtime.Gosched()
	}
	if s := a.Stats().Peers[0]; s.FramesOut != senders*each {
		t.Errorf("stats %+v", s)
	}
}

func TestEndOfAPeerIsSeenOnSockets(t *testing.T) {
	n := newNetwork()
	a, b := start(t, n, "a", overTCP), start(t, n, "b", overTCP)
	a.SetPeers(map[string]string{"b": listenTCP(t, b)})
	a.await(t, "link", func() bool { return a.turns("b") == "up" })
	_ = b.Close()
	a.await(t, "end of the link", func() bool { return a.turns("b") == "up down" })
	if err := a.Send("b", frame("x")); !errors.Is(err, ErrDown) {
		t.Errorf("send: %v", err)
	}
}

// A peer that accepts and never reads holds no more memory than the bound, and
// sending to it never waits.
func TestPeerThatReadsNothingOverSockets(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		_, _ = handshakeIn(conn, Hello{Cluster: "test", ClusterID: 7, Node: "b"}, func(Hello) ([]uint64, error) { return nil, nil })
		<-release
		_ = conn.Close()
	}()
	const bound = 1 << 20
	n := newNetwork()
	a := start(t, n, "a", overTCP, func(c *Config) { c.MaxPending, c.LinkTimeout = bound, time.Hour })
	a.SetPeers(map[string]string{"b": ln.Addr().String()})
	a.await(t, "link", func() bool { return a.turns("b") == "up" })
	f := AppendFrame(nil, make([]byte, 100_000))
	for err = a.Send("b", f); err == nil; {
		err = a.Send("b", f)
	}
	if !errors.Is(err, ErrFull) {
		t.Errorf("send: %v", err)
	}
	if p := a.Stats().Peers[0].PendingBytes; p > bound || p < bound-2*len(f) {
		t.Errorf("%d bytes wait", p)
	}
	close(release)
	<-ended
	_ = ln.Close()
	a.await(t, "end of the link", func() bool { return a.turns("b") == "up down" })
}

func TestGarbageToThePort(t *testing.T) {
	n := newNetwork()
	b := start(t, n, "b", overTCP)
	addr := listenTCP(t, b)
	for _, garbage := range [][]byte{
		[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), bytes.Repeat([]byte{0xff}, 1<<16), {}, []byte("OURO"),
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(garbage)
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn) // ends when the node hangs up
		_ = conn.Close()
	}
	c, err := DialClient(t.Context(), Config{Self: Hello{Cluster: "test", Node: "client"}, Log: quiet}, addr, nil)
	if err != nil {
		t.Fatalf("after the garbage: %v", err)
	}
	_ = c.Close()
}

func TestSendingAllocatesNothing(t *testing.T) {
	n := newNetwork()
	a, b := start(t, n, "a", overTCP), start(t, n, "b", overTCP)
	b.recorder.frames = func(string, uint64, [][]byte, func([]byte) error) {}
	a.SetPeers(map[string]string{"b": listenTCP(t, b)})
	a.await(t, "link", func() bool { return a.turns("b") == "up" })
	f := AppendFrame(nil, make([]byte, 1000))
	before := a.Stats().Peers[0].FramesOut
	allocs := testing.AllocsPerRun(1000, func() {
		if err := a.Send("b", f); err != nil {
			t.Error(err)
		}
	})
	// The receiver, in this process, takes a chunk for every 60 frames or so.
	if allocs >= 1 {
		t.Errorf("%v allocations for a frame", allocs)
	}
	if sent := a.Stats().Peers[0].FramesOut - before; sent != 1001 {
		t.Errorf("%d frames counted", sent)
	}
}

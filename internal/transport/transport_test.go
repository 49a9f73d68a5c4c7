package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

func TestFramesArriveInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a, b := start(t, n, "a"), start(t, n, "b")
		a.SetPeers(map[string]string{"a": "a", "b": "b"})
		b.SetPeers(map[string]string{"a": "a", "b": "b"})
		settle(0)
		mustSend(t, a, "b", append(frame("1"), frame("2")...))
		mustSend(t, a, "b", frame("3"))
		mustSend(t, b, "a", frame("x"))
		settle(0)
		if got := b.bodies(); got != "1 2 3" {
			t.Errorf("b got %q", got)
		}
		if got := a.bodies(); got != "x" {
			t.Errorf("a got %q", got)
		}
		if a.turns("b") != "up" || b.turns("a") != "up" || a.turns("a") != "" {
			t.Errorf("links %q %q %q", a.turns("b"), b.turns("a"), a.turns("a"))
		}
		s := a.Stats().Peers[0]
		if s.Peer != "b" || !s.Up || s.FramesOut != 3 || s.BytesOut != 27 || s.FramesIn != 1 || s.BytesIn != 9 || s.Connects != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestSendErrors(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a := start(t, n, "a", func(c *Config) { c.MaxFrame = 10 })
		start(t, n, "b")
		if err := a.Send("b", frame("x")); !errors.Is(err, ErrDown) {
			t.Errorf("to nobody: %v", err)
		}
		a.SetPeers(map[string]string{"b": "b", "c": "c"})
		settle(0)
		if err := a.Send("c", frame("x")); !errors.Is(err, ErrDown) {
			t.Errorf("to a peer without link: %v", err)
		}
		if err := a.Send("b", frame("12345678901")); !errors.Is(err, ErrTooLarge) {
			t.Errorf("11 bytes: %v", err)
		}
		if err := a.Send("b", frame("x")[:5]); !errors.Is(err, ErrFraming) {
			t.Errorf("no frame: %v", err)
		}
		if err := a.Send("b", append(frame("x"), frame("yy")[:9]...)); !errors.Is(err, ErrFraming) {
			t.Errorf("half a frame: %v", err)
		}
		if err := a.Send("b", nil); err != nil {
			t.Errorf("nothing: %v", err)
		}
		if err := a.Send("c", nil); !errors.Is(err, ErrDown) {
			t.Errorf("nothing to a peer without link: %v", err)
		}
		mustSend(t, a, "b", frame("1234567890"))
		_ = a.Close()
		if err := a.Send("b", frame("x")); !errors.Is(err, ErrDown) {
			t.Errorf("after close: %v", err)
		}
	})
}

func TestNoLinkWithBadConfig(t *testing.T) {
	good := Hello{Cluster: "c", Node: "n"}
	for name, c := range map[string]Config{
		"no cluster":    {Self: Hello{Node: "n"}},
		"no node":       {Self: Hello{Cluster: "c"}},
		"many runs":     {Self: Hello{Cluster: "c", Node: "n", Runs: make([]uint64, MaxRuns+1)}},
		"short timeout": {Self: good, KeepAlive: time.Second, LinkTimeout: time.Second},
		"back-off":      {Self: good, BackoffMin: time.Second, BackoffMax: time.Millisecond},
		"frame":         {Self: good, MaxFrame: 2 << 30},
	} {
		if _, err := New(c, newRecorder()); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestReconnect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a, b := start(t, n, "a"), start(t, n, "b")
		a.SetPeers(map[string]string{"b": "b"})
		settle(0)
		first := a.last("up").session
		mustSend(t, a, "b", frame("1"))
		settle(0)
		incoming := b.last("frame").session
		_ = b.Close()
		settle(0) // no time passes: the end of the other process is seen at once
		if a.turns("b") != "up down" || !errors.Is(a.last("down").err, io.EOF) {
			t.Fatalf("links %q, %v", a.turns("b"), a.last("down").err)
		}
		if err := a.Send("b", frame("lost")); !errors.Is(err, ErrDown) {
			t.Errorf("send while down: %v", err)
		}
		settle(10 * time.Second)
		b = start(t, n, "b")
		settle(3 * time.Second)
		if a.turns("b") != "up down up" {
			t.Fatalf("links %q", a.turns("b"))
		}
		if s := a.last("up").session; s <= first || a.last("down").session != first {
			t.Errorf("sessions %d, then %d, down of %d", first, s, a.last("down").session)
		}
		mustSend(t, a, "b", frame("2"))
		settle(0)
		if b.bodies() != "2" || b.last("frame").session == 0 || incoming == 0 {
			t.Errorf("b got %q in session %d", b.bodies(), b.last("frame").session)
		}
	})
}

func TestBackoffDoublesUpToItsBound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a := start(t, n, "a")
		a.SetPeers(map[string]string{"b": "b"})
		settle(20 * time.Second)
		n.mu.Lock()
		dialled := n.dialled
		n.mu.Unlock()
		bound := 50 * time.Millisecond
		for i := 1; i < len(dialled); i++ {
			if wait := dialled[i].Sub(dialled[i-1]); wait < bound/2 || wait > bound {
				t.Errorf("attempt %d came after %v, not %v to %v", i, wait, bound/2, bound)
			}
			bound = min(2*bound, 2*time.Second)
		}
		if len(dialled) < 10 {
			t.Errorf("%d attempts in 20 s", len(dialled))
		}
		if got := a.log.count("no link to peer"); got != 2 { // at once and after 10 s
			t.Errorf("logged %d times:\n%s", got, a.log)
		}
		if f := a.Stats().Peers[0].Failures; f != uint64(len(dialled)) {
			t.Errorf("%d failures counted of %d", f, len(dialled))
		}
	})
}

func TestLinkThatLastsEndsTheBackoff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a := start(t, n, "a")
		a.SetPeers(map[string]string{"b": "b"})
		settle(20 * time.Second)
		b := start(t, n, "b")
		settle(10 * time.Second)
		_ = b.Close()
		start(t, n, "b")
		settle(50 * time.Millisecond)
		if a.turns("b") != "up down up" {
			t.Errorf("links %q", a.turns("b"))
		}
	})
}

func TestPeerThatComesBackIsDialledSoon(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a := start(t, n, "a")
		a.SetPeers(map[string]string{"b": "b"})
		settle(30 * time.Second)
		b := start(t, n, "b")
		b.SetPeers(map[string]string{"a": "a"})
		settle(50 * time.Millisecond)
		if a.turns("b") != "up" {
			t.Errorf("b dialled a, and a has %q to b", a.turns("b"))
		}
	})
}

func TestSetPeers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a := start(t, n, "a")
		start(t, n, "b")
		a.SetPeers(map[string]string{"b": "b"})
		settle(0)
		a.SetPeers(map[string]string{"b": "b"})
		settle(0)
		if a.turns("b") != "up" {
			t.Errorf("the same peers again: %q", a.turns("b"))
		}
		n.listeners["moved"] = n.listeners["b"]
		a.SetPeers(map[string]string{"b": "moved"})
		settle(0)
		if a.turns("b") != "up down up" {
			t.Errorf("after a move: %q", a.turns("b"))
		}
		a.SetPeers(nil)
		settle(time.Minute)
		if a.turns("b") != "up down up down" {
			t.Errorf("after removal: %q", a.turns("b"))
		}
		if err := a.Send("b", frame("x")); !errors.Is(err, ErrDown) {
			t.Errorf("send to a removed peer: %v", err)
		}
		a.SetPeers(map[string]string{"b": "moved"})
		settle(0)
		if a.turns("b") != "up down up down up" {
			t.Errorf("after it came back: %q", a.turns("b"))
		}
	})
}

func TestNewestLinkOfAMemberStays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a, b := start(t, n, "a"), start(t, n, "b")
		a.SetPeers(map[string]string{"b": "b"})
		settle(0)
		conn := mustShake(t, n, "b", a.Transport.cfg.Self)
		settle(0)
		if a.turns("b") != "up down" {
			t.Errorf("the older link: %q", a.turns("b"))
		}
		if got := b.Stats().Accepted; got != 1 {
			t.Errorf("%d accepted links", got)
		}
		_ = conn.Close()
	})
}

// mustShake connects by hand.
func mustShake(t *testing.T, n *network, addr string, self Hello) net.Conn {
	t.Helper()
	conn, err := n.dial(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := handshakeOut(conn, self, "", func(Hello) ([]uint64, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	return conn
}

// deaf accepts a link at addr by hand and leaves the rest to f.
func deaf(t *testing.T, n *network, addr string, f func(net.Conn)) {
	t.Helper()
	ln := n.listen(addr)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			self := Hello{Cluster: "test", ClusterID: 7, Node: addr, Runs: []uint64{99}}
			if _, err := handshakeIn(conn, self, func(Hello) ([]uint64, error) { return nil, nil }); err == nil {
				f(conn)
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = ln.Close()
		<-ended
	})
}

func TestSilentPeerIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a := start(t, n, "a")
		deaf(t, n, "b", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		a.SetPeers(map[string]string{"b": "b"})
		settle(time.Second)
		if a.turns("b") != "up" {
			t.Fatalf("links %q", a.turns("b"))
		}
		settle(6 * time.Second)
		if e := a.last("down"); !errors.Is(e.err, ErrSilent) {
			t.Errorf("down with %v", e.err)
		}
	})
}

func TestIdleLinksStay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a := start(t, n, "a")
		b := start(t, n, "b")
		a.SetPeers(map[string]string{"b": "b"})
		settle(time.Hour)
		if a.turns("b") != "up" || b.Stats().Accepted != 1 {
			t.Errorf("links %q", a.turns("b"))
		}
	})
}

func TestPeerThatReadsNothingIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a := start(t, n, "a", func(c *Config) { c.MaxPending = 1000 })
		deaf(t, n, "b", func(net.Conn) { time.Sleep(time.Hour) })
		a.SetPeers(map[string]string{"b": "b"})
		settle(0)
		f := AppendFrame(nil, make([]byte, 92))
		taken := 0
		for ; a.Send("b", f) == nil; taken++ {
			settle(0)
		}
		if taken != 10 {
			t.Errorf("%d frames of 100 bytes taken into 1000", taken)
		}
		if err := a.Send("b", f); !errors.Is(err, ErrFull) {
			t.Errorf("when full: %v", err)
		}
		s := a.Stats().Peers[0]
		if s.PendingBytes != 1000 || s.Dropped != 2 {
			t.Errorf("stats %+v", s)
		}
		settle(6 * time.Second)
		if e := a.last("down"); !errors.Is(e.err, ErrSilent) {
			t.Errorf("down with %v", e.err)
		}
		if s := a.Stats().Peers[0]; s.LostBytes != 1000 || s.PendingBytes != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestFrameBeyondPendingBoundIsTakenAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a := start(t, n, "a", func(c *Config) { c.MaxPending = 1000 })
		b := start(t, n, "b")
		a.SetPeers(map[string]string{"b": "b"})
		settle(0)
		mustSend(t, a, "b", AppendFrame(nil, make([]byte, 5000)))
		settle(0)
		if got := len(b.bodies()); got != 5000 {
			t.Errorf("b got %d bytes", got)
		}
	})
}

func TestDamagedFramesEndTheLink(t *testing.T) {
	damaged := frame("damaged")
	damaged[len(damaged)-1] ^= 1
	for name, c := range map[string]struct {
		bytes []byte
		want  error
	}{
		"checksum": {append(frame("good"), damaged...), ErrChecksum},
		"length":   {append(frame("good"), 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0), ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				n := newNetwork()
				b := start(t, n, "b")
				conn := mustShake(t, n, "b", Hello{Cluster: "test", ClusterID: 7, Node: "x"})
				if _, err := conn.Write(c.bytes); err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
					t.Errorf("the link goes on: %v", err)
				}
				settle(0)
				if b.bodies() != "good" {
					t.Errorf("b got %q", b.bodies())
				}
				if b.log.count("level=WARN") != 1 || b.log.count(c.want.Error()) != 2 { // and once for who debugs
					t.Errorf("the log does not warn of %q:\n%s", c.want, b.log)
				}
				_ = conn.Close()
			})
		})
	}
}

func TestFramesAgainstTheDirectionEndTheLink(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a := start(t, n, "a")
		deaf(t, n, "b", func(c net.Conn) {
			_, _ = c.Write(frame("backwards"))
			_, _ = io.Copy(io.Discard, c)
		})
		a.SetPeers(map[string]string{"b": "b"})
		settle(time.Millisecond)
		if e := a.last("down"); !errors.Is(e.err, ErrFraming) {
			t.Errorf("down with %v", e.err)
		}
		if a.bodies() != "" {
			t.Errorf("a got %q", a.bodies())
		}
	})
}

func TestClient(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		b := start(t, n, "b")
		b.recorder.frames = func(peer string, _ uint64, bodies [][]byte, reply func([]byte) error) {
			for _, body := range bodies {
				if err := reply(frame("%s to %s", body, peer)); err != nil {
					t.Error(err)
				}
			}
		}
		got := make(chan string, 10)
		cfg := Config{Self: Hello{Cluster: "test", Node: "bench"}, Dial: n.dial, Log: quiet}
		c, err := DialClient(t.Context(), cfg, "b", func(bodies [][]byte) {
			for _, b := range bodies {
				got <- string(b)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if c.Peer().Node != "b" {
			t.Errorf("peer %+v", c.Peer())
		}
		if err := c.Send(frame("hello")); err != nil {
			t.Fatal(err)
		}
		if s := <-got; s != "hello to bench" {
			t.Errorf("answer %q", s)
		}
		settle(time.Minute) // keep-alives go on
		if s := b.Stats(); s.Clients.FramesIn != 1 || s.Clients.FramesOut != 1 || s.Accepted != 1 || len(s.Peers) != 0 {
			t.Errorf("stats %+v", s)
		}
		_ = b.Close()
		if err := c.Err(); !errors.Is(err, io.EOF) {
			t.Errorf("ended with %v", err)
		}
		for _, f := range [][]byte{frame("x"), nil} {
			if err := c.Send(f); !errors.Is(err, ErrDown) {
				t.Errorf("send after the end: %v", err)
			}
		}
		_ = c.Close()
	})
}

func TestClientIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		b := start(t, n, "b")
		b.recorder.judge(func(h Hello, _ uint64) ([]uint64, error) {
			if h.Client {
				return nil, errors.New("clients are not let in")
			}
			return nil, nil
		})
		_, err := DialClient(t.Context(), Config{Self: Hello{Cluster: "test", Node: "bench"}, Dial: n.dial}, "b", nil)
		var r *RefusedError
		if !errors.As(err, &r) || r.Code != RefusedByHandler || !r.ByPeer || r.Message != "clients are not let in" {
			t.Errorf("dial: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n.listen("nobody-accepts")
		if _, err := DialClient(ctx, Config{Self: Hello{Cluster: "test", Node: "bench"}, Dial: n.dial}, "nobody-accepts", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial: %v", err)
		}
	})
}

func TestLinksAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		b := start(t, n, "b", func(c *Config) { c.MaxLinks, c.MaxHandshakes = 2, 2 })
		var clients []*Client
		dial := func(i int) error {
			c, err := DialClient(t.Context(), Config{Self: Hello{Cluster: "test", Node: fmt.Sprint(i)}, Dial: n.dial}, "b", nil)
			if err == nil {
				clients = append(clients, c)
			}
			return err
		}
		for i := range 2 {
			if err := dial(i); err != nil {
				t.Fatal(err)
			}
			settle(0)
		}
		var r *RefusedError
		if err := dial(2); !errors.As(err, &r) || r.Code != TooManyLinks {
			t.Errorf("third link: %v", err)
		}
		var mute []net.Conn
		for range 2 {
			c, err := n.dial(t.Context(), "b")
			if err != nil {
				t.Fatal(err)
			}
			mute = append(mute, c)
		}
		settle(0)
		if err := dial(3); !errors.As(err, &r) || r.Code != TooManyLinks {
			t.Errorf("when a mute connection has made room: %v", err)
		}
		settle(5 * time.Second) // who says nothing is thrown out
		for _, c := range mute {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("a mute connection: %v", err)
			}
		}
		for _, c := range clients {
			_ = c.Close()
		}
		settle(0)
		if err := dial(4); err != nil {
			t.Errorf("after the others left: %v", err)
		}
		settle(0)
		if s := b.Stats(); s.Refused != 4 || s.Accepted != 1 {
			t.Errorf("stats %+v", s)
		}
		for _, c := range clients {
			_ = c.Close()
		}
	})
}

func TestCloseEndsEverything(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a, b := start(t, n, "a"), start(t, n, "b")
		a.SetPeers(map[string]string{"b": "b", "c": "c"})
		b.SetPeers(map[string]string{"a": "a"})
		settle(0)
		mute, err := n.dial(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		settle(0)
		_ = a.Close()
		if a.turns("b") != "up down" || !errors.Is(a.last("down").err, ErrClosed) {
			t.Errorf("links %q, %v", a.turns("b"), a.last("down").err)
		}
		a.SetPeers(map[string]string{"b": "b"})
		_ = a.Close()
		if err := a.Serve(n.listen("again")); err != nil {
			t.Errorf("Serve after Close: %v", err)
		}
		settle(0)
		if b.turns("a") != "up down" {
			t.Errorf("the other side has %q", b.turns("a"))
		}
		_ = mute.Close()
	})
}

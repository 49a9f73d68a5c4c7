package transport

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// Connections that say nothing, however many and however soon replaced, keep no
// member out.
func TestMuteConnectionsKeepNobodyOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a := start(t, n, "a")
		b := start(t, n, "b", func(c *Config) { c.MaxHandshakes = 4 })
		mute := func() net.Conn {
			c, err := n.dial(t.Context(), "b")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			return c
		}
		first := mute()
		for range 10 {
			mute()
		}
		settle(0)
		if _, err := first.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the first mute connection: %v", err)
		}
		if got := b.Stats().Refused; got != 7 {
			t.Errorf("%d of 11 mute connections made room where 4 wait", got)
		}
		a.SetPeers(map[string]string{"b": "b"})
		settle(time.Millisecond)
		if turns := a.turns("b"); turns != "up" {
			t.Errorf("the link of a member: %q", turns)
		}
	})
}

// Who is being judged does not make room: its handshake is as good as done.
func TestTheJudgedStay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a := start(t, n, "a")
		b := start(t, n, "b", func(c *Config) { c.MaxHandshakes = 1 })
		b.judge(func(Hello, uint64) ([]uint64, error) {
			time.Sleep(time.Second) // a slow disk
			return nil, nil
		})
		a.SetPeers(map[string]string{"b": "b"})
		settle(100 * time.Millisecond)
		c, err := n.dial(t.Context(), "b")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("a mute connection: %v", err)
		}
		settle(time.Second)
		if turns := a.turns("b"); turns != "up" {
			t.Errorf("the link of a member: %q", turns)
		}
	})
}

// Links of clients and of strangers to the cluster's history, however many, keep no
// member out.
func TestOtherLinksKeepNoMemberOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		b := start(t, n, "b", func(c *Config) { c.MaxLinks = 2 })
		for i := range 2 {
			c, err := DialClient(t.Context(), Config{Self: Hello{Cluster: "test", Node: fmt.Sprint(i)}, Dial: n.dial}, "b", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
		}
		settle(0)
		a := start(t, n, "a")
		a.SetPeers(map[string]string{"b": "b"})
		settle(0)
		if turns := a.turns("b"); turns != "" {
			t.Errorf("the link of a node that is no peer, beyond the bound: %q", turns)
		}
		b.SetPeers(map[string]string{"a": "a"})
		settle(3 * time.Second)
		if turns := a.turns("b"); turns != "up" {
			t.Errorf("the link of a member: %q", turns)
		}
	})
}

// Nodes that were never members leave nothing behind, under however many names they
// come; what was counted of a member stays.
func TestStrangersLeaveNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newNetwork()
		a, b := start(t, n, "a"), start(t, n, "b")
		a.SetPeers(map[string]string{"b": "b"})
		b.SetPeers(map[string]string{"a": "a"})
		settle(time.Second)
		for i := range 20 {
			conn := mustShake(t, n, "b", Hello{Cluster: "test", ClusterID: 7, Node: fmt.Sprint("x", i)})
			settle(0)
			if got := len(b.Stats().Peers); got != 2 {
				t.Fatalf("%d peers in the stats while a stranger is there", got)
			}
			_ = conn.Close()
			settle(0)
		}
		b.SetPeers(nil)
		_ = a.Close()
		settle(time.Second)
		if s := b.Stats().Peers; len(s) != 1 || s[0].Peer != "a" || s[0].Connects == 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

package transport

import (
	"errors"
	"testing"
	"time"
)

// pair starts two members that are linked both ways.
func pair(t *testing.T, change ...func(*Config)) (a, b *member) {
	t.Helper()
	n := newNetwork()
	a, b = start(t, n, "a", change...), start(t, n, "b", change...)
	a.SetPeers(map[string]string{"b": "b"})
	b.SetPeers(map[string]string{"a": "a"})
	settle(0)
	return a, b
}

func setFault(t *testing.T, m *member, peer string, f Fault) {
	t.Helper()
	if err := m.SetFault(peer, f); err != nil {
		t.Fatal(err)
	}
}

func TestFaultsNeedPermission(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := pair(t, func(c *Config) { c.Faults = false })
		if err := a.SetFault("b", Fault{DropOut: true}); err == nil {
			t.Error("a fault was set on a node that does not allow any")
		}
		mustSend(t, a, "b", frame("1"))
		settle(0)
		if b.bodies() != "1" {
			t.Errorf("b got %q", b.bodies())
		}
	})
}

// What a sends is lost, what it hears is not; its link falls by silence, and
// comes back soon after the cut is healed.
func TestDropOutIsACutOfOneDirection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := pair(t)
		setFault(t, a, "b", Fault{DropOut: true})
		mustSend(t, a, "b", frame("lost"))
		mustSend(t, b, "a", frame("heard"))
		settle(time.Second)
		if b.bodies() != "" || a.bodies() != "heard" || a.turns("b") != "up" {
			t.Errorf("b got %q, a got %q, links %q", b.bodies(), a.bodies(), a.turns("b"))
		}
		settle(10 * time.Second)
		if a.turns("b") != "up down" || b.turns("a") != "up" {
			t.Errorf("links %q and %q", a.turns("b"), b.turns("a"))
		}
		mustSend(t, b, "a", frame("still"))
		settle(0)
		if a.bodies() != "heard still" {
			t.Errorf("a got %q", a.bodies())
		}
		if a.Stats().Peers[0].Dropped != 1 {
			t.Errorf("stats %+v", a.Stats().Peers[0])
		}
		a.ClearFaults()
		settle(50 * time.Millisecond)
		mustSend(t, a, "b", frame("back"))
		settle(0)
		if b.bodies() != "back" {
			t.Errorf("after healing b got %q", b.bodies())
		}
	})
}

func TestDropInIsTheOtherDirection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := pair(t)
		setFault(t, a, "b", Fault{DropIn: true})
		mustSend(t, b, "a", frame("lost"))
		mustSend(t, a, "b", frame("heard"))
		settle(20 * time.Second)
		if a.bodies() != "" || b.bodies() != "heard" || b.turns("a") != "up down" {
			t.Errorf("a got %q, b got %q, links %q", a.bodies(), b.bodies(), b.turns("a"))
		}
		setFault(t, a, "b", Fault{})
		settle(3 * time.Second)
		mustSend(t, b, "a", frame("back"))
		settle(0)
		if a.bodies() != "back" {
			t.Errorf("after healing a got %q", a.bodies())
		}
	})
}

func TestDelayKeepsOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := pair(t, func(c *Config) { c.MaxPending = 30 })
		setFault(t, a, "b", Fault{Delay: 200 * time.Millisecond})
		mustSend(t, a, "b", frame("1"))
		settle(100 * time.Millisecond)
		mustSend(t, a, "b", frame("2"))
		settle(99 * time.Millisecond)
		if b.bodies() != "" {
			t.Errorf("early: %q", b.bodies())
		}
		settle(time.Millisecond)
		if b.bodies() != "1" {
			t.Errorf("after 200 ms: %q", b.bodies())
		}
		a.ClearFaults()
		mustSend(t, a, "b", frame("3")) // does not overtake 2
		settle(0)
		if b.bodies() != "1 2" {
			t.Errorf("out of order: %q", b.bodies())
		}
		settle(time.Second)
		if b.bodies() != "1 2 3" {
			t.Errorf("at the end: %q", b.bodies())
		}
		setFault(t, a, "b", Fault{Delay: time.Second})
		for range 3 {
			mustSend(t, a, "b", frame("x"))
		}
		if err := a.Send("b", frame("x")); !errors.Is(err, ErrFull) {
			t.Errorf("beyond the bound: %v", err)
		}
	})
}

package dev

import (
	"net"
	"sync"
	"testing"
)

// Whoever claims ports at the same time gets different ones, none of which the
// system gives to an outgoing connection.
func TestClaimsAreDisjoint(t *testing.T) {
	var mu sync.Mutex
	var all []*Claims
	var claiming sync.WaitGroup
	for range 8 {
		claiming.Go(func() {
			c, err := Claim(30)
			mu.Lock()
			defer mu.Unlock()
			if all = append(all, c); err != nil {
				t.Error(err)
			}
		})
	}
	claiming.Wait()
	owner := map[string]int{}
	for i, c := range all {
		defer c.Release()
		for _, addr := range c.Addrs {
			if j, twice := owner[addr]; twice {
				t.Errorf("%s is claimed by %d and %d", addr, j, i)
			}
			owner[addr] = i
			if a, err := net.ResolveTCPAddr("tcp", addr); err != nil || a.Port < freeFirst || a.Port >= 32768 {
				t.Errorf("%s is claimed: %v", addr, err)
			}
		}
	}
	if len(owner) != 8*30 {
		t.Errorf("%d ports are claimed, not %d", len(owner), 8*30)
	}
}

// A port is claimed once at a time, and not while somebody listens on it.
func TestClaimsOfOnePort(t *testing.T) {
	one, err := Claim(1)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Release()
	addr := one.Addrs[0]
	claims := func() bool {
		var c Claims
		defer c.Release()
		c.try(addr)
		return len(c.Addrs) == 1
	}
	if claims() {
		t.Error("a claimed port is claimed again")
	}
	l, err := net.Listen("tcp", addr) // the claim is in nobody's way
	if err != nil {
		t.Fatal(err)
	}
	one.Release()
	if claims() {
		t.Error("a port that somebody listens on is claimed")
	}
	l.Close()
	if !claims() {
		t.Error("a free port is not claimed")
	}
}

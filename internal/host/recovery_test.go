package host

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/memory"
)

// TestRottenRecordIsHealed flips a byte in one record of one node: it takes
// writes, counts for no read, and has the record back from the others by itself.
func TestRottenRecordIsHealed(t *testing.T) {
	c := startCluster(t, three, func(cfg *Config) {
		cfg.Core.Recovery.Wait = 20 * time.Millisecond
		cfg.Disk.CacheBytes = -1
	})
	key := ouro.Key{Bucket: "b", Name: "k"}
	a := c.hosts["a"]
	if _, err := a.Put(t.Context(), key, ouro.Value{Data: []byte("v")}, ouro.W(3)); err != nil {
		t.Fatal(err)
	}
	rot(a, key)
	if info, err := a.Replica(t.Context(), key); err != nil || info.Status != "failed" {
		t.Fatalf("after the flip: %+v, %v", info, err)
	}
	if res, err := a.Get(t.Context(), key); err != nil || string(res.Siblings[0].Data) != "v" {
		t.Fatalf("the others have it: %+v, %v", res, err)
	}
	for c.seen.count(fact.Healed) == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	if info, err := a.Replica(t.Context(), key); err != nil || info.Status != "have" || string(info.Versions[0].Value) != "v" {
		t.Errorf("once healed: %+v, %v", info, err)
	}
}

// rot turns over a bit of a record on a node's disk.
func rot(h *Host, key ouro.Key) {
	k := ring.NewKey(key.Bucket, key.Name)
	at := store.AppendRecordKey(nil, h.view.Load().Ring.Partition(k.Pos), key.Bucket, k.Pos.Hi, key.Name)
	h.engine.(*memory.Engine).Damage(at, func(v []byte) []byte {
		v = bytes.Clone(v)
		v[len(v)/2] ^= 4
		return v
	})
}

// TestARecordThatNobodyElseHolds: the status names it and says what to do, and it is
// whole once it is put anew.
func TestARecordThatNobodyElseHolds(t *testing.T) {
	c := startCluster(t, three[:1], func(cfg *Config) {
		cfg.Core.Recovery.Wait = 20 * time.Millisecond
		cfg.Disk.CacheBytes = -1
	})
	key := ouro.Key{Bucket: "b", Name: "k"}
	a := c.hosts["a"]
	put := func(value string) {
		t.Helper()
		if _, err := a.Put(t.Context(), key, ouro.Value{Data: []byte(value)}, ouro.W(1)); err != nil {
			t.Fatal(err)
		}
	}
	put("v")
	rot(a, key)
	if res, err := a.Get(t.Context(), key, ouro.R(1)); err == nil || ouro.CodeOf(err) == ouro.NotFound {
		t.Fatalf("it is shown as %+v", res)
	}
	unhealed := func() []ouro.UnhealedInfo {
		if info := a.recovering(); info != nil {
			return info.Unhealed
		}
		return nil
	}
	for unhealed() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	if u := unhealed(); len(u) != 1 || u[0].Bucket != "b" || u[0].Key != "k" || !strings.Contains(u[0].Error, "put the key anew") {
		t.Errorf("the status names %+v", u)
	}
	put("anew")
	for a.recovering() != nil {
		time.Sleep(5 * time.Millisecond)
	}
	if res, err := a.Get(t.Context(), key, ouro.R(1)); err != nil || string(res.Siblings[0].Data) != "anew" {
		t.Errorf("once put anew: %+v, %v", res, err)
	}
}

// TestRules_H25_SuspendedTimeCounts: where the clocks came apart the lives of all
// records end, and the time that the monotonic clock missed has passed.
func TestRules_H25_SuspendedTimeCounts(t *testing.T) {
	c := startCluster(t, three, nil)
	h := c.hosts["a"]
	s := newShard(h, 0, h.view.Load())
	start := clock.Now{Mono: time.Second, Wall: 1000_000}
	if now := s.watchClock(start); now != start || s.slept != 0 {
		t.Errorf("at first: %v", now)
	}
	second := clock.Now{Mono: 2 * time.Second, Wall: 1001_000}
	if now := s.watchClock(second); now != second {
		t.Errorf("a second later: %v", now)
	}
	woken := clock.Now{Mono: 3 * time.Second, Wall: 1062_000}
	if now := s.watchClock(woken); now.Mono != 63*time.Second || now.Wall != woken.Wall || s.slept != time.Minute {
		t.Errorf("after a minute's sleep: %v", now)
	}
	later := clock.Now{Mono: 4*time.Second + s.slept, Wall: 1063_000}
	if now := s.watchClock(later); now != later || s.slept != time.Minute {
		t.Errorf("a second later: %v, slept %v", now, s.slept)
	}
	back := clock.Now{Mono: 5*time.Second + s.slept, Wall: 1004_000}
	if now := s.watchClock(back); now != back || s.slept != time.Minute {
		t.Errorf("the wall clock was put back: %v", now)
	}
}

// TestDoubt: a node that may have forgotten everything answers no read, and says
// so, until it is told that it has not.
func TestDoubt(t *testing.T) {
	c := startCluster(t, three, func(cfg *Config) { cfg.Doubt = true })
	key := ouro.Key{Bucket: "b", Name: "k"}
	a := c.hosts["a"]
	if _, err := a.Put(t.Context(), key, ouro.Value{Data: []byte("v")}, ouro.W(3)); err != nil {
		t.Fatalf("it takes no write: %v", err)
	}
	if res, err := a.Get(t.Context(), key); ouro.CodeOf(err) != ouro.QuorumUnavailable {
		t.Errorf("it shows %+v, %v", res, err)
	}
	if r := a.Status().Recovering; r == nil || !r.Unconfirmed {
		t.Errorf("status says %+v", r)
	}
	for _, h := range c.hosts {
		h.Doubt(false)
	}
	if res, err := a.Get(t.Context(), key); err != nil || len(res.Siblings) != 1 {
		t.Errorf("it shows %+v, %v", res, err)
	}
	if r := a.Status().Recovering; r != nil {
		t.Errorf("status says %+v", r)
	}
}

package host

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ourodb/ouro"
)

// asClient is a host as its clients see it.
type asClient struct{ *Host }

func (asClient) Close() {}

// withCanaries starts hosts that write canaries.
func withCanaries(t *testing.T, every time.Duration) *cluster {
	var c *cluster
	ids := []string{"a", "b", "c"}
	c = startCluster(t, ids, func(cfg *Config) {
		cfg.Canary, cfg.Shards, cfg.Core.Admit.Off = every, 2, true
		cfg.Reader = func(addr string) (Reader, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.hosts[addr] == nil {
				return nil, errors.New("nobody is there")
			}
			return asClient{c.hosts[addr]}, nil
		}
	})
	return c
}

// meet tells hosts where clients reach each other.
func (c *cluster) meet() {
	for _, h := range c.hosts {
		for id := range c.hosts {
			h.Serves(id, id)
		}
	}
}

func staleness(t *testing.T, h *Host, n int) ouro.Staleness {
	t.Helper()
	info, err := h.Staleness(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// counted waits until a host's canary has counted enough.
func counted(t *testing.T, h *Host, enough func(reads, failed uint64) bool) ouro.CanaryInfo {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		info, reads := h.canary.info(), uint64(0)
		for i := range info.Pairs {
			n, _ := info.Pairs[i].Total()
			reads += n
		}
		if enough(reads, info.Failed) {
			return *info
		}
		if time.Now().After(end) {
			t.Fatalf("it has counted %+v", info)
		}
	}
}

func TestStalenessIsPredictedAndMeasured(t *testing.T) {
	c := withCanaries(t, time.Millisecond)
	h := c.hosts["a"]
	if info := staleness(t, h, 0); info.Lacks == "" || info.N != 3 || len(info.Pairs) != 0 || len(info.Delays) != 5 {
		t.Errorf("before anything was measured: %+v", info)
	}
	if got := counted(t, h, func(_, failed uint64) bool { return failed > 0 }); got.Error == "" {
		t.Errorf("it is not told where clients reach the others, and says %+v", got)
	}
	c.meet()
	got := counted(t, h, func(reads, _ uint64) bool { return reads > 60 })
	for _, p := range got.Pairs {
		if _, stale := p.Total(); p.R+p.W > 3 && stale > 0 {
			t.Errorf("r=%d w=%d: %d are stale", p.R, p.W, stale)
		}
	}
	info := staleness(t, h, 0)
	if info.Lacks != "" || len(info.Pairs) != 9 || len(info.Measured) != 3 || info.Measured[0].Node != "a" || info.Measured[2].Node != "c" {
		t.Fatalf("%+v", info)
	}
	for _, m := range info.Measured {
		if m.Reads == 0 || m.Writes == 0 || m.ReadMean <= 0 || m.WriteMean <= 0 {
			t.Errorf("%+v", m)
		}
	}
	for i, p := range info.Pairs {
		if p.R != i/3+1 || p.W != i%3+1 || len(p.Stale) != 5 || p.R+p.W > 3 && (p.Stale[0] > 0 || p.Visible999 > 0) || p.Visible99 > p.Visible999 || p.TwoBehind > p.Stale[0] {
			t.Errorf("%+v", p)
		}
	}
	if two := staleness(t, h, 2); two.N != 2 || len(two.Pairs) != 4 {
		t.Errorf("of two: %+v", two)
	}
	for _, n := range []int{-1, 4, 9} {
		if _, err := h.Staleness(t.Context(), n); ouro.CodeOf(err) != ouro.BadRequest {
			t.Errorf("n=%d: %v", n, err)
		}
	}
	told, canaries := h.Staled()
	if len(told) != 9 || canaries == nil {
		t.Errorf("metrics are told of %+v, %+v", told, canaries)
	}
}

// Canaries are counted apart from what clients ask, and a host without one has none.
func TestCanariesAreNoClients(t *testing.T) {
	c := withCanaries(t, time.Millisecond)
	c.meet()
	counted(t, c.hosts["b"], func(reads, _ uint64) bool { return reads > 10 })
	c.seen.mu.Lock()
	got := c.seen.requests
	for _, verb := range []string{"get", "put"} {
		for _, outcome := range []string{" done", " not_found", " abandoned"} {
			if got[verb+outcome] > 0 {
				t.Errorf("clients asked nothing, and it is counted %v", got)
			}
		}
	}
	if got["canary done"] == 0 {
		t.Errorf("it is counted %v", got)
	}
	c.seen.mu.Unlock()
	page, err := c.hosts["a"].Keys(context.Background(), ouro.CanaryBucket, ouro.KeysQuery{})
	if err != nil || len(page.Keys) == 0 || len(page.Keys) > 24 {
		t.Errorf("%d keys in its bucket, %v", len(page.Keys), err)
	}
	none := startCluster(t, []string{"a", "b", "c"}, nil).hosts["a"]
	if info := staleness(t, none, 0); info.Canary != nil {
		t.Errorf("a host that writes none tells of %+v", info.Canary)
	}
}

package e2e

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// Every engine that keeps something keeps what was acknowledged through kill -9 of
// all nodes at once, an object of 64 MiB among it.
func TestEnginesKeepWhatTheyAcknowledged(t *testing.T) {
	for _, engine := range []string{"pebble", "bbolt", "memory+pebble"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			c := serveThree(t, "--engine", engine, "--max-value", "64MiB", "--max-siblings", "4", "--max-frame", "512MiB")
			for i := range 20 {
				must(t, "put", fmt.Sprint("engines/", i), fmt.Sprint("value ", i), "--addr", c.at[i%3].client)
			}
			large := randomText(64 << 20)
			putLarge(t, c.at[0].client, large)
			for i := range c.at {
				c.kill(i)
			}
			for i := range c.at {
				c.begin(i)
			}
			for _, n := range c.at {
				n.foundAll(t, len(c.at))
			}
			for i := range 20 {
				if got := must(t, "get", fmt.Sprint("engines/", i), "--addr", c.at[(i+1)%3].client); strings.TrimSpace(got) != fmt.Sprint("value ", i) {
					t.Errorf("engines/%d: %q", i, got)
				}
			}
			for _, n := range c.at {
				if got := digest(t, n.client); got != sha256.Sum256([]byte(large)) {
					t.Errorf("64 MiB came back otherwise")
				}
			}
			for _, n := range c.at {
				if st := must(t, "status", "--admin", n.admin); !strings.Contains(st, "engine "+engine) {
					t.Errorf("the status does not say which engine it is:\n%s", st)
				}
			}
		})
	}
}

// Each node of a cluster may have an engine of its own: all three keep what was
// acknowledged, through kill -9 of all at once.
func TestEachNodeHasItsEngine(t *testing.T) {
	t.Parallel()
	engines := [3]string{"pebble", "bbolt", "memory+bbolt"}
	c := &three{t: t, ports: freePorts(t, 9), dir: t.TempDir()}
	begin := func() {
		for i := range c.at {
			c.flags = []string{"--engine", engines[i]}
			c.begin(i)
		}
		for _, n := range c.at {
			n.foundAll(t, len(c.at))
		}
	}
	begin()
	for i := range 20 {
		must(t, "put", fmt.Sprint("mixed/", i), fmt.Sprint("value ", i), "--w", "3", "--addr", c.at[i%3].client)
	}
	for i := range c.at {
		c.kill(i)
	}
	begin()
	for i := range 20 {
		key := fmt.Sprint("mixed/", i)
		if got := must(t, "get", key, "--r", "3", "--addr", c.at[(i+1)%3].client); strings.TrimSpace(got) != fmt.Sprint("value ", i) {
			t.Errorf("%s: %q", key, got)
		}
		for n := range c.at {
			if got := c.status(n, key); got != "have" {
				t.Errorf("%s at the node on %s: %s", key, engines[n], got)
			}
		}
	}
	for i, n := range c.at {
		if st := must(t, "status", "--admin", n.admin); !strings.Contains(st, "engine "+engines[i]+",") {
			t.Errorf("the status does not say that the engine is %s:\n%s", engines[i], st)
		}
	}
}

func TestUnknownEngineIsRefused(t *testing.T) {
	fails(t, 2, `engine: "rocks" is none of ["pebble" "bbolt" "memory" "memory+pebble" "memory+bbolt"]`, "serve", "--id", "n1", "--engine", "rocks")
}

const largeKey = "/kv/engines/large"

// putLarge writes to all three, again where one of them was too busy to be reached.
func putLarge(t *testing.T, addr, value string) {
	eventually(t, fmt.Sprintf("%d bytes are put", len(value)), func() bool {
		req, err := http.NewRequest(http.MethodPut, "http://"+addr+largeKey+"?timeout=30s&w=3", strings.NewReader(value))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Ouro-Request-Id", "large") // so that the second try is no sibling
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusOK {
			t.Logf("put of %d bytes: %s %s", len(value), resp.Status, body)
		}
		return resp.StatusCode == http.StatusOK
	})
}

func digest(t *testing.T, addr string) (sum [sha256.Size]byte) {
	resp, err := http.Get("http://" + addr + largeKey + "?timeout=30s")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("get: %s, %v", resp.Status, err)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func randomText(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return string(b)
}

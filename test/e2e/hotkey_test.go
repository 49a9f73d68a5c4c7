package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestHotKey: one key is asked for by far more clients than one key may have, at a node
// that waits for others. What is too much is refused with the key's name and when to come
// back; every request for another key is answered meanwhile; status, metrics and the
// command line say which key it is (PAPER 9.11).
func TestHotKey(t *testing.T) {
	c := start(t, "", 3)
	c.put(1, "things/hot", "x")
	for i := range 20 {
		c.put(1, fmt.Sprint("things/k", i), "x")
	}
	c.dev("slow", "2", "3", "--by", "300ms")
	stop, refused := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var flood sync.WaitGroup
	for range 700 {
		flood.Add(1)
		go func() {
			defer flood.Done()
			for {
				select {
				case <-stop:
					return
				default:
				}
				switch a := c.http(1, "GET", "/kv/things/hot?r=2&timeout=30s", ""); {
				case a.status == 200:
				case a.status == 429 && strings.Contains(a.body, `"code":"hot_key","message":"things/hot is a hot key: node n1`) && strings.Contains(a.body, `"outcome":"not_done","retryable":true`) && a.header.Get("Retry-After") != "":
					once.Do(func() { close(refused) })
				default:
					t.Errorf("the hot key: %+v", a)
				}
			}
		}()
	}
	<-refused
	var others sync.WaitGroup
	for i := range 20 {
		others.Add(1)
		go func() {
			defer others.Done()
			if a := c.http(1, "GET", fmt.Sprintf("/kv/things/k%d?r=2&timeout=30s", i), ""); a.status != 200 {
				t.Errorf("another key: %+v", a)
			}
		}()
	}
	others.Wait()
	c.within(func() string {
		if st := must(t, "status", "--admin", c.Nodes[0].Admin); !strings.Contains(st, "things/hot: ") || !strings.Contains(st, "refused, as it has 512 under way") {
			return "no word of the hot key:\n" + st
		}
		return ""
	})
	_, metrics := fetch(t, c.Nodes[0].Admin, "/metrics")
	for _, want := range []string{`ouro_hot_key_refused_per_second{key="things/hot"}`, "ouro_hot_key_refused_total "} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	close(stop)
	flood.Wait()
	if st := must(t, "status", "--admin", c.Nodes[1].Admin); strings.Contains(st, "things/hot: ") {
		t.Errorf("n2, which nobody asked:\n%s", st)
	}
}

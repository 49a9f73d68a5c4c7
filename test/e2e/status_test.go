package e2e

import (
	"context"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro/client"
)

// How long a newcomer takes to be given what it is to hold, while every node is asked
// fifty times a second what moves, and while nobody asks: four newcomers by turns, after
// one that does not count, each of which leaves again. It measures and asserts nothing, with OURO_E2E_FULL=1.
func TestStatusDuringATransfer(t *testing.T) {
	if os.Getenv("OURO_E2E_FULL") == "" {
		t.Skip("it measures: set OURO_E2E_FULL=1")
	}
	ids := []string{"n1", "n2", "n3"}
	g, _ := formed(t, ids, "--q", "256")
	g.bulk = 5000
	g.fill()
	took := map[bool]time.Duration{}
	for i, newcomer := range []string{"n4", "n5", "n6", "n7", "n8"} {
		asked := i%2 == 0 && i > 0
		g.begin(newcomer, "--seeds", g.ports["n1"][1])
		stop := func() int { return 0 }
		if asked {
			stop = g.poll(50, append(ids, newcomer)...)
		}
		began := time.Now()
		g.op("n1", "cluster", "join", g.located(newcomer), "--commit")
		g.op("n1", "cluster", "wait")
		g.op(newcomer, "cluster", "wait")
		d := time.Since(began)
		t.Logf("%s was given its part after %v, with %d requests for status", newcomer, d, stop())
		if i > 0 {
			took[asked] += d
		}
		g.op("n1", "cluster", "leave", newcomer, "--commit")
		g.agree(ids...)
		g.at[newcomer].stop(t, unix.SIGTERM)
	}
	t.Logf("%v with requests for status, %v without: a ratio of %.2f", took[true]/2, took[false]/2, float64(took[true])/float64(took[false]))
}

// poll asks each of the nodes so often a second what moves, until it is told to stop.
// That returns how many answers there were.
func (g *growing) poll(each int, ids ...string) (stop func() int) {
	ctx, cancel := context.WithCancel(g.t.Context())
	answers := make(chan int)
	for _, id := range ids {
		a, err := client.NewAdmin(g.at[id].admin)
		if err != nil {
			g.t.Fatal(err)
		}
		go func() {
			defer a.Close()
			n := 0
			tick := time.NewTicker(time.Second / time.Duration(each))
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					answers <- n
					return
				case <-tick.C:
					if _, err := a.Cluster(ctx); err == nil {
						n++
					}
				}
			}
		}()
	}
	return func() (n int) {
		cancel()
		for range ids {
			n += <-answers
		}
		return n
	}
}

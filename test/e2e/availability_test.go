package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/dev"
)

// The numbers of the measurement: so many requests a second, half of them puts
// of new keys and half gets of keys that are there, at nodes drawn from those
// that a client can reach.
const (
	askEvery  = 10 * time.Millisecond
	askBudget = time.Second            // a request's timeout
	askSoon   = 300 * time.Millisecond // the paper's own bound (section 2.2)
	askBefore = time.Second            // after the fault: the nodes have not noticed yet
	askFrom   = 5 * time.Second        // from here on they have
	askUntil  = 15 * time.Second
)

// sample is one request: when it was due, since the fault, and what came of it.
type sample struct {
	due, took time.Duration
	err       error
}

// TestAvailability measures which share of requests is answered while nodes are
// dead, hung or cut off. It prints the table in docs/benchmarks.md:
//
//	OURO_E2E_AVAILABILITY=1 go test ./test/e2e -run Availability -v -timeout 10m
func TestAvailability(t *testing.T) {
	if os.Getenv("OURO_E2E_AVAILABILITY") == "" {
		t.Skip("set OURO_E2E_AVAILABILITY=1 to measure")
	}
	table := "| fault | asked at | requests | answered, first second | later | within 300 ms, first second | later | slowest answer, first second | later |\n|---|---|---|---|---|---|---|---|---|\n"
	for _, f := range []struct {
		name, asked string
		at          []int // nodes asked, counted from 1
		cmd         dev.Command
	}{
		{"none", "all five", []int{1, 2, 3, 4, 5}, dev.Command{}},
		{"one node dead (kill -9)", "the other four", []int{1, 2, 3, 4}, dev.Command{Verb: dev.Kill, Nodes: []int{5}}},
		{"one node hung (SIGSTOP)", "the other four", []int{1, 2, 3, 4}, dev.Command{Verb: dev.Pause, Nodes: []int{5}}},
		{"two nodes dead", "the other three", []int{1, 2, 3}, dev.Command{Verb: dev.Kill, Nodes: []int{4, 5}}},
		{"what one node sends is lost", "the other four", []int{1, 2, 3, 4}, dev.Command{Verb: dev.Cut, Nodes: []int{5}, OneWay: true}},
		{"what one node sends is lost", "that node", []int{5}, dev.Command{Verb: dev.Cut, Nodes: []int{5}, OneWay: true}},
		{"one node cut off", "the other four", []int{1, 2, 3, 4}, dev.Command{Verb: dev.Cut, Nodes: []int{5}}},
	} {
		t.Run(f.name, func(t *testing.T) {
			samples := measureThrough(t, f.at, f.cmd)
			table += fmt.Sprintf("| %s | %s | %d | %s | %s | %s | %s | %s | %s |\n", f.name, f.asked, len(samples),
				share(samples, 0, askBefore, askBudget), share(samples, askFrom, askUntil, askBudget),
				share(samples, 0, askBefore, askSoon), share(samples, askFrom, askUntil, askSoon),
				slowest(samples, 0, askBefore), slowest(samples, askFrom, askUntil))
			for kind, n := range failures(samples) {
				t.Logf("%d times %s", n, kind)
			}
		})
	}
	t.Log("\n" + table)
}

// measureThrough starts a cluster of five, breaks it and asks nodes of it all the
// while.
func measureThrough(t *testing.T, at []int, cmd dev.Command) []sample {
	c := start(t, "", 5)
	defer c.stop()
	var stores []*client.Client
	for _, i := range at {
		s, err := client.New(c.Nodes[i-1].Client)
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
	}
	const known = 500
	key := func(i int) ouro.Key { return ouro.Key{Bucket: "share", Name: fmt.Sprint(i)} }
	for i := range known {
		if _, err := stores[0].Put(t.Context(), key(i), ouro.Value{Data: []byte("there")}, ouro.W(3), ouro.Blind()); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	var samples []sample
	var asked sync.WaitGroup
	fault := time.Now().Add(time.Second)
	ask := func(i int, due time.Time) {
		s := stores[rand.IntN(len(stores))]
		ctx, cancel := context.WithTimeout(context.Background(), askBudget+500*time.Millisecond)
		defer cancel()
		var err error
		if i%2 == 0 {
			_, err = s.Put(ctx, key(known+i), ouro.Value{Data: []byte("new")}, ouro.Timeout(askBudget), ouro.Blind())
		} else {
			_, err = s.Get(ctx, key(rand.IntN(known)), ouro.Timeout(askBudget))
		}
		mu.Lock()
		defer mu.Unlock()
		samples = append(samples, sample{due.Sub(fault), time.Since(due), err})
	}
	asked.Go(func() {
		time.Sleep(time.Until(fault))
		if cmd.Verb != "" {
			if _, err := dev.Call(c.Dir, cmd); err != nil {
				t.Error(err)
			}
		}
	})
	for i, due := 0, time.Now(); due.Before(fault.Add(askUntil)); i, due = i+1, due.Add(askEvery) {
		time.Sleep(time.Until(due))
		asked.Go(func() { ask(i, due) })
	}
	asked.Wait()
	return samples
}

// share tells how many of the requests that were due from a time on were
// answered within a bound.
func share(samples []sample, from, until, bound time.Duration) string {
	all, good := 0, 0
	for _, s := range samples {
		if s.due >= from && s.due < until {
			if all++; s.err == nil && s.took <= bound {
				good++
			}
		}
	}
	return fmt.Sprintf("%.2f %%", 100*float64(good)/float64(max(all, 1)))
}

// slowest tells how long the slowest answer took.
func slowest(samples []sample, from, until time.Duration) string {
	var most time.Duration
	for _, s := range samples {
		if s.err == nil && s.due >= from && s.due < until {
			most = max(most, s.took)
		}
	}
	return most.Round(time.Millisecond).String()
}

func failures(samples []sample) map[string]int {
	kinds := map[string]int{}
	for _, s := range samples {
		if s.err != nil {
			kinds[string(ouro.CodeOf(s.err))]++
		}
	}
	return kinds
}

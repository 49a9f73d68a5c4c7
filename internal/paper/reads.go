package paper

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/bench"
)

// Who had better coordinate a read depends on how far nodes are from each other and
// from the client. The ways take turns of readsTurn each, so that whatever else the
// machine does meets all of them alike and what each costs can be told apart.
const (
	readsRate   = 150 // a second
	readsTurn   = 1500 * time.Millisecond
	readsRounds = 20
	readsBucket = "reads"
)

// distances are how much later everything comes that is sent, each way, between nodes
// and between client and nodes.
var distances = []time.Duration{0, 500 * time.Microsecond, 2 * time.Millisecond}

// reader is a way of coordinating reads.
type reader struct {
	name  string
	who   client.Reads
	store *client.Cluster
	http  *http.Transport
	took  []time.Duration
	cpu   time.Duration // of all nodes and of the client
	lost  int
}

func readers() []*reader {
	return []*reader{
		{name: "placed at a replica", who: client.AtNodes},
		{name: "coordinated by the client", who: client.Itself},
		{name: "whichever has been quicker", who: client.WhereFaster},
	}
}

// runReads measures reads alone on a cluster, by who coordinates them, at several
// distances.
func runReads(ctx context.Context, lab *Lab, c Cluster) (Table, error) {
	turn, rounds := readsTurn, readsRounds
	if lab.Quick {
		turn, rounds = 200*time.Millisecond, 1
	}
	if err := loadReads(ctx, c); err != nil {
		return Table{}, err
	}
	t := Table{
		Caption: "Reads alone, r=2, by who coordinates them; milliseconds, CPU of nodes and client in microseconds a read, and the share of the first way of each distance",
		Head:    []string{"further away, each way", "", "median", "p99", "CPU", "median", "p99", "CPU", "not answered"},
	}
	pids := append(c.PIDs(), os.Getpid())
	for _, d := range distances {
		if err := c.Slow(d); err != nil {
			return Table{}, err
		}
		all := readers()
		err := takeTurns(ctx, c.Clients(), pids, all, d, turn, rounds)
		for _, r := range all {
			r.close()
		}
		if err != nil {
			return Table{}, err
		}
		for _, r := range all {
			t.Rows = append(t.Rows, r.row(d, all[0]))
		}
		lab.step()
	}
	return t, c.Slow(0)
}

// loadReads gives every key a value, on all replicas.
func loadReads(ctx context.Context, c Cluster) error {
	s, err := client.New(c.Clients()[0])
	if err != nil {
		return err
	}
	defer s.Close()
	value := ouro.Value{Data: make([]byte, loadValue)}
	for i := range loadKeys {
		if _, err := s.Put(ctx, readsKey(i), value, ouro.W(3), ouro.Blind(), ouro.RequestID(fmt.Sprint("load", i))); err != nil {
			return err
		}
	}
	return nil
}

func readsKey(i int) ouro.Key { return ouro.Key{Bucket: readsBucket, Name: fmt.Sprint("key", i)} }

// takeTurns has each way read for a while, again and again; the first round does not
// count.
func takeTurns(ctx context.Context, nodes []string, pids []int, all []*reader, d, turn time.Duration, rounds int) (err error) {
	for _, r := range all {
		r.http = farTransport(d)
		if r.store, err = client.Connect(nodes, client.Hedge(false), client.CoordinateReads(r.who), client.WithHTTPClient(&http.Client{Transport: r.http})); err != nil {
			return err
		}
		if err := awaitRing(ctx, r.store); err != nil {
			return err
		}
	}
	for round := range rounds + 1 {
		for i := range all {
			r := all[(i+round)%len(all)] // none always follows the same other
			before, err := bench.CPUOf(pids)
			if err != nil {
				return err
			}
			took, lost := r.turn(ctx, turn)
			after, err := bench.CPUOf(pids)
			if err != nil || ctx.Err() != nil {
				return cmp.Or(err, ctx.Err())
			}
			if round > 0 {
				r.took, r.lost, r.cpu = append(r.took, took...), r.lost+lost, r.cpu+after-before
			}
		}
	}
	return nil
}

// turn reads in an open loop. What a read took counts from when it was due.
func (r *reader) turn(ctx context.Context, d time.Duration) (took []time.Duration, lost int) {
	var mu sync.Mutex
	var running sync.WaitGroup
	began := time.Now()
	for i := 0; ; i++ {
		due := began.Add(time.Duration(i) * time.Second / readsRate)
		if due.Sub(began) >= d || ctx.Err() != nil {
			break
		}
		time.Sleep(time.Until(due))
		running.Go(func() {
			one, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			_, err := r.store.Get(one, readsKey(rand.N(loadKeys)))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				lost++
				return
			}
			took = append(took, time.Since(due))
		})
	}
	running.Wait()
	return took, lost
}

func (r *reader) close() {
	if r.store != nil {
		r.store.Close()
		r.http.CloseIdleConnections()
	}
}

// at returns what so great a share of the reads took at most, in microseconds.
func (r *reader) at(share float64) float64 {
	if len(r.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(r.took))
	return float64(sorted[min(int(share*float64(len(sorted))), len(sorted)-1)].Nanoseconds()) / 1000
}

func (r *reader) each() float64 {
	return float64(r.cpu.Microseconds()) / float64(max(len(r.took), 1))
}

func (r *reader) row(d time.Duration, first *reader) []string {
	row := []string{d.String(), r.name, fmt.Sprintf("%.2f", r.at(.5)/1000), fmt.Sprintf("%.2f", r.at(.99)/1000), fmt.Sprintf("%.0f", r.each())}
	for _, x := range [][2]float64{{r.at(.5), first.at(.5)}, {r.at(.99), first.at(.99)}, {r.each(), first.each()}} {
		row = append(row, fmt.Sprintf("%.2f", x[0]/x[1]))
	}
	return append(row, fmt.Sprint(r.lost))
}

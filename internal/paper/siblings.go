package paper

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

const siblingSteps = 3

// histogram counts reads by how many versions they showed: index 0 is of reads that
// showed one at most, the last of those with that many and more.
type histogram struct {
	mu    sync.Mutex
	reads [5]int
}

func (h *histogram) note(versions int) {
	h.mu.Lock()
	h.reads[min(max(versions, 1), len(h.reads))-1]++
	h.mu.Unlock()
}

// runSiblings counts the versions that reads show: with people, with robots, and
// with nodes that fail.
func runSiblings(ctx context.Context, lab *Lab) (Section, error) {
	d := time.Minute
	if lab.Quick {
		d = 2 * time.Second
	}
	t := Table{
		Caption: "Share of reads by how many versions they showed",
		Head:    []string{"", "reads", "1", "2", "3", "4", "5 and more"},
		Rows:    [][]string{{"paper: the carts of a day", "", "99.94 %", "0.00057 %", "0.00047 %", "0.00009 %", ""}},
	}
	p := Plot{
		Title: "Reads by how many versions they showed", X: "versions, 5 and more at the right", Y: "percent of reads", LogY: true,
		Series: []Series{{Name: "the paper's day", Paper: true, Points: []Point{{1, 99.94}, {2, .00057}, {3, .00047}, {4, .00009}}}},
	}
	for _, w := range []struct {
		name   string
		robots bool
		fails  bool
	}{{"people", false, false}, {"robots", true, false}, {"people, and nodes that die and come back", false, true}} {
		h, err := countSiblings(ctx, lab, d, w.robots, w.fails)
		if err != nil {
			return Section{}, err
		}
		lab.step()
		t.Rows = append(t.Rows, h.row(w.name))
		p.Series = append(p.Series, h.curve(w.name))
	}
	return Section{
		Item: "section 6.3",
		How: "Carts on three nodes. A person looks at a cart, thinks, and writes it under what was shown; sixteen of them share sixteen thousand carts. A robot does so without thinking, and eight of them work at the same four carts, " +
			"through two nodes. In the third row the third node is killed and started again every few seconds.",
		Plots:  []Plot{p},
		Tables: []Table{t},
		Differs: "As in the paper it is concurrent writers, robots most of all, that breed versions, and hardly the failures: who writes under what it has read makes siblings only where another did so meanwhile. " +
			"The shares depend on how many carts people share, which is what sets how often two meet at one, and on how hard the robots work; a day of the paper's service had few of them among millions of people. The paper's own shares sum to 99.941 %: 0.059 % of its requests are not accounted for.",
	}, nil
}

// all is how many reads there were.
func (h *histogram) all() (n int) {
	for _, of := range h.reads {
		n += of
	}
	return n
}

// curve leaves out what never was, for which a logarithm has no place.
func (h *histogram) curve(name string) Series {
	all, c := h.all(), Series{Name: name}
	for i, n := range h.reads {
		if n > 0 {
			c.Points = append(c.Points, Point{float64(i + 1), 100 * float64(n) / float64(all)})
		}
	}
	return c
}

func (h *histogram) row(name string) []string {
	all := h.all()
	row := []string{name, fmt.Sprint(all)}
	for _, n := range h.reads {
		row = append(row, share(n, all))
	}
	return row
}

func share(n, all int) string {
	if n == 0 || all == 0 {
		return "0"
	}
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.4f", 100*float64(n)/float64(all)), "0"), ".") + " %"
}

func countSiblings(ctx context.Context, lab *Lab, d time.Duration, robots, fails bool) (*histogram, error) {
	c, err := lab.Cluster(ctx, 3)
	if err != nil {
		return nil, err
	}
	defer c.Stop()
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	h := &histogram{}
	shoppers, carts, think := 16, 16_000, 20*time.Millisecond
	if robots {
		shoppers, carts, think = 8, 4, 0
	}
	var all sync.WaitGroup
	for i := range shoppers {
		s, err := client.New(c.Clients()[i%2]) // the third is the one that fails
		if err != nil {
			return nil, err
		}
		defer s.Close()
		all.Go(func() { shop(ctx, s, h, rand.New(rand.NewPCG(uint64(i), 3)), carts, think) })
	}
	var failure error
	if fails {
		failure = failInTurns(ctx, c)
	}
	all.Wait()
	return h, failure
}

// shop looks at carts and adds to them until the time is over.
func shop(ctx context.Context, s ouro.Store, h *histogram, r *rand.Rand, carts int, think time.Duration) {
	for ctx.Err() == nil {
		key := ouro.Key{Bucket: "carts", Name: fmt.Sprint(r.IntN(carts))}
		res, err := s.Get(ctx, key)
		if err != nil && ouro.CodeOf(err) != ouro.NotFound {
			continue
		}
		h.note(len(res.Siblings))
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(r.Int64N(int64(2*think) + 1))):
		}
		_, _ = s.Put(ctx, key, ouro.Value{Data: fmt.Appendf(nil, "%d things", r.IntN(100))}, ouro.WithContext(res.Context))
	}
}

// failInTurns kills the third node and starts it again until the time is over.
func failInTurns(ctx context.Context, c Cluster) error {
	for ctx.Err() == nil {
		for _, do := range []func(int) error{c.Kill, c.Start} {
			if err := do(3); err != nil {
				return err
			}
			select { // either way it is started again
			case <-ctx.Done():
			case <-time.After(2 * time.Second):
			}
		}
	}
	return nil
}

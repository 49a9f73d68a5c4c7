package paper

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

const staleSteps = 2

// Staleness is how many reads were stale, and how many were predicted to be, in a
// cluster on virtual time.
type Staleness struct {
	Delay, Jitter, Sync time.Duration // of every message; the mean of what is added; of every disk
	Delays              []time.Duration
	Curves              []StaleCurve
}

// StaleCurve is of one r and w, by delay.
type StaleCurve struct {
	R, W         int
	Reads, Stale []int
	Predicted    []float64
}

// stalePairs are the r and w of three replicas that do not overlap, and one that does.
func stalePairs() [][2]int { return [][2]int{{1, 1}, {1, 2}, {2, 1}, {2, 2}} }

// runStaleness compares how many reads are stale with how many the nodes predict: on
// virtual time, where messages take what they are told to, and on real nodes.
func runStaleness(ctx context.Context, lab *Lab) (Section, error) {
	virtual, err := lab.Staleness(ctx, lab.Quick)
	if err != nil {
		return Section{}, err
	}
	lab.step()
	live, err := liveStaleness(ctx, lab)
	if err != nil {
		return Section{}, err
	}
	lab.step()
	p := Plot{Title: "Reads that miss the write, by when they begin", X: "ms after the acknowledgement", Y: "share", YMin: 0, YMax: 1}
	t := Table{Caption: "In the simulator: stale right after the acknowledgement", Head: []string{"r, w", "reads", "stale", "predicted"}}
	var predicted []Series // behind what was measured, so that both of a pair have one colour
	for _, c := range virtual.Curves {
		m, q := Series{Name: fmt.Sprintf("r=%d w=%d, measured", c.R, c.W)}, Series{Name: fmt.Sprintf("r=%d w=%d, predicted", c.R, c.W), Model: true}
		for i, d := range virtual.Delays {
			at := float64(d) / float64(time.Millisecond)
			m.Points = append(m.Points, Point{at, float64(c.Stale[i]) / float64(max(c.Reads[i], 1))})
			q.Points = append(q.Points, Point{at, c.Predicted[i]})
		}
		p.Series, predicted = append(p.Series, m), append(predicted, q)
		t.Rows = append(t.Rows, []string{fmt.Sprintf("%d, %d", c.R, c.W), fmt.Sprint(c.Reads[0]), staleShare(c.Stale[0], c.Reads[0]), fmt.Sprintf("%.1f %%", 100*c.Predicted[0])})
	}
	p.Series = append(p.Series, predicted...)
	return Section{
		Item: "sections 2.3 and 4.5: what r + w ≤ n costs",
		How: fmt.Sprintf("Three replicas. Nodes write a key, and after the acknowledgement, by the clock of whoever wrote, another replica of it is asked to read it. In the plot, on virtual time, a message takes %v and %v more by chance, "+
			"and a sync %v. In the second table three real processes send each other everything %v late. What is predicted comes from the round trips that the nodes have seen.", virtual.Delay, virtual.Jitter, virtual.Sync, liveWay),
		Plots:  []Plot{p},
		Tables: []Table{t, live},
		Differs: "The paper gives no figure for it: that r and w may be chosen so that reads miss writes is said in sections 2.3, 4.5 and 6, and how often is left to who chooses. The prediction is that of Bailis et al. (VLDB 2012), with one " +
			"assumption more, since a node can't measure a way in one direction: that what a round trip takes longer than the quickest is split between both ways anywhere. Where messages all take as long, as between the real nodes, it sees late ones that are not there, since a node counts times in steps of a quarter; and a read that waits merges what comes meanwhile, so that fewer are stale. With r + w > n none is stale, measured or predicted.",
	}, nil
}

func staleShare(stale, reads int) string {
	return fmt.Sprintf("%.1f %%", 100*float64(stale)/float64(max(reads, 1)))
}

// liveWay is how much later a message arrives at the real nodes.
const liveWay = 10 * time.Millisecond

// liveStaleness measures it on processes of their own.
func liveStaleness(ctx context.Context, lab *Lab) (Table, error) {
	c, err := lab.Cluster(ctx, 3)
	if err != nil {
		return Table{}, err
	}
	defer c.Stop()
	if err := c.Slow(liveWay); err != nil {
		return Table{}, err
	}
	d := 30 * time.Second
	if lab.Quick {
		d = 2 * time.Second
	}
	delays := []time.Duration{0, 5 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond} // those that nodes predict for
	m, err := newStaleRounds(c.Clients(), delays)
	if err != nil {
		return Table{}, err
	}
	defer m.close()
	if err := m.run(ctx, d); err != nil {
		return Table{}, err
	}
	admin, err := client.NewAdmin(c.Admins()[0])
	if err != nil {
		return Table{}, err
	}
	defer admin.Close()
	info, err := admin.Staleness(ctx, 3)
	if err != nil {
		return Table{}, err
	}
	return m.table(info), nil
}

// staleRounds writes at one node and reads at another, again and again.
type staleRounds struct {
	nodes  []*client.Client
	delays []time.Duration

	mu           sync.Mutex
	reads, stale map[[2]int][]int // by r and w, then by delay
	failed       int
	last         error
}

func newStaleRounds(addrs []string, delays []time.Duration) (*staleRounds, error) {
	m := &staleRounds{delays: delays, reads: map[[2]int][]int{}, stale: map[[2]int][]int{}}
	for _, p := range stalePairs() {
		m.reads[p], m.stale[p] = make([]int, len(delays)), make([]int, len(delays))
	}
	for _, addr := range addrs {
		n, err := client.New(addr)
		if err != nil {
			m.close()
			return nil, err
		}
		m.nodes = append(m.nodes, n)
	}
	return m, nil
}

func (m *staleRounds) close() {
	for _, n := range m.nodes {
		n.Close()
	}
}

// run makes rounds for a while, some of each r and w at once. It fails where none
// succeeds.
func (m *staleRounds) run(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var all sync.WaitGroup
	for i, p := range stalePairs() {
		for j := range 2 {
			all.Go(func() {
				r := rand.New(rand.NewPCG(uint64(i), uint64(j)))
				key := ouro.Key{Bucket: "staleness", Name: fmt.Sprint(i, j)}
				var seen ouro.Context
				for n := 0; ctx.Err() == nil; n++ {
					seen = m.round(ctx, key, (i+j)%len(m.nodes), p, seen, fmt.Sprint(n), r)
				}
			})
		}
	}
	all.Wait()
	done := 0
	for _, reads := range m.reads {
		for _, n := range reads {
			done += n
		}
	}
	if done == 0 {
		return fmt.Errorf("none of %d rounds succeeded: %w", m.failed, m.last)
	}
	return nil
}

// round is one write and one read. Always the same node writes a key: under a context of
// another's the write would be passed on to that one. It returns what the next write goes
// under.
func (m *staleRounds) round(ctx context.Context, key ouro.Key, writer int, p [2]int, seen ouro.Context, value string, r *rand.Rand) ouro.Context {
	opts := []ouro.Option{ouro.W(p[1]), ouro.Blind()}
	if seen != nil {
		opts = append(opts, ouro.WithContext(seen))
	}
	reader := (writer + 1 + r.IntN(len(m.nodes)-1)) % len(m.nodes)
	wrote, err := m.nodes[writer].Put(ctx, key, ouro.Value{Data: []byte(value)}, opts...)
	if err != nil {
		m.fails(err)
		return seen
	}
	acked := time.Now()
	select {
	case <-ctx.Done():
		return wrote.Context
	case <-time.After(m.delays[r.IntN(len(m.delays))]):
	}
	after := time.Since(acked)
	read, err := m.nodes[reader].Get(ctx, key, ouro.R(p[0]))
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		m.fails(err)
		return wrote.Context
	}
	fresh := slices.ContainsFunc(read.Siblings, func(s ouro.Sibling) bool { return string(s.Data) == value })
	m.mu.Lock()
	defer m.mu.Unlock()
	at := 0
	for i, d := range m.delays {
		if d <= after {
			at = i
		}
	}
	m.reads[p][at]++
	if !fresh {
		m.stale[p][at]++
	}
	return wrote.Context
}

func (m *staleRounds) fails(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failed++
	m.last = err
}

// table sets what was measured beside what a node predicts.
func (m *staleRounds) table(info ouro.Staleness) Table {
	t := Table{Caption: "On real nodes: stale reads, and what the first node predicts of them", Head: []string{"r, w"}}
	for _, d := range m.delays {
		t.Head = append(t.Head, fmt.Sprintf("after %v", d), "predicted")
	}
	for _, p := range stalePairs() {
		row := []string{fmt.Sprintf("%d, %d", p[0], p[1])}
		for i, d := range m.delays {
			row = append(row, fmt.Sprintf("%s of %d", staleShare(m.stale[p][i], m.reads[p][i]), m.reads[p][i]), predictedFor(info, p, d))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func predictedFor(info ouro.Staleness, p [2]int, after time.Duration) string {
	at := slices.Index(info.Delays, after.Seconds())
	for i := range info.Pairs {
		if q := &info.Pairs[i]; q.R == p[0] && q.W == p[1] && at >= 0 {
			return fmt.Sprintf("%.1f %%", 100*q.Stale[at])
		}
	}
	return "-"
}

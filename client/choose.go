package client

import (
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ourodb/ouro"
)

// What a node that failed is left alone for: from resting to resting<<restings, and
// how fast what is known of a node's speed is forgotten.
const (
	resting  = 50 * time.Millisecond
	restings = 6
	forgets  = 5 * time.Second
	explores = 8 // one request in so many goes to any replica, to learn how it does now
)

// state is what is known of how a server does.
type state struct {
	mu       sync.Mutex
	inFlight int
	took     float64   // seconds, a mean that follows; 0: nothing is known
	at       time.Time // when it was last told
	failed   int       // times in a row
	until    time.Time // it is left alone
	reads    reads
}

func (s *state) begin() {
	s.mu.Lock()
	s.inFlight++
	s.mu.Unlock()
}

// drop ends what nobody waits for any more.
func (s *state) drop() {
	s.mu.Lock()
	s.inFlight--
	s.mu.Unlock()
}

// done notes how long an answer took.
func (s *state) done(took time.Duration, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	s.failed, s.until = 0, time.Time{}
	switch {
	case s.at.IsZero(): // the first had to connect
	case s.took == 0:
		s.took = took.Seconds()
	default:
		s.took += (took.Seconds() - s.took) / 8
	}
	s.at = now
}

// late notes that there was no answer for so long, when nobody waited any more.
func (s *state) late(took time.Duration, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	if took.Seconds() > s.took {
		s.took += (took.Seconds() - s.took) / 8
		s.at = now
	}
}

// usual is how long a node takes; 0: nothing is known.
func (s *state) usual() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.took * float64(time.Second))
}

// fail notes that there was none, or that of a node that can't answer.
func (s *state) fail(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	rest := resting << min(s.failed, restings)
	s.failed++
	s.until = now.Add(rest/2 + rand.N(rest/2+1))
}

// cost is how long a node is expected to take, and whether it is left alone.
func (s *state) cost(now time.Time) (cost float64, rests bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	took := s.took * math.Exp2(-float64(now.Sub(s.at))/float64(forgets))
	return took * float64(s.inFlight+1), now.Before(s.until)
}

// others is how many nodes that hold no replica are tried in a round.
const others = 3

// nodesFor lists whom to ask for a key, in order: its replicas, then some others, then
// the seeds; those that failed lately come last. Without a ring it is the seeds.
func (c *Cluster) nodesFor(key ouro.Key, prefer string) []*server {
	t := c.table.Load()
	if t == nil {
		return c.anyNode()
	}
	now := time.Now()
	list := order(t.replicas(make([]*server, 0, 8), key), now, prefer)
	more := 0
	for _, at := range rand.Perm(len(t.servers)) {
		if s := t.servers[at]; s != nil && more < others && !slices.Contains(list, s) {
			list = append(list, s)
			more++
		}
	}
	return restingLast(c.withSeeds(list), now)
}

// withSeeds appends the seeds at other addresses: where nodes are known by addresses of
// another network, as behind a forwarded port, nobody else can be reached.
func (c *Cluster) withSeeds(list []*server) []*server {
	for _, seed := range c.seeds {
		if !slices.ContainsFunc(list, func(s *server) bool { return s.client.base.Host == seed.client.base.Host }) {
			list = append(list, seed)
		}
	}
	return list
}

// anyNode lists all nodes in an order drawn anew, then the seeds.
func (c *Cluster) anyNode() []*server {
	list := append([]*server{}, c.seeds...)
	if t := c.table.Load(); t != nil {
		list = list[:0]
		for _, s := range t.servers {
			if s != nil {
				list = append(list, s)
			}
		}
	}
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return restingLast(c.withSeeds(list), time.Now())
}

// order puts first the better of two drawn at random, so that not all clients go to
// the one that was best a moment ago, or the one preferred; then the others by cost.
func order(list []*server, now time.Time, prefer string) []*server {
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	if len(list) > 1 && rand.N(explores) > 0 {
		a, _ := list[0].state.cost(now)
		if b, _ := list[1].state.cost(now); b < a {
			list[0], list[1] = list[1], list[0]
		}
	}
	for i, s := range list {
		if prefer != "" && s.id == prefer {
			copy(list[1:i+1], list[:i])
			list[0] = s
		}
	}
	return list
}

// restingLast moves those that are left alone behind the others.
func restingLast(list []*server, now time.Time) []*server {
	out := make([]*server, 0, len(list))
	var rest []*server
	for _, s := range list {
		if _, rests := s.state.cost(now); rests {
			rest = append(rest, s)
		} else {
			out = append(out, s)
		}
	}
	return append(out, rest...)
}

// stale says whether an answer shows that a key is elsewhere than the table has it. A
// replica coordinates every read that it is asked for, and passes a write to another
// replica at most.
func (c *Cluster) stale(s *server, r *call, res *ouro.Result) bool {
	t := c.table.Load()
	if t == nil || s.id == "" || res.Coordinator == "" || res.Coordinator == s.id || !t.holds(r.key, s.id) {
		return false
	}
	return r.method == http.MethodGet || !t.holds(r.key, res.Coordinator)
}

package client

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/local"
)

// A client that coordinates a read asks as many replicas as must answer for their own
// copies at the same time, one of them for all of it, and takes that where they say the
// same (package local). That saves the way between two nodes. It costs a request more,
// so it is done where it is quicker, the way to a coordinator included where the copies
// differed. One read in some goes the other way, and is compared with what those that go
// the usual way take now: a machine that is busy for a while makes both slow.
const (
	learns    = 16               // one read in so many goes the other way, and means are of so many
	curious   = 4                // until so many have, half of the reads do
	margin    = .9               // of the time of the other way: what makes it worth a request more
	outlier   = 4                // times as quick, or as slow, is the most that one read counts for
	unwilling = time.Second      // a replica that does not answer for its copy is not asked again for so long
	apart     = 10 * time.Second // answers further apart are not those of one read (RULES R10)
)

// reads is what is known of reads that are placed at a replica, or would be.
type reads struct {
	node   usual     // of those that nodes coordinated
	self   usual     // of those that the client coordinated
	edge   usual     // what the client takes of what nodes take
	copied usual     // of the replica's own copy
	not    time.Time // until then it is not asked for that
}

// usual is the logarithm of what is usual: a mean that follows, in which what takes very
// long counts little.
type usual struct {
	n   int
	log float64
}

func (u *usual) follow(log float64) {
	u.n++
	u.log += (log - u.log) / float64(min(u.n, learns))
}

// note notes how long a read took, by the client or by nodes, and whether that was to
// see how it does.
func (r *reads) note(self, tried bool, took time.Duration) {
	log := math.Log(max(took, 1).Seconds())
	mine, other, sign := &r.node, &r.self, -1.
	if self {
		mine, other, sign = &r.self, &r.node, 1.
	}
	mine.follow(log)
	if tried && other.n > 0 {
		r.edge.follow(sign * min(max(log-other.log, -math.Log(outlier)), math.Log(outlier)))
	}
}

// quicker says whether the client had better coordinate what it would place here.
func (r *reads) quicker() bool { return r.edge.n > 0 && r.edge.log < math.Log(margin) }

// draw says who coordinates the next read, and whether that is to see how it does.
func (r *reads) draw() (self, try bool) {
	of := learns
	if r.edge.n < curious {
		of = 2
	}
	try = rand.N(of) == 0
	return r.quicker() != try, try
}

// copied notes how long the answer for the own copy took, or that none came in time.
func (s *state) copied(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	s.reads.copied.follow(math.Log(max(took, 1).Seconds()))
}

// outrun notes that the answer for the own copy had not come for so long, when it was
// not waited for any more.
func (s *state) outrun(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	if log := math.Log(max(took, 1).Seconds()); s.reads.copied.n == 0 || log > s.reads.copied.log {
		s.reads.copied.follow(log)
	}
}

// unwilling notes that a server does not answer for its own copy.
func (s *state) unwilling(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	s.reads.not = now.Add(unwilling/2 + rand.N(unwilling))
}

// willing says how long a server takes for its own copy, as a logarithm; false: it is not
// to be asked.
func (s *state) willing(now time.Time) (log float64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	log, ok = s.reads.copied.log, !now.Before(s.until) && !now.Before(s.reads.not)
	if s.reads.copied.n == 0 {
		log = math.Inf(-1)
	}
	return log, ok
}

// get reads a key by whichever way is quicker.
func (c *Cluster) get(ctx context.Context, r *call, a *attempts) (res ouro.Result, err error) {
	home, copies := c.copies(r)
	if home == nil {
		return c.hedged(ctx, r, a)
	}
	home.state.mu.Lock()
	self, try := home.state.reads.draw()
	home.state.mu.Unlock()
	if c.settings.reads == Itself {
		self, try = true, false
	}
	began := time.Now()
	if self {
		res, err = c.coordinate(ctx, r, a, copies)
	} else {
		res, err = c.hedged(ctx, r, a)
	}
	if shown(err) {
		home.state.mu.Lock()
		home.state.reads.note(self, try, time.Since(began))
		home.state.mu.Unlock()
	}
	return res, err
}

// coordinate asks replicas for their own copies of a key. Where what they say is not the
// answer of a read, or takes longer than usual, a node coordinates the read too.
func (c *Cluster) coordinate(ctx context.Context, r *call, a *attempts, ask []*server) (ouro.Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g := gathering{began: time.Now(), want: len(ask), came: make(chan copied, len(ask))}
	for i, s := range ask {
		go func() { g.came <- c.copyOf(ctx, r, s, i == 0) }()
	}
	most := hedgeMost
	if end, ok := ctx.Deadline(); ok {
		most = min(most, end.Sub(g.began)/2)
	}
	late := time.NewTimer(min(c.copied.wait(), most))
	defer late.Stop()
	var node chan answer // nil: none coordinates it
	place := func() {
		if node == nil {
			node = make(chan answer, 1)
			go func() {
				var b answer
				b.res, b.err = c.hedged(ctx, r, a)
				node <- b
			}()
		}
	}
	for {
		select {
		case one := <-g.came:
			if g.take(one) {
				c.copied.note(time.Since(g.began))
				return g.shows.res, g.shows.err
			}
			if g.over {
				place()
			}
		case <-late.C:
			if c.copied.take() || time.Since(g.began) > most {
				place()
			} else { // all are slow: a cluster in trouble is not asked twice for everything
				late.Reset(min(c.copied.wait(), most))
			}
		case b := <-node:
			if !g.over {
				c.copied.note(time.Since(g.began)) // at least
			}
			return b.res, b.err
		}
	}
}

// gathering is what replicas have said so far of their own copies.
type gathering struct {
	began time.Time
	want  int
	came  chan copied
	said  []local.Said
	shows copied // of the one that was asked for all of it
	over  bool   // they do not agree
}

// take takes what one of them says, and reports whether they all have said what makes
// a read.
func (g *gathering) take(one copied) bool {
	w, ok := local.Parse(one.by)
	if g.over || !ok || !shown(one.err) {
		g.over = true
		return false
	}
	if g.said = append(g.said, local.Said{Node: one.res.Coordinator, Word: w}); one.all {
		g.shows = one
	}
	if len(g.said) < g.want {
		return false
	}
	g.over = !local.Agree(g.said) || elapsed(g.began) > apart
	g.shows.res.Quorum.Acks, g.shows.res.Quorum.Primaries = g.want, g.want
	return !g.over
}

// copies lists the replicas to ask for their own copies of a key, as many as must
// answer, and where the read would be placed; nil: it is not for the client. Quick
// ones are asked, and now and then any.
func (c *Cluster) copies(r *call) (home *server, ask []*server) {
	t := c.table.Load()
	if t == nil || c.settings.reads == AtNodes || r.opt.Explain {
		return nil, nil
	}
	need, now := t.answers(r), time.Now()
	if need < 2 {
		return nil, nil
	}
	list := order(t.replicas(make([]*server, 0, 8), r.key), now, "")
	took := make(map[*server]float64, len(list))
	for _, s := range list {
		if d, ok := s.state.willing(now); ok {
			took[s] = d
			ask = append(ask, s)
		}
	}
	if len(ask) < need {
		return nil, nil
	}
	home = ask[0]
	if rand.N(explores) > 0 {
		slices.SortStableFunc(ask, func(a, b *server) int { return cmp.Compare(took[a], took[b]) })
	}
	return home, ask[:need]
}

// copied is what one replica answered for its own copy.
type copied struct {
	res ouro.Result
	by  string
	err error
	all bool // and not only what is said of it
}

// elapsed is how long something has lasted, by the clock that shows more: one of them
// stands still while a machine is suspended.
func elapsed(began time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(began), now.Round(0).Sub(began.Round(0)))
}

// copyOf asks one replica for its own copy, all of it or what is said of it, and keeps
// what that shows of the replica.
func (c *Cluster) copyOf(ctx context.Context, r *call, s *server, all bool) copied {
	one := *r
	if one.local = "digest"; all {
		one.local = "true"
	}
	a := copied{all: all}
	if a.err = s.begin(ctx, 0); a.err != nil {
		return a
	}
	defer s.conns.free()
	began := time.Now()
	a.res, a.by, a.err = s.client.exchange(ctx, &one)
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // another said enough
		s.state.outrun(time.Since(began))
	case shown(a.err), ctx.Err() != nil:
		s.state.copied(time.Since(began))
	case brokenOff(a.err):
		s.state.fail(time.Now())
		c.kick()
	default:
		c.refused(s, a.err)
	}
	return a
}

// refused keeps what it shows of a replica that it does not answer for its own copy: of
// one that recovers, or holds it no more, that it will not for a while.
func (c *Cluster) refused(s *server, err error) {
	switch code := ouro.CodeOf(err); {
	case code == ouro.HotKey, !goesOn(err): // of the key, or of the request
		s.state.drop()
	case code == ouro.QuorumUnavailable:
		c.kick()
		fallthrough
	default:
		s.state.unwilling(time.Now())
	}
}

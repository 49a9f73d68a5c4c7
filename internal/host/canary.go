package host

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/canary"
	"github.com/ourodb/ouro/internal/core/ring"
)

const (
	canaryTimeout = 5 * time.Second // of one act
	canaryTTL     = 24 * time.Hour  // what nobody writes any more goes by itself
	maxReaders    = 64              // connections to nodes that read are kept for so many
)

// Reader is a node as its clients see it.
type Reader interface {
	Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error)
	Close()
}

// bird is the canary of a host; without one it is nil.
type bird struct {
	host    *Host
	every   time.Duration
	readers map[ring.NodeID]reader

	mu   sync.Mutex // of what follows
	core *canary.Canary
	err  string // of the last act that failed
}

type reader struct {
	Reader
	addr string
}

func newBird(h *Host) *bird {
	if h.cfg.Canary <= 0 || h.cfg.Reader == nil {
		return nil
	}
	r := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	return &bird{
		host: h, every: h.cfg.Canary, readers: map[ring.NodeID]reader{},
		core: canary.New(canary.Config{Every: h.cfg.Canary}, h.view.Load().Self, r),
	}
}

// run measures until the host stops.
func (b *bird) run() {
	defer b.forget()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-b.host.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		b.mu.Lock()
		wait := b.core.Deadline() - b.host.now().Mono
		b.mu.Unlock()
		if wait > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(wait):
			}
		}
		if ctx.Err() != nil {
			return
		}
		b.mu.Lock()
		a := b.core.Step(b.host.now(), b.holders)
		b.mu.Unlock()
		if a.Kind != canary.None {
			b.do(ctx, &a)
		}
	}
}

// holders tells who holds a key. While clients are served slowly nothing is measured:
// the node has better to do.
func (b *bird) holders(key ring.Key) []ring.NodeID {
	if b.host.Admission().Over {
		return nil
	}
	return b.host.view.Load().Holders(key)
}

// do carries out one act.
func (b *bird) do(ctx context.Context, a *canary.Act) {
	ctx, cancel := context.WithTimeout(ctx, canaryTimeout)
	defer cancel()
	key := ouro.Key{Bucket: a.Key.Bucket, Name: a.Key.Name}
	var res ouro.Result
	var err error
	switch a.Kind {
	case canary.Write:
		opts := []ouro.Option{ouro.W(a.Count), ouro.PW(0), ouro.DW(0), ouro.TTL(canaryTTL)}
		if len(a.Context) > 0 {
			opts = append(opts, ouro.WithContext(a.Context))
		}
		res, err = b.host.Put(ctx, key, ouro.Value{Data: a.Value, ContentType: "text/plain"}, opts...)
	case canary.Read:
		var r Reader
		if r, err = b.reader(a.At); err == nil {
			res, err = r.Get(ctx, key, ouro.R(a.Count), ouro.PR(0))
		}
	default:
		res, err = b.host.Get(ctx, key)
	}
	if ouro.CodeOf(err) == ouro.NotFound {
		err = nil
	}
	out := canary.Result{Failed: err != nil, Context: res.Context, Primaries: res.Quorum.Primaries}
	for i := range res.Siblings {
		out.Values = append(out.Values, res.Siblings[i].Data)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.err = err.Error()
	}
	b.core.Done(b.host.now(), out)
}

// reader returns a node by the port for its clients.
func (b *bird) reader(id ring.NodeID) (Reader, error) {
	b.host.links.mu.Lock()
	addr := b.host.links.serves[id]
	b.host.links.mu.Unlock()
	if addr == "" {
		return nil, ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "where clients reach node %s is not known yet", id)
	}
	if r, ok := b.readers[id]; ok && r.addr == addr {
		return r.Reader, nil
	}
	if len(b.readers) >= maxReaders || b.readers[id].Reader != nil {
		b.forget()
	}
	r, err := b.host.cfg.Reader(addr)
	if err != nil {
		return nil, err
	}
	b.readers[id] = reader{r, addr}
	return r, nil
}

// forget drops the connections to all readers.
func (b *bird) forget() {
	for _, r := range b.readers {
		r.Close()
	}
	clear(b.readers)
}

// info is what was measured so far; nil: there is no canary.
func (b *bird) info() *ouro.CanaryInfo {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.core.Counts()
	info := &ouro.CanaryInfo{
		Bucket: canary.Bucket, N: c.N, Every: b.every.Seconds(), Since: b.host.started.UTC(), Failed: c.Failed, Error: b.err,
		Delays: seconds(c.Delays), Pairs: []ouro.CanaryPair{},
	}
	for i := range c.Pairs {
		p := &c.Pairs[i]
		info.Pairs = append(info.Pairs, ouro.CanaryPair{
			R: p.R, W: p.W, Reads: p.Reads[:len(c.Delays):len(c.Delays)], Stale: p.Stale[:len(c.Delays):len(c.Delays)], StoodIn: p.StoodIn, StoodInStale: p.StoodInStale,
		})
	}
	return info
}

// Staled returns what is predicted for the pairs of r and w that metrics tell of, and
// what the canary has measured; none where that is not known.
func (h *Host) Staled() ([]ouro.StalePair, *ouro.CanaryInfo) {
	info, err := h.staleness(context.Background(), 0, metricsEvery)
	if err != nil {
		return nil, h.canary.info()
	}
	levels := canary.Levels(info.N)
	var told []ouro.StalePair
	for _, p := range info.Pairs {
		if slices.Contains(levels, p.R) && slices.Contains(levels, p.W) {
			told = append(told, p)
		}
	}
	return told, info.Canary
}

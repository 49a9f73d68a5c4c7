package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ourodb/ouro"
)

// Run loads the keys, warms up, puts the cluster under load and reports.
// Interrupting ctx ends the measurement early; what was measured is reported.
func Run(ctx context.Context, cfg Config, d Driver) (*Report, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	b := &run{cfg: cfg, driver: d, seen: make(contexts, cfg.Keys), keys: newChooser(cfg.Dist, cfg.Keys)}
	b.pool = randomBytes(cfg.Seed, cfg.ValueSize)
	if cfg.Load {
		if err := b.load(ctx); err != nil {
			return nil, err
		}
	}
	if cfg.Loaded != nil {
		cfg.Loaded()
	}
	if cfg.Warmup > 0 {
		b.measure(ctx, cfg.Warmup, 0)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	before, err := cpuOf(cfg.PIDs)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	tallies := b.measure(ctx, cfg.Duration, cfg.Ops)
	took := time.Since(start)
	after, err := cpuOf(cfg.PIDs)
	if err != nil {
		return nil, fmt.Errorf("a node ended during the run: %w", err)
	}
	return newReport(cfg, tallies, took, cpu{after.user - before.user, after.system - before.system}), nil
}

type run struct {
	cfg    Config
	driver Driver
	seen   contexts
	keys   chooser
	pool   []byte // values are pieces of it
}

// randomBytes returns what values are cut from: incompressible, and long enough
// for pieces to differ.
func randomBytes(seed uint64, size int) []byte {
	src := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)})
	b := make([]byte, size+1<<16)
	src.Read(b)
	return b
}

func (b *run) value(r *rand.Rand) []byte {
	at := r.IntN(len(b.pool) - b.cfg.ValueSize)
	return b.pool[at : at+b.cfg.ValueSize : at+b.cfg.ValueSize]
}

// load gives every key a value and learns its context.
func (b *run) load(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range b.cfg.Workers {
		r := rand.New(rand.NewPCG(b.cfg.Seed, uint64(w)|1<<40))
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < b.cfg.Keys && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := b.loadOne(ctx, i, r); err != nil {
					cancel(fmt.Errorf("loading %s: %w", keyName(i), err))
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// loadTries bounds how often loading one key is tried.
const loadTries = 10

func (b *run) loadOne(ctx context.Context, i int, r *rand.Rand) (err error) {
	for try := range loadTries {
		if err = b.loadTry(ctx, i, r); err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(time.Duration(try) * 20 * time.Millisecond)
	}
	return err
}

func (b *run) loadTry(ctx context.Context, i int, r *rand.Rand) error {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.OpTimeout)
	defer cancel()
	got, err := b.driver.Get(ctx, keyName(i))
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		return err
	}
	if got.Siblings == 0 {
		if got.Context, err = b.driver.Put(ctx, keyName(i), b.value(r), got.Context); err != nil {
			return err
		}
	}
	b.seen.told(i, nil, got.Context)
	return nil
}

// measure runs the workers for a time, or until so many operations were begun
// where ops is not 0.
func (b *run) measure(ctx context.Context, d time.Duration, ops int64) []*tally {
	if ops == 0 {
		ops = 1<<63 - 1
	}
	start := time.Now()
	ctx, cancel := context.WithDeadline(ctx, start.Add(d))
	defer cancel()
	tallies := make([]*tally, b.cfg.Workers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range tallies {
		t := newTally()
		tallies[w] = t
		r := rand.New(rand.NewPCG(b.cfg.Seed, uint64(w)))
		wg.Go(func() {
			for n := next.Add(1) - 1; n < ops && ctx.Err() == nil; n = next.Add(1) - 1 {
				due, ok := b.due(ctx, start, n)
				if !ok {
					return
				}
				b.one(r, t, due)
			}
		})
	}
	wg.Wait()
	return tallies
}

// due waits for the moment at which operation n is to begin and returns it.
func (b *run) due(ctx context.Context, start time.Time, n int64) (time.Time, bool) {
	if b.cfg.Rate == 0 {
		return time.Now(), true
	}
	due := start.Add(time.Duration(float64(n) / b.cfg.Rate * float64(time.Second)))
	wait := time.Until(due)
	if wait <= 0 {
		return due, true
	}
	select {
	case <-time.After(wait):
		return due, true
	case <-ctx.Done():
		return due, false
	}
}

// one does one operation, outside the measurement's context: what was begun is
// waited for.
func (b *run) one(r *rand.Rand, t *tally, due time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), b.cfg.OpTimeout)
	defer cancel()
	i := b.keys.next(r)
	before := b.seen[i].Load()
	if r.Float64() < b.cfg.Reads {
		got, err := b.driver.Get(ctx, keyName(i))
		if ouro.CodeOf(err) == ouro.NotFound {
			err = nil // an answer as good as any
		}
		t.gets.note(time.Since(due), err)
		if err == nil {
			t.siblings(got.Siblings)
			b.seen.told(i, before, got.Context)
		}
		return
	}
	now, err := b.driver.Put(ctx, keyName(i), b.value(r), before.context())
	t.puts.note(time.Since(due), err)
	switch ouro.CodeOf(err) {
	case "":
		if err == nil {
			b.seen.told(i, before, now)
		}
	case ouro.TooManySiblings, ouro.BadContext:
		b.seen.forget(i, before)
	}
}

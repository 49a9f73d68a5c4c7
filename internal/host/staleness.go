package host

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/canary"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/stale"
)

// For how long a prediction is shown before another is made, to who asks and to the
// metrics: one takes some 50 ms of one processor.
const (
	predictEvery = 10 * time.Second
	metricsEvery = time.Minute
)

// predictions are those that were made last, by n.
type predictions struct {
	mu  sync.Mutex
	all [stale.MaxN + 1]prediction
}

type prediction struct {
	*stale.Prediction // nil: too little is known
	measured          []ouro.AnswerTimes
	at                time.Time
}

// delays are how long after the acknowledgement it is told of: those of the canary.
func delays() []time.Duration { return canary.Config{}.WithDefaults().Delays }

// Staleness implements [ouro.Inspector].
func (h *Host) Staleness(ctx context.Context, n int) (ouro.Staleness, error) {
	return h.staleness(ctx, n, predictEvery)
}

func (h *Host) staleness(ctx context.Context, n int, old time.Duration) (ouro.Staleness, error) {
	v := h.view.Load()
	if v.Ring.Q() == 0 {
		return ouro.Staleness{Node: string(v.Self), Delays: seconds(delays()), Pairs: []ouro.StalePair{}, Measured: []ouro.AnswerTimes{}, Lacks: "this node is in no cluster"}, nil
	}
	if n == 0 {
		n = effective(v, v.Buckets.Default).N
	}
	if most := min(len(v.Ring.Nodes()), stale.MaxN); n < 1 || n > most {
		return ouro.Staleness{}, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "n=%d: a key has 1 to %d replicas here", n, most)
	}
	p, err := h.predict(ctx, n, old)
	if err != nil {
		return ouro.Staleness{}, err
	}
	info := ouro.Staleness{Node: string(v.Self), N: n, Delays: seconds(delays()), Pairs: []ouro.StalePair{}, Measured: p.measured, Canary: h.canary.info()}
	if p.Prediction == nil {
		info.Lacks = "this node has coordinated no write and no read yet that others answered"
		return info, nil
	}
	for r := 1; r <= n; r++ {
		for w := 1; w <= n; w++ {
			info.Pairs = append(info.Pairs, stalePair(p.Prediction, r, w))
		}
	}
	return info, nil
}

func stalePair(p *stale.Prediction, r, w int) ouro.StalePair {
	s := ouro.StalePair{R: r, W: w, Visible99: p.Visible(r, w, .99).Seconds(), Visible999: p.Visible(r, w, .999).Seconds()}
	for _, after := range delays() {
		s.Stale = append(s.Stale, p.Stale(r, w, after))
	}
	s.TwoBehind = stale.Behind(s.Stale[0], 2)
	return s
}

func seconds(all []time.Duration) []float64 {
	s := make([]float64, len(all))
	for i, d := range all {
		s[i] = d.Seconds()
	}
	return s
}

// predict returns the last prediction for n, where it is not so old, or makes one. Who
// asks meanwhile waits for it. That there was none is no prediction.
func (h *Host) predict(ctx context.Context, n int, old time.Duration) (prediction, error) {
	h.predicted.mu.Lock()
	defer h.predicted.mu.Unlock()
	last := &h.predicted.all[n]
	if last.Prediction != nil && time.Since(last.at) < old {
		return *last, nil
	}
	var took []node.Took
	err := askAll(ctx, h, ouro.NotDone, func(s *shard) []node.Took { return s.core.Took(nil) }, func(t []node.Took) { took = append(took, t...) })
	if err != nil {
		return prediction{}, err
	}
	self := h.view.Load().Self
	*last = prediction{measured: answerTimes(took, string(self)), at: time.Now()}
	if by := node.Measured(self, took); by.Known() {
		last.Prediction = stale.Predict(rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), n, stale.Trials, by.Draw())
	}
	return *last, nil
}

// answerTimes adds up what shards tell: the node itself first, then the others by id.
func answerTimes(took []node.Took, self string) []ouro.AnswerTimes {
	all := []ouro.AnswerTimes{}
	sums := map[string]*stale.Times{}
	for i := range took {
		id := string(took[i].ID)
		if sums[id] == nil {
			sums[id] = &stale.Times{}
			all = append(all, ouro.AnswerTimes{Node: id})
		}
		sums[id].Reads.Join(&took[i].Reads)
		sums[id].Writes.Join(&took[i].Writes)
	}
	rank := func(id string) int {
		if id == self {
			return 0
		}
		return 1
	}
	slices.SortFunc(all, func(a, b ouro.AnswerTimes) int {
		return cmp.Or(cmp.Compare(rank(a.Node), rank(b.Node)), cmp.Compare(a.Node, b.Node))
	})
	for i := range all {
		a, s := &all[i], sums[all[i].Node]
		a.Reads, a.ReadMean, a.Writes, a.WriteMean = s.Reads.Len(), s.Reads.Mean().Seconds(), s.Writes.Len(), s.Writes.Mean().Seconds()
	}
	return all
}

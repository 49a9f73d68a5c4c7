package host

import (
	"sync"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/admit"
	"github.com/ourodb/ouro/internal/core/node"
)

const (
	loadEvery   = time.Second            // how often the cores are told what clients saw
	sampleEvery = 200 * time.Millisecond // how often a shard adds up what it has measured
)

// load is what clients saw of all shards since the cores were told. They share one
// disk, so that each is told of all.
type load struct {
	mu     sync.Mutex
	sample admit.Sample
}

// addUp adds what this shard has measured to what all have, now and then.
func (s *shard) addUp(now time.Duration) {
	if now-s.sampledAt < sampleEvery || s.sample.Empty() {
		return
	}
	s.sampledAt = now
	l := &s.host.load
	l.mu.Lock()
	l.sample.Add(&s.sample)
	l.mu.Unlock()
	s.sample = admit.Sample{}
}

// measureLoad tells the cores once a second until the host stops.
func (h *Host) measureLoad() {
	tick := time.NewTicker(loadEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			h.tellLoad()
		case <-h.stop:
			return
		}
	}
}

// tellLoad tells every core what was measured. One that has not come to the last time
// yet is told both at once, so that nothing piles up before a shard that stands still.
func (h *Host) tellLoad() {
	h.load.mu.Lock()
	defer h.load.mu.Unlock()
	for _, s := range h.shards {
		s.due.Add(&h.load.sample)
		if !s.told {
			s.told = true
			s.in.force(item{do: (*shard).takeLoad, queued: time.Since(h.started)})
		}
	}
	h.load.sample = admit.Sample{}
}

// takeLoad steps the core on what was measured.
func (s *shard) takeLoad() {
	l := &s.host.load
	l.mu.Lock()
	in := &node.Load{Sample: s.due}
	s.due, s.told = admit.Sample{}, false
	l.mu.Unlock()
	s.core.Step(s.now(), in, &s.out)
	st := s.core.Admission()
	s.admission.Store(&st)
	keys := s.core.HotKeys(s.now())
	s.hot.Store(&keys)
}

// Admission returns how much of the node its background work may use: the slices of
// all shards.
func (h *Host) Admission() ouro.AdmissionInfo {
	info := ouro.AdmissionInfo{Threshold: h.admitConfig().Threshold.Seconds(), Off: h.cfg.Core.Admit.Off}
	for k := range admit.Kinds {
		info.Kinds = append(info.Kinds, ouro.AdmissionKind{Kind: k.String()})
	}
	for _, s := range h.shards {
		st := s.admission.Load()
		if st == nil { // nothing was measured yet
			full := admit.New(h.cfg.Core.Admit).Status()
			st = &full
		}
		info.Slices, info.Most = info.Slices+st.Pool, info.Most+st.Most
		for k := range info.Kinds {
			info.Kinds[k].Slices += st.Slices[k]
			info.Kinds[k].Most += st.Full
		}
		if st.Shrunk >= info.Shrunk { // all are told the same; one may be a moment late
			info.Shrunk, info.Over = st.Shrunk, st.Over
			info.ReadP99, info.WaitP99 = st.P99.Seconds(), st.WaitP99.Seconds()
			info.Reads, info.Failed = int(st.Reads), int(st.Failed)
		}
	}
	return info
}

func (h *Host) admitConfig() admit.Config { return h.cfg.Core.Admit.Defaults() }

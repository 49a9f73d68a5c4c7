package telemetry

import (
	"sync"
	"time"
)

// halfHour counts what happened in the last 30 minutes, in slots of one. The paper
// calls a node in balance whose requests in such a window are within 15 % of the mean
// of all nodes (section 6.2).
type halfHour struct {
	mu     sync.Mutex
	slots  [30]int
	minute int64 // of the newest slot
	now    func() time.Duration
}

func newHalfHour(r registrar) *halfHour {
	began := time.Now()
	h := &halfHour{now: func() time.Duration { return time.Since(began) }}
	r.gaugeFunc("ouro_half_hour_requests", "Requests that this node coordinated and answered in the last 30 minutes.", func() float64 { return float64(h.sum()) })
	return h
}

// turn empties the slots of minutes that have begun since.
func (h *halfHour) turn() {
	minute := int64(h.now() / time.Minute)
	for steps := min(minute-h.minute, int64(len(h.slots))); steps > 0; steps-- {
		h.slots[(minute-steps+1)%int64(len(h.slots))] = 0
	}
	h.minute = max(h.minute, minute)
}

func (h *halfHour) add(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.turn()
	h.slots[h.minute%int64(len(h.slots))] += n
}

func (h *halfHour) sum() (all int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.turn()
	for _, n := range h.slots {
		all += n
	}
	return all
}

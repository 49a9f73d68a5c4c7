package repair

import (
	"time"

	"github.com/ourodb/ouro/internal/core/clock"
)

// burst is by how much sending may be ahead of its rate.
const burst = 10 * time.Millisecond

// SetPace says how far apart two comparisons in turn begin from now on, and how many
// bytes of states a second are exchanged but for partitions that move; 0: as by
// default.
func (r *Repair) SetPace(now clock.Now, every time.Duration, rate int) {
	c := Config{Every: every, Rate: rate}.withDefaults()
	r.sendAt = rescaled(now, r.sendAt, r.cfg.Rate, c.Rate)
	r.cfg.Every, r.cfg.Rate = c.Every, c.Rate
}

// SetMoveRate says how many bytes of states a second are exchanged of partitions
// that move, from now on; 0: as many as by default. What was exchanged already takes
// its time at this rate, too.
func (r *Repair) SetMoveRate(now clock.Now, rate int) {
	c := Config{MoveRate: rate}.withDefaults()
	r.moveAt = rescaled(now, r.moveAt, r.cfg.MoveRate, c.MoveRate)
	r.cfg.MoveRate = c.MoveRate
}

// rescaled returns until when to wait for what was exchanged at one rate, if that is
// another from now on: who was slow must not stay so for as long as it would have taken.
func rescaled(now clock.Now, at time.Duration, from, to int) time.Duration {
	if at <= now.Mono {
		return at
	}
	return now.Mono + time.Duration(float64(at-now.Mono)*float64(from)/float64(to))
}

// window returns how many keys may be on their way. What they weigh is known once they
// came: it begins with one and grows by one with each, while as many of the heaviest
// of late are not more than a link is to hold. A link that is full drops what comes.
func (r *Repair) window(t *talk) int {
	window := r.cfg.Window
	if t.out.Number != 0 {
		window = r.cfg.MoveWindow
	}
	return max(min(window, t.came+1, r.cfg.Weight/max(t.weight, 1)), 1)
}

// pace makes what follows wait until size bytes have had their time.
func (r *Repair) pace(now clock.Now, t *talk, size int) {
	rate := r.cfg.Rate
	if t.out.Number != 0 {
		rate = r.cfg.MoveRate
	}
	t.out.Bytes += int64(size)
	t.came, t.weight = t.came+1, max(size, t.weight/2)
	at := r.freeAt(t)
	*at = max(*at, now.Mono) + time.Duration(float64(size)/float64(rate)*float64(time.Second))
}

// freeAt is when what was exchanged so far, of those at the same rate, has had its
// time.
func (r *Repair) freeAt(t *talk) *time.Duration {
	if t.out.Number != 0 {
		return &r.moveAt
	}
	return &r.sendAt
}

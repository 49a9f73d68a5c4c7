package transport

import (
	"errors"
	"maps"
	"sync"
	"time"
)

// Fault is what goes wrong between this node and one peer, as seen from here.
// It acts on messages: what this node sends, what it hears.
type Fault struct {
	DropOut bool          // what is sent to the peer is lost; its link falls as on a real cut, by silence
	DropIn  bool          // what the peer sends is lost, its attempts to connect included
	Delay   time.Duration // what is sent to the peer leaves so much later
}

// SetFault injects a fault, in place of the one before; the zero Fault ends it.
// It fails unless Config.Faults allows it.
func (t *Transport) SetFault(peer string, f Fault) error {
	if !t.cfg.Faults {
		return errors.New("transport: faults are not enabled: they are for dev clusters")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	next := map[string]Fault{}
	if old := t.faults.Load(); old != nil {
		next = maps.Clone(*old)
	}
	next[peer] = f
	if f == (Fault{}) {
		delete(next, peer)
	}
	t.faults.Store(&next)
	if p := (*t.peers.Load())[peer]; p != nil && f == (Fault{}) {
		p.dialNow()
	}
	return nil
}

// ClearFaults ends all faults.
func (t *Transport) ClearFaults() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.faults.Load() == nil {
		return
	}
	t.faults.Store(&map[string]Fault{}) // not nil: nothing may overtake what is still delayed
	for _, p := range *t.peers.Load() {
		p.dialNow()
	}
}

// faultOf returns the fault towards a peer.
func (t *Transport) faultOf(peer string) Fault {
	if m := t.faults.Load(); m != nil {
		return (*m)[peer]
	}
	return Fault{}
}

// fault returns the fault that acts on a link; there is none on client links.
func (t *Transport) fault(l *link) Fault {
	if l.other.Client {
		return Fault{}
	}
	return t.faultOf(l.other.Node)
}

// sendFaulty is Send while any fault is set.
func (t *Transport) sendFaulty(p *peer, frames []byte, n int) error {
	f := t.faultOf(p.id)
	switch {
	case p.link.Load() == nil:
		return ErrDown
	case f.DropOut:
		p.count.dropped.Add(uint64(n))
		return nil
	case f.Delay > 0 || p.late.busy():
		return p.late.push(p, frames, n, f.Delay)
	default:
		return p.send(frames, n)
	}
}

// delayLine holds frames back, in order.
type delayLine struct {
	mu    sync.Mutex
	queue []delayed
	size  int
}

type delayed struct {
	link   *link
	frames []byte
	n      int
}

func (d *delayLine) busy() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.queue) > 0
}

// push queues a copy of frames. Each timer releases the oldest entry, whichever
// it was set for, so the order holds however timers fire.
func (d *delayLine) push(p *peer, frames []byte, n int, delay time.Duration) error {
	l := p.link.Load()
	if l == nil {
		return ErrDown
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.size > 0 && d.size+len(frames) > p.t.cfg.MaxPending {
		p.count.dropped.Add(uint64(n))
		return ErrFull
	}
	d.queue = append(d.queue, delayed{l, append([]byte(nil), frames...), n})
	d.size += len(frames)
	time.AfterFunc(delay, d.release)
	return nil
}

func (d *delayLine) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.queue[0]
	d.queue = d.queue[1:]
	d.size -= len(e.frames)
	_ = e.link.send(e.frames, e.n) // late: whoever sent it has gone on, and the drop is counted
}

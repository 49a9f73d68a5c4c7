package sim

import (
	"slices"
	"time"

	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/sim/history"
)

// slack is how much later than its timeout a request may be answered: a turn or
// two, and the way there and back.
const slack = 50 * time.Millisecond

// attempt is one request of a client at one node.
type attempt struct {
	to       *machine
	life     uint64 // of the node when it was sent
	key      string
	at       time.Duration
	timeout  time.Duration
	answered bool
	gone     bool              // the client waits no more
	done     func(*node.Reply) // called once; nil: the connection is lost or the client's patience is
}

// request sends a request to a node. It returns false where the node is down:
// then nothing was sent. Done is called when the client knows more.
func (w *World) request(m *machine, r *node.Request, done func(*node.Reply)) bool {
	if !m.alive || m.unheard {
		return false
	}
	timeout := r.Timeout
	if timeout == 0 {
		timeout = w.bucketTimeout(r.Key.Bucket)
	}
	a := &attempt{to: m, life: m.life, key: r.Key.Bucket + "/" + r.Key.Name, at: w.now, timeout: timeout, done: done}
	w.attempts = append(w.attempts, a)
	r.ID = uint64(len(w.attempts))
	m.open = append(m.open, a)
	w.take(m, item{request: r})
	w.after(timeout+slack, func() { w.expire(a) })
	return true
}

// reply takes a node's answer to its client.
func (w *World) reply(m *machine, r *node.Reply) {
	if r.ID == 0 || r.ID > uint64(len(w.attempts)) {
		w.violatef(history.Answers, "", "%s answers a request %d that nobody made", m.id, r.ID)
		return
	}
	a := w.attempts[r.ID-1]
	switch {
	case a.to != m || a.life != m.life:
		w.violatef(history.Answers, a.key, "%s answers request %d, which was made to %s", m.id, r.ID, a.to.id)
		return
	case a.answered:
		w.violatef(history.Answers, a.key, "%s answers request %d a second time", m.id, r.ID)
		return
	}
	a.answered = true
	i := slices.Index(m.open, a)
	m.open = slices.Delete(m.open, i, i+1)
	if !a.gone {
		a.gone = true
		a.done(r)
	}
}

// disconnect tells a client that the node it waits for is down.
func (w *World) disconnect(a *attempt) {
	if !a.gone {
		a.gone = true
		w.after(w.net.cfg.Delay, func() { a.done(nil) })
	}
}

// expire ends a client's patience. A node that was up and running all the time
// must have answered.
func (w *World) expire(a *attempt) {
	if a.gone {
		return
	}
	m := a.to
	if m.paused == 0 && max(m.rested, m.busy) < a.at { // while it reads it stands still, too
		w.violatef(history.Late, a.key, "%s has not answered a request made at %v with a timeout of %v", m.id, a.at, a.timeout)
		return
	}
	a.gone = true
	a.done(nil)
}

func (w *World) bucketTimeout(name string) time.Duration {
	if b := w.cfg.Buckets.Of(name); b.Timeout > 0 {
		return b.Timeout
	}
	return w.cfg.Buckets.Default.Timeout
}

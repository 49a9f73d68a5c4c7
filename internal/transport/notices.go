package transport

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Repeated trouble is logged at once, then after this long, then after twice as
// long and so on.
const (
	noticeFirst = 10 * time.Second
	noticeMost  = 10 * time.Minute
	noticeKeys  = 1024 // kinds of trouble remembered
)

// notices logs the same trouble rarely.
type notices struct {
	log  *slog.Logger
	mu   sync.Mutex
	seen map[string]*notice
}

type notice struct {
	text  string
	quiet time.Duration
	until time.Time
	times int // not logged since the last that was
}

// warn logs err unless the same was logged under key a short while ago.
func (n *notices) warn(msg, key string, err error, args ...any) {
	n.warnAs(msg, key, innermost(err), err, args...)
}

// refused logs that a connection from an address was refused. What a stranger
// sent makes no difference to whether it is logged: it could choose it anew each
// time.
func (n *notices) refused(from string, err error) {
	host, _, splitErr := net.SplitHostPort(from)
	if splitErr != nil {
		host = from // no address of a socket
	}
	text := "handshake"
	var r *RefusedError
	if errors.As(err, &r) {
		text = r.Code.String()
	}
	n.warnAs("link refused", "in "+host, text, err, "from", from)
}

// innermost is the text of the error that the others wrap. Those tell port
// numbers that are new with each attempt.
func innermost(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

func (n *notices) warnAs(msg, key, text string, err error, args ...any) {
	unlogged, ok := n.due(key, text)
	if !ok {
		return
	}
	args = append(args, "err", err)
	if unlogged > 0 {
		args = append(args, "repeated", unlogged)
	}
	n.log.Warn(msg, args...)
}

// due decides, and returns how many went unlogged since the last time.
func (n *notices) due(key, text string) (unlogged int, ok bool) {
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.seen[key]
	if e == nil || e.text != text {
		if n.seen == nil || len(n.seen) >= noticeKeys {
			n.seen = map[string]*notice{}
		}
		n.seen[key] = &notice{text: text, quiet: noticeFirst, until: now.Add(noticeFirst)}
		return 0, true
	}
	if now.Before(e.until) {
		e.times++
		return 0, false
	}
	unlogged = e.times
	e.quiet = min(2*e.quiet, noticeMost)
	e.until, e.times = now.Add(e.quiet), 0
	return unlogged, true
}

// clear forgets a trouble that is over, so that its return is logged at once.
func (n *notices) clear(key string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.seen, key)
}

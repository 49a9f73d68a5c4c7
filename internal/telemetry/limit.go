package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// maxMessages bounds the messages that a [Limit] keeps apart. Messages are
// constants of the program, so there are never so many; should there be, all
// are forgotten and begin anew.
const maxMessages = 1024

// Limit returns a handler that passes on one warning or error of each message
// per interval, by the time of the records, and says with the next one how many
// it left out. Lower levels pass: whoever asks for them wants all.
func Limit(next slog.Handler, every time.Duration) slog.Handler {
	return &limit{next: next, seen: &seen{every: every, messages: map[string]*message{}}}
}

type limit struct {
	next slog.Handler
	seen *seen // shared with the handlers that come of this one
}

type seen struct {
	every    time.Duration
	mu       sync.Mutex
	messages map[string]*message
}

type message struct {
	last    time.Time
	omitted int
}

func (l *limit) Enabled(ctx context.Context, level slog.Level) bool {
	return l.next.Enabled(ctx, level)
}

func (l *limit) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return l.next.Handle(ctx, r)
	}
	omitted, pass := l.seen.take(r.Message, r.Time)
	if !pass {
		return nil
	}
	if omitted > 0 {
		r.AddAttrs(slog.Int("omitted", omitted))
	}
	return l.next.Handle(ctx, r)
}

func (l *limit) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &limit{l.next.WithAttrs(attrs), l.seen}
}

func (l *limit) WithGroup(name string) slog.Handler {
	return &limit{l.next.WithGroup(name), l.seen}
}

// take says whether a message may pass now, and how many of it did not since it
// last did.
func (s *seen) take(text string, now time.Time) (omitted int, pass bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.messages[text]
	if m == nil {
		if len(s.messages) >= maxMessages {
			clear(s.messages)
		}
		s.messages[text] = &message{last: now}
		return 0, true
	}
	if now.Sub(m.last) < s.every {
		m.omitted++
		return 0, false
	}
	omitted = m.omitted
	m.last, m.omitted = now, 0
	return omitted, true
}

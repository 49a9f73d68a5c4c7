package pebble

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	cockroach "github.com/cockroachdb/pebble/v2"
)

// logger hands what the library says to slog and keeps control where the
// library wants to end the process.
type logger struct {
	engine   *Engine
	log      *slog.Logger
	onFatal  func(error)
	onDamage func(file string)

	mu         sync.Mutex
	background time.Time // when a background error was last logged
	suppressed int       // background errors since then
	damage     string    // the file that was logged last as damaged
	damagedAt  time.Time
}

// backgroundEvery is how often background errors are logged at most: the
// library retries at once and without end.
const backgroundEvery = time.Second

var _ cockroach.Logger = (*logger)(nil)

// Infof implements the library's Logger.
func (l *logger) Infof(format string, args ...any) { l.log.Debug(fmt.Sprintf(format, args...)) }

// Errorf implements the library's Logger.
func (l *logger) Errorf(format string, args ...any) { l.log.Error(fmt.Sprintf(format, args...)) }

// Fatalf implements the library's Logger and never returns: the library relies
// on that. A failed commit is on the goroutine of Apply, which recovers and
// returns the error. Anything else is on a goroutine of the library, where
// nothing of ours could recover, so the process has to end there.
func (l *logger) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	if strings.HasPrefix(format, "pebble: fatal commit error") {
		panic(l.engine.die(err))
	}
	l.end(err)
}

// end ends the process, with err as the reason.
func (l *logger) end(err error) {
	err = l.engine.die(err)
	l.log.Error(stopped, "error", err)
	if l.onFatal != nil {
		l.onFatal(err)
	}
	panic(err)
}

const stopped = "the store cannot go on; this process must end"

// logBroken is told of a log that cannot be written or synced.
func (l *logger) logBroken(err error) {
	if l.engine.deadErr() == nil {
		l.log.Error(stopped, "error", l.engine.die(fmt.Errorf("write the log: %w", err)))
	}
}

// logUnmade is told that a log cannot be made. While the store opens that is an
// ordinary error; later the library cannot go on.
func (l *logger) logUnmade(err error) {
	if l.engine.opened.Load() {
		l.end(fmt.Errorf("make the next log: %w", err))
	}
}

// events follows what the library does in the background.
func (l *logger) events() *cockroach.EventListener {
	return &cockroach.EventListener{
		BackgroundError: l.backgroundError,
		// The read that meets the damage gets the error; the node lives on.
		DataCorruption:  l.damaged,
		WriteStallBegin: func(info cockroach.WriteStallBeginInfo) { l.log.Warn("writes stall", "why", info.Reason) },
		WriteStallEnd:   func() { l.log.Info("writes go on") },
		DiskSlow:        func(info cockroach.DiskSlowInfo) { l.log.Warn("the disk is slow", "what", info.String()) },
	}
}

// damaged reports a damaged file. The library does so at each read.
func (l *logger) damaged(info cockroach.DataCorruptionInfo) {
	if l.onDamage != nil {
		l.onDamage(info.Path)
	}
	l.mu.Lock()
	again := info.Path == l.damage && time.Since(l.damagedAt) < damageEvery
	if !again {
		l.damage, l.damagedAt = info.Path, time.Now()
	}
	l.mu.Unlock()
	if !again {
		l.log.Error("damaged data", "file", info.Path, "keys", info.Bounds.String(), "error", info.Details)
	}
}

// damageEvery is how often one damaged file is logged at most.
const damageEvery = time.Minute

// backgroundError reports a failed flush or compaction, which the library
// retries by itself.
func (l *logger) backgroundError(err error) {
	if errors.Is(err, cockroach.ErrCancelledCompaction) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.background) < backgroundEvery {
		l.suppressed++
		return
	}
	l.log.Error("flush or compaction failed and is retried", "error", err, "suppressed", l.suppressed)
	l.background, l.suppressed = time.Now(), 0
}

package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progressBar shows how far a long command is, on a terminal; elsewhere it only
// passes messages on.
type progressBar struct {
	w    io.Writer
	what string
	bar  *progressbar.ProgressBar // nil: not a terminal
	mu   sync.Mutex
	stop chan struct{}
	done sync.WaitGroup
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// stepsOf returns what is to be called after each of so many steps, and at the end: a
// bar shows them on a terminal.
func stepsOf(w io.Writer, what string, steps int) (step, end func()) {
	if !isTerminal(w) {
		return func() {}, func() {}
	}
	bar := progressbar.NewOptions(steps, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish())
	return func() { _ = bar.Add(1) }, func() { _ = bar.Finish() }
}

// newProgressBar returns the bar of a command whose input has total bytes; 0 is
// an unknown number of them.
func newProgressBar(w io.Writer, what string, total int64) *progressBar {
	p := &progressBar{w: w, what: what, stop: make(chan struct{})}
	if !isTerminal(w) {
		return p
	}
	if total == 0 {
		total = -1
	}
	p.bar = progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what), progressbar.OptionShowBytes(true),
		progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond))
	return p
}

// follow shows what state returns, a few times a second, until end.
func (p *progressBar) follow(state func() (at, records, failed int64)) {
	if p.bar == nil {
		return
	}
	start := time.Now()
	p.done.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
			}
			at, records, failed := state()
			p.mu.Lock()
			p.bar.Describe(fmt.Sprintf("%s: %d records, %.0f/s, %d failed", p.what, records, float64(records)/time.Since(start).Seconds(), failed))
			_ = p.bar.Set64(at)
			p.mu.Unlock()
		}
	})
}

// say prints a line without spoiling the bar.
func (p *progressBar) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintf(p.w, format+"\n", args...)
}

func (p *progressBar) end() {
	close(p.stop)
	p.done.Wait()
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

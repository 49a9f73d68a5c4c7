package buffer

import (
	"errors"
	"fmt"

	"github.com/ourodb/ouro/internal/store"
)

// write hands layers on, one after the other, until the engine is closed and
// nothing waits.
func (e *Engine) write() {
	defer close(e.done)
	for l := e.next(); l != nil; l = e.next() {
		if err := e.hand(l); err != nil {
			l.tell(err)
		}
		e.mu.Lock()
		e.moving = nil
		e.handed++
		e.changed.Broadcast()
		e.mu.Unlock()
	}
}

// next waits for something to hand on; nil: there will be none.
func (e *Engine) next() *layer {
	e.mu.Lock()
	for !e.closed && (e.active.empty() || !e.urgent && e.dead == nil) {
		e.changed.Wait()
	}
	e.mu.Unlock()
	e.begin.Lock() // waits until every Range that has begun has its moment
	defer e.begin.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.active.empty() {
		return nil
	}
	e.moving, e.active, e.urgent = e.active, newLayer(), false
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	e.changed.Broadcast() // there is room
	return e.moving
}

// hand gives a layer to the engine below. An error means that nobody else tells who
// waits for it.
func (e *Engine) hand(l *layer) error {
	e.mu.Lock()
	dead := e.dead
	e.mu.Unlock()
	if dead != nil {
		return dead
	}
	err := e.inner.Apply(l.batch(), func(err error) {
		if err != nil {
			err = e.die(err)
		}
		l.tell(err)
	})
	if err != nil { // what is visible already can't be taken back
		return e.die(fmt.Errorf("what is in the write buffer can't be written: %w", err))
	}
	return nil
}

// tell calls back for every batch of the layer, in order.
func (l *layer) tell(err error) {
	for _, synced := range l.waiting {
		synced(err)
	}
}

// die ends the engine for good and returns why: the first reason.
func (e *Engine) die(cause error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !errors.Is(cause, store.ErrDead) {
		cause = fmt.Errorf("%w: %w", store.ErrDead, cause)
	}
	if e.dead == nil {
		e.dead = cause
	}
	e.changed.Broadcast()
	return e.dead
}

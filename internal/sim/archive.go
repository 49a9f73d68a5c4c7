package sim

import (
	"context"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/listing"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Archivist makes and restores archives through one node, as a command does. Its calls
// let the world go on until they are answered; what fails for want of nodes or of slices
// is tried again, in the world's time.
type Archivist struct {
	Patience time.Duration // for how long; default 10 s
	w        *World
	at       ring.NodeID
	held     int // requests that were refused as overloaded
}

// Archivist returns one that asks a node.
func (w *World) Archivist(at ring.NodeID) *Archivist {
	return &Archivist{Patience: 10 * time.Second, w: w, at: at}
}

// Held returns how often the node held it back.
func (a *Archivist) Held() int { return a.held }

// Keys returns the next page of a partition, as package host would.
func (a *Archivist) Keys(_ context.Context, bucket string, q ouro.KeysQuery) (ouro.KeysPage, error) {
	var out ouro.KeysPage
	err := a.again(func() error {
		m := a.w.mustID(a.at)
		if !m.alive {
			return ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "node %s is down", a.at)
		}
		from := uint64(q.Cursor)
		var page *listing.Page
		a.w.page(m, node.List{Partition: a.w.ring.Partition(ring.Position{Hi: from}), Bucket: bucket, From: from}, func(p *listing.Page) { page = p })
		life := m.life
		a.w.RunUntil(func() bool { return page != nil || m.life != life || !m.alive || a.w.broken != nil })
		if page == nil || !page.Complete {
			return ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "the page is not complete")
		}
		out = ouro.KeysPage{Keys: page.Names, Next: ouro.Cursor(page.Until + 1)}
		return nil
	})
	return out, err
}

// Record returns the record of a key, as package host would.
func (a *Archivist) Record(_ context.Context, key ouro.Key) (record []byte, err error) {
	err = a.again(func() error {
		r := a.ask(&node.Request{Verb: node.Get, Key: ring.NewKey(key.Bucket, key.Name), Whole: true})
		if r.Err != nil {
			return r.Err
		}
		state, err := causal.DecodeState(r.Record)
		if err != nil {
			return err
		}
		state.Rekey(0)
		record = state.Append(nil)
		return nil
	})
	return record, err
}

// Restore merges a record into that of a key, as package host would.
func (a *Archivist) Restore(_ context.Context, key ouro.Key, record []byte) error {
	state, err := causal.DecodeState(record)
	if err != nil {
		return err
	}
	state.Rekey(a.w.cfg.Replica.Seed)
	record = state.Append(nil)
	return a.again(func() error {
		if r := a.ask(&node.Request{Verb: node.Put, Key: ring.NewKey(key.Bucket, key.Name), Record: record}); r.Err != nil {
			return r.Err
		}
		return nil
	})
}

// ask makes a request and waits for the reply.
func (a *Archivist) ask(r *node.Request) (reply node.Reply) {
	done := false
	if a.w.request(a.w.mustID(a.at), r, func(got *node.Reply) {
		if done = true; got != nil {
			reply = *got
		} else {
			reply.Err = ouro.Errorf(ouro.TimedOut, ouro.Unknown, "the connection is lost")
		}
	}) {
		a.w.RunUntil(func() bool { return done || a.w.broken != nil })
	}
	if !done {
		reply.Err = ouro.Errorf(ouro.QuorumUnavailable, ouro.NotDone, "node %s is down", a.at)
	}
	return reply
}

func (a *Archivist) again(try func() error) error {
	for end := a.w.now + a.Patience; ; a.w.RunFor(50 * time.Millisecond) {
		err := try()
		if a.w.broken != nil {
			return a.w.broken
		}
		switch ouro.CodeOf(err) {
		case ouro.Overloaded:
			a.held++
			end = a.w.now + a.Patience
			continue
		case ouro.QuorumUnavailable, ouro.TimedOut:
			if a.w.now < end {
				continue
			}
		}
		return err
	}
}

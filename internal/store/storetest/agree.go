package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/store"
)

// Agree runs random histories on all subjects side by side: each must give the
// answers of a plain map, and so the same as the others.
func Agree(t *testing.T, subjects ...Subject) {
	rapid.Check(t, func(rt *rapid.T) {
		h := history{rt: rt, tb: t, model: map[string]string{}}
		for _, s := range subjects {
			h.start(s)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"":           h.check,
			"apply":      h.apply,
			"range":      h.ranged,
			"reopen":     h.reopen,
			"checkpoint": h.checkpoint,
		})
		for _, p := range h.players {
			if err := p.engine.Close(); err != nil {
				rt.Fatalf("%s: close: %v", p.subject.Name, err)
			}
		}
	})
}

// history is one random history: the model and those who must follow it.
type history struct {
	rt      *rapid.T
	tb      testing.TB
	model   map[string]string
	players []*player
}

type player struct {
	subject Subject
	dir     string
	engine  store.Engine
}

func (h *history) start(s Subject) {
	p := &player{subject: s, dir: s.dir(h.tb)}
	h.open(p)
	h.players = append(h.players, p)
}

func (h *history) open(p *player) {
	var err error
	if p.engine, err = p.subject.Open(p.dir); err != nil {
		h.rt.Fatalf("%s: open: %v", p.subject.Name, err)
	}
}

// key draws from few keys, some of them prefixes of others, so that changes
// meet.
func key(rt *rapid.T, label string) []byte {
	return rapid.SliceOfN(rapid.SampledFrom([]byte{0, 'a', 'b', 0xff}), 1, 3).Draw(rt, label)
}

func (h *history) apply(rt *rapid.T) {
	var b store.Batch
	for range rapid.IntRange(0, 6).Draw(rt, "changes") {
		switch k := key(rt, "key"); rapid.IntRange(0, 4).Draw(rt, "change") {
		case 0:
			b.Delete(k)
			delete(h.model, string(k))
		case 1:
			hi := key(rt, "hi")
			b.DeleteRange(k, hi)
			for _, m := range h.keys(k, hi) {
				delete(h.model, m)
			}
		default:
			v := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "value")
			if rapid.IntRange(0, 9).Draw(rt, "large") == 0 {
				v = bytes.Repeat(append(v, 1), 300)
			}
			b.Set(k, v)
			h.model[string(k)] = string(v)
		}
	}
	for _, p := range h.players {
		synced := make(chan error, 1)
		if err := p.engine.Apply(&b, func(err error) { synced <- err }); err != nil {
			rt.Fatalf("%s: apply: %v", p.subject.Name, err)
		}
		if err := <-synced; err != nil {
			rt.Fatalf("%s: sync: %v", p.subject.Name, err)
		}
	}
}

// keys lists the model's keys from lo to hi; nil: the end.
func (h *history) keys(lo, hi []byte) []string {
	var out []string
	for k := range h.model {
		if k >= string(lo) && (hi == nil || k < string(hi)) {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

func (h *history) ranged(rt *rapid.T) {
	lo := key(rt, "lo")
	hi := key(rt, "hi")
	if rapid.Bool().Draw(rt, "open end") {
		hi = nil
	}
	for _, p := range h.players {
		h.compare(rt, p.subject.Name, p.engine, lo, hi)
	}
}

// compare checks what an engine shows from lo to hi, pair by pair.
func (h *history) compare(rt *rapid.T, name string, e store.Engine, lo, hi []byte) {
	left := h.keys(lo, hi)
	err := e.Range(lo, hi, func(k, v []byte) bool {
		if len(left) == 0 || left[0] != string(k) || h.model[left[0]] != string(v) {
			rt.Fatalf("%s: range %q %q shows %q = %q, the model goes on with %q", name, lo, hi, k, v, left)
		}
		left = left[1:]
		return true
	})
	if err != nil || len(left) > 0 {
		rt.Fatalf("%s: range %q %q ends before %q, error %v", name, lo, hi, left, err)
	}
}

func (h *history) reopen(rt *rapid.T) {
	if rapid.IntRange(0, 2).Draw(rt, "reopen") > 0 {
		return
	}
	for _, p := range h.players {
		if p.subject.Volatile {
			continue
		}
		if err := p.engine.Close(); err != nil {
			rt.Fatalf("%s: close: %v", p.subject.Name, err)
		}
		h.open(p)
	}
}

// checkpoint goes on with the copy.
func (h *history) checkpoint(rt *rapid.T) {
	if rapid.IntRange(0, 4).Draw(rt, "checkpoint") > 0 {
		return
	}
	for i, p := range h.players {
		dir := fmt.Sprintf("%s-%d", p.subject.dir(h.tb), i)
		if err := p.engine.Checkpoint(dir); err != nil {
			rt.Fatalf("%s: checkpoint: %v", p.subject.Name, err)
		}
		if err := p.engine.Close(); err != nil {
			rt.Fatalf("%s: close: %v", p.subject.Name, err)
		}
		p.dir = dir
		h.open(p)
	}
}

// check compares single gets, of keys there and not there.
func (h *history) check(rt *rapid.T) {
	k := key(rt, "get")
	value, there := h.model[string(k)]
	for _, p := range h.players {
		found, err := p.engine.Get(k, func(v []byte) {
			if string(v) != value {
				rt.Fatalf("%s: get %q: %q, want %q", p.subject.Name, k, v, value)
			}
		})
		if err != nil || found != there {
			rt.Fatalf("%s: get %q: found %v, error %v; want found %v", p.subject.Name, k, found, err, there)
		}
	}
}

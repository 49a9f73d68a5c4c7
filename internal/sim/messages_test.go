package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/effort"
	"github.com/ourodb/ouro/internal/wire"
)

// tally counts what is sent over all links, by kind of message.
type tally struct {
	messages, bytes map[node.Kind]int
}

func (w *World) tally() *tally {
	c := &tally{map[node.Kind]int{}, map[node.Kind]int{}}
	for _, l := range w.net.links {
		l.filter = func(body []byte) bool {
			m, err := wire.DecodeMessage(body)
			if err != nil {
				w.bug("a frame can't be decoded: %v", err)
			}
			c.messages[m.Kind]++
			c.bytes[m.Kind] += len(body)
			return false
		}
	}
	return c
}

// A sixth node joins five at Q=1024, whole nodes with all that they tell each other:
// a few thousand messages, not tens of thousands (issue 4, safety). What goes on in
// any case, gossip and epochs, is counted apart, by time.
func TestMessagesOfASixthNode(t *testing.T) {
	sizes := []int{0, 1000}
	if effort.Small() {
		sizes = sizes[:1]
	}
	for _, keys := range sizes {
		five := []ring.Node{{ID: "A"}, {ID: "B"}, {ID: "C"}, {ID: "D"}, {ID: "E"}}
		w := newChangingWorld(t, Config{Q: 1024, Nodes: five}, "F")
		for i := range keys {
			must(t, w.Put("A", keyIn("b", fmt.Sprint(i)), text(fmt.Sprint("value ", i))))
		}
		w.settles(t, "at first")
		w.RunFor(time.Minute)
		began, links, before := w.now, w.Place().Number(), w.stats.Ring
		c := w.tally()
		w.Join("B", "F")
		there := func() bool { return len(w.Place().Members()) == 6 && w.Settled() }
		for !there() && w.broken == nil && w.now-began < time.Hour {
			w.RunFor(time.Second)
		}
		if w.broken != nil || !there() {
			t.Fatalf("%d keys: it has not settled: %v", keys, w.broken)
		}
		chain, moves := c.messages[node.KindChain], 0
		for kind := node.KindAsk; kind <= node.KindFound; kind++ {
			moves += c.messages[kind]
		}
		r := &w.stats.Ring
		t.Logf("%d keys, %v: %d links, %d moves; %d messages of the chain with %d bytes; %d of transfer with %d bytes (%d surveys and answers, %d asks and answers); meanwhile %d of gossip, %d of epochs",
			keys, w.now-began, w.Place().Number()-links, r.Ended-before.Ended, chain, c.bytes[node.KindChain], moves, c.bytes[node.KindAsk]+c.bytes[node.KindAnswer]+c.bytes[node.KindSurvey]+c.bytes[node.KindFound],
			c.messages[node.KindSurvey]+c.messages[node.KindFound], c.messages[node.KindAsk]+c.messages[node.KindAnswer], c.messages[node.KindGossip], c.messages[node.KindEpochs])
		if ended := r.Ended - before.Ended; ended < 400 {
			t.Errorf("%d keys: only %d moves ended", keys, ended)
		}
		if chain > 2500 {
			t.Errorf("%d keys: the chain took %d messages", keys, chain)
		}
		if most := 6*(r.Ended-before.Ended) + 12*keys; moves > most {
			t.Errorf("%d keys: the transfer took %d messages, more than %d", keys, moves, most)
		}
	}
}

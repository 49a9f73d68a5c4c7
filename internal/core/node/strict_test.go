package node_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/effort"
)

// trial lets strict reads and writes of one key run while its partition moves
// there and back, in any order of messages, with nodes that hear of links late or
// from others, are killed, and start again. What was acknowledged before a read
// began is in what it shows.
type trial struct {
	*move
	r      *rand.Rand
	acked  []string
	open   map[*mover]client
	slow   map[[2]*mover]bool // links on which nothing gets on for a while
	links  int
	shown  int // reads that were answered
	values int
}

// client is one that waits at a node.
type client struct {
	id    uint64
	value string // that it puts; "": it gets
	must  []string
}

func newTrial(t *testing.T, seed uint64) *trial {
	return &trial{move: newMove(t), r: rand.New(rand.NewPCG(seed, 3)), open: map[*mover]client{}, slow: map[[2]*mover]bool{}}
}

func (w *trial) run(steps int) {
	for range steps {
		w.act()
		w.hear()
	}
	for _, n := range w.nodes {
		if n.down {
			w.start(n)
		}
	}
	w.adoptAll()
	for _, n := range w.nodes {
		w.settle("idle", func() bool { w.hear(); return len(w.open) == 0 })
		w.request(n, false)
		w.settle("read", func() bool { w.hear(); return len(w.open) == 0 })
	}
}

func (w *trial) act() {
	n := w.nodes[w.r.IntN(len(w.nodes))]
	if w.r.IntN(40) == 0 {
		for _, to := range w.nodes {
			w.slow[[2]*mover{n, to}] = w.r.IntN(2) == 0
		}
	}
	switch k := w.r.IntN(100); {
	case k < 68:
		w.deliverAny()
	case k < 80:
		if _, waits := w.open[n]; !waits && !n.down && len(w.acked) < 50 {
			w.request(n, w.r.IntN(3) == 0)
		}
	case k < 86:
		if !n.down && n.view.Place != w.place {
			w.adopt(n)
		}
	case k < 92:
		w.advance()
	case k < 95:
		w.kill(n)
	default:
		w.pass()
	}
}

// deliverAny delivers the first message of any link.
func (w *trial) deliverAny() {
	if len(w.queue) == 0 {
		return
	}
	i := w.r.IntN(len(w.queue))
	if w.slow[[2]*mover{w.queue[i].from, w.queue[i].to}] {
		return
	}
	first := slices.IndexFunc(w.queue, func(p parcel) bool { return p.from == w.queue[i].from && p.to == w.queue[i].to })
	p := w.queue[first]
	w.queue = append([]parcel{p}, slices.Delete(w.queue, first, first+1)...)
	w.deliver()
}

func (w *trial) request(n *mover, write bool) {
	c := client{id: w.id + 1, must: slices.Clone(w.acked)}
	r := quorum(node.Get, w.key, "")
	if write {
		w.values++
		c.value = fmt.Sprintf("%c%d", 'a'+w.values%26, w.values)
		r = quorum(node.Put, w.key, c.value)
	}
	w.open[n] = c
	w.ask(n, r)
}

// advance chooses the next link: a move begins, ends or is aborted.
func (w *trial) advance() {
	l := w.place.Of(w.part)
	if w.links == 12 {
		return
	}
	w.links++
	switch {
	case !l.Moving():
		next := slices.Clone(l.Old)
		for i, id := range next {
			if other := map[ring.NodeID]ring.NodeID{"c": "d", "d": "c"}[id]; other != "" {
				next[i] = other
			}
		}
		w.link(beginsWith(w.part, l.Old, next))
	case w.r.IntN(6) == 0:
		w.link(beginsWith(w.part, l.Old, nil))
	case w.r.IntN(3) == 0 && w.allProven():
		w.link(w.ends())
	default:
		w.links--
	}
}

// kill kills a node, or starts one that was killed. One at a time is away.
func (w *trial) kill(n *mover) {
	for _, o := range w.nodes {
		if o.down {
			w.start(o)
			return
		}
	}
	if w.r.IntN(2) == 0 {
		w.stop(n)
		delete(w.open, n)
	}
}

// hear takes replies, and lets nodes have the placements that they want to have.
func (w *trial) hear() {
	for _, n := range w.nodes {
		if n.down {
			continue
		}
		for len(n.fetches) > 0 && w.r.IntN(3) > 0 {
			from := w.node(n.fetches[0].From)
			n.fetches = n.fetches[1:]
			if !from.down && from.view.Place.Number() > n.view.Place.Number() {
				v := *n.view
				v.Place = from.view.Place
				n.view = &v
				w.step(n, n.view)
			}
		}
		for _, r := range n.replies {
			w.replied(n, &r)
		}
		n.replies = nil
	}
}

func (w *trial) replied(n *mover, r *node.Reply) {
	c, waits := w.open[n]
	if !waits || c.id != r.ID {
		return // of a run that is over
	}
	delete(w.open, n)
	if c.value != "" {
		if r.Err == nil {
			w.acked = append(w.acked, c.value)
		}
		return
	}
	if r.Err != nil && r.Err.Code != ouro.NotFound {
		return
	}
	w.shown++
	for _, v := range c.must {
		if !slices.ContainsFunc(r.Siblings, func(s ouro.Sibling) bool { return string(s.Data) == v }) {
			w.t.Fatalf("%s shows %d values and not %s, which was acknowledged before; lists %+v", n.id, len(r.Siblings), v, *n.view.Place.Of(w.part))
		}
	}
}

func TestStrictReadsThroughMoves(t *testing.T) { // RULES R14-R16
	began := time.Now()
	seeds := uint64(150)
	if effort.Small() {
		seeds = 40
	}
	acked, shown, links := 0, 0, 0
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newTrial(t, seed)
			w.run(1500)
			acked, shown, links = acked+len(w.acked), shown+w.shown, links+w.links
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d writes acknowledged, %d reads answered, through %d links, %v", acked, shown, links, time.Since(began).Round(time.Millisecond))
	if acked < 2*int(seeds) || shown < 6*int(seeds) || links < 4*int(seeds) {
		t.Error("too little was tried")
	}
}

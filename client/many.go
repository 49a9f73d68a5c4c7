package client

import (
	"context"
	"crypto/rand"
	"net/http"
	"strconv"
	"sync"

	"github.com/ourodb/ouro"
)

// What several requests at once are bounded by: items and bytes of values in one
// request to a node, requests under way, and items that go alone.
const (
	batchItems = 200
	batchBytes = 1 << 20
	batches    = 16
	singles    = 32
)

// GetMany reads keys in any body of [ouro.Store]: as its own GetMany does if it has
// one, else some at a time.
func GetMany(ctx context.Context, store ouro.Store, keys []ouro.Key, opts ...ouro.Option) []ouro.Answer {
	if b, ok := store.(ouro.Batcher); ok {
		return b.GetMany(ctx, keys, opts...)
	}
	answers := make([]ouro.Answer, len(keys))
	each(len(keys), singles, func(i int) { answers[i].Result, answers[i].Err = store.Get(ctx, keys[i], opts...) })
	return answers
}

// PutMany stores items in any body of [ouro.Store], likewise.
func PutMany(ctx context.Context, store ouro.Store, items []ouro.Item, opts ...ouro.Option) []ouro.Answer {
	if b, ok := store.(ouro.Batcher); ok {
		return b.PutMany(ctx, items, opts...)
	}
	answers := make([]ouro.Answer, len(items))
	each(len(items), singles, func(i int) {
		seen := opts
		if items[i].Context != nil {
			seen = append(append([]ouro.Option{}, opts...), ouro.WithContext(items[i].Context))
		}
		answers[i].Result, answers[i].Err = store.Put(ctx, items[i].Key, items[i].Value, seen...)
	})
	return answers
}

// each does something for each of n, so many at a time.
func each(n, atOnce int, do func(i int)) {
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			do(i)
			<-slots
		})
	}
	all.Wait()
}

// GetMany implements [ouro.Batcher].
func (c *Client) GetMany(ctx context.Context, keys []ouro.Key, opts ...ouro.Option) []ouro.Answer {
	return getMany(ctx, c, keys, ouro.Apply(opts...))
}

// PutMany implements [ouro.Batcher]. Items without a context are read first, unless
// the options say [ouro.Blind].
func (c *Client) PutMany(ctx context.Context, items []ouro.Item, opts ...ouro.Option) []ouro.Answer {
	return putMany(ctx, c, items, ouro.Apply(opts...))
}

// GetMany implements [ouro.Batcher]: each replica is asked for many keys at once,
// and what fails at one is tried elsewhere as any other request.
func (c *Cluster) GetMany(ctx context.Context, keys []ouro.Key, opts ...ouro.Option) []ouro.Answer {
	return getMany(ctx, c, keys, ouro.Apply(opts...))
}

// PutMany implements [ouro.Batcher], likewise; see [Client.PutMany].
func (c *Cluster) PutMany(ctx context.Context, items []ouro.Item, opts ...ouro.Option) []ouro.Answer {
	return putMany(ctx, c, items, ouro.Apply(opts...))
}

// batcher sends several requests, and answers each.
type batcher interface {
	doMany(ctx context.Context, calls []*call) []ouro.Answer
}

func getMany(ctx context.Context, b batcher, keys []ouro.Key, opt ouro.Options) []ouro.Answer {
	calls := make([]*call, len(keys))
	for i := range keys {
		calls[i] = &call{method: http.MethodGet, key: keys[i], opt: opt}
	}
	return b.doMany(ctx, calls)
}

func putMany(ctx context.Context, b batcher, items []ouro.Item, opt ouro.Options) []ouro.Answer {
	answers := make([]ouro.Answer, len(items))
	calls := make([]*call, 0, len(items))
	at := make([]int, 0, len(items))
	id, first := opt.RequestID, opt.First
	if id == "" {
		id, first = rand.Text(), true
	}
	reads := readMany(ctx, b, items, opt)
	for i := range items {
		r := &call{method: http.MethodPut, key: items[i].Key, value: items[i].Value, opt: opt}
		r.opt.RequestID, r.opt.First, r.opt.Context = id+"."+strconv.Itoa(i), first, items[i].Context
		if read, ok := reads[i]; ok {
			if read.Err != nil && ouro.CodeOf(read.Err) != ouro.NotFound {
				answers[i] = *read
				answers[i].Result.Context = nil
				continue
			}
			r.prefer = read.Result.Coordinator
			if len(read.Result.Context) > 0 {
				r.opt.Context = read.Result.Context
			}
		}
		calls, at = append(calls, r), append(at, i)
	}
	for j, a := range b.doMany(ctx, calls) {
		answers[at[j]] = a
	}
	return answers
}

// readMany reads the keys of items that have no context.
func readMany(ctx context.Context, b batcher, items []ouro.Item, opt ouro.Options) map[int]*ouro.Answer {
	if opt.Blind {
		return nil
	}
	var keys []ouro.Key
	var at []int
	for i := range items {
		if items[i].Context == nil {
			keys, at = append(keys, items[i].Key), append(at, i)
		}
	}
	reads := map[int]*ouro.Answer{}
	got := getMany(ctx, b, keys, ouro.Options{R: opt.R, PR: opt.PR, Timeout: opt.Timeout})
	for j := range got {
		reads[at[j]] = &got[j]
	}
	return reads
}

// doMany implements batcher.
func (c *Client) doMany(ctx context.Context, calls []*call) []ouro.Answer {
	answers := make([]ouro.Answer, len(calls))
	groups := cut(calls, allOf(calls))
	each(len(groups), batches, func(g int) { c.sendMany(ctx, calls, groups[g], answers) })
	for i := range answers {
		answers[i].Err = plain(answers[i].Err)
	}
	return answers
}

// doMany implements batcher. Calls go to their replicas in groups; what is not decided
// then goes alone, as long as ctx lets it.
func (c *Cluster) doMany(ctx context.Context, calls []*call) []ouro.Answer {
	answers := make([]ouro.Answer, len(calls))
	var groups []group
	for s, at := range c.groups(calls) {
		for _, g := range cut(calls, at) {
			groups = append(groups, group{s, g})
		}
	}
	each(len(groups), batches, func(g int) { c.sendGroup(ctx, groups[g], calls, answers) })
	var left []int
	for i := range answers {
		if goesOn(answers[i].Err) && ctx.Err() == nil {
			left = append(left, i)
		}
	}
	each(len(left), singles, func(j int) { c.alone(ctx, calls[left[j]], &answers[left[j]]) })
	return answers
}

// group is what goes to one node in one request.
type group struct {
	to *server
	at []int // of the calls
}

// groups says which calls go to which node first.
func (c *Cluster) groups(calls []*call) map[*server][]int {
	to := map[*server][]int{}
	for i, r := range calls {
		s := c.nodesFor(r.key, r.prefer)[0]
		to[s] = append(to[s], i)
	}
	return to
}

func allOf(calls []*call) []int {
	at := make([]int, len(calls))
	for i := range at {
		at[i] = i
	}
	return at
}

// cut divides calls into what one request takes.
func cut(calls []*call, at []int) (groups [][]int) {
	size, from := 0, 0
	for i, c := range at {
		n := len(calls[c].value.Data)
		if i > from && (i-from == batchItems || size+n > batchBytes) {
			groups, size, from = append(groups, at[from:i]), 0, i
		}
		size += n
	}
	if from < len(at) {
		groups = append(groups, at[from:])
	}
	return groups
}

// sendGroup sends one group, and keeps what that shows of the node.
func (c *Cluster) sendGroup(ctx context.Context, g group, calls []*call, answers []ouro.Answer) {
	asked := false
	err := c.attempt(ctx, g.to, c.attempts(calls[g.at[0]]), func(ctx context.Context, s *server) error {
		asked = true
		s.client.sendMany(ctx, calls, g.at, answers)
		for _, i := range g.at {
			if c.stale(s, calls[i], &answers[i].Result) {
				c.kick()
			}
			if brokenOff(answers[i].Err) {
				return answers[i].Err
			}
		}
		return nil
	})
	for _, i := range g.at {
		if !asked {
			answers[i] = ouro.Answer{Result: ouro.Result{RequestID: calls[i].opt.RequestID}, Err: err}
		}
		answers[i].Err = plain(answers[i].Err)
	}
}

// alone goes on with a call of which a first attempt was not decided.
func (c *Cluster) alone(ctx context.Context, r *call, a *ouro.Answer) {
	e := errorOf(a.Err)
	unknown := e.Outcome != ouro.NotDone
	again := *r
	again.opt.First = again.opt.First && !unknown
	a.Result, a.Err = c.do(ctx, &again)
	if unknown {
		a.Err = settled(a.Err, &attempts{unknown: true})
	}
}

package oracle

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"github.com/ourodb/ouro"
)

// Config bounds an oracle like a node. The zero value means the defaults.
type Config struct {
	MaxValue    int              // bytes of a value; default 1 MiB
	MaxSiblings int              // beyond it, blind growth is refused; default 100
	Now         func() time.Time // default time.Now
}

// Oracle is the reference. It stands for a bucket with n=3, r=w=2.
type Oracle struct {
	cfg    Config
	secret []byte

	mu      sync.Mutex
	last    uint64 // number of the last event
	objects map[ouro.Key]*object
	done    map[request]answer // by request id
}

// object is one key's whole story.
type object struct {
	seen     events // every event there was
	versions []version
}

type version struct {
	event uint64
	ouro.Sibling
}

// request names a write for retries.
type request struct {
	key ouro.Key
	id  string
}

type answer struct {
	removed []ouro.Sibling
	context ouro.Context
}

var _ ouro.Store = (*Oracle)(nil)

// New returns an empty oracle.
func New(cfg Config) *Oracle {
	if cfg.MaxValue == 0 {
		cfg.MaxValue = 1 << 20
	}
	if cfg.MaxSiblings == 0 {
		cfg.MaxSiblings = 100
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	o := &Oracle{cfg: cfg, secret: make([]byte, 32), objects: map[ouro.Key]*object{}, done: map[request]answer{}}
	rand.Read(o.secret) // never fails
	return o
}

// Get implements [ouro.Store].
func (o *Oracle) Get(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	opt := ouro.Apply(opts...)
	res, given, err := o.begin(ctx, key, opt)
	if err != nil {
		return res, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	res.Quorum = readQuorum(opt)
	obj := o.objects[key]
	if obj == nil || len(obj.seen) == 0 {
		res.Context = opt.Context
		return res, notFound(key)
	}
	res.Context = o.seal(key, obj.seen.with(given))
	res.Siblings = obj.shown(o.cfg.Now())
	if len(res.Siblings) == 0 {
		return res, notFound(key)
	}
	return res, nil
}

// Put implements [ouro.Store].
func (o *Oracle) Put(ctx context.Context, key ouro.Key, value ouro.Value, opts ...ouro.Option) (ouro.Result, error) {
	opt := ouro.Apply(opts...)
	res, given, err := o.begin(ctx, key, opt)
	if err != nil {
		return res, err
	}
	if len(value.Data) > o.cfg.MaxValue {
		return res, ouro.Errorf(ouro.TooLarge, ouro.NotDone, "the value has %d bytes: the limit is %d", len(value.Data), o.cfg.MaxValue)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	res.Quorum = writeQuorum(opt)
	if a, ok := o.known(key, opt); ok {
		res.Context = a.context
		return res, nil
	}
	obj := o.object(key)
	left := obj.without(given)
	if len(left) == len(obj.versions) && len(left) >= o.cfg.MaxSiblings {
		return res, ouro.Errorf(ouro.TooManySiblings, ouro.NotDone,
			"the key has %d versions: get them, merge them, and put the result with the context of that get", len(left))
	}
	o.last++
	v := version{event: o.last, Sibling: ouro.Sibling{Value: value, Modified: o.cfg.Now().UTC()}}
	v.Data = slices.Clone(value.Data)
	if opt.TTL > 0 {
		v.Expires = v.Modified.Add(opt.TTL)
	}
	obj.versions = append(left, v)
	own := given.with(events{o.last: true})
	obj.seen = obj.seen.with(own)
	res.Context = o.seal(key, own)
	o.remember(key, opt, answer{context: res.Context})
	return res, nil
}

// Delete implements [ouro.Store].
func (o *Oracle) Delete(ctx context.Context, key ouro.Key, opts ...ouro.Option) (ouro.Result, error) {
	opt := ouro.Apply(opts...)
	res, given, err := o.begin(ctx, key, opt)
	if err != nil {
		return res, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	res.Quorum = writeQuorum(opt)
	if a, ok := o.known(key, opt); ok {
		res.Context, res.Siblings = a.context, a.removed
		return res, nil
	}
	obj := o.object(key)
	if opt.Context == nil {
		given = obj.seen
		res.Siblings = obj.shown(o.cfg.Now())
	}
	obj.versions = obj.without(given)
	obj.seen = obj.seen.with(given)
	res.Context = o.seal(key, given)
	o.remember(key, opt, answer{removed: res.Siblings, context: res.Context})
	return res, nil
}

// begin checks what all requests have in common.
func (o *Oracle) begin(ctx context.Context, key ouro.Key, opt ouro.Options) (ouro.Result, events, error) {
	res := ouro.Result{RequestID: opt.RequestID, Coordinator: "oracle"}
	if res.RequestID == "" {
		res.RequestID = rand.Text()
	}
	if opt.Explain {
		res.Explain = []string{"the oracle answered alone"}
	}
	for _, err := range []error{ctx.Err(), key.Validate(), checkQuorum(opt)} {
		if err != nil {
			return res, nil, err
		}
	}
	given, err := o.open(key, opt.Context)
	return res, given, err
}

func (o *Oracle) object(key ouro.Key) *object {
	obj := o.objects[key]
	if obj == nil {
		obj = &object{seen: events{}}
		o.objects[key] = obj
	}
	return obj
}

func (o *Oracle) known(key ouro.Key, opt ouro.Options) (answer, bool) {
	a, ok := o.done[request{key, opt.RequestID}]
	return a, ok && opt.RequestID != ""
}

func (o *Oracle) remember(key ouro.Key, opt ouro.Options, a answer) {
	if opt.RequestID != "" {
		o.done[request{key, opt.RequestID}] = a
	}
}

// shown returns the versions that have not expired.
func (obj *object) shown(now time.Time) []ouro.Sibling {
	var s []ouro.Sibling
	for _, v := range obj.versions {
		if v.Expires.IsZero() || now.Before(v.Expires) {
			v.Data = slices.Clone(v.Data)
			s = append(s, v.Sibling)
		}
	}
	return s
}

// without returns the versions that seen does not contain.
func (obj *object) without(seen events) []version {
	var left []version
	for _, v := range obj.versions {
		if !seen[v.event] {
			left = append(left, v)
		}
	}
	return left
}

func notFound(key ouro.Key) error {
	return ouro.Errorf(ouro.NotFound, ouro.NotDone, "there is no version of %s", key)
}

// The numbers of the one bucket that the oracle stands for.
const replicas, majority = 3, 2

func readQuorum(opt ouro.Options) ouro.Quorum {
	return ouro.Quorum{
		N: replicas, R: opt.R.Or(majority), W: opt.W.Or(majority), PR: opt.PR.Or(0),
		Acks: replicas, Primaries: replicas,
	}
}

func writeQuorum(opt ouro.Options) ouro.Quorum {
	q := readQuorum(opt)
	q.PW, q.DW, q.Durable = opt.PW.Or(0), opt.DW.Or(0), replicas
	return q
}

func checkQuorum(opt ouro.Options) error {
	for _, c := range []struct {
		name      string
		n, lo, hi int
	}{
		{"r", opt.R.Or(majority), 1, replicas},
		{"w", opt.W.Or(majority), 1, replicas},
		{"pr", opt.PR.Or(0), 0, opt.R.Or(majority)},
		{"pw", opt.PW.Or(0), 0, opt.W.Or(majority)},
		{"dw", opt.DW.Or(0), 0, opt.W.Or(majority)},
	} {
		if c.n < c.lo || c.n > c.hi {
			return ouro.Errorf(ouro.BadRequest, ouro.NotDone, "%s=%d: it is from %d to %d here", c.name, c.n, c.lo, c.hi)
		}
	}
	return nil
}

package ouro

import "time"

// Count is an optional number of replicas: unset means the bucket's own.
type Count struct {
	N   int
	Set bool
}

// Or returns the count where it is set, else n.
func (c Count) Or(n int) int {
	if c.Set {
		return c.N
	}
	return n
}

// Options are the settings of one request. Build them with [Option] values;
// bodies of [Store] read them with [Apply].
type Options struct {
	Context   Context       // what the client has seen; nil means a blind write
	R, W      Count         // replicas that must answer a read, acknowledge a write
	PR, PW    Count         // of them, primaries of the key's preference list
	DW        Count         // of the write's, those that have synced it to disk
	Timeout   time.Duration // 0 means the bucket's
	TTL       time.Duration // 0 means the bucket's; negative means never
	Explain   bool          // return the facts of the request, in order
	RequestID string        // names this request for retries; drawn anew where empty
	First     bool          // with a RequestID: it was never sent before, to any node
	Blind     bool          // clients only: do not read before a put or delete without a context
}

// Option sets something in [Options].
type Option func(*Options)

// Apply returns the options that opts describe.
func Apply(opts ...Option) Options {
	var o Options
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// WithContext hands back what a get returned. That of a get that met nothing is empty: a
// put under it replaces nothing, as with [Blind], and stands beside what others have put
// meanwhile.
func WithContext(c Context) Option {
	if len(c) == 0 {
		return func(o *Options) { o.Context, o.Blind = nil, true }
	}
	return func(o *Options) { o.Context = c }
}

// R sets how many replicas must answer a read.
func R(n int) Option { return func(o *Options) { o.R = Count{n, true} } }

// W sets how many replicas must acknowledge a write.
func W(n int) Option { return func(o *Options) { o.W = Count{n, true} } }

// PR sets how many of a read's answers must come from primaries.
func PR(n int) Option { return func(o *Options) { o.PR = Count{n, true} } }

// PW sets how many of a write's acknowledgements must come from primaries.
func PW(n int) Option { return func(o *Options) { o.PW = Count{n, true} } }

// DW sets how many of a write's acknowledgements must be durable.
func DW(n int) Option { return func(o *Options) { o.DW = Count{n, true} } }

// TTL says for how long what is written is shown; less than 0: for ever.
func TTL(d time.Duration) Option { return func(o *Options) { o.TTL = d } }

// Timeout bounds the request on the server's side.
func Timeout(d time.Duration) Option { return func(o *Options) { o.Timeout = d } }

// Explain asks for the facts of the request, in order.
func Explain() Option { return func(o *Options) { o.Explain = true } }

// RequestID names the request, so that repeating it is safe, at any node. A write
// that names itself may be a repetition: its coordinator asks the other replicas
// whether they have it before it stores it, unless the options say [First].
func RequestID(id string) Option { return func(o *Options) { o.RequestID = id } }

// First says that a request with this RequestID was never sent before, to any
// node. That saves a round of asking; where it is not true a repetition may be
// stored twice.
func First() Option { return func(o *Options) { o.First = true } }

// Blind makes a client's plain put or delete write without reading first.
func Blind() Option { return func(o *Options) { o.Blind = true } }

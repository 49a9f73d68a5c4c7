package resp

import (
	"slices"
	"strings"
	"time"

	"github.com/ourodb/ouro"
)

func ouroCommands() []command {
	return []command{
		{name: "ouro.bucket", arity: -1, usage: "OURO.BUCKET [name]", meaning: "Chooses the bucket of this connection by name, or shows it.", run: ouroBucket},
		writes(command{name: "ouro.del", arity: -2, usage: "OURO.DEL key [CONTEXT c] [W n] [PW n] [DW n] [R n] [PR n] [TIMEOUT ms] [ID id [FIRST]] [EXPLAIN]", meaning: "Removes what the context covers, or what it reads; what nobody showed survives. Answers with what it removed.", run: ouroDel}),
		reads(command{name: "ouro.get", arity: -2, usage: "OURO.GET key [R n] [PR n] [TIMEOUT ms] [ID id] [EXPLAIN]", meaning: "Shows every surviving version and a context that covers them all.", run: ouroGet}),
		writes(command{name: "ouro.put", arity: -3, usage: "OURO.PUT key value [CONTEXT c] [TYPE t] [TTL ms] [W n] [PW n] [DW n] [TIMEOUT ms] [ID id [FIRST]] [EXPLAIN]", meaning: "Replaces what the context covers; what another wrote at once stands beside it. With ID a repetition has no second effect.", run: ouroPut}),
		{name: "ouro.set", arity: -1, usage: "OURO.SET [r|w|pr|pw|dw n|DEFAULT] [timeout ms|DEFAULT]", meaning: "Sets the quorums of all commands of this connection that follow, or shows them.", run: ouroSet},
	}
}

func ouroBucket(x *call) {
	switch len(x.args) {
	case 1:
		x.reply.text(x.c.bucket)
	case 2:
		name := string(x.args[1])
		if err := ouro.ValidateBucket(name); err != nil {
			x.c.cfg.Rejected(ouro.CodeOf(err))
			x.fail(err)
			return
		}
		x.c.choose(slices.Index(x.c.cfg.Buckets, name), name)
		x.reply.ok()
	default:
		x.wrongNumber()
	}
}

// maxCount bounds the digits of a number of replicas; only the store knows n.
const maxCount = 999

// counts are the numbers of replicas that a request may name, and the least of
// each.
func counts(o *ouro.Options) map[string]struct {
	at    *ouro.Count
	least int64
} {
	return map[string]struct {
		at    *ouro.Count
		least int64
	}{"r": {&o.R, 1}, "w": {&o.W, 1}, "pr": {&o.PR, 0}, "pw": {&o.PW, 0}, "dw": {&o.DW, 0}}
}

// maxTimeout is the longest timeout that a request may ask for.
const maxTimeout = time.Minute

func ouroSet(x *call) {
	if len(x.args) == 1 {
		x.showChosen()
		return
	}
	if len(x.args)%2 == 0 {
		x.wrongNumber()
		return
	}
	chosen := x.c.chosen
	for rest := x.args[1:]; len(rest) > 0; rest = rest[2:] {
		name := lower(rest[0])
		if is(rest[1], "default") {
			if count, ok := counts(&chosen)[name]; ok {
				*count.at = ouro.Count{}
				continue
			}
			if name == "timeout" {
				chosen.Timeout = 0
				continue
			}
		}
		if !x.parseNumber(&chosen, name, rest[1]) {
			return
		}
	}
	x.c.chosen = chosen
	x.reply.ok()
}

// parseNumber reads one of the numbers of a request, or answers what is wrong.
func (x *call) parseNumber(o *ouro.Options, name string, arg []byte) bool {
	n, ok := integer(arg)
	if name == "timeout" {
		if o.Timeout = time.Duration(n) * time.Millisecond; !ok || n < 1 || n > maxTimeout.Milliseconds() {
			x.reject(ouro.BadRequest, "timeout %.40q: it is a whole number of milliseconds from 1 to %d", arg, maxTimeout.Milliseconds())
			return false
		}
		return true
	}
	count, known := counts(o)[name]
	switch {
	case !known:
		x.reject(ouro.BadRequest, "%.40q can't be set: known are r, w, pr, pw, dw and timeout", name)
		return false
	case !ok || n < count.least || n > maxCount:
		x.reject(ouro.BadRequest, "%s %.40q: it is a whole number from %d to the bucket's n", name, arg, count.least)
		return false
	}
	*count.at = ouro.Count{N: int(n), Set: true}
	return true
}

func (x *call) showChosen() {
	o := &x.c.chosen
	r := &x.reply
	r.mapping(6)
	for _, name := range []string{"r", "w", "pr", "pw", "dw"} {
		r.text(name)
		if c := counts(o)[name].at; c.Set {
			r.int(int64(c.N))
		} else {
			r.null()
		}
	}
	r.text("timeout")
	if o.Timeout > 0 {
		r.int(o.Timeout.Milliseconds())
	} else {
		r.null()
	}
}

// native are the options of an OURO command.
type native struct {
	ouro.Options
	contentType string
}

// maxText bounds a request id and a content type in bytes.
const maxText = 256

// parseNative reads options, of which allowed has the names, each in spaces.
func (x *call) parseNative(rest [][]byte, allowed string) (o native, ok bool) {
	o.Options = x.c.chosen
	for len(rest) > 0 {
		name := lower(rest[0])
		if !strings.Contains(allowed, " "+name+" ") {
			x.reject(ouro.BadRequest, "the option %.40q is unknown: known are%s", rest[0], strings.TrimRight(strings.ToUpper(allowed), " "))
			return o, false
		}
		switch rest = rest[1:]; name {
		case "explain":
			o.Explain = true
			continue
		case "first":
			o.First = true
			continue
		}
		if len(rest) == 0 {
			x.syntax()
			return o, false
		}
		if !x.parseOption(&o, name, rest[0]) {
			return o, false
		}
		rest = rest[1:]
	}
	return o, true
}

func (x *call) parseOption(o *native, name string, arg []byte) bool {
	switch name {
	case "context":
		c, err := ouro.ParseContext(string(arg))
		if err == nil && len(c) == 0 {
			err = ouro.Errorf(ouro.BadContext, ouro.NotDone, "the context is empty: leave it out to write without one")
		}
		if err != nil {
			x.c.cfg.Rejected(ouro.BadContext)
			x.fail(err)
			return false
		}
		o.Context = c
	case "type":
		if o.contentType = string(arg); len(arg) > maxText {
			x.reject(ouro.BadRequest, "the type has %d bytes: it has at most %d", len(arg), maxText)
			return false
		}
	case "id":
		if o.RequestID = string(arg); len(arg) == 0 || !plainName(o.RequestID) || len(arg) > maxText/2 {
			x.reject(ouro.BadRequest, "the id has 1 to %d characters from ! to ~ without spaces", maxText/2)
			return false
		}
	case "ttl":
		ttl, ok := period(arg, time.Millisecond)
		if !ok {
			x.reject(ouro.BadRequest, "ttl %.40q: it is a whole number of milliseconds, more than 0", arg)
			return false
		}
		o.TTL = ttl
	default:
		return x.parseNumber(&o.Options, name, arg)
	}
	return true
}

// all hands the options on at once.
func (o *native) all() ouro.Option {
	opts := o.Options
	return func(to *ouro.Options) { *to = opts }
}

func ouroGet(x *call) {
	o, ok := x.parseNative(x.args[2:], " r pr timeout id explain ")
	if !ok {
		return
	}
	res, err := x.c.store.Get(x.ctx(), x.key(x.args[1]), o.all())
	if err != nil && ouro.CodeOf(err) != ouro.NotFound {
		x.fail(err)
		return
	}
	x.showResult(&res, "r", o.Explain)
}

func ouroPut(x *call) {
	o, ok := x.parseNative(x.args[3:], " context type ttl w pw dw timeout id first explain ")
	if !ok {
		return
	}
	res, err := x.c.store.Put(x.ctx(), x.key(x.args[1]), ouro.Value{Data: x.args[2], ContentType: o.contentType}, o.all())
	if x.answered(err) {
		x.showResult(&res, "w", o.Explain)
	}
}

func ouroDel(x *call) {
	o, ok := x.parseNative(x.args[2:], " context r pr w pw dw timeout id first explain ")
	if !ok {
		return
	}
	res, err := x.c.store.Delete(x.ctx(), x.key(x.args[1]), o.all())
	if x.answered(err) {
		x.showResult(&res, "w", o.Explain)
	}
}

// showResult writes a result as a map: siblings, context, and how it was reached.
func (x *call) showResult(res *ouro.Result, form string, explain bool) {
	r := &x.reply
	n := 5
	if explain {
		n++
	}
	r.mapping(n)
	r.text("siblings")
	r.array(len(res.Siblings))
	for i := range res.Siblings {
		x.showSibling(&res.Siblings[i])
	}
	r.text("context")
	if len(res.Context) > 0 {
		r.text(res.Context.String())
	} else {
		r.null()
	}
	r.text("request-id")
	r.text(res.RequestID)
	r.text("coordinator")
	r.text(res.Coordinator)
	r.text("quorum")
	x.showQuorum(&res.Quorum, form)
	if explain {
		r.text("explain")
		r.array(len(res.Explain))
		for _, f := range res.Explain {
			r.text(f)
		}
	}
}

func (x *call) showSibling(s *ouro.Sibling) {
	r := &x.reply
	r.mapping(4)
	r.text("value")
	r.bulk(s.Data)
	r.text("type")
	r.text(s.ContentType)
	r.text("modified")
	r.text(s.Modified.UTC().Format(time.RFC3339Nano))
	r.text("expires")
	if s.Expires.IsZero() {
		r.null()
	} else {
		r.text(s.Expires.UTC().Format(time.RFC3339Nano))
	}
}

// showQuorum writes the numbers in force, then those reached.
func (x *call) showQuorum(q *ouro.Quorum, form string) {
	r := &x.reply
	pairs := []struct {
		name string
		n    int
	}{{"n", q.N}, {"r", q.R}, {"pr", q.PR}, {"acks", q.Acks}, {"primaries", q.Primaries}}
	if form == "w" {
		pairs = append(pairs[:1], []struct {
			name string
			n    int
		}{{"w", q.W}, {"pw", q.PW}, {"dw", q.DW}, {"acks", q.Acks}, {"primaries", q.Primaries}, {"durable", q.Durable}}...)
	}
	r.mapping(len(pairs) + 1)
	for _, p := range pairs {
		r.text(p.name)
		r.int(int64(p.n))
	}
	r.text("unsettled")
	r.truth(q.Unsettled)
}

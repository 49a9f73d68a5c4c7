package resp

import (
	"time"

	"github.com/ourodb/ouro"
)

func keyCommands() []command {
	remove := "Deletes each key by itself; what is written meanwhile with a later stamp survives. The number is of keys that showed a value before; two at once may both count one."
	exists := "Reads each key by itself; one named twice counts twice."
	expire := "Writes what it read anew, with a time to live; of two at once, or a SET at once, one is lost. The time is kept by the clocks of the nodes that answer."
	left := reading + " By the clock of the node that answers."
	return []command{
		{name: "del", arity: -2, first: 1, last: -1, step: 1, write: true, usage: "DEL key ...", meaning: remove, run: del},
		{name: "exists", arity: -2, first: 1, last: -1, step: 1, usage: "EXISTS key ...", meaning: exists, run: exist},
		writes(command{name: "expire", arity: -3, usage: "EXPIRE key s [NX|XX|GT|LT]", meaning: expire, run: func(x *call) { expireKey(x, time.Second, false) }}),
		writes(command{name: "expireat", arity: -3, usage: "EXPIREAT key s [NX|XX|GT|LT]", meaning: expire, run: func(x *call) { expireKey(x, time.Second, true) }}),
		reads(command{name: "expiretime", arity: 2, usage: "EXPIRETIME key", meaning: reading, run: func(x *call) { showExpiry(x, time.Second, true) }}),
		writes(command{name: "persist", arity: 2, usage: "PERSIST key", meaning: expire, run: persist}),
		writes(command{name: "pexpire", arity: -3, usage: "PEXPIRE key ms [NX|XX|GT|LT]", meaning: expire, run: func(x *call) { expireKey(x, time.Millisecond, false) }}),
		writes(command{name: "pexpireat", arity: -3, usage: "PEXPIREAT key ms [NX|XX|GT|LT]", meaning: expire, run: func(x *call) { expireKey(x, time.Millisecond, true) }}),
		reads(command{name: "pexpiretime", arity: 2, usage: "PEXPIRETIME key", meaning: reading, run: func(x *call) { showExpiry(x, time.Millisecond, true) }}),
		reads(command{name: "pttl", arity: 2, usage: "PTTL key", meaning: left, run: func(x *call) { showExpiry(x, time.Millisecond, false) }}),
		{name: "touch", arity: -2, first: 1, last: -1, step: 1, usage: "TOUCH key ...", meaning: exists + " No time of use is kept.", run: exist},
		reads(command{name: "ttl", arity: 2, usage: "TTL key", meaning: left, run: func(x *call) { showExpiry(x, time.Second, false) }}),
		reads(command{name: "type", arity: 2, usage: "TYPE key", meaning: reading, run: typeOf}),
		{name: "unlink", arity: -2, first: 1, last: -1, step: 1, write: true, usage: "UNLINK key ...", meaning: remove, run: del},
	}
}

func del(x *call) {
	x.count(func(key ouro.Key) (bool, error) {
		there := false
		if x.c.cfg.Mode(key.Bucket) == modeTypes { // a delete of elements does not list them
			if f, err := x.read(key); err != nil || !f.there {
				return false, err
			}
			there = true
		}
		res, err := x.c.store.Delete(x.ctx(), key, x.options()...)
		return there || len(res.Siblings) > 0, err
	})
}

func exist(x *call) {
	x.count(func(key ouro.Key) (bool, error) {
		_, err := x.c.store.Get(x.ctx(), key, x.options()...)
		if ouro.CodeOf(err) == ouro.NotFound {
			return false, nil
		}
		return true, err
	})
}

func typeOf(x *call) {
	f, ok := x.glance(x.key(x.args[1]))
	switch {
	case !ok:
	case f.typed != nil:
		x.reply.simple(kindName(f.typed.Kind))
	case f.there:
		x.reply.simple("string")
	default:
		x.reply.simple("none")
	}
}

// expireKey is EXPIRE and its kin.
func expireKey(x *call, unit time.Duration, at bool) {
	n, ok := integer(x.args[2])
	if !ok {
		x.notInteger()
		return
	}
	var last until
	ok = n <= 0
	if at {
		if last.ends, ok = moment(x.args[2], unit); ok {
			last.ttl = time.Until(last.ends)
			ok = last.ttl <= longestTTL
		}
	} else if n > 0 {
		last.ttl, ok = period(x.args[2], unit)
	}
	if !ok {
		x.invalidExpiry()
		return
	}
	last.past = last.ttl <= 0
	when, ok := parseWhen(x)
	if !ok {
		return
	}
	key := x.key(x.args[1])
	f, ok := x.glance(key)
	switch {
	case !ok:
	case !f.there || !when.holds(&f, last.ttl):
		x.reply.int(0)
	case x.answered(x.lastFor(key, &f, last)):
		x.reply.int(1)
	}
}

// when says under which condition a time to live is set.
type when struct{ nx, xx, gt, lt bool }

func parseWhen(x *call) (w when, ok bool) {
	for _, a := range x.args[3:] {
		switch word := lower(a); word {
		case "nx":
			w.nx = true
		case "xx":
			w.xx = true
		case "gt":
			w.gt = true
		case "lt":
			w.lt = true
		default:
			x.reply.error("ERR Unsupported option " + word)
			return w, false
		}
	}
	switch {
	case w.nx && (w.xx || w.gt || w.lt):
		x.reply.error("ERR NX and XX, GT or LT options at the same time are not compatible")
	case w.gt && w.lt:
		x.reply.error("ERR GT and LT options at the same time are not compatible")
	default:
		return w, true
	}
	return w, false
}

// holds says whether the time that something has allows another. None is longer
// than any.
func (w *when) holds(f *found, ttl time.Duration) bool {
	never := f.expires.IsZero()
	left := time.Until(f.expires)
	return (!w.nx || never) && (!w.xx || !never) && (!w.gt || !never && ttl > left) && (!w.lt || never || ttl < left)
}

func persist(x *call) {
	key := x.key(x.args[1])
	f, ok := x.glance(key)
	switch {
	case !ok:
	case !f.there || f.expires.IsZero():
		x.reply.int(0)
	case x.answered(x.lastFor(key, &f, until{ttl: -1})):
		x.reply.int(1)
	}
}

// showExpiry answers when a key expires, or in how long: -1 means never, -2 that
// there is none.
func showExpiry(x *call, unit time.Duration, at bool) {
	f, ok := x.glance(x.key(x.args[1]))
	if !ok {
		return
	}
	switch {
	case !f.there:
		x.reply.int(-2)
	case f.expires.IsZero():
		x.reply.int(-1)
	case at:
		x.reply.int(f.expires.UnixMilli() / int64(unit/time.Millisecond))
	default:
		x.reply.int(int64((max(time.Until(f.expires), 0) + unit/2) / unit))
	}
}

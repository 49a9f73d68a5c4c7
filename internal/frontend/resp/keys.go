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

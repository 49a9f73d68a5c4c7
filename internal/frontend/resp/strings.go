package resp

import (
	"time"

	"github.com/ourodb/ouro"
)

// What happens to two clients that do it at once; the meanings are put together of
// these.
const (
	lastWins  = "Of two at once the one with the later stamp is shown; no read sees a mixture."
	readFirst = "Reads, then writes what follows from that: of two at once one is lost, and both are told that they succeeded. Not a lock."
	reading   = "Shows what r replicas know."
)

func stringCommands() []command {
	return []command{
		writes(command{name: "append", arity: 3, usage: "APPEND key value", meaning: readFirst, run: appendValue}),
		reads(command{name: "get", arity: 2, usage: "GET key", meaning: reading, run: get}),
		writes(command{name: "getdel", arity: 2, usage: "GETDEL key", meaning: "Deletes what it read; what is written meanwhile with a later stamp survives, and two at once may both be given the value.", run: getDel}),
		writes(command{name: "getex", arity: -2, usage: "GETEX key [EX s|PX ms|EXAT s|PXAT ms|PERSIST]", meaning: "With an option: " + readFirst, run: getEx}),
		reads(command{name: "getrange", arity: 4, usage: "GETRANGE key start end", meaning: reading, run: getRange}),
		writes(command{name: "getset", arity: 3, usage: "GETSET key value", meaning: "Reads, then writes: two at once may both be given the older value, and the later write is shown.", run: getSet}),
		{name: "mget", arity: -2, first: 1, last: -1, step: 1, usage: "MGET key ...", meaning: "Reads each key by itself, not all at one moment; where one can't be read, all of it is an error that names it.", run: mget},
		{name: "mset", arity: -3, first: 1, last: -1, step: 2, write: true, usage: "MSET key value ...", meaning: "Writes each key by itself: OK means all, an error says how many were not written or may have been.", run: mset},
		writes(command{name: "psetex", arity: 4, usage: "PSETEX key ms value", meaning: lastWins, run: func(x *call) { setFor(x, time.Millisecond) }}),
		writes(command{name: "set", arity: -3, usage: "SET key value [NX|XX] [GET] [EX s|PX ms|EXAT s|PXAT ms|KEEPTTL]", meaning: lastWins + " With NX, XX, GET or KEEPTTL: " + readFirst, run: set}),
		writes(command{name: "setex", arity: 4, usage: "SETEX key s value", meaning: lastWins, run: func(x *call) { setFor(x, time.Second) }}),
		writes(command{name: "setnx", arity: 3, usage: "SETNX key value", meaning: readFirst, run: setNX}),
		writes(command{name: "setrange", arity: 4, usage: "SETRANGE key offset value", meaning: readFirst, run: setRange}),
		reads(command{name: "strlen", arity: 2, usage: "STRLEN key", meaning: reading, run: strlen}),
		reads(command{name: "substr", arity: 4, usage: "SUBSTR key start end", meaning: reading, run: getRange}),
	}
}

func get(x *call) {
	if f, ok := x.look(x.key(x.args[1])); ok {
		x.showFound(&f)
	}
}

func strlen(x *call) {
	if f, ok := x.look(x.key(x.args[1])); ok {
		x.reply.int(int64(len(f.data)))
	}
}

func getSet(x *call) {
	key := x.key(x.args[1])
	if f, ok := x.look(key); ok && x.answered(x.put(key, x.args[2], 0, f.context)) {
		x.showFound(&f)
	}
}

func getDel(x *call) {
	key := x.key(x.args[1])
	f, ok := x.look(key)
	if ok && f.there {
		_, err := x.c.store.Delete(x.ctx(), key, x.options(ouro.WithContext(f.context))...)
		ok = x.answered(err)
	}
	if ok {
		x.showFound(&f)
	}
}

func appendValue(x *call) {
	key := x.key(x.args[1])
	f, ok := x.look(key)
	if !ok {
		return
	}
	x.rewrite(key, &f, append(f.data[:len(f.data):len(f.data)], x.args[2]...))
}

// rewrite writes what a value has become, and answers with its length. Its time
// to live stays.
func (x *call) rewrite(key ouro.Key, f *found, data []byte) {
	if len(data) > x.c.cfg.MaxValue {
		x.c.cfg.Rejected(ouro.TooLarge)
		x.reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
		return
	}
	if x.answered(x.putAnew(key, f, data, f.lasting())) {
		x.reply.int(int64(len(data)))
	}
}

func setRange(x *call) {
	offset, ok := integer(x.args[2])
	switch {
	case !ok:
		x.notInteger()
		return
	case offset < 0:
		x.reply.error("ERR offset is out of range")
		return
	case offset > int64(x.c.cfg.MaxValue):
		x.reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
		return
	}
	key := x.key(x.args[1])
	f, ok := x.look(key)
	if !ok {
		return
	}
	part := x.args[3]
	if len(part) == 0 {
		x.reply.int(int64(len(f.data)))
		return
	}
	data := make([]byte, max(len(f.data), int(offset)+len(part)))
	copy(data, f.data)
	copy(data[offset:], part)
	x.rewrite(key, &f, data)
}

func getRange(x *call) {
	from, ok1 := integer(x.args[2])
	to, ok2 := integer(x.args[3])
	if !ok1 || !ok2 {
		x.notInteger()
		return
	}
	f, ok := x.look(x.key(x.args[1]))
	if !ok {
		return
	}
	n := int64(len(f.data))
	if from < 0 {
		from = max(n+from, 0)
	}
	if to < 0 {
		to = n + to
	}
	if to = min(to, n-1); from > to || n == 0 {
		x.reply.text("")
		return
	}
	x.reply.bulk(f.data[from : to+1])
}

package resp

import (
	"math"
	"strconv"

	"github.com/ourodb/ouro"
)

// What happens to two clients that do it at once to data types.
const (
	merges    = "Merges: what others do at once to other elements stays, and to the same one the later is shown."
	addWins   = "Merges: an addition wins over a removal that had not seen it. The number is as the coordinator saw it."
	removes   = "Removes what the coordinator has seen; what another adds at once stays. The number is as the coordinator saw it."
	addsUp    = "Merges: increments of all clients add up, on all nodes. The answer is the total as the coordinator sees it."
	fractions = "Does not merge, as sums of fractions depend on their order: " + readFirst
	oneState  = "Shows one merged state, as r replicas know it."
)

// errWrongType is what Redis says where a key holds another type.
const errWrongType = "WRONGTYPE Operation against a key holding the wrong kind of value"

// kindNames are the names that TYPE has for data types.
func kindName(k ouro.Kind) string {
	switch k {
	case ouro.Set:
		return "set"
	case ouro.Map:
		return "hash"
	case ouro.SortedSet:
		return "zset"
	default:
		return "string"
	}
}

// update carries out an update of the key that the first argument names; false:
// it has answered why not.
func (x *call) update(u ouro.Update, more ...ouro.Option) (ouro.Result, bool) {
	updater, ok := x.c.store.(ouro.Updater)
	if !ok || x.c.cfg.Mode(x.c.bucket) != modeTypes {
		x.reject(ouro.BadRequest, "data types merge in buckets of mode types, and %s is none: choose another with SELECT or OURO.BUCKET, or make one with 'ouro bucket set NAME --mode types'", x.c.bucket)
		return ouro.Result{}, false
	}
	res, err := updater.Update(x.ctx(), x.key(x.args[1]), u, x.options(more...)...)
	return res, x.answered(err)
}

// typed reads the elements of a key of some kind; none where there is no key.
// False: it has answered why it can't.
func (x *call) typed(arg []byte, kind ouro.Kind) ([]ouro.Element, bool) {
	f, ok := x.glance(x.key(arg))
	switch {
	case !ok:
		return nil, false
	case !f.there:
		return nil, true
	case f.typed == nil || f.typed.Kind != kind:
		x.reply.error(errWrongType)
		return nil, false
	}
	return f.typed.Elements, true
}

// byName makes the elements of a typed value a map.
func byName(all []ouro.Element) map[string]*ouro.Element {
	m := make(map[string]*ouro.Element, len(all))
	for i := range all {
		m[all[i].Name] = &all[i]
	}
	return m
}

// named makes elements of arguments.
func named(args [][]byte) []ouro.Element {
	all := make([]ouro.Element, len(args))
	for i, a := range args {
		all[i].Name = string(a)
	}
	return distinct(all, ouro.IfAbsent)
}

// distinct leaves one element of each name, which an update may name once, as if they
// had come one after another under a condition.
func distinct(all []ouro.Element, when ouro.Condition) []ouro.Element {
	place := make(map[string]int, len(all))
	left := all[:0]
	for _, e := range all {
		i, named := place[e.Name]
		switch {
		case !named:
			place[e.Name] = len(left)
			left = append(left, e)
		case when == ouro.Always, when == ouro.IfPresent,
			when == ouro.IfGreater && e.Score > left[i].Score, when == ouro.IfLess && e.Score < left[i].Score:
			left[i] = e
		}
	}
	return left
}

// showMembers writes the names of elements as a set, or as a list.
func (x *call) showMembers(all []ouro.Element, asSet bool) {
	if asSet {
		x.reply.set(len(all))
	} else {
		x.reply.array(len(all))
	}
	for i := range all {
		x.reply.text(all[i].Name)
	}
}

// scanned answers an HSCAN, SSCAN or ZSCAN: all in one page, since a key is read as
// a whole. Each writes what an element is.
func (x *call) scanned(all []ouro.Element, width int, each func(*ouro.Element)) {
	if _, err := ouro.ParseCursor(string(x.args[2])); err != nil {
		x.reply.error("ERR invalid cursor")
		return
	}
	o, ok := parseScan(x, x.args[3:])
	if ok && o.kind != "" { // that is for keys
		x.syntax()
		return
	}
	if !ok {
		return
	}
	var found []*ouro.Element
	for i := range all {
		if match(o.pattern, all[i].Name) {
			found = append(found, &all[i])
		}
	}
	x.reply.array(2)
	x.reply.text("0")
	x.reply.array(width * len(found))
	for _, e := range found {
		x.reply.text(e.Name)
		if width > 1 {
			each(e)
		}
	}
}

func counterCommands() []command {
	by := func(sign int64) func(*call) {
		return func(x *call) {
			n, ok := int64(1), true
			if len(x.args) == 3 {
				n, ok = integer(x.args[2])
			}
			if !ok {
				x.notInteger()
				return
			}
			if sign < 0 && n == math.MinInt64 {
				x.reply.error("ERR decrement would overflow")
				return
			}
			x.increment(sign * n)
		}
	}
	return []command{
		writes(command{name: "decr", arity: 2, usage: "DECR key", meaning: addsUp, run: by(-1)}),
		writes(command{name: "decrby", arity: 3, usage: "DECRBY key n", meaning: addsUp, run: by(-1)}),
		writes(command{name: "incr", arity: 2, usage: "INCR key", meaning: addsUp, run: by(1)}),
		writes(command{name: "incrby", arity: 3, usage: "INCRBY key n", meaning: addsUp, run: by(1)}),
		writes(command{name: "incrbyfloat", arity: 3, usage: "INCRBYFLOAT key n", meaning: fractions, run: incrByFloat}),
	}
}

func (x *call) increment(by int64) {
	res, ok := x.update(ouro.Update{Kind: ouro.Counter, Act: ouro.Increment, Elements: []ouro.Element{{By: by}}})
	if ok && res.Typed != nil {
		x.reply.int(res.Typed.Count)
	} else if ok {
		x.reply.int(0)
	}
}

func hashCommands() []command {
	get := func(name, usage string, arity int, run func(*call)) command {
		return reads(command{name: name, arity: arity, usage: usage, meaning: oneState, run: run})
	}
	return []command{
		writes(command{name: "hdel", arity: -3, usage: "HDEL key field ...", meaning: removes, run: func(x *call) { x.removeFrom(ouro.Map) }}),
		get("hexists", "HEXISTS key field", 3, func(x *call) { x.field(func(e *ouro.Element) { x.reply.truth(e != nil) }) }),
		get("hget", "HGET key field", 3, func(x *call) { x.field(x.showField) }),
		get("hgetall", "HGETALL key", 2, hgetAll),
		writes(command{name: "hincrby", arity: 4, usage: "HINCRBY key field n", meaning: addsUp, run: hincrBy}),
		writes(command{name: "hincrbyfloat", arity: 4, usage: "HINCRBYFLOAT key field n", meaning: fractions, run: hincrByFloat}),
		get("hkeys", "HKEYS key", 2, func(x *call) { x.whenTyped(ouro.Map, func(all []ouro.Element) { x.showMembers(all, false) }) }),
		get("hlen", "HLEN key", 2, func(x *call) { x.whenTyped(ouro.Map, func(all []ouro.Element) { x.reply.int(int64(len(all))) }) }),
		get("hmget", "HMGET key field ...", -3, hmget),
		writes(command{name: "hmset", arity: -4, usage: "HMSET key field value ...", meaning: merges, run: func(x *call) { hset(x, true) }}),
		get("hrandfield", "HRANDFIELD key [n [WITHVALUES]]", -2, func(x *call) { x.random(ouro.Map, "withvalues", x.showField) }),
		get("hscan", "HSCAN key cursor [MATCH pattern] [COUNT n]", -3, func(x *call) {
			x.whenTyped(ouro.Map, func(all []ouro.Element) { x.scanned(all, 2, x.showField) })
		}),
		writes(command{name: "hset", arity: -4, usage: "HSET key field value ...", meaning: merges, run: func(x *call) { hset(x, false) }}),
		writes(command{name: "hsetnx", arity: 4, usage: "HSETNX key field value", meaning: "Writes where the coordinator has seen no such field: of two at once both may succeed, and the later is shown. Not a lock.", run: hsetNX}),
		get("hstrlen", "HSTRLEN key field", 3, func(x *call) {
			x.field(func(e *ouro.Element) {
				if e == nil {
					e = &ouro.Element{}
				}
				x.reply.int(int64(len(e.Value)))
			})
		}),
		get("hvals", "HVALS key", 2, func(x *call) {
			x.whenTyped(ouro.Map, func(all []ouro.Element) {
				x.reply.array(len(all))
				for i := range all {
					x.reply.bulk(all[i].Value)
				}
			})
		}),
	}
}

// whenTyped does something with the elements of the key that the first argument
// names.
func (x *call) whenTyped(kind ouro.Kind, do func([]ouro.Element)) {
	if all, ok := x.typed(x.args[1], kind); ok {
		do(all)
	}
}

// field does something with one field of a hash; nil: there is none.
func (x *call) field(do func(*ouro.Element)) {
	x.whenTyped(ouro.Map, func(all []ouro.Element) { do(byName(all)[string(x.args[2])]) })
}

func (x *call) showField(e *ouro.Element) {
	if e == nil {
		x.reply.null()
	} else {
		x.reply.bulk(e.Value)
	}
}

func hgetAll(x *call) {
	x.whenTyped(ouro.Map, func(all []ouro.Element) {
		x.reply.mapping(len(all))
		for i := range all {
			x.reply.text(all[i].Name)
			x.reply.bulk(all[i].Value)
		}
	})
}

func hmget(x *call) {
	x.whenTyped(ouro.Map, func(all []ouro.Element) {
		m := byName(all)
		x.reply.array(len(x.args) - 2)
		for _, f := range x.args[2:] {
			x.showField(m[string(f)])
		}
	})
}

func hset(x *call, old bool) {
	pairs := x.args[2:]
	if len(pairs)%2 != 0 {
		x.wrongNumber()
		return
	}
	u := ouro.Update{Kind: ouro.Map, Act: ouro.Assign}
	for i := 0; i < len(pairs); i += 2 {
		u.Elements = append(u.Elements, ouro.Element{Name: string(pairs[i]), Value: pairs[i+1]})
	}
	u.Elements = distinct(u.Elements, u.If)
	res, ok := x.update(u)
	switch {
	case !ok:
	case old:
		x.reply.ok()
	default:
		x.reply.int(int64(res.Changed))
	}
}

func hsetNX(x *call) {
	res, ok := x.update(ouro.Update{Kind: ouro.Map, Act: ouro.Assign, If: ouro.IfAbsent, Elements: []ouro.Element{{Name: string(x.args[2]), Value: x.args[3]}}})
	if ok {
		x.reply.truth(res.Changed > 0)
	}
}

func hincrBy(x *call) {
	n, ok := integer(x.args[3])
	if !ok {
		x.notInteger()
		return
	}
	res, ok := x.update(ouro.Update{Kind: ouro.Map, Act: ouro.Increment, Elements: []ouro.Element{{Name: string(x.args[2]), By: n}}})
	if !ok {
		return
	}
	total := int64(0)
	if res.Typed != nil && len(res.Typed.Elements) > 0 {
		total, _ = strconv.ParseInt(string(res.Typed.Elements[0].Value), 10, 64)
	}
	x.reply.int(total)
}

// removeFrom removes the elements that the arguments name.
func (x *call) removeFrom(kind ouro.Kind) {
	if res, ok := x.update(ouro.Update{Kind: kind, Act: ouro.Remove, Elements: named(x.args[2:])}); ok {
		x.reply.int(int64(res.Changed))
	}
}

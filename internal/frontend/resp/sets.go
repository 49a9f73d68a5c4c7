package resp

import (
	"github.com/ourodb/ouro"
)

func setCommands() []command {
	several := "Reads each key by itself, not all at one moment."
	get := func(name, usage string, arity int, run func(*call)) command {
		return reads(command{name: name, arity: arity, usage: usage, meaning: oneState, run: run})
	}
	return []command{
		writes(command{name: "sadd", arity: -3, usage: "SADD key member ...", meaning: addWins, run: func(x *call) {
			if res, ok := x.update(ouro.Update{Kind: ouro.Set, Act: ouro.Assign, Elements: named(x.args[2:])}); ok {
				x.reply.int(int64(res.Changed))
			}
		}}),
		get("scard", "SCARD key", 2, func(x *call) { x.whenTyped(ouro.Set, func(all []ouro.Element) { x.reply.int(int64(len(all))) }) }),
		{name: "sdiff", arity: -2, first: 1, last: -1, step: 1, usage: "SDIFF key ...", meaning: several, run: func(x *call) { combine(x, func(in, others int) bool { return in > 0 && others == 0 }) }},
		{name: "sinter", arity: -2, first: 1, last: -1, step: 1, usage: "SINTER key ...", meaning: several, run: func(x *call) {
			combine(x, func(in, others int) bool { return in+others == len(x.args)-1 })
		}},
		{name: "sintercard", arity: -3, first: 2, last: -1, step: 1, usage: "SINTERCARD n key ... [LIMIT n]", meaning: several, run: func(x *call) {
			interCard(x, func(keys [][]byte) ([]ouro.Element, bool) {
				return x.combined(keys, func(in, others int) bool { return in+others == len(keys) })
			})
		}},
		get("sismember", "SISMEMBER key member", 3, func(x *call) {
			x.whenTyped(ouro.Set, func(all []ouro.Element) { x.reply.truth(byName(all)[string(x.args[2])] != nil) })
		}),
		get("smembers", "SMEMBERS key", 2, func(x *call) { x.whenTyped(ouro.Set, func(all []ouro.Element) { x.showMembers(all, true) }) }),
		get("smismember", "SMISMEMBER key member ...", -3, func(x *call) {
			x.whenTyped(ouro.Set, func(all []ouro.Element) {
				m := byName(all)
				x.reply.array(len(x.args) - 2)
				for _, a := range x.args[2:] {
					x.reply.truth(m[string(a)] != nil)
				}
			})
		}),
		get("srandmember", "SRANDMEMBER key [n]", -2, func(x *call) { x.random(ouro.Set, "", nil) }),
		writes(command{name: "srem", arity: -3, usage: "SREM key member ...", meaning: removes, run: func(x *call) { x.removeFrom(ouro.Set) }}),
		get("sscan", "SSCAN key cursor [MATCH pattern] [COUNT n]", -3, func(x *call) {
			x.whenTyped(ouro.Set, func(all []ouro.Element) { x.scanned(all, 1, nil) })
		}),
		{name: "sunion", arity: -2, first: 1, last: -1, step: 1, usage: "SUNION key ...", meaning: several, run: func(x *call) {
			combine(x, func(int, int) bool { return true })
		}},
	}
}

// combine answers with the members for which take holds, given in how many of the
// first set and of the others a member is.
func combine(x *call, take func(in, others int) bool) {
	if found, ok := x.combined(x.args[1:], take); ok {
		x.showMembers(found, true)
	}
}

// interCard counts what is in all of some sets.
func interCard(x *call, common func(keys [][]byte) ([]ouro.Element, bool)) {
	n, ok := number(x.args[1])
	if !ok || n < 1 || n > len(x.args)-2 {
		x.reply.error("ERR numkeys should be greater than 0, and not more than the keys that follow")
		return
	}
	limit, rest := 0, x.args[2+n:]
	if len(rest) == 2 && is(rest[0], "limit") {
		if limit, ok = number(rest[1]); !ok || limit < 0 {
			x.reply.error("ERR LIMIT can't be negative")
			return
		}
	} else if len(rest) > 0 {
		x.syntax()
		return
	}
	found, ok := common(x.args[2 : 2+n])
	switch {
	case !ok:
	case limit > 0:
		x.reply.int(int64(min(limit, len(found))))
	default:
		x.reply.int(int64(len(found)))
	}
}

// combined returns those members of some sets for which take holds.
func (x *call) combined(keys [][]byte, take func(in, others int) bool) ([]ouro.Element, bool) {
	var order []string
	size := 0
	in, others := map[string]int{}, map[string]int{}
	for i, arg := range keys {
		all, ok := x.typed(arg, ouro.Set)
		if !ok {
			return nil, false
		}
		for j := range all {
			name := all[j].Name
			if in[name]+others[name] == 0 {
				order = append(order, name)
				size += len(name)
			}
			if i == 0 {
				in[name]++
			} else {
				others[name]++
			}
		}
		if size > x.c.cfg.MaxReply {
			x.tooLong()
			return nil, false
		}
	}
	var found []ouro.Element
	for _, name := range order {
		if take(in[name], others[name]) {
			found = append(found, ouro.Element{Name: name})
		}
	}
	return found, true
}

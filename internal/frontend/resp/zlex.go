package resp

import "github.com/ourodb/ouro"

// Members of one score are in order of their bytes, and ranges of names are of such: of a
// sorted set whose members have several scores they mean nothing, as in Redis.
const oneScore = " Members of one score are in order of their bytes: of a set with several scores a range of names means nothing."

func zlexCommands() []command {
	get := func(name, usage string, run func(*call)) command {
		return reads(command{name: name, arity: -4, usage: usage, meaning: oneState + oneScore, run: run})
	}
	count := get("zlexcount", "ZLEXCOUNT key min max", func(x *call) {
		if cut := x.cut(&zrangeOptions{byLex: true}, x.args[2], x.args[3]); cut != nil {
			x.whenTyped(ouro.SortedSet, func(all []ouro.Element) { x.reply.int(int64(len(cut(all)))) })
		}
	})
	count.arity = 4
	return []command{
		count,
		get("zrangebylex", "ZRANGEBYLEX key min max [LIMIT offset count]", func(x *call) {
			zrange(x, zrangeOptions{byLex: true, fixed: true}, x.args[2], x.args[3], x.args[4:])
		}),
		writes(command{name: "zremrangebylex", arity: 4, usage: "ZREMRANGEBYLEX key min max", meaning: removesRead + oneScore, run: func(x *call) { zremrange(x, zrangeOptions{byLex: true}) }}),
		get("zrevrangebylex", "ZREVRANGEBYLEX key max min [LIMIT offset count]", func(x *call) {
			zrange(x, zrangeOptions{byLex: true, reverse: true, fixed: true}, x.args[2], x.args[3], x.args[4:])
		}),
	}
}

// edge is an end of a range of names.
type edge struct {
	name string
	open bool // it is not part of it
	end  int  // less than 0: before all names; more: behind all
}

func parseEdge(arg []byte) (e edge, ok bool) {
	switch {
	case len(arg) == 1 && arg[0] == '-':
		return edge{end: -1}, true
	case len(arg) == 1 && arg[0] == '+':
		return edge{end: 1}, true
	case len(arg) > 0 && (arg[0] == '[' || arg[0] == '('):
		return edge{name: string(arg[1:]), open: arg[0] == '('}, true
	}
	return e, false
}

// from says whether a range that begins here has a name, as far as its beginning goes.
func (e *edge) from(name string) bool {
	return e.end < 0 || e.end == 0 && (name > e.name || !e.open && name == e.name)
}

// to says likewise of one that ends here.
func (e *edge) to(name string) bool {
	return e.end > 0 || e.end == 0 && (name < e.name || !e.open && name == e.name)
}

// cutNames reads a range of names; nil: it has answered what is wrong with it.
func (x *call) cutNames(low, high []byte) func([]ouro.Element) []ouro.Element {
	from, ok1 := parseEdge(low)
	to, ok2 := parseEdge(high)
	if !ok1 || !ok2 {
		x.reply.error("ERR min or max not valid string range item")
		return nil
	}
	return func(all []ouro.Element) (found []ouro.Element) {
		for _, e := range all {
			if from.from(e.Name) && to.to(e.Name) {
				found = append(found, e)
			}
		}
		return found
	}
}

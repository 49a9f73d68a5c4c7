package resp

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ourodb/ouro"
)

func zsetCommands() []command {
	get := func(name, usage string, arity int, run func(*call)) command {
		return reads(command{name: name, arity: arity, usage: usage, meaning: oneState, run: run})
	}
	rank := func(reverse bool) func(*call) {
		return func(x *call) {
			x.whenTyped(ouro.SortedSet, func(all []ouro.Element) {
				i := slices.IndexFunc(all, func(e ouro.Element) bool { return e.Name == string(x.args[2]) })
				switch {
				case i < 0:
					x.reply.null()
				case reverse:
					x.reply.int(int64(len(all) - 1 - i))
				default:
					x.reply.int(int64(i))
				}
			})
		}
	}
	return []command{
		writes(command{name: "zadd", arity: -4, usage: "ZADD key [NX|XX|GT|LT] [CH] [INCR] score member ...", meaning: addWins + " NX, XX, GT and LT hold for what the coordinator has seen; with CH it is read first, so what another changes at once may be counted too.", run: zadd}),
		get("zcard", "ZCARD key", 2, func(x *call) {
			x.whenTyped(ouro.SortedSet, func(all []ouro.Element) { x.reply.int(int64(len(all))) })
		}),
		get("zcount", "ZCOUNT key min max", 4, func(x *call) {
			if from, to, ok := x.scores(x.args[2], x.args[3]); ok {
				x.whenTyped(ouro.SortedSet, func(all []ouro.Element) { x.reply.int(int64(len(between(all, from, to)))) })
			}
		}),
		writes(command{name: "zincrby", arity: 4, usage: "ZINCRBY key n member", meaning: "Adds to the score that the coordinator has seen: of two at once to one member the later is shown.", run: func(x *call) {
			x.incrementScore(x.args[2], x.args[3], ouro.Always)
		}}),
		get("zmscore", "ZMSCORE key member ...", -3, zmscore),
		get("zrandmember", "ZRANDMEMBER key [n [WITHSCORES]]", -2, func(x *call) {
			x.random(ouro.SortedSet, "withscores", func(e *ouro.Element) { x.reply.double(e.Score) })
		}),
		get("zrange", "ZRANGE key start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count] [WITHSCORES]", -4, func(x *call) { zrange(x, zrangeOptions{}, x.args[2], x.args[3], x.args[4:]) }),
		get("zrangebyscore", "ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]", -4, func(x *call) {
			zrange(x, zrangeOptions{byScore: true, fixed: true}, x.args[2], x.args[3], x.args[4:])
		}),
		get("zrank", "ZRANK key member", 3, rank(false)),
		writes(command{name: "zrem", arity: -3, usage: "ZREM key member ...", meaning: removes, run: func(x *call) { x.removeFrom(ouro.SortedSet) }}),
		writes(command{name: "zremrangebyrank", arity: 4, usage: "ZREMRANGEBYRANK key start stop", meaning: removesRead, run: func(x *call) { zremrange(x, zrangeOptions{}) }}),
		writes(command{name: "zremrangebyscore", arity: 4, usage: "ZREMRANGEBYSCORE key min max", meaning: removesRead, run: func(x *call) { zremrange(x, zrangeOptions{byScore: true}) }}),
		get("zrevrange", "ZREVRANGE key start stop [WITHSCORES]", -4, func(x *call) { zrange(x, zrangeOptions{reverse: true, fixed: true}, x.args[2], x.args[3], x.args[4:]) }),
		get("zrevrangebyscore", "ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]", -4, func(x *call) {
			zrange(x, zrangeOptions{byScore: true, reverse: true, fixed: true}, x.args[2], x.args[3], x.args[4:])
		}),
		get("zrevrank", "ZREVRANK key member", 3, rank(true)),
		get("zscan", "ZSCAN key cursor [MATCH pattern] [COUNT n]", -3, func(x *call) {
			x.whenTyped(ouro.SortedSet, func(all []ouro.Element) {
				x.scanned(all, 2, func(e *ouro.Element) { x.reply.text(formatFloat(e.Score)) })
			})
		}),
		get("zscore", "ZSCORE key member", 3, func(x *call) {
			x.whenTyped(ouro.SortedSet, func(all []ouro.Element) { x.showScore(byName(all)[string(x.args[2])]) })
		}),
	}
}

func (x *call) showScore(e *ouro.Element) {
	if e == nil {
		x.reply.null()
	} else {
		x.reply.double(e.Score)
	}
}

func zmscore(x *call) {
	x.whenTyped(ouro.SortedSet, func(all []ouro.Element) {
		m := byName(all)
		x.reply.array(len(x.args) - 2)
		for _, a := range x.args[2:] {
			x.showScore(m[string(a)])
		}
	})
}

// score reads a score: a number, or inf.
func score(arg []byte) (float64, bool) {
	f, err := strconv.ParseFloat(string(arg), 64)
	return f, err == nil && !math.IsNaN(f) && !strings.ContainsAny(string(arg), "xXpP_")
}

func (x *call) notFloat() { x.reply.error("ERR value is not a valid float") }

func zadd(x *call) {
	u := ouro.Update{Kind: ouro.SortedSet, Act: ouro.Assign}
	rest, incr, ch, conditions := x.args[2:], false, false, 0
	for ; len(rest) > 0; rest = rest[1:] {
		when, ok := map[string]ouro.Condition{"nx": ouro.IfAbsent, "xx": ouro.IfPresent, "gt": ouro.IfGreater, "lt": ouro.IfLess}[lower(rest[0])]
		if is(rest[0], "incr") || is(rest[0], "ch") {
			incr, ch = incr || is(rest[0], "incr"), ch || is(rest[0], "ch")
			continue
		}
		if !ok {
			break
		}
		u.If = when
		conditions++
	}
	switch {
	case len(rest) == 0 || len(rest)%2 != 0:
		x.syntax()
		return
	case conditions > 1:
		x.reply.error("ERR of NX, XX, GT and LT only one can be kept at a time here")
		return
	case incr && len(rest) != 2:
		x.reply.error("ERR INCR option supports a single increment-element pair")
		return
	case incr:
		x.incrementScore(rest[0], rest[1], u.If)
		return
	}
	for i := 0; i < len(rest); i += 2 {
		f, ok := score(rest[i])
		if !ok {
			x.notFloat()
			return
		}
		u.Elements = append(u.Elements, ouro.Element{Name: string(rest[i+1]), Score: f})
	}
	u.Elements = distinct(u.Elements, u.If)
	if ch {
		x.countChanges(u)
	} else if res, ok := x.update(u); ok {
		x.reply.int(int64(res.Changed))
	}
}

// countChanges answers how many members are new or have another score.
func (x *call) countChanges(u ouro.Update) {
	all, ok := x.typed(x.args[1], ouro.SortedSet)
	if !ok {
		return
	}
	before := byName(all)
	res, ok := x.update(u)
	if !ok {
		return
	}
	changed := 0
	if res.Typed != nil {
		for _, e := range res.Typed.Elements {
			if was := before[e.Name]; was == nil || was.Score != e.Score {
				changed++
			}
		}
	}
	x.reply.int(int64(changed))
}

func (x *call) incrementScore(by, member []byte, when ouro.Condition) {
	f, ok := score(by)
	if !ok {
		x.notFloat()
		return
	}
	res, ok := x.update(ouro.Update{Kind: ouro.SortedSet, Act: ouro.Increment, If: when, Elements: []ouro.Element{{Name: string(member), Score: f}}})
	switch {
	case !ok:
	case res.Typed == nil || len(res.Typed.Elements) == 0:
		x.reply.null()
	default:
		x.reply.double(res.Typed.Elements[0].Score)
	}
}

// bound is an end of a range of scores.
type bound struct {
	at   float64
	open bool // it is not part of it
}

func parseBound(arg []byte) (b bound, ok bool) {
	if len(arg) > 0 && arg[0] == '(' {
		b.open, arg = true, arg[1:]
	}
	b.at, ok = score(arg)
	return b, ok
}

// scores reads a range of scores, or answers what is wrong with it.
func (x *call) scores(low, high []byte) (from, to bound, ok bool) {
	from, ok1 := parseBound(low)
	to, ok2 := parseBound(high)
	if !ok1 || !ok2 {
		x.reply.error("ERR min or max is not a float")
	}
	return from, to, ok1 && ok2
}

// between returns the elements with scores in a range.
func between(all []ouro.Element, from, to bound) []ouro.Element {
	var found []ouro.Element
	for _, e := range all {
		if (e.Score > from.at || !from.open && e.Score == from.at) && (e.Score < to.at || !to.open && e.Score == to.at) {
			found = append(found, e)
		}
	}
	return found
}

type zrangeOptions struct {
	byScore, byLex, reverse, scores, limited bool
	fixed                                    bool // the command's name says of what kind the range is
	offset, count                            int
}

func (o *zrangeOptions) parse(x *call, rest [][]byte) bool {
	for ; len(rest) > 0; rest = rest[1:] {
		switch word := lower(rest[0]); {
		case word == "byscore" && !o.fixed:
			o.byScore = true
		case word == "bylex" && !o.fixed:
			o.byLex = true
		case word == "rev" && !o.fixed:
			o.reverse = true
		case word == "withscores":
			o.scores = true
		case word == "limit" && len(rest) > 2:
			var ok1, ok2 bool
			o.offset, ok1 = number(rest[1])
			o.count, ok2 = number(rest[2])
			if o.limited = true; !ok1 || !ok2 {
				x.notInteger()
				return false
			}
			rest = rest[2:]
		default:
			x.syntax()
			return false
		}
	}
	switch {
	case o.byScore && o.byLex:
		x.syntax()
	case o.limited && !o.byScore && !o.byLex:
		x.reply.error("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")
	case o.scores && o.byLex:
		x.reply.error("ERR syntax error, WITHSCORES not supported in combination with BYLEX")
	default:
		return true
	}
	return false
}

func zrange(x *call, o zrangeOptions, first, last []byte, rest [][]byte) {
	if !o.parse(x, rest) {
		return
	}
	if cut := x.cut(&o, first, last); cut != nil {
		x.whenTyped(ouro.SortedSet, func(all []ouro.Element) { x.showRange(cut(all), &o) })
	}
}

// cut reads a range of scores or ranks; nil: it has answered what is wrong with it.
func (x *call) cut(o *zrangeOptions, first, last []byte) func([]ouro.Element) []ouro.Element {
	if o.reverse && (o.byScore || o.byLex) {
		first, last = last, first
	}
	if o.byLex {
		return x.cutNames(first, last)
	}
	if o.byScore {
		from, to, ok := x.scores(first, last)
		if !ok {
			return nil
		}
		return func(all []ouro.Element) []ouro.Element { return between(all, from, to) }
	}
	from, ok1 := integer(first)
	to, ok2 := integer(last)
	if !ok1 || !ok2 {
		x.notInteger()
		return nil
	}
	return func(all []ouro.Element) []ouro.Element { return byRank(all, from, to, o.reverse) }
}

// removesRead is what removing a range means to others.
const removesRead = "Reads, then removes what it read; what another adds at once stays. The number is as the coordinator saw it."

// zremrange removes the members in a range.
func zremrange(x *call, o zrangeOptions) {
	cut := x.cut(&o, x.args[2], x.args[3])
	if cut == nil {
		return
	}
	all, ok := x.typed(x.args[1], ouro.SortedSet)
	if !ok {
		return
	}
	found := cut(all)
	if len(found) == 0 {
		x.reply.int(0)
		return
	}
	u := ouro.Update{Kind: ouro.SortedSet, Act: ouro.Remove}
	for i := range found {
		u.Elements = append(u.Elements, ouro.Element{Name: found[i].Name})
	}
	if res, ok := x.update(u); ok {
		x.reply.int(int64(res.Changed))
	}
}

// byRank returns the elements from one rank to another, less than 0 counting from
// the end.
func byRank(all []ouro.Element, from, to int64, reverse bool) []ouro.Element {
	n := int64(len(all))
	if from < 0 {
		from = max(n+from, 0)
	}
	if to < 0 {
		to = n + to
	}
	if to = min(to, n-1); from > to {
		return nil
	}
	if reverse {
		from, to = n-1-to, n-1-from
	}
	return all[from : to+1]
}

func (x *call) showRange(all []ouro.Element, o *zrangeOptions) {
	all = slices.Clone(all)
	if o.reverse {
		slices.Reverse(all)
	}
	if o.limited {
		all = all[min(max(o.offset, 0), len(all)):]
		if o.offset < 0 {
			all = nil
		}
		if o.count >= 0 {
			all = all[:min(o.count, len(all))]
		}
	}
	switch {
	case !o.scores:
		x.showMembers(all, false)
		return
	case x.reply.v3:
		x.reply.array(len(all))
	default:
		x.reply.array(2 * len(all))
	}
	for i := range all {
		if x.reply.v3 {
			x.reply.array(2)
		}
		x.reply.text(all[i].Name)
		x.reply.double(all[i].Score)
	}
}

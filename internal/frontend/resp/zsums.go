package resp

import (
	"cmp"
	"math"
	"slices"

	"github.com/ourodb/ouro"
)

func zsumCommands() []command {
	several := func(name, usage string, run func(*call)) command {
		return command{name: name, arity: -3, first: 2, last: -1, step: 1, usage: usage, meaning: "Reads each key by itself, not all at one moment. A set's members have the score 1.", run: run}
	}
	return []command{
		several("zdiff", "ZDIFF n key ... [WITHSCORES]", func(x *call) {
			x.showSums(func(in []bool) bool { return in[0] && !slices.Contains(in[1:], true) }, false)
		}),
		several("zinter", "ZINTER n key ... [WEIGHTS weight ...] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]", func(x *call) {
			x.showSums(inAll, true)
		}),
		several("zintercard", "ZINTERCARD n key ... [LIMIT n]", func(x *call) {
			interCard(x, func(keys [][]byte) ([]ouro.Element, bool) {
				return x.sum(&sums{keys: keys, weights: slices.Repeat([]float64{1}, len(keys)), of: add}, inAll)
			})
		}),
		several("zunion", "ZUNION n key ... [WEIGHTS weight ...] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]", func(x *call) {
			x.showSums(func([]bool) bool { return true }, true)
		}),
	}
}

func inAll(in []bool) bool { return !slices.Contains(in, false) }

// sums says which sorted sets are put together, and how.
type sums struct {
	keys    [][]byte
	weights []float64
	of      func(a, b float64) float64
	scores  bool // they are shown too
}

// parseSums reads how many keys there are, the keys, and what may follow them.
func (x *call) parseSums(weighed bool) (s sums, ok bool) {
	n, ok := number(x.args[1])
	if !ok || n < 1 {
		x.reply.error("ERR at least 1 input key is needed for '" + lower(x.args[0]) + "' command")
		return s, false
	}
	if n > len(x.args)-2 {
		x.syntax()
		return s, false
	}
	s = sums{keys: x.args[2 : 2+n], weights: slices.Repeat([]float64{1}, n), of: add}
	for rest := x.args[2+n:]; len(rest) > 0; {
		switch {
		case is(rest[0], "withscores"):
			s.scores, rest = true, rest[1:]
		case weighed && is(rest[0], "weights") && len(rest) > n:
			for i := range s.weights {
				if s.weights[i], ok = score(rest[1+i]); !ok {
					x.reply.error("ERR weight value is not a float")
					return s, false
				}
			}
			rest = rest[1+n:]
		case weighed && is(rest[0], "aggregate") && len(rest) > 1 && aggregates[lower(rest[1])] != nil:
			s.of, rest = aggregates[lower(rest[1])], rest[2:]
		default:
			x.syntax()
			return s, false
		}
	}
	return s, true
}

var aggregates = map[string]func(a, b float64) float64{
	"sum": add,
	"min": func(a, b float64) float64 { return min(a, b) },
	"max": func(a, b float64) float64 { return max(a, b) },
}

// add adds scores; infinities that cancel each other are 0, as in Redis.
func add(a, b float64) float64 {
	if sum := a + b; !math.IsNaN(sum) {
		return sum
	}
	return 0
}

// showSums answers with the members for which take holds, given in which of the keys each
// is.
func (x *call) showSums(take func(in []bool) bool, weighed bool) {
	s, ok := x.parseSums(weighed)
	if !ok {
		return
	}
	all, ok := x.sum(&s, take)
	if ok {
		x.showRange(all, &zrangeOptions{scores: s.scores})
	}
}

func (x *call) sum(s *sums, take func(in []bool) bool) ([]ouro.Element, bool) {
	in, sum, size := map[string][]bool{}, map[string]float64{}, 0
	for i, key := range s.keys {
		all, ok := x.scored(key)
		if !ok {
			return nil, false
		}
		for j := range all {
			name, score := all[j].Name, s.weights[i]*all[j].Score
			if math.IsNaN(score) { // nothing of infinity
				score = 0
			}
			if in[name] == nil {
				in[name], sum[name] = make([]bool, len(s.keys)), score
				size += len(name) + len(s.keys)
			} else {
				sum[name] = s.of(sum[name], score)
			}
			in[name][i] = true
		}
		if size > x.c.cfg.MaxReply {
			x.tooLong()
			return nil, false
		}
	}
	var found []ouro.Element
	for name, where := range in {
		if take(where) {
			found = append(found, ouro.Element{Name: name, Score: sum[name]})
		}
	}
	slices.SortFunc(found, func(a, b ouro.Element) int {
		return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(a.Name, b.Name))
	})
	return found, true
}

// scored reads the members of a sorted set, or of a set.
func (x *call) scored(key []byte) ([]ouro.Element, bool) {
	f, ok := x.glance(x.key(key))
	switch {
	case !ok:
		return nil, false
	case !f.there:
		return nil, true
	case f.typed != nil && f.typed.Kind == ouro.SortedSet:
		return f.typed.Elements, true
	case f.typed != nil && f.typed.Kind == ouro.Set:
		all := slices.Clone(f.typed.Elements)
		for i := range all {
			all[i].Score = 1
		}
		return all, true
	}
	x.reply.error(errWrongType)
	return nil, false
}

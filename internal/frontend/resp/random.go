package resp

import (
	"math/rand/v2"

	"github.com/ourodb/ouro"
)

// mostRandom bounds how many elements one answer repeats.
const mostRandom = 100_000

// random answers with one element of a key of some kind, drawn at random, or with as
// many as the next argument says: different ones, or if that is less than 0 any, and
// some more than once. What may follow that makes it show their values.
func (x *call) random(kind ouro.Kind, with string, show func(*ouro.Element)) {
	n, values := 1, false
	rest := x.args[2:]
	if len(rest) > 0 {
		var ok bool
		if n, ok = number(rest[0]); !ok {
			x.notInteger()
			return
		}
		if n < -mostRandom {
			x.reply.error("ERR value is out of range")
			return
		}
		if values = len(rest) == 2 && with != "" && is(rest[1], with); len(rest) > 1 && !values {
			x.syntax()
			return
		}
	}
	x.whenTyped(kind, func(all []ouro.Element) {
		if len(rest) == 0 {
			if len(all) == 0 {
				x.reply.null()
			} else {
				x.reply.text(all[rand.IntN(len(all))].Name)
			}
			return
		}
		x.showRandom(pick(all, n), values, show)
	})
}

// pick draws n different elements, or -n of any.
func pick(all []ouro.Element, n int) []*ouro.Element {
	var drawn []*ouro.Element
	switch {
	case len(all) == 0:
	case n < 0:
		for range -n {
			drawn = append(drawn, &all[rand.IntN(len(all))])
		}
	default:
		for _, i := range rand.Perm(len(all))[:min(n, len(all))] {
			drawn = append(drawn, &all[i])
		}
	}
	return drawn
}

func (x *call) showRandom(drawn []*ouro.Element, values bool, show func(*ouro.Element)) {
	switch {
	case !values, x.reply.v3:
		x.reply.array(len(drawn))
	default:
		x.reply.array(2 * len(drawn))
	}
	for _, e := range drawn {
		if values && x.reply.v3 {
			x.reply.array(2)
		}
		x.reply.text(e.Name)
		if values {
			show(e)
		}
	}
}

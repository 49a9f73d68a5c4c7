package resp

import (
	"math"
	"math/big"
	"strings"

	"github.com/ourodb/ouro"
)

// Sums of fractions depend on their order, so they can't be shares that add up
// whatever is joined when: a fraction is read and written.

// addTo reads a number in an argument and adds it to what is there; false: it has
// answered why not.
func (x *call) addTo(old []byte, there bool, arg []byte, what string) (sum string, ok bool) {
	by, ok := score(arg)
	if !ok {
		x.notFloat()
		return "", false
	}
	was := 0.0
	if there {
		if was, ok = score(old); !ok || math.IsInf(was, 0) {
			x.reply.error("ERR " + what + " is not a float")
			return "", false
		}
	}
	if total := was + by; math.IsInf(total, 0) || math.IsNaN(total) {
		x.reply.error("ERR increment would produce NaN or Infinity")
		return "", false
	}
	return addDecimals(string(old), string(arg)), true
}

// addDecimals adds two numbers that are no infinities, the first 0 where it is empty. It
// does so in 64 bits and shows 17 digits after the point, as Redis does on most machines,
// so that a tenth and two tenths are three.
func addDecimals(a, b string) string {
	x, y := decimal(a), decimal(b)
	text := x.Add(x, y).Text('f', 17)
	if text = strings.TrimRight(strings.TrimRight(text, "0"), "."); text == "-0" {
		return "0"
	}
	return text
}

// decimal reads a number. What is too small to show anything is 0: it may have a power of
// ten that would take minutes to write out.
func decimal(text string) *big.Float {
	f := new(big.Float).SetPrec(precision)
	if about, ok := score([]byte(text)); ok && math.Abs(about) > 1e-30 {
		_, _ = f.SetString(text)
	}
	return f
}

const precision = 64

func incrByFloat(x *call) {
	key := x.key(x.args[1])
	f, ok := x.look(key)
	if !ok {
		return
	}
	sum, ok := x.addTo(f.data, f.there, x.args[2], "value")
	if !ok {
		return
	}
	if x.answered(x.put(key, []byte(sum), f.lasting(), f.context)) {
		x.reply.text(sum)
	}
}

func hincrByFloat(x *call) {
	x.field(func(e *ouro.Element) {
		var old []byte
		if e != nil {
			old = e.Value
		}
		sum, ok := x.addTo(old, e != nil, x.args[3], "hash value")
		if !ok {
			return
		}
		if _, ok = x.update(ouro.Update{Kind: ouro.Map, Act: ouro.Assign, Elements: []ouro.Element{{Name: string(x.args[2]), Value: []byte(sum)}}}); ok {
			x.reply.text(sum)
		}
	})
}

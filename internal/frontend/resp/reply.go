package resp

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// reply is the answer to a command, in the protocol that its connection speaks.
type reply struct {
	b    []byte
	v3   bool
	from int  // where it begins in b
	most int  // bytes that it may have; 0: any
	over bool // it would have more, and is not one
}

// begin makes what follows an answer of at most so many bytes.
func (r *reply) begin(most int) { r.from, r.most, r.over = len(r.b), most, false }

// fits says whether so many bytes of a value may follow.
func (r *reply) fits(n int) bool {
	r.over = r.over || r.most > 0 && len(r.b)-r.from+n > r.most
	return !r.over
}

// drop takes back what was written of an answer.
func (r *reply) drop() { r.b, r.over = r.b[:r.from], false }

func (r *reply) head(kind byte, n int64) {
	r.b = append(r.b, kind)
	r.b = strconv.AppendInt(r.b, n, 10)
	r.b = append(r.b, '\r', '\n')
}

func (r *reply) simple(s string) {
	r.b = append(r.b, '+')
	r.b = append(append(r.b, s...), '\r', '\n')
}

func (r *reply) ok() { r.simple("OK") }

// error begins with a word in capitals, ERR for most; whatever came of what the
// client sent, it stays one line.
func (r *reply) error(message string) {
	r.b = append(r.b, '-')
	r.b = append(append(r.b, oneLine.Replace(message)...), '\r', '\n')
}

var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

func (r *reply) int(n int64) { r.head(':', n) }

func (r *reply) truth(b bool) {
	if b {
		r.int(1)
	} else {
		r.int(0)
	}
}

func (r *reply) bulk(b []byte) {
	if !r.fits(len(b)) {
		return
	}
	r.head('$', int64(len(b)))
	r.b = append(append(r.b, b...), '\r', '\n')
}

func (r *reply) text(s string) {
	if !r.fits(len(s)) {
		return
	}
	r.head('$', int64(len(s)))
	r.b = append(append(r.b, s...), '\r', '\n')
}

// verbatim is text for people, which RESP3 marks as such.
func (r *reply) verbatim(s string) {
	if !r.v3 {
		r.text(s)
		return
	}
	r.head('=', int64(len(s))+4)
	r.b = append(append(append(r.b, "txt:"...), s...), '\r', '\n')
}

func (r *reply) null() {
	if r.v3 {
		r.b = append(r.b, "_\r\n"...)
	} else {
		r.b = append(r.b, "$-1\r\n"...)
	}
}

func (r *reply) array(n int) { r.head('*', int64(n)) }

// mapping begins n pairs.
func (r *reply) mapping(n int) {
	if r.v3 {
		r.head('%', int64(n))
	} else {
		r.head('*', 2*int64(n))
	}
}

func (r *reply) set(n int) {
	if r.v3 {
		r.head('~', int64(n))
	} else {
		r.head('*', int64(n))
	}
}

func (r *reply) double(f float64) {
	if r.v3 {
		r.b = append(append(append(r.b, ','), formatFloat(f)...), '\r', '\n')
	} else {
		r.text(formatFloat(f))
	}
}

// formatFloat writes a number as Redis writes scores.
func formatFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f == math.Trunc(f) && math.Abs(f) < 1<<52:
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return shortest(f)
}

// shortest writes a number in as few digits as tell it apart, with a power of ten where
// Redis has one: where many zeros would stand before or behind them.
func shortest(f float64) string {
	text := strconv.FormatFloat(f, 'e', -1, 64)
	digits, power, _ := strings.Cut(text, "e")
	exp, _ := strconv.Atoi(power)
	n := len(strings.Trim(digits, "-")) // digits, and the point where there is more than one
	if n > 1 {
		n--
	}
	last := exp - n + 1 // the power of ten of the last digit
	if last >= 0 && exp < n+7 || last < 0 && (last > -7 || exp > -4 && exp < 4) {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return fmt.Sprintf("%se%+d", digits, exp)
}

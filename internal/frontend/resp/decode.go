package resp

import (
	"bytes"
	"math"
)

// protocolError is a frame that can't be understood. The client is told, in the
// words of Redis, and the connection is closed.
type protocolError string

func (e protocolError) Error() string { return "Protocol error: " + string(e) }

const (
	errMultibulk    protocolError = "invalid multibulk length"
	errBulk         protocolError = "invalid bulk length"
	errBigMultibulk protocolError = "too big mbulk count string"
	errBigBulk      protocolError = "too big bulk count string"
	errBigInline    protocolError = "too big inline request"
	errQuotes       protocolError = "unbalanced quotes in request"
	errStranger     protocolError = "unauthenticated multibulk length"
	errStrangerBulk protocolError = "unauthenticated bulk length"
	errEnd          protocolError = "a bulk string does not end with CRLF"
	errBigCommand   protocolError = "too big command"
)

// limits bound a command.
type limits struct {
	args, bulk, line, command int
	stranger                  bool // nobody has said who this is yet
}

// span is a part of the bytes of a command.
type span struct{ from, to int }

// decoder takes commands out of bytes. It looks at no byte twice but for those of
// a line that has not ended, however the bytes arrive in pieces.
type decoder struct {
	limits limits
	buf    []byte // its length is what has arrived
	at     int    // where the command that is being parsed begins

	next  int // what to look at next, from at
	left  int // arguments to come; 0: the command has not begun
	bulk  int // bytes of the argument that has begun; less than 0: none has
	spans []span

	args [][]byte // of the commands since the last compact
}

// room returns free bytes at the end of the buffer, at least one; their number is
// doubled where none is left, whatever a client announced.
func (d *decoder) room() []byte {
	if len(d.buf) == cap(d.buf) {
		grown := make([]byte, len(d.buf), max(2*cap(d.buf), leastBuffer))
		copy(grown, d.buf)
		d.buf = grown
	}
	return d.buf[len(d.buf):cap(d.buf)]
}

// leastBuffer is the size of a buffer that holds little.
const leastBuffer = 4 << 10

// took says that n bytes of the room were filled.
func (d *decoder) took(n int) { d.buf = d.buf[:len(d.buf)+n] }

// compact drops the commands that were taken out; their arguments are not valid
// any more. A buffer that grew and is empty is given up.
func (d *decoder) compact() {
	rest := len(d.buf) - d.at
	if rest == 0 && cap(d.buf) > 16*leastBuffer {
		d.buf = nil
	} else {
		d.buf = d.buf[:copy(d.buf, d.buf[d.at:])]
	}
	d.at = 0
	clear(d.args)
	if d.args = d.args[:0]; cap(d.args) > 4096 {
		d.args = nil
	}
	if cap(d.spans) > 4096 && len(d.spans) == 0 {
		d.spans = nil
	}
}

// begun says whether a part of a command has arrived.
func (d *decoder) begun() bool { return len(d.buf) > d.at }

// command returns the arguments of the next command, which alias the buffer until
// [decoder.compact]; false where it has not arrived whole. Empty commands are
// passed over.
func (d *decoder) command() ([][]byte, bool, error) {
	for {
		if d.left == 0 {
			done, args, err := d.begin()
			if err != nil || !done {
				return nil, false, err
			}
			if len(args) > 0 {
				return args, true, nil
			}
			if d.left == 0 {
				continue // it was empty
			}
		}
		for d.left > 0 {
			if done, err := d.arg(); err != nil || !done {
				return nil, false, err
			}
		}
		return d.finish(), true, nil
	}
}

// begin reads the first line of a command: all of an inline one, of another how
// many arguments it has.
func (d *decoder) begin() (done bool, args [][]byte, err error) {
	if len(d.buf) == d.at {
		return false, nil, nil
	}
	if d.buf[d.at] != '*' {
		return d.inline()
	}
	line, ok, err := d.line(errBigMultibulk)
	if err != nil || !ok {
		return false, nil, err
	}
	n, ok := number(line[1:])
	switch {
	case !ok || n > d.limits.args:
		return false, nil, errMultibulk
	case d.limits.stranger && n > strangerArgs:
		return false, nil, errStranger
	case n <= 0:
		d.at, d.next = d.at+d.next, 0
		return true, nil, nil
	}
	d.left, d.bulk = n, -1
	return true, nil, nil
}

// inline reads a command that is a line of words.
func (d *decoder) inline() (bool, [][]byte, error) {
	rest := d.buf[d.at:]
	end := bytes.IndexByte(rest[d.next:], '\n')
	if end < 0 {
		if d.next = len(rest); d.next > d.limits.line {
			return false, nil, errBigInline
		}
		return false, nil, nil
	}
	end += d.next
	if end > d.limits.line {
		return false, nil, errBigInline
	}
	words, err := splitWords(bytes.TrimSuffix(rest[:end], []byte("\r")))
	if err != nil {
		return false, nil, err
	}
	d.at, d.next = d.at+end+1, 0
	first := len(d.args)
	d.args = append(d.args, words...)
	return true, d.args[first:len(d.args):len(d.args)], nil
}

// line returns the line at d.next without its end and goes past it.
func (d *decoder) line(tooBig error) ([]byte, bool, error) {
	rest := d.buf[d.at+d.next:]
	end := bytes.IndexByte(rest, '\n')
	if end > d.limits.line || end < 0 && len(rest) > d.limits.line {
		return nil, false, tooBig
	}
	if end < 0 {
		return nil, false, nil
	}
	d.next += end + 1
	return bytes.TrimSuffix(rest[:end], []byte("\r")), true, nil
}

// arg reads an argument.
func (d *decoder) arg() (bool, error) {
	if d.bulk < 0 {
		line, ok, err := d.line(errBigBulk)
		if err != nil || !ok {
			return false, err
		}
		if len(line) == 0 || line[0] != '$' {
			return false, protocolError("expected '$', got '" + shown(line) + "'")
		}
		n, ok := number(line[1:])
		switch {
		case !ok || n < 0 || n > d.limits.bulk:
			return false, errBulk
		case d.limits.stranger && n > strangerBulk:
			return false, errStrangerBulk
		case d.next+n > d.limits.command:
			return false, errBigCommand
		}
		d.bulk = n
	}
	end := d.at + d.next + d.bulk
	if len(d.buf) < end+2 {
		return false, nil
	}
	if d.buf[end] != '\r' || d.buf[end+1] != '\n' {
		return false, errEnd
	}
	d.spans = append(d.spans, span{d.next, d.next + d.bulk})
	d.next += d.bulk + 2
	d.left, d.bulk = d.left-1, -1
	return true, nil
}

// finish makes the arguments of a command that has arrived whole.
func (d *decoder) finish() [][]byte {
	first := len(d.args)
	for _, s := range d.spans {
		d.args = append(d.args, d.buf[d.at+s.from:d.at+s.to:d.at+s.to])
	}
	d.spans = d.spans[:0]
	d.at, d.next = d.at+d.next, 0
	return d.args[first:len(d.args):len(d.args)]
}

// shown returns the first character of a line for an error message.
func shown(line []byte) string {
	if len(line) == 0 {
		return "\\r"
	}
	if line[0] < ' ' || line[0] > '~' {
		return "?"
	}
	return string(line[:1])
}

// number reads a whole number in decimal, as Redis does: no sign but -, no zeros
// in front, no spaces.
func number(b []byte) (int, bool) {
	n, ok := integer(b)
	if !ok || n > math.MaxInt32 || n < math.MinInt32 {
		return 0, false
	}
	return int(n), true
}

// integer likewise reads one of 64 bits.
func integer(b []byte) (int64, bool) {
	negative := len(b) > 0 && b[0] == '-'
	digits := b
	if negative {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && (len(digits) > 1 || negative) {
		return 0, false
	}
	var n uint64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	switch {
	case negative && n <= 1<<63:
		return -int64(n), true
	case !negative && n <= math.MaxInt64:
		return int64(n), true
	default:
		return 0, false
	}
}

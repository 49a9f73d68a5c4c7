package resp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/frontend/fault"
)

// call is one command on its way.
type call struct {
	c       *conn
	command *command // nil: refused already
	args    [][]byte // its name first
	reply   reply
	ended   chan struct{} // nil: it has not been started on a goroutine of its own
	over    bool          // it ran on the connection's own
	again   bool          // its answer is too long to be one of several: it runs once more, alone
}

// newCall finds the command and checks what can be checked before it runs.
func newCall(c *conn, args [][]byte) *call {
	x := &call{c: c, args: args}
	name := strings.ToLower(string(args[0]))
	cmd, ok := table[name]
	switch {
	case !ok && refused[name] != "":
		x.reply.error("ERR '" + name + "' is not supported: " + refused[name])
	case !ok:
		x.reply.error(unknown(args))
	case cmd.arity > 0 && len(args) != cmd.arity || len(args) < -cmd.arity:
		x.wrongNumber()
	default:
		x.command = cmd
	}
	return x
}

// unknown says in the words of Redis that there is no such command.
func unknown(args [][]byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ERR unknown command '%.128s', with args beginning with: ", args[0])
	for _, a := range args[1:min(len(args), 9)] {
		fmt.Fprintf(&b, "'%.32s' ", a)
	}
	return b.String()
}

// apart says whether the call may run beside others: it is about one key and
// leaves the connection as it is.
func (x *call) apart() bool { return x.command != nil && x.command.oneKey }

func (x *call) start() {
	x.ended = make(chan struct{})
	go func() {
		defer close(x.ended)
		x.carryOut(min(x.c.cfg.MaxOutput+x.c.cfg.longestBulk(), x.c.cfg.MaxReply))
		if x.reply.over {
			x.reply.b, x.again = nil, true
		}
	}()
}

// run carries the call out where it is, and appends the answer to out.
func (x *call) run(out []byte) []byte {
	refusal := x.reply.b
	x.reply.b = out
	if x.command == nil {
		x.reply.b = append(out, refusal...)
	}
	if x.carryOut(x.c.cfg.MaxReply); x.reply.over {
		x.tooLong()
	}
	out, x.reply.b, x.over = x.reply.b, nil, true
	return out
}

// tooLong answers that the answer would have more than MaxReply.
func (x *call) tooLong() {
	x.reply.drop()
	x.reject(ouro.TooLarge, "the answer has more than %d bytes, and one of this node at most that: ask for less at once", x.c.cfg.MaxReply)
}

// carryOut runs the command. Where it only reads, an answer of more than most bytes is
// none.
func (x *call) carryOut(most int) {
	x.reply.v3 = x.c.v3 // HELLO may have come before it in its batch
	if x.command == nil || x.command.writes() {
		most = 0
	}
	x.reply.begin(most)
	defer fault.Catch(x.c.cfg.Faulted, func(err *ouro.Error) {
		x.reply.drop()
		x.fail(err)
	})
	switch {
	case x.command == nil:
	case !x.c.known && !x.command.open:
		x.reply.error("NOAUTH Authentication required.")
	default:
		x.command.run(x)
	}
}

func (x *call) wait() {
	if x.ended != nil {
		<-x.ended
	}
}

// done says whether the answer is there.
func (x *call) done() bool {
	if x.ended == nil {
		return x.over
	}
	select {
	case <-x.ended:
		return true
	default:
		return false
	}
}

// ctx is that of the connection: it ends when that is closed.
func (x *call) ctx() context.Context { return x.c.ctx }

// key makes an argument a key of the connection's bucket.
func (x *call) key(arg []byte) ouro.Key { return ouro.Key{Bucket: x.c.bucket, Name: string(arg)} }

// options are those that the client chose for its connection, and more.
func (x *call) options(more ...ouro.Option) []ouro.Option {
	chosen := x.c.chosen
	return append([]ouro.Option{func(o *ouro.Options) { *o = chosen }}, more...)
}

func (x *call) wrongNumber() {
	x.reply.error("ERR wrong number of arguments for '" + strings.ToLower(string(x.args[0])) + "' command")
}

func (x *call) syntax() { x.reply.error("ERR syntax error") }

func (x *call) notInteger() { x.reply.error("ERR value is not an integer or out of range") }

// is says whether an argument is this word, in whatever letters.
func is(arg []byte, word string) bool {
	return len(arg) == len(word) && strings.EqualFold(string(arg), word)
}

// fail answers with an error of the store.
func (x *call) fail(err error) { x.reply.error(failure(err)) }

// failure writes an error as "WORD code outcome: message". The words are those
// that Redis clients know where they mean the same: what met TRYAGAIN was not done
// and may be sent again as it is.
func failure(err error) string {
	var e *ouro.Error
	if !errors.As(err, &e) {
		e = ouro.Errorf(ouro.TimedOut, ouro.Unknown, "%v", err)
	}
	word := "ERR"
	switch e.Code {
	case ouro.WrongType:
		return errWrongType
	case ouro.Overloaded, ouro.HotKey:
		if e.Outcome == ouro.NotDone {
			word = "TRYAGAIN"
		}
	case ouro.QuorumUnavailable:
		word = "NOQUORUM"
	case ouro.TimedOut:
		word = "TIMEOUT"
	case ouro.SiblingsFound, ouro.TooManySiblings:
		word = "SIBLINGS"
	case ouro.DiskFull:
		word = "DISKFULL"
	}
	return word + " " + string(e.Code) + " " + e.Outcome.String() + ": " + e.Message
}

// reject answers to what the store does not hear of.
func (x *call) reject(code ouro.Code, format string, args ...any) {
	x.c.cfg.Rejected(code)
	x.fail(ouro.Errorf(code, ouro.NotDone, format, args...))
}

// lower returns an argument in small letters.
func lower(arg []byte) string { return string(bytes.ToLower(arg)) }

func itoa(n int) string { return strconv.Itoa(n) }

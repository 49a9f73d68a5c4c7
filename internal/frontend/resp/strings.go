package resp

import (
	"time"

	"github.com/ourodb/ouro"
)

// What happens to two clients that do it at once; the meanings are put together of
// these.
const (
	lastWins  = "Of two at once the one with the later stamp is shown; no read sees a mixture."
	readFirst = "Reads, then writes what follows from that: of two at once one is lost, and both are told that they succeeded. Not a lock."
	reading   = "Shows what r replicas know."
)

func stringCommands() []command {
	return []command{
		writes(command{name: "append", arity: 3, usage: "APPEND key value", meaning: readFirst, run: appendValue}),
		reads(command{name: "get", arity: 2, usage: "GET key", meaning: reading, run: get}),
		writes(command{name: "getdel", arity: 2, usage: "GETDEL key", meaning: "Deletes what it read; what is written meanwhile with a later stamp survives, and two at once may both be given the value.", run: getDel}),
		writes(command{name: "getex", arity: -2, usage: "GETEX key [EX s|PX ms|EXAT s|PXAT ms|PERSIST]", meaning: "With an option: " + readFirst, run: getEx}),
		reads(command{name: "getrange", arity: 4, usage: "GETRANGE key start end", meaning: reading, run: getRange}),
		writes(command{name: "getset", arity: 3, usage: "GETSET key value", meaning: "Reads, then writes: two at once may both be given the older value, and the later write is shown.", run: getSet}),
		{name: "mget", arity: -2, first: 1, last: -1, step: 1, usage: "MGET key ...", meaning: "Reads each key by itself, not all at one moment; where one can't be read, all of it is an error that names it.", run: mget},
		{name: "mset", arity: -3, first: 1, last: -1, step: 2, write: true, usage: "MSET key value ...", meaning: "Writes each key by itself: OK means all, an error says how many were not written or may have been.", run: mset},
		writes(command{name: "psetex", arity: 4, usage: "PSETEX key ms value", meaning: lastWins, run: func(x *call) { setFor(x, time.Millisecond) }}),
		writes(command{name: "set", arity: -3, usage: "SET key value [NX|XX] [GET] [EX s|PX ms|EXAT s|PXAT ms|KEEPTTL]", meaning: lastWins + " With NX, XX, GET or KEEPTTL: " + readFirst, run: set}),
		writes(command{name: "setex", arity: 4, usage: "SETEX key s value", meaning: lastWins, run: func(x *call) { setFor(x, time.Second) }}),
		writes(command{name: "setnx", arity: 3, usage: "SETNX key value", meaning: readFirst, run: setNX}),
		writes(command{name: "setrange", arity: 4, usage: "SETRANGE key offset value", meaning: readFirst, run: setRange}),
		reads(command{name: "strlen", arity: 2, usage: "STRLEN key", meaning: reading, run: strlen}),
		reads(command{name: "substr", arity: 4, usage: "SUBSTR key start end", meaning: reading, run: getRange}),
	}
}

// found is what a key shows.
type found struct {
	data    []byte
	media   string // its content type
	there   bool
	expires time.Time // zero: never
	context ouro.Context
	typed   *ouro.Typed // nil: it is a string and was never a counter
}

// look reads a string, of which one version is shown, or answers why it can't.
func (x *call) look(key ouro.Key) (f found, ok bool) {
	f, ok = x.glance(key)
	if ok && !f.text() {
		x.reply.error(errWrongType)
		return f, false
	}
	return f, ok
}

// text says whether what was found is a string, which a counter is too.
func (f *found) text() bool { return f.typed == nil || f.typed.Kind == ouro.Counter }

// glance reads a key of any type.
func (x *call) glance(key ouro.Key) (f found, ok bool) {
	f, err := x.read(key)
	if err != nil {
		x.fail(err)
		return f, false
	}
	return f, true
}

func (x *call) read(key ouro.Key) (found, error) {
	res, err := x.c.store.Get(x.ctx(), key, x.options()...)
	if ouro.CodeOf(err) == ouro.NotFound {
		return found{context: res.Context}, nil
	}
	if err != nil {
		return found{}, err
	}
	if len(res.Siblings) > 1 {
		return found{}, ouro.Errorf(ouro.SiblingsFound, ouro.NotDone,
			"the key has %d versions that no writer has merged: OURO.GET shows them, OURO.PUT with its context replaces them", len(res.Siblings))
	}
	f := found{there: true, context: res.Context, typed: res.Typed}
	if f.typed != nil {
		f.expires = f.typed.Expires
	}
	if len(res.Siblings) > 0 {
		s := &res.Siblings[0]
		f.data, f.media, f.expires = s.Data, s.ContentType, s.Expires
	}
	return f, nil
}

// put writes a value that lasts for ttl: 0 as its bucket says, less than 0 for
// ever. With a context it replaces what was read. A bucket that shows siblings is
// read first where nothing was.
func (x *call) put(key ouro.Key, data []byte, ttl time.Duration, context ouro.Context) error {
	return x.putValue(key, ouro.Value{Data: data}, ttl, context)
}

// putAnew is put of what has become of what was found, whose content type stays.
func (x *call) putAnew(key ouro.Key, f *found, data []byte, ttl time.Duration) error {
	return x.putValue(key, ouro.Value{Data: data, ContentType: f.media}, ttl, f.context)
}

func (x *call) putValue(key ouro.Key, value ouro.Value, ttl time.Duration, context ouro.Context) error {
	if context == nil && x.c.cfg.Mode(key.Bucket) == modeSiblings {
		f, err := x.read(key)
		if err != nil {
			return err
		}
		context = f.context
	}
	_, err := x.c.store.Put(x.ctx(), key, value, x.options(func(o *ouro.Options) {
		o.TTL, o.Context = ttl, context
	})...)
	return err
}

// lasting returns for how long what was found is still shown, as put takes it; where
// nothing was found that is as long as the bucket has it.
func (f *found) lasting() time.Duration {
	switch {
	case !f.there:
		return 0
	case f.expires.IsZero():
		return -1
	}
	return max(time.Until(f.expires), time.Millisecond)
}

// answered says whether a write succeeded, and answers where it did not.
func (x *call) answered(err error) bool {
	if err != nil {
		x.fail(err)
	}
	return err == nil
}

func get(x *call) {
	if f, ok := x.look(x.key(x.args[1])); ok {
		x.showFound(&f)
	}
}

func (x *call) showFound(f *found) {
	if f.there {
		x.reply.bulk(f.data)
	} else {
		x.reply.null()
	}
}

func strlen(x *call) {
	if f, ok := x.look(x.key(x.args[1])); ok {
		x.reply.int(int64(len(f.data)))
	}
}

func set(x *call) {
	o, ok := parseSet(x)
	if !ok {
		return
	}
	key := x.key(x.args[1])
	var f found
	switch {
	case o.get:
		f, ok = x.look(key)
	case o.nx || o.xx || o.keep: // of whatever type
		f, ok = x.glance(key)
	}
	if !ok {
		return
	}
	if o.nx && f.there || o.xx && !f.there {
		if o.get {
			x.showFound(&f)
		} else {
			x.reply.null()
		}
		return
	}
	ttl := o.until.ttl
	if o.keep && f.there {
		ttl = f.lasting()
	}
	if o.until.past {
		_, err := x.c.store.Delete(x.ctx(), key, x.options()...)
		ok = x.answered(err)
	} else {
		ok = x.answered(x.put(key, x.args[2], ttl, f.context))
	}
	switch {
	case !ok:
	case o.get:
		x.showFound(&f)
	default:
		x.reply.ok()
	}
}

// setOptions are what may follow a key and its value.
type setOptions struct {
	nx, xx, get, keep bool
	until             until
}

func parseSet(x *call) (o setOptions, ok bool) {
	times := 0
	for rest := x.args[3:]; len(rest) > 0; rest = rest[1:] {
		switch word := lower(rest[0]); word {
		case "nx":
			o.nx = true
		case "xx":
			o.xx = true
		case "get":
			o.get = true
		case "keepttl":
			o.keep = true
			times++
		default:
			if len(rest) == 1 || !timeWord(word) {
				x.syntax()
				return o, false
			}
			if o.until, ok = x.parseUntil(word, rest[1]); !ok {
				return o, false
			}
			times++
			rest = rest[1:]
		}
	}
	if o.nx && o.xx || times > 1 {
		x.syntax()
		return o, false
	}
	return o, true
}

// until is for how long something is to be shown: for a time, or where that is below 0
// for ever.
type until struct {
	ttl  time.Duration
	ends time.Time // where the command names the moment
	past bool      // it is over already
}

func timeWord(word string) bool {
	return word == "ex" || word == "px" || word == "exat" || word == "pxat"
}

// parseUntil reads a time to live, or answers what is wrong with it.
func (x *call) parseUntil(word string, arg []byte) (u until, ok bool) {
	unit := time.Second
	if word[0] == 'p' {
		unit = time.Millisecond
	}
	if _, isNumber := integer(arg); !isNumber {
		x.notInteger()
		return u, false
	}
	if word == "ex" || word == "px" {
		u.ttl, ok = period(arg, unit)
	} else {
		if u.ends, ok = moment(arg, unit); ok && u.ends.Unix() > 0 {
			u.ttl = time.Until(u.ends)
			u.past = u.ttl <= 0
		}
		ok = ok && u.ends.Unix() > 0 && u.ttl <= longestTTL
	}
	if !ok {
		x.invalidExpiry()
	}
	return u, ok
}

func (x *call) invalidExpiry() {
	x.reply.error("ERR invalid expire time in '" + lower(x.args[0]) + "' command")
}

// setFor is SETEX and PSETEX.
func setFor(x *call, unit time.Duration) {
	if _, isNumber := integer(x.args[2]); !isNumber {
		x.notInteger()
		return
	}
	ttl, ok := period(x.args[2], unit)
	if !ok {
		x.invalidExpiry()
		return
	}
	if x.answered(x.put(x.key(x.args[1]), x.args[3], ttl, nil)) {
		x.reply.ok()
	}
}

func setNX(x *call) {
	key := x.key(x.args[1])
	f, ok := x.glance(key)
	if ok && !f.there && x.answered(x.put(key, x.args[2], 0, f.context)) || ok && f.there {
		x.reply.truth(!f.there)
	}
}

func getSet(x *call) {
	key := x.key(x.args[1])
	if f, ok := x.look(key); ok && x.answered(x.put(key, x.args[2], 0, f.context)) {
		x.showFound(&f)
	}
}

func getDel(x *call) {
	key := x.key(x.args[1])
	f, ok := x.look(key)
	if ok && f.there {
		_, err := x.c.store.Delete(x.ctx(), key, x.options(ouro.WithContext(f.context))...)
		ok = x.answered(err)
	}
	if ok {
		x.showFound(&f)
	}
}

func getEx(x *call) {
	var last until
	var ok bool
	change := true
	switch rest := x.args[2:]; {
	case len(rest) == 0:
		change = false
	case len(rest) == 1 && is(rest[0], "persist"):
		last.ttl = -1
	case len(rest) == 2 && timeWord(lower(rest[0])):
		if last, ok = x.parseUntil(lower(rest[0]), rest[1]); !ok {
			return
		}
	default:
		x.syntax()
		return
	}
	key := x.key(x.args[1])
	f, ok := x.look(key)
	if ok && f.there && change {
		ok = x.answered(x.lastFor(key, &f, last))
	}
	if ok {
		x.showFound(&f)
	}
}

// lastFor writes what was found anew, to be shown for so long.
func (x *call) lastFor(key ouro.Key, f *found, last until) error {
	if updater, ok := x.c.store.(ouro.Updater); ok && x.c.cfg.Mode(key.Bucket) == modeTypes && !last.past {
		u := ouro.Update{Kind: ouro.Register, Act: ouro.Expire, Expires: last.ends}
		if last.ttl > 0 && last.ends.IsZero() {
			u.Expires = time.Now().Add(last.ttl)
		}
		_, err := updater.Update(x.ctx(), key, u, x.options()...)
		return err
	}
	if last.past {
		_, err := x.c.store.Delete(x.ctx(), key, x.options(ouro.WithContext(f.context))...)
		return err
	}
	if !last.ends.IsZero() { // some time has passed since it was asked for
		last.ttl = max(time.Until(last.ends), time.Millisecond)
	}
	return x.putAnew(key, f, f.data, last.ttl)
}

func appendValue(x *call) {
	key := x.key(x.args[1])
	f, ok := x.look(key)
	if !ok {
		return
	}
	x.rewrite(key, &f, append(f.data[:len(f.data):len(f.data)], x.args[2]...))
}

// rewrite writes what a value has become, and answers with its length. Its time
// to live stays.
func (x *call) rewrite(key ouro.Key, f *found, data []byte) {
	if len(data) > x.c.cfg.MaxValue {
		x.c.cfg.Rejected(ouro.TooLarge)
		x.reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
		return
	}
	if x.answered(x.putAnew(key, f, data, f.lasting())) {
		x.reply.int(int64(len(data)))
	}
}

func setRange(x *call) {
	offset, ok := integer(x.args[2])
	switch {
	case !ok:
		x.notInteger()
		return
	case offset < 0:
		x.reply.error("ERR offset is out of range")
		return
	case offset > int64(x.c.cfg.MaxValue):
		x.reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
		return
	}
	key := x.key(x.args[1])
	f, ok := x.look(key)
	if !ok {
		return
	}
	part := x.args[3]
	if len(part) == 0 {
		x.reply.int(int64(len(f.data)))
		return
	}
	data := make([]byte, max(len(f.data), int(offset)+len(part)))
	copy(data, f.data)
	copy(data[offset:], part)
	x.rewrite(key, &f, data)
}

func getRange(x *call) {
	from, ok1 := integer(x.args[2])
	to, ok2 := integer(x.args[3])
	if !ok1 || !ok2 {
		x.notInteger()
		return
	}
	f, ok := x.look(x.key(x.args[1]))
	if !ok {
		return
	}
	n := int64(len(f.data))
	if from < 0 {
		from = max(n+from, 0)
	}
	if to < 0 {
		to = n + to
	}
	if to = min(to, n-1); from > to || n == 0 {
		x.reply.text("")
		return
	}
	x.reply.bulk(f.data[from : to+1])
}

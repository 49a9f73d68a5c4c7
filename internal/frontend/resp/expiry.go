package resp

import (
	"time"

	"github.com/ourodb/ouro"
)

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

// expireKey is EXPIRE and its kin.
func expireKey(x *call, unit time.Duration, at bool) {
	n, ok := integer(x.args[2])
	if !ok {
		x.notInteger()
		return
	}
	var last until
	ok = n <= 0
	if at {
		if last.ends, ok = moment(x.args[2], unit); ok {
			last.ttl = time.Until(last.ends)
			ok = last.ttl <= longestTTL
		}
	} else if n > 0 {
		last.ttl, ok = period(x.args[2], unit)
	}
	if !ok {
		x.invalidExpiry()
		return
	}
	last.past = last.ttl <= 0
	when, ok := parseWhen(x)
	if !ok {
		return
	}
	key := x.key(x.args[1])
	f, ok := x.glance(key)
	switch {
	case !ok:
	case !f.there || !when.holds(&f, last.ttl):
		x.reply.int(0)
	case x.answered(x.lastFor(key, &f, last)):
		x.reply.int(1)
	}
}

// when says under which condition a time to live is set.
type when struct{ nx, xx, gt, lt bool }

func parseWhen(x *call) (w when, ok bool) {
	for _, a := range x.args[3:] {
		switch word := lower(a); word {
		case "nx":
			w.nx = true
		case "xx":
			w.xx = true
		case "gt":
			w.gt = true
		case "lt":
			w.lt = true
		default:
			x.reply.error("ERR Unsupported option " + word)
			return w, false
		}
	}
	switch {
	case w.nx && (w.xx || w.gt || w.lt):
		x.reply.error("ERR NX and XX, GT or LT options at the same time are not compatible")
	case w.gt && w.lt:
		x.reply.error("ERR GT and LT options at the same time are not compatible")
	default:
		return w, true
	}
	return w, false
}

// holds says whether the time that something has allows another. None is longer
// than any.
func (w *when) holds(f *found, ttl time.Duration) bool {
	never := f.expires.IsZero()
	left := time.Until(f.expires)
	return (!w.nx || never) && (!w.xx || !never) && (!w.gt || !never && ttl > left) && (!w.lt || never || ttl < left)
}

func persist(x *call) {
	key := x.key(x.args[1])
	f, ok := x.glance(key)
	switch {
	case !ok:
	case !f.there || f.expires.IsZero():
		x.reply.int(0)
	case x.answered(x.lastFor(key, &f, until{ttl: -1})):
		x.reply.int(1)
	}
}

// showExpiry answers when a key expires, or in how long: -1 means never, -2 that
// there is none.
func showExpiry(x *call, unit time.Duration, at bool) {
	f, ok := x.glance(x.key(x.args[1]))
	if !ok {
		return
	}
	switch {
	case !f.there:
		x.reply.int(-2)
	case f.expires.IsZero():
		x.reply.int(-1)
	case at:
		x.reply.int(f.expires.UnixMilli() / int64(unit/time.Millisecond))
	default:
		x.reply.int(int64((max(time.Until(f.expires), 0) + unit/2) / unit))
	}
}

// period reads a time to live in units, as Redis words what is wrong with it.
func period(arg []byte, unit time.Duration) (time.Duration, bool) {
	n, ok := integer(arg)
	if !ok || n <= 0 || n > int64(longestTTL/unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

// moment reads a time of day in units since 1970.
func moment(arg []byte, unit time.Duration) (time.Time, bool) {
	n, ok := integer(arg)
	if !ok || n > int64(1<<62)/int64(unit) || n < -int64(1<<62)/int64(unit) {
		return time.Time{}, false
	}
	return time.UnixMilli(n * int64(unit/time.Millisecond)), true
}

// longestTTL is the longest that a store takes.
const longestTTL = 100 * 365 * 24 * time.Hour

package resp

import (
	"time"

	"github.com/ourodb/ouro"
)

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
	switch {
	case !x.answered(x.putSet(key, &f, &o)):
	case o.get:
		x.showFound(&f)
	default:
		x.reply.ok()
	}
}

// putSet writes the value of a SET over what was found. One whose time is over
// already shows nothing from now on.
func (x *call) putSet(key ouro.Key, f *found, o *setOptions) error {
	if o.until.past {
		_, err := x.c.store.Delete(x.ctx(), key, x.options()...)
		return err
	}
	ttl := o.until.ttl
	if o.keep && f.there {
		ttl = f.lasting()
	}
	return x.put(key, x.args[2], ttl, f.context)
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

func setNX(x *call) {
	key := x.key(x.args[1])
	f, ok := x.glance(key)
	if ok && !f.there && x.answered(x.put(key, x.args[2], 0, f.context)) || ok && f.there {
		x.reply.truth(!f.there)
	}
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

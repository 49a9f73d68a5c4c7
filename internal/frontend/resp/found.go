package resp

import (
	"time"

	"github.com/ourodb/ouro"
)

// found is what a key shows.
type found struct {
	data    []byte
	media   string // its content type
	there   bool
	expires time.Time // zero: never
	context ouro.Context
	typed   *ouro.Typed // nil: it is a string and was never a counter
}

// text says whether what was found is a string, which a counter is too.
func (f *found) text() bool { return f.typed == nil || f.typed.Kind == ouro.Counter }

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

// look reads a string, of which one version is shown, or answers why it can't.
func (x *call) look(key ouro.Key) (f found, ok bool) {
	f, ok = x.glance(key)
	if ok && !f.text() {
		x.reply.error(errWrongType)
		return f, false
	}
	return f, ok
}

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

// answered says whether a write succeeded, and answers where it did not.
func (x *call) answered(err error) bool {
	if err != nil {
		x.fail(err)
	}
	return err == nil
}

func (x *call) showFound(f *found) {
	if f.there {
		x.reply.bulk(f.data)
	} else {
		x.reply.null()
	}
}

package resp

import (
	"math/rand/v2"
	"strings"

	"github.com/ourodb/ouro"
)

func scanCommands() []command {
	page := "A page is a range of the ring, made of what r replicas hold; the cursor stays good at every node and after any change of the ring."
	whole := "Where too few replicas told of a range it is the error INCOMPLETE; OURO.KEYS shows what there is all the same."
	return []command{
		{name: "dbsize", arity: 1, usage: "DBSIZE", meaning: "An estimate: the keys of a part of the ring, scaled up; exact where there are few. " + whole, run: dbSize},
		{name: "keys", arity: 2, usage: "KEYS pattern", meaning: "Goes through all pages; refused beyond 10,000 matches: use SCAN. Keys written or deleted meanwhile may be there or not. " + whole, run: keys},
		{name: "ouro.keys", arity: -1, usage: "OURO.KEYS [CURSOR n] [PREFIX p] [COUNT n] [R n]", meaning: page + " Says which ranges are not complete.", run: ouroKeys},
		{name: "randomkey", arity: 1, usage: "RANDOMKEY", meaning: "The first key after a random place of the ring: every key has a chance, not all the same. " + whole, run: randomKey},
		{name: "scan", arity: -2, usage: "SCAN cursor [MATCH pattern] [COUNT n] [TYPE type]", meaning: page + " A key that is there all the time is shown exactly once. With TYPE in a bucket of mode types every key of the page is read. " + whole, run: scan},
	}
}

// lister returns who lists keys, or answers that nobody does.
func (x *call) lister() (ouro.Lister, bool) {
	l, ok := x.c.store.(ouro.Lister)
	if !ok {
		x.reject(ouro.BadRequest, "this store can't list keys")
	}
	return l, ok
}

// keysPage gets a page by the quorum of the connection.
func (x *call) keysPage(l ouro.Lister, q ouro.KeysQuery) (ouro.KeysPage, bool) {
	if !q.R.Set {
		q.R = x.c.chosen.R
	}
	q.Timeout = x.c.chosen.Timeout
	page, err := l.Keys(x.ctx(), x.c.bucket, q)
	return page, x.answered(err)
}

// whole says whether a page is complete, and answers where it is not.
func (x *call) whole(page *ouro.KeysPage) bool {
	if page.Complete() {
		return true
	}
	m := &page.Missing[0]
	x.reply.error("INCOMPLETE too few replicas told what they hold of " + itoa(len(page.Missing)) + " ranges of the ring, the first from " + m.From.String() + " to " + m.To.String() + ": " + m.Why + "; try again, or use OURO.KEYS")
	return false
}

// scanOptions are what may follow the cursor of a SCAN.
type scanOptions struct {
	pattern string
	count   int
	kind    string // as TYPE names it; "": any
}

func parseScan(x *call, rest [][]byte) (o scanOptions, ok bool) {
	o.pattern, o.count = "*", 10
	for ; len(rest) > 0; rest = rest[2:] {
		if len(rest) == 1 {
			x.syntax()
			return o, false
		}
		switch {
		case is(rest[0], "match"):
			o.pattern = string(rest[1])
		case is(rest[0], "count"):
			n, isNumber := number(rest[1])
			if !isNumber {
				x.notInteger()
				return o, false
			}
			if n < 1 {
				x.syntax()
				return o, false
			}
			o.count = min(n, ouro.MaxKeysLimit)
		case is(rest[0], "type"):
			o.kind = lower(rest[1])
		default:
			x.syntax()
			return o, false
		}
	}
	return o, true
}

func scan(x *call) {
	l, ok := x.lister()
	if !ok {
		return
	}
	cursor, err := ouro.ParseCursor(string(x.args[1]))
	if err != nil {
		x.reply.error("ERR invalid cursor")
		return
	}
	o, ok := parseScan(x, x.args[2:])
	if !ok {
		return
	}
	types := x.c.cfg.Mode(x.c.bucket) == modeTypes
	if o.kind != "" && !types && o.kind != "string" { // there is none
		x.showScan(0, nil)
		return
	}
	prefix, _ := literal(o.pattern)
	page, ok := x.keysPage(l, ouro.KeysQuery{Cursor: cursor, Prefix: prefix, Limit: o.count})
	if !ok || !x.whole(&page) {
		return
	}
	names := matching(page.Keys, o.pattern)
	if o.kind != "" && types {
		var err error
		if names, err = x.ofKind(names, o.kind); err != nil {
			x.fail(err)
			return
		}
	}
	x.showScan(page.Next, names)
}

// ofKind returns which of some keys are of a type, which is known once they are read.
func (x *call) ofKind(names []string, kind string) ([]string, error) {
	is := make([]bool, len(names))
	errs := each(len(names), func(i int) error {
		f, err := x.read(x.key([]byte(names[i])))
		is[i] = f.there && (f.typed == nil && kind == "string" || f.typed != nil && kindName(f.typed.Kind) == kind)
		return err
	})
	if err := partly(errs, func(i int) []byte { return []byte(names[i]) }); err != nil {
		return nil, err
	}
	var all []string
	for i, n := range names {
		if is[i] {
			all = append(all, n)
		}
	}
	return all, nil
}

func (x *call) showScan(next ouro.Cursor, names []string) {
	x.reply.array(2)
	x.reply.text(next.String())
	x.showNames(names)
}

func (x *call) showNames(names []string) {
	x.reply.array(len(names))
	for _, k := range names {
		x.reply.text(k)
	}
}

func matching(names []string, pattern string) []string {
	if pattern == "*" {
		return names
	}
	var all []string
	for _, k := range names {
		if match(pattern, k) {
			all = append(all, k)
		}
	}
	return all
}

func keys(x *call) {
	l, ok := x.lister()
	if !ok {
		return
	}
	pattern := string(x.args[1])
	prefix, _ := literal(pattern)
	var all []string
	for q := (ouro.KeysQuery{Prefix: prefix, Limit: ouro.DefaultKeysLimit}); ; {
		page, ok := x.keysPage(l, q)
		if !ok || !x.whole(&page) {
			return
		}
		if all = append(all, matching(page.Keys, pattern)...); len(all) > x.c.cfg.MaxKeys {
			x.reject(ouro.TooLarge, "more than %d keys match: use SCAN", x.c.cfg.MaxKeys)
			return
		}
		if q.Cursor = page.Next; q.Cursor == 0 {
			x.showNames(all)
			return
		}
	}
}

// dbSizeKeys is after how many keys an estimate is good enough.
const dbSizeKeys = 5000

func dbSize(x *call) {
	l, ok := x.lister()
	if !ok {
		return
	}
	count, covered := 0, 0.0
	for q := (ouro.KeysQuery{Limit: ouro.DefaultKeysLimit}); ; {
		page, ok := x.keysPage(l, q)
		if !ok || !x.whole(&page) {
			return
		}
		count, covered = count+len(page.Keys), covered+page.Covered
		if q.Cursor = page.Next; q.Cursor == 0 {
			x.reply.int(int64(count))
			return
		}
		if count >= dbSizeKeys && covered > 0 {
			x.reply.int(int64(float64(count) / covered))
			return
		}
	}
}

func randomKey(x *call) {
	l, ok := x.lister()
	if !ok {
		return
	}
	begun := ouro.Cursor(rand.Uint64())
	for q, wrapped := (ouro.KeysQuery{Cursor: begun, Limit: 1}), false; ; {
		page, ok := x.keysPage(l, q)
		if !ok {
			return
		}
		if len(page.Keys) > 0 {
			x.reply.text(page.Keys[0])
			return
		}
		if !x.whole(&page) {
			return
		}
		if q.Cursor = page.Next; q.Cursor == 0 {
			if wrapped {
				x.reply.null()
				return
			}
			wrapped = true
		} else if wrapped && q.Cursor > begun {
			x.reply.null()
			return
		}
	}
}

func ouroKeys(x *call) {
	l, ok := x.lister()
	if !ok {
		return
	}
	var q ouro.KeysQuery
	for rest := x.args[1:]; len(rest) > 0; rest = rest[2:] {
		if len(rest) == 1 {
			x.syntax()
			return
		}
		var err error
		switch name := lower(rest[0]); name {
		case "cursor":
			q.Cursor, err = ouro.ParseCursor(string(rest[1]))
		case "prefix":
			q.Prefix = string(rest[1])
		case "count":
			n, isNumber := number(rest[1])
			if q.Limit = n; !isNumber || n < 1 || n > ouro.MaxKeysLimit {
				err = ouro.Errorf(ouro.BadRequest, ouro.NotDone, "count %.40q: it is a whole number from 1 to %d", rest[1], ouro.MaxKeysLimit)
			}
		case "r":
			n, isNumber := number(rest[1])
			if q.R = (ouro.Count{N: n, Set: true}); !isNumber || n < 1 || n > maxCount {
				err = ouro.Errorf(ouro.BadRequest, ouro.NotDone, "r %.40q: it is a whole number from 1 to the bucket's n", rest[1])
			}
		default:
			err = ouro.Errorf(ouro.BadRequest, ouro.NotDone, "the option %.40q is unknown: known are CURSOR, PREFIX, COUNT and R", strings.ToUpper(name))
		}
		if err != nil {
			x.c.cfg.Rejected(ouro.CodeOf(err))
			x.fail(err)
			return
		}
	}
	if page, ok := x.keysPage(l, q); ok {
		x.showPage(&page)
	}
}

func (x *call) showPage(page *ouro.KeysPage) {
	r := &x.reply
	r.mapping(4)
	r.text("next")
	r.text(page.Next.String())
	r.text("keys")
	x.showNames(page.Keys)
	r.text("complete")
	r.truth(page.Complete())
	r.text("missing")
	r.array(len(page.Missing))
	for i := range page.Missing {
		m := &page.Missing[i]
		r.mapping(3)
		r.text("from")
		r.text(m.From.String())
		r.text("to")
		r.text(m.To.String())
		r.text("why")
		r.text(m.Why)
	}
}

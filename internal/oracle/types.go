package oracle

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/ourodb/ouro"
)

// Types is the reference for a bucket of data types: one copy, one request at a
// time, and nothing that anybody does at once.
type Types struct {
	mu   sync.Mutex
	keys map[ouro.Key]*thing
}

// thing is what is under a key. A counter is a register that was incremented.
type thing struct {
	kind    ouro.Kind
	text    string
	counted bool
	fields  map[string]string
	scores  map[string]float64
}

var (
	_ ouro.Store   = (*Types)(nil)
	_ ouro.Updater = (*Types)(nil)
)

// NewTypes returns an empty reference.
func NewTypes() *Types { return &Types{keys: map[ouro.Key]*thing{}} }

// describe says how a result was reached.
func describe(res *ouro.Result, opts []ouro.Option) {
	if res.Coordinator, res.RequestID = "oracle", ouro.Apply(opts...).RequestID; res.RequestID == "" {
		res.RequestID = "none"
	}
}

// Get implements [ouro.Store].
func (o *Types) Get(_ context.Context, key ouro.Key, opts ...ouro.Option) (res ouro.Result, err error) {
	defer describe(&res, opts)
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.keys[key]
	if t == nil {
		return ouro.Result{}, notFound(key)
	}
	return t.result(nil), nil
}

// Put implements [ouro.Store].
func (o *Types) Put(_ context.Context, key ouro.Key, v ouro.Value, opts ...ouro.Option) (res ouro.Result, err error) {
	defer describe(&res, opts)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keys[key] = &thing{kind: ouro.Register, text: string(v.Data)}
	return ouro.Result{}, nil
}

// Delete implements [ouro.Store].
func (o *Types) Delete(_ context.Context, key ouro.Key, opts ...ouro.Option) (res ouro.Result, err error) {
	defer describe(&res, opts)
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.keys, key)
	return ouro.Result{}, nil
}

// Update implements [ouro.Updater]. It knows no expiry.
func (o *Types) Update(_ context.Context, key ouro.Key, u ouro.Update, opts ...ouro.Option) (res ouro.Result, err error) {
	defer describe(&res, opts)
	o.mu.Lock()
	defer o.mu.Unlock()
	kind, t := u.Kind, o.keys[key]
	if kind == ouro.Counter {
		kind = ouro.Register
	}
	switch {
	case u.Kind == ouro.Register:
		if u.If == ouro.IfAbsent && t != nil || u.If == ouro.IfPresent && t == nil {
			if t == nil || t.kind != ouro.Register {
				return ouro.Result{}, nil
			}
			return t.result(nil), nil
		}
		t = &thing{kind: ouro.Register, text: string(u.Elements[0].Value)}
		o.keys[key] = t
		res = t.result(nil)
		res.Changed = 1
		return res, nil
	case t != nil && t.kind != kind:
		return ouro.Result{}, ouro.Errorf(ouro.WrongType, ouro.NotDone, "%s is a %s", key, t.kind)
	case t == nil:
		t = &thing{kind: kind, text: "0", fields: map[string]string{}, scores: map[string]float64{}}
	}
	after, changed := t.clone(), 0
	for _, e := range u.Elements {
		n, ok := after.do(u, e, t == o.keys[key])
		if !ok {
			return ouro.Result{}, ouro.Errorf(ouro.BadRequest, ouro.NotDone, "no number")
		}
		changed += n
	}
	o.keys[key] = after
	if kind != ouro.Register && len(after.fields)+len(after.scores) == 0 {
		delete(o.keys, key)
	}
	names := map[string]bool{}
	for _, e := range u.Elements {
		names[e.Name] = true
	}
	res = after.result(names)
	res.Changed = changed
	return res, nil
}

func (t *thing) clone() *thing {
	c := &thing{kind: t.kind, text: t.text, counted: t.counted, fields: map[string]string{}, scores: map[string]float64{}}
	for k, v := range t.fields {
		c.fields[k] = v
	}
	for k, v := range t.scores {
		c.scores[k] = v
	}
	return c
}

// do does to one element what an update says, and returns how many are new or gone.
func (t *thing) do(u ouro.Update, e ouro.Element, there bool) (changed int, ok bool) {
	_, field := t.fields[e.Name]
	old, scored := t.scores[e.Name]
	has := field || scored || t.kind == ouro.Register && there
	score := e.Score
	if u.Act == ouro.Increment {
		score += old
	}
	switch {
	case u.Act == ouro.Remove:
		delete(t.fields, e.Name)
		delete(t.scores, e.Name)
		return btoi(has), true
	case u.If == ouro.IfAbsent && has, u.If == ouro.IfPresent && !has,
		u.If == ouro.IfGreater && has && score <= old, u.If == ouro.IfLess && has && score >= old:
		return 0, true
	}
	switch {
	case t.kind == ouro.SortedSet:
		t.scores[e.Name] = score
		return btoi(!has), score == score
	case t.kind == ouro.Set:
		t.fields[e.Name] = ""
	case u.Act == ouro.Assign:
		t.fields[e.Name] = string(e.Value)
	case t.kind == ouro.Register:
		t.text, ok = add(t.text, e.By)
		t.counted = true
		return btoi(!has), ok
	default:
		if !field {
			t.fields[e.Name] = "0"
		}
		t.fields[e.Name], ok = add(t.fields[e.Name], e.By)
		return btoi(!has), ok
	}
	return btoi(!has), true
}

func add(text string, by int64) (string, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != text || by > 0 && n > math.MaxInt64-by || by < 0 && n < math.MinInt64-by {
		return text, false
	}
	return strconv.FormatInt(n+by, 10), true
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// result is what is shown of some names, or of all.
func (t *thing) result(names map[string]bool) ouro.Result {
	if t.kind == ouro.Register {
		res := ouro.Result{Siblings: []ouro.Sibling{{Value: ouro.Value{Data: []byte(t.text)}}}}
		if t.counted {
			n, _ := strconv.ParseInt(t.text, 10, 64)
			res.Typed = &ouro.Typed{Kind: ouro.Counter, Count: n}
		}
		return res
	}
	v := &ouro.Typed{Kind: t.kind}
	for name, value := range t.fields {
		v.Elements = append(v.Elements, ouro.Element{Name: name, Value: []byte(value)})
	}
	for name, score := range t.scores {
		v.Elements = append(v.Elements, ouro.Element{Name: name, Score: score})
	}
	v.Elements = slices.DeleteFunc(v.Elements, func(e ouro.Element) bool { return names != nil && !names[e.Name] })
	slices.SortFunc(v.Elements, func(a, b ouro.Element) int {
		return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(a.Name, b.Name))
	})
	return ouro.Result{Typed: v}
}

package typed

import (
	"math"
	"strconv"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
)

// Refusal says why an update is not carried out. Nothing is stored then.
type Refusal uint8

// The refusals.
const (
	None      Refusal = iota
	WrongType         // the key shows another type
	NotNumber         // what is to be incremented is no integer
	Overflow          // the sum would not fit, or be no number
	Full              // the key would have too many elements, or bytes
)

// Limits bound what a typed key may grow to. They bind updates, never a join.
type Limits struct {
	Elements int // versions
	Bytes    int // of their values
}

// Change is what an update does to a record: the versions of some dots go, others
// are minted, in order.
type Change struct {
	Covers  []causal.Dot
	Mints   []causal.Version // without dots
	Changed int              // elements that are new or gone; see [ouro.Updater]
}

// Input is what an update is decided on.
type Input struct {
	Update  *ouro.Update
	Seen    *causal.Claims // what may be taken away; nil: all that is there
	Actor   causal.Actor   // who mints
	Now     int64          // the wall clock, in milliseconds
	Expires int64          // from when a register assigned, or a key made, is not shown; 0: never
	Limits  Limits
}

// decision is an update being decided.
type decision struct {
	*table
	Input
	Change
	refusal Refusal
}

// Decide says what an update does to a state. Nothing of the state is kept but its
// dots.
func Decide(s *causal.State, in Input) (Change, Refusal) {
	d := decision{table: newTable(s, in.Now), Input: in}
	d.decide()
	if d.refusal == None && len(d.Mints) > 0 {
		d.weigh()
	}
	if d.refusal != None {
		return Change{}, d.refusal
	}
	return d.Change, None
}

func (d *decision) decide() {
	u := d.Update
	switch {
	case u.Act == ouro.Expire:
		d.expire()
		return
	case u.Kind == ouro.Register:
		d.register()
		return
	}
	kind := u.Kind
	if kind == ouro.Counter {
		kind = ouro.Register
	}
	if d.kind != "" && d.kind != kind {
		d.refusal = WrongType
		return
	}
	fresh := d.kind == ""
	d.kind = kind
	names := map[string]bool{}
	for i := range u.Elements {
		names[u.Elements[i].Name] = true
	}
	d.fill(names)
	for i := range u.Elements {
		if d.element(&u.Elements[i]); d.refusal != None {
			return
		}
	}
	if len(d.Mints) > 0 && fresh && d.Expires != 0 {
		d.limit(d.Expires)
	}
	if len(d.Mints) > 0 {
		d.Covers = append(d.Covers, d.hidden...)
	}
}

// register replaces all there is of the key.
func (d *decision) register() {
	u, there := d.Update, d.kind != ""
	if u.If == ouro.IfAbsent && there || u.If == ouro.IfPresent && !there {
		return
	}
	v := causal.Version{ContentType: u.ContentType}
	if len(u.Elements) > 0 {
		v.Value = u.Elements[0].Value
	}
	for i := range d.state.Versions {
		if old := &d.state.Versions[i]; !u.Keep || d.ends == 0 || old.ContentType != markExpiry {
			d.cover(old.Dot)
		}
	}
	d.Mints, d.Changed = append(d.Mints, v), 1
	if !u.Keep && d.Expires != 0 {
		d.mint(&item{sum: d.Expires})
	}
}

// expire puts another word in the place of those on when the key expires. That
// it does not is a word of its own, or an earlier one that another node took
// would count.
func (d *decision) expire() {
	if d.kind == "" {
		return
	}
	at := int64(0)
	if !d.Update.Expires.IsZero() {
		at = max(d.Update.Expires.UnixMilli(), 1)
	}
	d.Changed = 1
	if at == 0 && len(d.limits) == 0 {
		return
	}
	d.limit(at)
}

func (d *decision) limit(at int64) {
	d.Covers = append(d.Covers, d.limits...)
	d.mint(&item{sum: at})
}

// element does to one element what the update says.
func (d *decision) element(e *ouro.Element) {
	c := d.cells[e.Name]
	switch d.Update.Act {
	case ouro.Remove:
		if c != nil && d.coverAll(c) {
			d.Changed++
			delete(d.cells, e.Name)
		}
	case ouro.Assign:
		if d.holds(c, e.Score) {
			d.assign(e, c)
		}
	case ouro.Increment:
		score := e.Score
		if c != nil {
			score += c.mark()
		}
		if d.holds(c, score) {
			d.increment(e, c)
		}
	}
}

// holds says whether the update's condition holds of an element.
func (d *decision) holds(c *cell, score float64) bool {
	switch d.Update.If {
	case ouro.IfAbsent:
		return c == nil
	case ouro.IfPresent:
		return c != nil
	case ouro.IfGreater:
		return c == nil || score > c.mark()
	case ouro.IfLess:
		return c == nil || score < c.mark()
	default:
		return true
	}
}

func (d *decision) assign(e *ouro.Element, c *cell) {
	if c == nil {
		d.Changed++
	} else {
		d.coverAll(c)
	}
	it := &item{kind: d.kind, name: e.Name, value: e.Value, score: e.Score}
	d.mint(it)
	d.cells[e.Name] = &cell{valued: true, value: item{value: e.Value, score: e.Score, version: &causal.Version{}}}
}

// increment puts a greater share of the minting actor in the place of its share.
// Every actor has one of an element, so that all add up whatever is joined when.
func (d *decision) increment(e *ouro.Element, c *cell) {
	if c == nil {
		c = &cell{}
		d.Changed++
		d.cells[e.Name] = c
	}
	it, had := d.share(d.kind, e.Name, d.Actor)
	if had {
		d.Covers = append(d.Covers, it.version.Dot)
	}
	it = item{kind: d.kind, name: e.Name, share: true, sum: it.sum, score: it.score}
	if d.kind == ouro.SortedSet {
		it.score += e.Score
		if total := c.mark() + e.Score; total != total || it.score != it.score {
			d.refusal = Overflow
		}
	} else {
		it.sum += e.By
		switch total, ok := c.count(); {
		case !ok:
			d.refusal = NotNumber
		case e.By > 0 && total > math.MaxInt64-e.By, e.By < 0 && total < math.MinInt64-e.By:
			d.refusal = Overflow
		}
	}
	d.mint(&it)
}

func (d *decision) mint(it *item) {
	var v causal.Version
	v.ContentType, v.Value = it.form()
	d.Mints = append(d.Mints, v)
}

// cover takes away a version that the request may take away.
func (d *decision) cover(dot causal.Dot) bool {
	if d.Seen != nil && !d.Seen.Covers(dot) {
		return false
	}
	d.Covers = append(d.Covers, dot)
	return true
}

func (d *decision) coverAll(c *cell) bool {
	all := true
	for _, dot := range c.dots {
		if !d.cover(dot) {
			all = false
		}
	}
	return all
}

// weigh refuses growth beyond the bounds. What makes a key smaller is always
// taken.
func (d *decision) weigh() {
	gone := make(map[causal.Dot]bool, len(d.Covers))
	for _, dot := range d.Covers {
		gone[dot] = true
	}
	elements, bytes, before := len(d.Mints), 0, 0
	for i := range d.Mints {
		bytes += len(d.Mints[i].Value)
	}
	for i := range d.state.Versions {
		v := &d.state.Versions[i]
		before += len(v.Value)
		if !gone[v.Dot] {
			elements++
			bytes += len(v.Value)
		}
	}
	if elements > d.Limits.Elements && elements > len(d.state.Versions) || bytes > d.Limits.Bytes && bytes > before {
		d.refusal = Full
	}
}

// Check says what is wrong with an update whatever it meets; "": nothing.
func Check(u *ouro.Update) string {
	switch u.Kind {
	case ouro.Register, ouro.Counter, ouro.Set, ouro.Map, ouro.SortedSet:
	default:
		if u.Act != ouro.Expire {
			return strconv.Quote(string(u.Kind)) + " is no type: choose register, counter, set, map or sorted_set"
		}
	}
	if !acts(u) {
		return strconv.Quote(string(u.Act)) + " is nothing that can be done to a " + string(u.Kind)
	}
	switch u.If {
	case ouro.Always, ouro.IfAbsent, ouro.IfPresent:
	case ouro.IfGreater, ouro.IfLess:
		if u.Kind != ouro.SortedSet {
			return "only scores are compared"
		}
	default:
		return strconv.Quote(string(u.If)) + " is no condition: choose absent, present, greater or less"
	}
	single := u.Kind == ouro.Register || u.Kind == ouro.Counter
	switch n := len(u.Elements); {
	case u.Act == ouro.Expire:
	case n == 0 || n > ouro.MaxElements || single && n != 1:
		return "an update names 1 to " + strconv.Itoa(ouro.MaxElements) + " elements, that of a register or a counter one"
	}
	return checkElements(u, single)
}

func checkElements(u *ouro.Update, single bool) string {
	names := make(map[string]bool, len(u.Elements))
	for i := range u.Elements {
		e := &u.Elements[i]
		switch {
		case e.Score != e.Score:
			return "a score is not a number"
		case single && e.Name != "":
			return "a register and a counter have no elements with names"
		case names[e.Name]:
			return strconv.Quote(e.Name) + " is named twice"
		}
		names[e.Name] = true
	}
	if IsMark(u.ContentType) {
		return "a content type does not begin with a zero byte"
	}
	return ""
}

func acts(u *ouro.Update) bool {
	switch u.Act {
	case ouro.Expire:
		return true
	case ouro.Assign:
		return u.Kind != ouro.Counter
	case ouro.Remove:
		return u.Kind == ouro.Set || u.Kind == ouro.Map || u.Kind == ouro.SortedSet
	case ouro.Increment:
		return u.Kind == ouro.Counter || u.Kind == ouro.Map || u.Kind == ouro.SortedSet
	default:
		return false
	}
}

package replica_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

const seed = 77

// disk is one replica with the record of one key.
type disk struct {
	t       rapid.TB
	replica *replica.Replica
	record  []byte
	now     clock.Now
	facts   []fact.Fact
}

func newDisk(t rapid.TB, cfg replica.Config) *disk {
	cfg.Seed = seed
	return &disk{t: t, replica: replica.New(cfg), now: clock.Now{Wall: 1_000}}
}

var key = ring.NewKey("bucket", "key")

// do runs an operation on a copy of the record that is spoiled afterwards, so
// that a result that shares memory with it is found out.
func (d *disk) do(op replica.Op) replica.Answer {
	d.t.Helper()
	op.ID, op.Key = 42, key
	stored := bytes.Clone(d.record)
	res := d.replica.Do(d.now, stored, &op, &d.facts)
	for i := range stored {
		stored[i] = 0xAA
	}
	if res.Answer.ID != 42 || res.Answer.Verb != op.Verb || res.Answer.Durable {
		d.t.Fatalf("answer %+v to verb %d", res.Answer, op.Verb)
	}
	if res.Record != nil {
		if _, err := replica.DecodeRecord(res.Record); err != nil {
			d.t.Fatalf("it stores what it cannot read: %v", err)
		}
		d.record = res.Record
	}
	return res.Answer
}

func (d *disk) put(value string, ctx causal.Claims) replica.Answer {
	d.t.Helper()
	return d.do(replica.Op{Verb: replica.Write, Mint: &replica.Mint{Context: ctx, Value: []byte(value), ContentType: "text/plain"}})
}

func (d *disk) remove(ctx causal.Claims) replica.Answer {
	d.t.Helper()
	return d.do(replica.Op{Verb: replica.Write, Mint: &replica.Mint{Context: ctx, Delete: true}})
}

func (d *disk) join(state []byte) replica.Answer {
	d.t.Helper()
	return d.do(replica.Op{Verb: replica.Join, State: state})
}

// state returns what is stored.
func (d *disk) state() causal.State {
	d.t.Helper()
	if d.record == nil {
		return causal.State{}
	}
	s, err := replica.DecodeRecord(d.record)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

func (d *disk) canonical() []byte { return d.state().Append(nil) }

func (d *disk) wantValues(want ...string) {
	d.t.Helper()
	var got []string
	for _, v := range d.state().Versions {
		got = append(got, string(v.Value))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		d.t.Fatalf("values %q, want %q", got, want)
	}
}

// wantFact checks that a kind of fact was stated, once, and forgets all.
func (d *disk) wantFact(kind fact.Kind, want ...string) {
	d.t.Helper()
	var got []string
	for _, f := range d.facts {
		if f.Kind == kind {
			got = append(got, f.String())
			if f.Ticket != 42 || f.At != d.now.Mono {
				d.t.Errorf("fact %+v", f)
			}
		}
	}
	if !slices.Equal(got, want) {
		d.t.Errorf("facts %q, want %q", got, want)
	}
	d.facts = nil
}

func want(t rapid.TB, a replica.Answer, status replica.Status, reason replica.Reason) {
	t.Helper()
	if a.Status != status || a.Reason != reason {
		t.Fatalf("status %d, reason %d; want %d, %d", a.Status, a.Reason, status, reason)
	}
}

// wantStored checks that an answer shows what is stored.
func (d *disk) wantStored(a replica.Answer) {
	d.t.Helper()
	want(d.t, a, replica.Have, replica.None)
	if !bytes.Equal(a.State, d.canonical()) || a.Digest != causal.Digest(a.State, seed) {
		d.t.Fatalf("the answer shows %x, stored is %x", a.State, d.canonical())
	}
}

func TestWrite(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 9})
	first := d.put("one", causal.Claims{})
	d.wantStored(first)
	if first.Dot != (causal.Dot{Actor: causal.Actor{Run: 9, Life: 1}, N: 1}) {
		t.Fatalf("dot %v", first.Dot)
	}
	d.wantFact(fact.Minted, "minted: 0000000000000009.1:1")
	v := d.state().Versions[0]
	if v.Sum != causal.SumValue(seed, "text/plain", []byte("one")) || v.Stamp.Millis() != 1000 || v.ContentType != "text/plain" {
		t.Errorf("version %+v", v)
	}

	d.put("blind", causal.Claims{})
	d.wantValues("blind", "one")
	d.put("over the first", causal.Claims{}.With(first.Dot))
	d.wantValues("blind", "over the first")
	last := d.put("over all", d.state().Claims)
	d.wantStored(last)
	d.wantValues("over all")
	if last.Dot.N != 4 || last.Dot.Actor != first.Dot.Actor {
		t.Errorf("dot %v: the live actor was not kept", last.Dot)
	}
}

func TestWriteKeepsAllFields(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 9})
	d.do(replica.Op{Verb: replica.Write, Request: 5, Mint: &replica.Mint{Expiry: 1234, ContentType: "x/y"}})
	if v := d.state().Versions[0]; v.Request != 5 || v.Expiry != 1234 || v.ContentType != "x/y" || v.Deleted || len(v.Value) != 0 {
		t.Errorf("version %+v", v)
	}
}

func TestDelete(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 9})
	first := d.put("one", causal.Claims{})
	second := d.put("two", causal.Claims{})
	a := d.remove(causal.Claims{}.With(first.Dot))
	d.wantStored(a)
	if !a.Dot.IsZero() {
		t.Errorf("a delete minted %v", a.Dot)
	}
	d.wantValues("two")
	d.wantStored(d.remove(d.state().Claims))
	d.wantValues()
	if !d.state().Covers(second.Dot) {
		t.Error("the tombstone has forgotten what it removed")
	}
	again := d.put("three", d.state().Claims)
	if again.Dot.N != 3 {
		t.Errorf("dot %v: a delete ended the life", again.Dot)
	}
}

// TestDeleteOfNothing: where there is nothing to remove and nothing to learn,
// nothing is stored.
func TestDeleteOfNothing(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 9})
	a := d.remove(causal.Claims{})
	d.wantStored(a)
	if d.record != nil {
		t.Error("a record was made of nothing")
	}
	d.put("one", causal.Claims{})
	before := d.record
	d.wantStored(d.remove(causal.Claims{}))
	d.remove(d.state().Claims)
	removed := d.record
	d.wantStored(d.remove(d.state().Claims))
	if bytes.Equal(before, removed) || !bytes.Equal(removed, d.record) {
		t.Error("the record was changed by the wrong delete")
	}
	// A context from elsewhere is remembered: what it covers may still arrive.
	e := newDisk(t, replica.Config{Run: 10})
	e.remove(d.state().Claims)
	e.join(stateOf(t, before))
	e.wantValues()
}

func stateOf(t rapid.TB, record []byte) []byte {
	state, err := replica.StateOf(record)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func TestLWW(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 9, MaxSiblings: 1})
	lww := func(m replica.Mint) replica.Answer {
		m.LWW = true
		return d.do(replica.Op{Verb: replica.Write, Mint: &m})
	}
	lww(replica.Mint{Value: []byte("one")})
	other := newDisk(t, replica.Config{Run: 10})
	other.put("elsewhere", causal.Claims{})
	d.join(other.canonical())
	d.wantValues("elsewhere", "one")
	// No context: all that is stored here is replaced, and no bound refuses it.
	d.wantStored(lww(replica.Mint{Value: []byte("two")}))
	d.wantValues("two")
	a := lww(replica.Mint{Delete: true})
	d.wantStored(a)
	v, ok := d.state().Latest()
	if !ok || !v.Deleted || v.Dot != a.Dot || a.Dot.IsZero() || len(d.state().Versions) != 1 {
		t.Errorf("after the delete: %+v", d.state().Versions)
	}
	// What the client has seen elsewhere is replaced as well, though this replica
	// has not seen it and its clock may be behind.
	seen := other.put("newer", other.state().Claims)
	lww(replica.Mint{Value: []byte("three"), Context: causal.Claims{}.With(seen.Dot)})
	d.join(other.canonical())
	d.wantValues("three")
}

func TestTooManySiblings(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 9, MaxSiblings: 3})
	var dots []causal.Dot
	for i := range 3 {
		a := d.put(fmt.Sprint(i), causal.Claims{})
		want(t, a, replica.Have, replica.None)
		dots = append(dots, a.Dot)
	}
	before := d.record
	a := d.put("blind", causal.Claims{})
	want(t, a, replica.Failed, replica.TooManySiblings)
	if !bytes.Equal(before, d.record) {
		t.Error("the refused write is stored")
	}
	stale := causal.Claims{}.With(causal.Dot{Actor: causal.Actor{Run: 8, Life: 1}, N: 1})
	want(t, d.put("covers nothing stored", stale), replica.Failed, replica.TooManySiblings)
	want(t, d.put("covers one", causal.Claims{}.With(dots[0])), replica.Have, replica.None)
	d.wantValues("1", "2", "covers one")

	// The bucket's bound goes before the replica's own.
	for limit, status := range map[int]replica.Status{0: replica.Failed, 3: replica.Failed, 4: replica.Have} {
		e := &disk{t: t, replica: d.replica, record: d.record}
		if a := e.do(replica.Op{Verb: replica.Write, Mint: &replica.Mint{MaxSiblings: limit}}); a.Status != status {
			t.Errorf("bound %d: %+v", limit, a)
		}
	}

	// No bound refuses a delete or what other replicas have stored.
	other := newDisk(t, replica.Config{Run: 10})
	for range 5 {
		other.put("x", causal.Claims{})
	}
	want(t, d.join(other.canonical()), replica.Have, replica.None)
	if n := len(d.state().Versions); n != 8 {
		t.Errorf("%d siblings", n)
	}
	want(t, d.remove(causal.Claims{}.With(dots[1])), replica.Have, replica.None)
}

func TestJoin(t *testing.T) {
	a, b := newDisk(t, replica.Config{Run: 1}), newDisk(t, replica.Config{Run: 2})
	a.put("one", causal.Claims{})
	first := a.canonical()

	// Where nothing is, the state is stored as it came.
	answer := b.join(first)
	want(t, answer, replica.Have, replica.None)
	if !bytes.Equal(b.canonical(), first) || answer.Digest != causal.Digest(first, seed) {
		t.Fatal("the copy is another state")
	}
	// The same again changes nothing.
	before := &b.record[0]
	want(t, b.join(first), replica.Have, replica.None)
	if &b.record[0] != before {
		t.Error("an equal state was stored again")
	}
	// A newer one replaces, an older one changes nothing, a concurrent one stays
	// beside it.
	a.put("two", a.state().Claims)
	b.join(a.canonical())
	b.wantValues("two")
	before = &b.record[0]
	if answer := b.join(first); &b.record[0] != before || answer.Digest != causal.Digest(b.canonical(), seed) {
		t.Error("an older state changed the record")
	}
	c := newDisk(t, replica.Config{Run: 3})
	c.put("three", causal.Claims{})
	if answer := b.join(c.canonical()); answer.Digest != causal.Digest(b.canonical(), seed) {
		t.Error("the digest is of another state")
	}
	b.wantValues("three", "two")
	a.join(b.canonical())
	if !bytes.Equal(a.canonical(), b.canonical()) {
		t.Error("two replicas of one state have different bytes")
	}
}

func TestJoinOfNothing(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1})
	want(t, d.join(causal.State{}.Append(nil)), replica.Have, replica.None)
	if d.record != nil {
		t.Error("a record was made of nothing")
	}
	d.put("one", causal.Claims{})
	before := d.canonical()
	want(t, d.join(causal.State{}.Append(nil)), replica.Have, replica.None)
	if !bytes.Equal(before, d.canonical()) {
		t.Error("nothing changed the record")
	}
}

func TestJoinOfGarbage(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1})
	for range 2 { // where nothing is, and where something is
		before := d.record
		want(t, d.join([]byte("garbage")), replica.Failed, replica.Corrupt)
		want(t, d.join(nil), replica.Failed, replica.Corrupt)
		if !bytes.Equal(before, d.record) {
			t.Error("garbage is stored")
		}
		if len(d.facts) != 2 || d.facts[0].Kind != fact.Damaged {
			t.Errorf("facts %v", d.facts)
		}
		d.put("one", causal.Claims{})
		d.facts = nil
	}
}

func TestRead(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1})
	a := d.do(replica.Op{Verb: replica.Read, Full: true})
	want(t, a, replica.Absent, replica.None)
	if a.State != nil {
		t.Error("nothing has a state")
	}
	d.put("one", causal.Claims{})
	d.wantStored(d.do(replica.Op{Verb: replica.Read, Full: true}))
	a = d.do(replica.Op{Verb: replica.Read})
	want(t, a, replica.Have, replica.None)
	if a.State != nil || a.Digest != causal.Digest(d.canonical(), seed) {
		t.Errorf("digest read: %+v", a)
	}
	d.remove(d.state().Claims)
	d.wantStored(d.do(replica.Op{Verb: replica.Read, Full: true})) // a tombstone is a state
}

// TestRecovering (RULES R9): what it has is shown but never counted, what it is
// told is stored, and it does not say that anything is absent.
func TestRecovering(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1})
	d.replica.SetDoubt(true)
	want(t, d.do(replica.Op{Verb: replica.Read, Full: true}), replica.DontKnow, replica.None)
	want(t, d.do(replica.Op{Verb: replica.Recall, Request: 5}), replica.DontKnow, replica.None)
	d.wantStored(d.put("one", causal.Claims{}))
	want(t, d.join(d.canonical()), replica.Have, replica.None)
	a := d.do(replica.Op{Verb: replica.Read, Full: true})
	want(t, a, replica.DontKnow, replica.None)
	if !bytes.Equal(a.State, d.canonical()) {
		t.Error("the state is not attached")
	}
	if a := d.do(replica.Op{Verb: replica.Read}); a.Status != replica.DontKnow || a.State != nil {
		t.Errorf("digest read: %+v", a)
	}
	d.replica.SetDoubt(false)
	if d.replica.Recovering(0) {
		t.Error("it is still recovering")
	}
	d.wantStored(d.do(replica.Op{Verb: replica.Read, Full: true}))
}

// TestCorruptRecord (RULES R33): a damaged record is an error to every verb,
// never "absent", stays as it is for whoever can mend it, and is named to be mended.
func TestCorruptRecord(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1})
	d.put("one", causal.Claims{})
	good, state := d.record, d.canonical()
	damaged := [][]byte{{}, good[:5], good[:len(good)-1], append(bytes.Clone(good), 0)}
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 4
		damaged = append(damaged, b)
	}
	for _, b := range damaged {
		for _, op := range []replica.Op{
			{Verb: replica.Read},
			{Verb: replica.Read, Full: true},
			{Verb: replica.Join, State: state},
			{Verb: replica.Write, Mint: &replica.Mint{}},
			{Verb: replica.Write, Mint: &replica.Mint{Delete: true}},
			{Verb: replica.Recall, Request: 1},
			{Verb: replica.Drop},
			{Verb: replica.Fold},
		} {
			op.ID, op.Key = 42, key
			var facts []fact.Fact
			res := d.replica.Do(d.now, b, &op, &facts)
			want(t, res.Answer, replica.Failed, replica.Corrupt)
			if res.Record != nil || res.Answer.State != nil {
				t.Fatalf("verb %d changes or shows a damaged record", op.Verb)
			}
			if r := res.Answer.Rotten; r == nil || r.Key != key {
				t.Fatalf("verb %d tells nobody which record to mend: %v", op.Verb, r)
			}
			if len(facts) != 1 || facts[0].Kind != fact.Damaged || !strings.Contains(facts[0].Note, "bucket") {
				t.Fatalf("facts %v", facts)
			}
		}
		if _, err := replica.DecodeRecord(b); err == nil {
			t.Fatalf("%x decodes", b)
		}
	}
}

func TestBadOperations(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1})
	want(t, d.do(replica.Op{Verb: replica.Write}), replica.Failed, replica.Corrupt)
	want(t, d.do(replica.Op{Verb: 99}), replica.Failed, replica.Corrupt)
	op := replica.Op{Verb: replica.Write, Key: key, Mint: &replica.Mint{}}
	want(t, d.replica.Do(d.now, nil, &op, nil).Answer, replica.Have, replica.None) // facts may be nil
}

func TestFactsOfBounds(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1, Limits: causal.Limits{Exceptions: 1, Prune: 2, PruneHard: 2}})
	gaps := causal.Claims{}.With(causal.Dot{Actor: actor(5, 1), N: 3}).With(causal.Dot{Actor: actor(5, 1), N: 5})
	d.put("one", gaps)
	d.wantFact(fact.ExceptionDropped, "dropped exceptions (1)")
	d.remove(gaps)
	d.wantFact(fact.ExceptionDropped, "dropped exceptions (1)")
	d.now.Mono = time.Second
	d.put("two", causal.Claims{Vector: []causal.Entry{{Actor: actor(6, 1), N: 3}}})
	d.wantFact(fact.Pruned, "pruned entries (1)")
	b := newDisk(t, replica.Config{Run: 1})
	b.put("another one", causal.Claims{}) // a clone of the machine: the same run twice
	d.join(b.canonical())
	d.wantFact(fact.DotReused, "ALARM dot reused (1)")
}

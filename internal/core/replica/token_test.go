package replica_test

import (
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

func (d *disk) putAs(request uint64, value string, ctx causal.Claims) replica.Answer {
	d.t.Helper()
	return d.do(replica.Op{Verb: replica.Write, Request: request, Mint: &replica.Mint{Context: ctx, Value: []byte(value)}})
}

func (d *disk) recall(request uint64) replica.Answer {
	d.t.Helper()
	return d.do(replica.Op{Verb: replica.Recall, Request: request})
}

// TestKnownRequest (RULES R29): a request that is stored is not stored again.
func TestKnownRequest(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1})
	first := d.putAs(7, "one", causal.Claims{})
	if first.Found {
		t.Error("a new request is known")
	}
	before := d.record
	again := d.putAs(7, "one", causal.Claims{})
	d.wantStored(again)
	if !again.Found || again.Dot != first.Dot || string(before) != string(d.record) {
		t.Errorf("the retry: %+v", again)
	}
	d.wantFact(fact.Known, "request already stored: 0000000000000001.1:1")

	// Replaced and deleted since, it is still known.
	d.put("two", d.state().Claims)
	d.remove(d.state().Claims)
	if a := d.putAs(7, "one", causal.Claims{}); !a.Found || a.Dot != first.Dot {
		t.Errorf("after the delete: %+v", a)
	}
	d.wantValues()
	// Requests without id are each their own.
	d.put("x", causal.Claims{})
	if a := d.put("x", causal.Claims{}); a.Found {
		t.Error("no id is known")
	}
	d.wantValues("x", "x")
}

func TestKnownDelete(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1})
	d.put("one", causal.Claims{})
	op := replica.Op{Verb: replica.Write, Request: 8, Mint: &replica.Mint{Context: d.state().Claims, Delete: true}}
	if a := d.do(op); a.Found {
		t.Error("a new delete is known")
	}
	d.put("two", d.state().Claims)
	op.Mint.Context = d.state().Claims
	if a := d.do(op); !a.Found || !a.Dot.IsZero() {
		t.Errorf("the retry: %+v", a)
	}
	d.wantValues("two")
}

// TestRecall: every replica that stored a version, or was told of a delete,
// knows its request; a restart leaves what the stored versions say.
func TestRecall(t *testing.T) {
	a, b := newDisk(t, replica.Config{Run: 1}), newDisk(t, replica.Config{Run: 2})
	want(t, b.recall(7), replica.Absent, replica.None)
	first := a.putAs(7, "one", causal.Claims{})
	b.join(a.canonical())
	want(t, b.recall(9), replica.Have, replica.None)
	if x := b.recall(9); x.Found {
		t.Error("it knows what never was")
	}
	if x := b.recall(0); x.Found {
		t.Error("no id is known")
	}
	for _, d := range []*disk{a, b} {
		if x := d.recall(7); x.Status != replica.Have || !x.Found || x.Dot != first.Dot {
			t.Errorf("%+v", x)
		}
	}
	// Replaced by a version that came along: still known.
	second := a.putAs(8, "two", a.state().Claims)
	b.join(a.canonical())
	if x := b.recall(7); !x.Found || x.Dot != first.Dot {
		t.Errorf("%+v", x)
	}
	c := newDisk(t, replica.Config{Run: 5})
	third := c.putAs(10, "three", causal.Claims{})
	b.join(c.canonical())
	replaced := newDisk(t, replica.Config{Run: 4})
	replaced.record = b.record
	replaced.put("four", replaced.state().Claims)
	b.join(replaced.canonical())
	b.wantValues("four")
	if x := b.recall(10); !x.Found || x.Dot != third.Dot {
		t.Errorf("joined to a record and replaced since: %+v", x)
	}
	b.record = a.record
	restarted := newDisk(t, replica.Config{Run: 3})
	restarted.record = b.record
	if x := restarted.recall(8); !x.Found || x.Dot != second.Dot {
		t.Errorf("%+v", x)
	}
	if x := restarted.putAs(8, "two", causal.Claims{}); !x.Found || x.Dot != second.Dot {
		t.Errorf("%+v", x)
	}
	if x := restarted.recall(7); x.Found {
		t.Errorf("%+v", x)
	}
	// A delete travels in no version; the one who sends its state says which.
	a.remove(a.state().Claims)
	for range 2 { // as news, and when all is known already
		b.do(replica.Op{Verb: replica.Join, State: a.canonical(), Request: 11})
		if x := b.recall(11); !x.Found || !x.Dot.IsZero() {
			t.Errorf("%+v", x)
		}
		b.replica.ForgetTokens()
	}
	if x := b.recall(7); x.Found {
		t.Errorf("after all was forgotten: %+v", x)
	}
}

// TestRecallRecovering: what is known is told, what is not is not denied.
func TestRecallRecovering(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1})
	d.putAs(7, "one", causal.Claims{})
	d.replica.SetDoubt(true)
	if a := d.recall(7); a.Status != replica.Have || !a.Found {
		t.Errorf("%+v", a)
	}
	want(t, d.recall(8), replica.DontKnow, replica.None)
}

// TestTokensAreBounded: by time, by number, and for each key apart.
func TestTokensAreBounded(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1, TokenMax: 3, TokenTTL: time.Minute})
	known := func(request uint64) bool {
		op := replica.Op{Verb: replica.Recall, Key: key, Request: request}
		return d.replica.Do(d.now, nil, &op, nil).Answer.Found // whatever the record says
	}
	for request := uint64(1); request <= 3; request++ {
		d.now.Mono = time.Duration(request) * time.Second
		d.putAs(request, "x", causal.Claims{})
	}
	if d.replica.TokensEvicted() != 0 || !known(1) || !known(2) || !known(3) {
		t.Fatal("one of three is forgotten")
	}
	d.now.Mono = 4 * time.Second
	d.putAs(4, "x", causal.Claims{})
	if d.replica.TokensEvicted() != 1 || known(1) || !known(2) || !known(4) {
		t.Errorf("evicted %d", d.replica.TokensEvicted())
	}
	d.now.Mono = 62*time.Second + 1
	if known(2) || !known(3) {
		t.Error("two seconds old by a minute's rule")
	}
	// Those too old make room without being counted.
	d.now.Mono = 100 * time.Second
	for request := uint64(5); request <= 7; request++ {
		d.putAs(request, "x", causal.Claims{})
	}
	if d.replica.TokensEvicted() != 1 || !known(5) || !known(7) {
		t.Errorf("evicted %d", d.replica.TokensEvicted())
	}
	other := replica.Op{Verb: replica.Recall, Key: ring.NewKey("bucket", "another key"), Request: 7}
	if d.replica.Do(d.now, nil, &other, nil).Answer.Found {
		t.Error("the same id at another key is taken for this request")
	}
	d.replica.ForgetTokens()
	if known(7) {
		t.Error("it is not forgotten")
	}
}

// TestManyTokens goes round the table several times.
func TestManyTokens(t *testing.T) {
	d := newDisk(t, replica.Config{Run: 1, TokenMax: 10, TokenTTL: time.Hour})
	op := replica.Op{Verb: replica.Write, Key: key, Mint: &replica.Mint{Delete: true}}
	for i := uint64(1); i <= 1000; i++ {
		op.Request = i
		d.replica.Do(d.now, nil, &op, nil)
		recall := replica.Op{Verb: replica.Recall, Key: key, Request: i - min(i-1, 9)}
		if !d.replica.Do(d.now, nil, &recall, nil).Answer.Found {
			t.Fatalf("of ten, the oldest is forgotten after %d", i)
		}
		recall.Request = i - 10
		if i > 10 && d.replica.Do(d.now, nil, &recall, nil).Answer.Found {
			t.Fatalf("an eleventh is known after %d", i)
		}
	}
	if n := d.replica.TokensEvicted(); n != 990 {
		t.Errorf("%d evicted", n)
	}
}

// TestH10 (RULES H10): the reply is lost, another client deletes the value, the
// request is repeated at another coordinator: the value must not come back.
func TestH10(t *testing.T) {
	a, b := newDisk(t, replica.Config{Run: 1}), newDisk(t, replica.Config{Run: 2})
	first := a.putAs(7, "v", causal.Claims{})
	b.join(a.canonical())
	b.remove(b.state().Claims)
	again := b.putAs(7, "v", causal.Claims{})
	if !again.Found || again.Dot != first.Dot {
		t.Errorf("the retry: %+v", again)
	}
	b.wantValues()
}

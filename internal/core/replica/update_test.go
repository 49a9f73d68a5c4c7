package replica_test

import (
	"fmt"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// Of a set of a thousand members one more is a fraction of the record, and a
// replica that claims what it was cut from comes to the same bytes by it. The
// figures are in docs/benchmarks.md.
func TestDeltaOfAThousand(t *testing.T) {
	r := replica.New(replica.Config{Run: 1, Seed: 2})
	key := ring.NewKey("types", "set")
	var record []byte
	add := func(i int) (before []byte, a replica.Answer) {
		u := &ouro.Update{Kind: ouro.Set, Act: ouro.Assign, Elements: []ouro.Element{{Name: fmt.Sprintf("member-%08d", i)}}}
		op := replica.Op{ID: 1, Verb: replica.Write, Key: key, Request: uint64(i + 1), Mint: &replica.Mint{Types: true, Update: u}}
		res := r.Do(clock.Now{Wall: 1_764_000_000_000 + int64(i)}, record, &op, nil)
		before, record = record, res.Record
		return before, res.Answer
	}
	for i := range 1000 {
		add(i)
	}
	before, a := add(1000)
	if a.Updated == nil || a.Updated.Base == nil {
		t.Fatal("no delta")
	}
	delta, base := len(a.Updated.Alone), len(causal.State{Claims: *a.Updated.Base}.Append(nil))
	t.Logf("whole %d bytes, delta %d and claims %d", len(a.State), delta, base)
	if 50*(delta+base) > len(a.State) {
		t.Errorf("a delta of %d bytes with claims of %d, of a record of %d", delta, base, len(a.State))
	}
	other := replica.New(replica.Config{Run: 3, Seed: 2})
	join := replica.Op{ID: 2, Verb: replica.Join, Key: key, State: a.Updated.Alone, Base: a.Updated.Base}
	if res := other.Do(clock.Now{}, before, &join, nil); res.Answer.Digest != a.Digest {
		t.Error("the delta makes another record")
	}
	if res := other.Do(clock.Now{}, nil, &join, nil); res.Answer.Reason != replica.Lacking || res.Record != nil {
		t.Errorf("where nothing is: %v", res.Answer.Reason)
	}
}

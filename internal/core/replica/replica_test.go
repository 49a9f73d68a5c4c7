package replica

import (
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/ring"
)

var key = ring.NewKey("b", "k")

func put(value string, ctx causal.Claims) *Op {
	return &Op{ID: 1, Verb: Write, Key: key, Mint: &Mint{Context: ctx, Value: []byte(value), ContentType: "text/plain"}}
}

func TestWriteThenJoinElsewhere(t *testing.T) {
	a, b := New(Config{Run: 1}), New(Config{Run: 2})
	var facts []fact.Fact
	now := clock.Now{Mono: 1, Wall: 1000}
	first := a.Do(now, nil, put("one", causal.Claims{}), &facts)
	if first.Answer.Status != Have || first.Answer.Dot.N != 1 || first.Answer.Dot.Actor != (causal.Actor{Run: 1, Life: 1}) {
		t.Fatalf("answer %+v", first.Answer)
	}
	copied := b.Do(now, nil, &Op{Verb: Join, Key: key, State: first.Answer.State}, nil)
	s, err := DecodeRecord(copied.Record)
	if err != nil || len(s.Versions) != 1 || string(s.Versions[0].Value) != "one" {
		t.Fatalf("joined %+v: %v", s, err)
	}
	second := b.Do(now, copied.Record, put("two", s.Claims), nil)
	merged := a.Do(now, first.Record, &Op{Verb: Join, Key: key, State: second.Answer.State}, nil)
	read := a.Do(now, merged.Record, &Op{Verb: Read, Key: key, Full: true}, nil)
	s, err = causal.DecodeState(read.Answer.State)
	if err != nil || len(s.Versions) != 1 || string(s.Versions[0].Value) != "two" || read.Answer.Digest != second.Answer.Digest {
		t.Fatalf("read %+v: %v", s, err)
	}
	third := a.Do(now, merged.Record, put("three", s.Claims), nil)
	if third.Answer.Dot != (causal.Dot{Actor: causal.Actor{Run: 1, Life: 1}, N: 2}) {
		t.Fatalf("the live actor was not kept: %v", third.Answer.Dot)
	}
}

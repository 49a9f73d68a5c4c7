package replica_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/replica"
)

// three returns the record of a key that three replicas have coordinated, with
// one version of 1 KiB.
func three(b *testing.B) *disk {
	value := string(bytes.Repeat([]byte("x"), 1024))
	last := newDisk(b, replica.Config{Run: 1})
	for _, run := range []uint64{1 << 60, 2 << 60, 3 << 60} {
		d := newDisk(b, replica.Config{Run: run})
		d.record, d.now.Wall = last.record, 1_790_000_000_000
		d.put(value, d.state().Claims)
		last = d
	}
	return last
}

func BenchmarkWrite(b *testing.B) {
	d := three(b)
	op := replica.Op{Verb: replica.Write, Key: key, Mint: &replica.Mint{
		Context: d.state().Claims, Value: bytes.Repeat([]byte("y"), 1024), ContentType: "application/octet-stream",
	}}
	now := d.now
	var facts []fact.Fact
	b.ReportAllocs()
	for b.Loop() {
		op.Request++
		now.Mono += 10 * time.Microsecond
		facts = facts[:0]
		d.replica.Do(now, d.record, &op, &facts)
	}
}

func BenchmarkJoin(b *testing.B) {
	d := three(b)
	newer := newDisk(b, replica.Config{Run: 1 << 50})
	newer.record = d.record
	newer.now = clock.Now{Wall: 1_790_000_000_005}
	newer.put(string(bytes.Repeat([]byte("z"), 1024)), d.state().Claims)
	other := newDisk(b, replica.Config{Run: 1 << 51})
	other.now = newer.now
	other.put(string(bytes.Repeat([]byte("z"), 1024)), causal.Claims{})
	for _, c := range []struct {
		name   string
		stored []byte
		state  []byte
	}{
		{"absent", nil, newer.canonical()},
		{"equal", d.record, d.canonical()},
		{"newer", d.record, newer.canonical()},
		{"sibling", d.record, other.canonical()},
	} {
		b.Run(c.name, func(b *testing.B) {
			op := replica.Op{Verb: replica.Join, Key: key, State: c.state}
			b.ReportAllocs()
			for b.Loop() {
				d.replica.Do(d.now, c.stored, &op, nil)
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	d := three(b)
	for name, full := range map[string]bool{"digest": false, "full": true} {
		b.Run(name, func(b *testing.B) {
			op := replica.Op{Verb: replica.Read, Key: key, Full: full}
			b.ReportAllocs()
			for b.Loop() {
				d.replica.Do(d.now, d.record, &op, nil)
			}
		})
	}
}

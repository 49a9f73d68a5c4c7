package replica_test

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/replica"
)

// TestDoIsTheAlgebra plays random verbs on three replicas and holds each step
// against the algebra of states; the actors that it uses are unique, whatever is
// restarted, forgotten and delivered late.
func TestDoIsTheAlgebra(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lim := causal.DefaultLimits()
		var disks [3]*disk
		run := uint64(0)
		restart := func(i int) {
			run++
			old := disks[i]
			disks[i] = newDisk(t, replica.Config{Run: run, Limits: lim})
			if old != nil {
				disks[i].record = old.record
			}
		}
		for i := range disks {
			restart(i)
		}
		minted := map[causal.Dot]bool{}
		states := [][]byte{causal.State{}.Append(nil)}
		contexts := []causal.Claims{{}}
		for step := range rapid.IntRange(1, 30).Draw(t, "steps") {
			i := rapid.IntRange(0, 2).Draw(t, "replica")
			d := disks[i]
			d.now.Wall = int64(rapid.IntRange(0, 50).Draw(t, "now"))
			d.now.Mono = time.Duration(step)
			before := d.state()
			ctx := rapid.SampledFrom(contexts).Draw(t, "context")
			var expected causal.State
			switch rapid.IntRange(0, 7).Draw(t, "step") {
			case 0, 1:
				a := d.put("v", ctx)
				if minted[a.Dot] {
					t.Fatalf("%v was given out before", a.Dot)
				}
				minted[a.Dot] = true
				v := causal.Version{Value: []byte("v"), ContentType: "text/plain", Sum: causal.SumValue(seed, "text/plain", []byte("v"))}
				expected, _ = before.Mint(ctx, v, a.Dot.Actor, d.now.Wall, lim)
				if !bytes.Equal(a.State, expected.Append(nil)) {
					t.Fatalf("answer %x, want %x", a.State, expected.Append(nil))
				}
				contexts = append(contexts, ctx.With(a.Dot))
			case 2:
				a := d.remove(ctx)
				expected = before.Remove(ctx, d.now.Wall, lim)
				if !bytes.Equal(a.State, expected.Append(nil)) {
					t.Fatalf("answer %x, want %x", a.State, expected.Append(nil))
				}
			case 3, 4, 5:
				incoming := rapid.SampledFrom(states).Draw(t, "state")
				other, err := causal.DecodeState(incoming)
				if err != nil {
					t.Fatal(err)
				}
				a := d.join(incoming)
				expected, _ = causal.JoinStates(before, other)
				if a.Digest != causal.Digest(expected.Append(nil), seed) {
					t.Fatalf("digest of another state")
				}
			case 6:
				restart(i)
				d, expected = disks[i], before
			case 7:
				if !rapid.Bool().Draw(t, "forget") {
					continue
				}
				d.record = nil
			}
			if !bytes.Equal(d.canonical(), expected.Append(nil)) {
				t.Fatalf("stored %+v, want %+v", d.state(), expected)
			}
			a := d.do(replica.Op{Verb: replica.Read, Full: true})
			if d.record != nil && !bytes.Equal(a.State, d.canonical()) || (d.record == nil) != (a.Status == replica.Absent) {
				t.Fatalf("read %+v", a)
			}
			states = append(states, d.canonical())
			contexts = append(contexts, d.state().Claims)
		}
	})
}

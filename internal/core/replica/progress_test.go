package replica_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

func TestProgressSurvivesTheDisk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := replica.Progress{Since: rapid.Int64().Draw(t, "since"), Away: rapid.Bool().Draw(t, "away")}
		for range rapid.IntRange(0, 5).Draw(t, "sources") {
			want.Sources = append(want.Sources, replica.Source{
				Node: ring.NodeID(rapid.StringN(0, -1, ring.MaxIDLen).Draw(t, "node")), Recovering: rapid.Bool().Draw(t, "recovering"),
			})
		}
		b := replica.AppendProgress(nil, &want)
		got, err := replica.DecodeProgress(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v: %+v became %+v", err, want, got)
		}
		i := rapid.IntRange(0, len(b)-1).Draw(t, "byte")
		b[i] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if _, err := replica.DecodeProgress(b); err == nil {
			t.Fatalf("a flip of byte %d went unseen", i)
		}
	})
}

func FuzzDecodeProgress(f *testing.F) {
	f.Add(replica.AppendProgress(nil, &replica.Progress{Since: 5, Sources: []replica.Source{{Node: "a", Recovering: true}}}))
	f.Add([]byte{1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := replica.DecodeProgress(b); err == nil {
			again, err := replica.DecodeProgress(replica.AppendProgress(nil, &p))
			if err != nil || !reflect.DeepEqual(again, p) {
				t.Fatalf("%v: %+v became %+v", err, p, again)
			}
		}
	})
}

package replica

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/clock"
	"github.com/ourodb/ouro/internal/core/ring"
)

var update = flag.Bool("update", false, "write the golden files anew")

func record(local byte, canonical []byte) []byte {
	return seal(append([]byte{recordVersion, local}, canonical...))
}

func goldenState() causal.State {
	s, _ := causal.State{}.Mint(causal.Claims{}, causal.Version{Value: []byte("value"), ContentType: "text/plain", Request: 3}, causal.Actor{Run: 1, Life: 2}, 1000, causal.DefaultLimits())
	return s
}

func TestGoldenRecord(t *testing.T) {
	s := goldenState()
	got := "live " + hex.EncodeToString(newRecord(&s, 0)) + "\nstranger " + hex.EncodeToString(recordOf(s.Append(nil))) + "\n"
	const name = "testdata/record.v1.golden"
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the bytes have changed: records on disk could not be read any more.\n got %s\nwant %s", got, want)
	}
	if !bytes.Equal(newRecord(&s, -1), recordOf(s.Append(nil))) {
		t.Error("two forms of one record")
	}
}

func TestDecodeRecordRefuses(t *testing.T) {
	s := goldenState()
	canonical := s.Append(nil)
	newer := record(0, canonical)
	newer[0] = 2
	for name, c := range map[string]struct {
		record []byte
		want   string
	}{
		"short":        {[]byte{1, 0, 0, 0, 0}, "cut short"},
		"checksum":     {append(record(0, canonical), 0), "checksum"},
		"newer format": {seal(newer[:len(newer)-tailLen]), "newer than this program"},
		"local byte":   {record(2, canonical), "live actor"},
		"state":        {record(0, canonical[:9]), "causal: state"},
	} {
		if _, err := DecodeRecord(c.record); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	var damage DamageError
	if _, err := StateOf([]byte{1}); !errors.As(err, &damage) {
		t.Errorf("%v", err)
	}
	if got, err := DecodeRecord(record(1, canonical)); err != nil || !bytes.Equal(got.Append(nil), canonical) {
		t.Errorf("%+v: %v", got, err)
	}
}

// FuzzDecodeRecord: nothing makes it panic, whole or with a good checksum.
func FuzzDecodeRecord(f *testing.F) {
	s := goldenState()
	f.Add(newRecord(&s, 0))
	f.Add([]byte{recordVersion, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, r := range [][]byte{b, seal(bytes.Clone(b))} {
			s, err := DecodeRecord(r)
			if err != nil {
				continue
			}
			if canonical, err := StateOf(r); err != nil || !bytes.Equal(s.Append(nil), canonical) {
				t.Fatalf("%x: %x, %v", r, canonical, err)
			}
		}
	})
}

// FuzzDo: whatever is stored and whatever a peer sends, a verb either fails and
// changes nothing, or leaves a record that can be read.
func FuzzDo(f *testing.F) {
	s := goldenState()
	for verb := range uint8(6) {
		f.Add(verb, byte(1), s.Append(nil), s.Append(nil))
		f.Add(verb, byte(0), []byte(nil), causal.State{}.Append(nil))
	}
	f.Fuzz(func(t *testing.T, verb, local byte, canonical, other []byte) {
		r := New(Config{Run: 1, MaxSiblings: 2})
		var stored []byte
		if len(canonical) > 0 {
			stored = record(local, canonical)
		}
		op := Op{Verb: Verb(verb), Key: ring.NewKey("b", "k"), State: other, Request: uint64(local), Full: local > 2}
		mint := Mint{Delete: local&1 > 0, LWW: local&2 > 0, Value: []byte("v")}
		if ctx, err := causal.DecodeState(other); err == nil {
			mint.Context = ctx.Claims
		}
		op.Mint = &mint
		res := r.Do(clock.Now{Wall: 7}, stored, &op, nil)
		if res.Answer.Status == Failed && res.Record != nil {
			t.Fatalf("it failed and stores %x", res.Record)
		}
		if res.Record != nil {
			if _, err := DecodeRecord(res.Record); err != nil {
				t.Fatalf("it stores %x: %v", res.Record, err)
			}
		}
	})
}

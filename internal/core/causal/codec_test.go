package causal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/causal"
)

var update = flag.Bool("update", false, "write the golden files anew")

// typical is a state as a cluster of three makes it: an entry for each replica
// and one version.
func typical(size int) causal.State {
	const minute = 60_000
	at := int64(1_790_000_000_000)
	actors := [3]causal.Actor{{Run: 0x1122334455667788, Life: 41}, {Run: 0x5566778899aabbcc, Life: 70_001}, {Run: 0xdeadbeefcafef00d, Life: 3}}
	value := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	v := causal.Version{
		Dot: causal.Dot{Actor: actors[1], N: 17}, Stamp: causal.StampAt(at) + 1, Request: 0xfeedface12345678,
		ContentType: "application/octet-stream", Value: value,
	}
	v.Sum = causal.SumValue(7, v.ContentType, value)
	return causal.State{
		Claims: causal.Claims{Vector: []causal.Entry{
			{Actor: actors[0], N: 3, Time: at - minute}, {Actor: actors[1], N: 17, Time: at}, {Actor: actors[2], N: 250, Time: at - 60*minute},
		}},
		Versions: []causal.Version{v},
	}
}

// everything is a state that uses every field of the form.
func everything() causal.State {
	a, b, c := causal.Actor{Run: 5, Life: 1}, causal.Actor{Run: 5, Life: 9}, causal.Actor{Run: math.MaxUint64, Life: 1<<62 - 1}
	return causal.State{
		Floor: 1_000,
		Claims: causal.Claims{
			Vector:     []causal.Entry{{Actor: a, N: 2, Time: 1_500}, {Actor: b, Time: 900}, {Actor: c, N: 300, Time: 5_000}},
			Exceptions: []causal.Dot{{Actor: a, N: 4}, {Actor: a, N: 5}, {Actor: b, N: 2}, {Actor: c, N: math.MaxUint64}},
		},
		Versions: []causal.Version{
			{Dot: causal.Dot{Actor: a, N: 1}, Stamp: 1, Value: []byte("first"), Sum: causal.Sum{Hi: 1, Lo: 2}},
			{Dot: causal.Dot{Actor: a, N: 4}, Stamp: math.MaxUint64, Request: 1, Expiry: math.MaxInt64, Deleted: true, Value: []byte{}},
			{Dot: causal.Dot{Actor: b, N: 2}, ContentType: "x/y", Value: []byte("\x00\xff"), Sum: causal.Sum{Hi: math.MaxUint64, Lo: 3}},
		},
	}
}

func TestGoldenStates(t *testing.T) {
	var b strings.Builder
	for _, c := range []struct {
		name  string
		state causal.State
	}{{"nothing", causal.State{}}, {"tombstone", causal.State{Claims: typical(0).Claims}}, {"typical", typical(16)}, {"everything", everything()}} {
		canonical := c.state.Append(nil)
		sum := causal.Digest(canonical, 7)
		b.WriteString(c.name + " " + hex.EncodeToString(canonical) + "\n")
		b.WriteString("digest " + hex.EncodeToString(binary128(sum)) + "\n")
		bytesOf(t, c.state)
	}
	golden(t, "testdata/state.v1.golden", b.String())
}

func binary128(s causal.Sum) []byte {
	var b [16]byte
	for i := range 8 {
		b[i], b[8+i] = byte(s.Hi>>(56-8*i)), byte(s.Lo>>(56-8*i))
	}
	return b[:]
}

func golden(t *testing.T, name, got string) {
	t.Helper()
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
}

func TestTypicalMetadataIsSmall(t *testing.T) {
	s := typical(1024)
	if overhead := len(s.Append(nil)) - len(s.Versions[0].Value); overhead >= 150 {
		t.Errorf("a version of 1 KiB with three entries has %d bytes of metadata", overhead)
	}
}

// TestEqualStatesEqualBytes: decoding gives back every field, so two states
// with equal bytes are equal; and states that differ in anything differ in bytes.
func TestEqualStatesEqualBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		states := history(t, tight(t))
		a, b := draw(t, states, "a"), draw(t, states, "b")
		if (bytesOf(t, a) == bytesOf(t, b)) != equal(a, b) {
			t.Fatalf("%+v\n%+v", a, b)
		}
		d, _ := causal.DecodeState(a.Append([]byte("kept"))[4:])
		if !equal(a, d) {
			t.Fatalf("%+v came back as %+v", a, d)
		}
		framed := a.Bytes(2, 4)
		if !bytes.Equal(framed[2:], a.Append(nil)) || cap(framed) != len(framed)+4 {
			t.Fatalf("%x in %d bytes is not %x", framed, cap(framed), a.Append(nil))
		}
	})
}

func equal(a, b causal.State) bool {
	if a.Floor != b.Floor || len(a.Vector) != len(b.Vector) || len(a.Exceptions) != len(b.Exceptions) || len(a.Versions) != len(b.Versions) {
		return false
	}
	for i := range a.Vector {
		if a.Vector[i] != b.Vector[i] {
			return false
		}
	}
	for i := range a.Exceptions {
		if a.Exceptions[i] != b.Exceptions[i] {
			return false
		}
	}
	for i, v := range a.Versions {
		w := b.Versions[i]
		if v.Dot != w.Dot || v.Stamp != w.Stamp || v.Request != w.Request || v.Expiry != w.Expiry || v.Deleted != w.Deleted ||
			v.ContentType != w.ContentType || !bytes.Equal(v.Value, w.Value) || v.Sum != w.Sum {
			return false
		}
	}
	return true
}

// TestEveryFieldCounts: a change of any field changes the digest, or for the
// bytes of a value alone the canonical form (its sum is the caller's to make).
func TestEveryFieldCounts(t *testing.T) {
	base := everything()
	canonical := base.Append(nil)
	for name, change := range map[string]func(s *causal.State){
		"floor":        func(s *causal.State) { s.Floor++ },
		"entry's n":    func(s *causal.State) { s.Vector[2].N++ },
		"entry's time": func(s *causal.State) { s.Vector[0].Time-- },
		"exception":    func(s *causal.State) { s.Exceptions[1].N++ },
		"dot":          func(s *causal.State) { s.Versions[0].Dot.N++ },
		"stamp":        func(s *causal.State) { s.Versions[0].Stamp++ },
		"request":      func(s *causal.State) { s.Versions[0].Request++ },
		"expiry":       func(s *causal.State) { s.Versions[1].Expiry-- },
		"deleted":      func(s *causal.State) { s.Versions[0].Deleted = true },
		"content type": func(s *causal.State) { s.Versions[2].ContentType = "x/z" },
		"length":       func(s *causal.State) { s.Versions[0].Value = []byte("firs") },
		"sum":          func(s *causal.State) { s.Versions[2].Sum.Lo++ },
	} {
		s := everything()
		change(&s)
		b := s.Append(nil)
		if _, err := causal.DecodeState(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if causal.Digest(b, 7) == causal.Digest(canonical, 7) {
			t.Errorf("%s: the digest does not see it", name)
		}
	}
	if causal.Digest(canonical, 7) == causal.Digest(canonical, 8) {
		t.Error("the digest is not keyed")
	}
}

func TestSumValue(t *testing.T) {
	sum := causal.SumValue(7, "a", []byte("b"))
	for name, other := range map[string]causal.Sum{
		"seed":         causal.SumValue(8, "a", []byte("b")),
		"content type": causal.SumValue(7, "", []byte("b")),
		"value":        causal.SumValue(7, "a", []byte("c")),
		"border":       causal.SumValue(7, "ab", nil),
	} {
		if other == sum {
			t.Errorf("the sum does not see the %s", name)
		}
	}
	if causal.SumValue(7, "a", []byte("b")) != sum {
		t.Error("the sum is not a function")
	}
}

// TestDecodeRefuses: what is not canonical is refused with its reason.
func TestDecodeRefuses(t *testing.T) {
	whole := everything().Append(nil)
	for n := range whole {
		if _, err := causal.DecodeState(whole[:n]); err == nil {
			t.Fatalf("cut to %d of %d bytes it decodes", n, len(whole))
		}
	}
	for name, c := range map[string]struct{ hex, want string }{
		"empty":                       {"", "cut short"},
		"another version":             {"0203000000", "newer"},
		"one byte more":               {"010300000000", "values have another length"},
		"meta longer than it says":    {"01020000" + "00", "cut short"},
		"meta shorter than it says":   {"010400000000", "meta section has another length"},
		"number not shortest":         {"01048000" + "0000", "cut short"},
		"negative floor":              {"010c" + "ffffffffffffffffff01" + "0000", "out of range"},
		"floor without end":           {"010b" + "ffffffffffffffff7f" + "0000", "out of range"},
		"actor without anything":      {"010d" + "0001" + "04" + "0000000000000001" + "00" + "00", "out of range"},
		"run not ascending":           {"0119" + "0002" + "04" + "0000000000000002" + "0100" + "04" + "0000000000000002" + "0100" + "00", "actors are not sorted"},
		"life not ascending":          {"0110" + "0002" + "04" + "0000000000000002" + "0100" + "05" + "0100" + "00", "actors are not sorted"},
		"first actor of the same run": {"0106" + "0001" + "05" + "0100" + "00", "actors are not sorted"},
		"negative time":               {"010e" + "0001" + "04" + "0000000000000002" + "0101" + "00", "out of range"},
		"no exceptions announced":     {"010f" + "0001" + "06" + "0000000000000002" + "0100" + "00" + "00", "out of range"},
		"exception beyond all":        {"0119" + "0001" + "06" + "0000000000000002" + "0100" + "01" + "ffffffffffffffffff01" + "00", "out of range"},
		"entry at the floor":          {"010e" + "0501" + "04" + "0000000000000002" + "0100" + "00", "below the prune floor"},
		"version not covered":         {version1("0002", "00"), "not covered"},
		"version of no actor":         {version1("0101", "00"), "not covered"},
		"unknown flag":                {version1("0001", "10"), "unknown flags"},
		"request of zero":             {version1("0001", "02", 8), "empty field"},
		"expiry of zero":              {version1("0001", "04", 1), "empty field"},
		"content type of no length":   {version1("0001", "08", 1), "empty field"},
		"dot zero":                    {version1("0000", "00"), "not covered"},
	} {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		_, err = causal.DecodeState(b)
		var format causal.FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// version1 is a state of one entry (N = 1) and one version with this dot and
// flags, no stamp, sum or value, and so many zeros for what the flags announce.
func version1(dot, flags string, zeros ...int) string {
	n := 0
	for _, z := range zeros {
		n += z
	}
	return fmt.Sprintf("01%02x", 0x2a+n) + "0001" + "04" + "0000000000000002" + "0100" + "01" + dot + flags + strings.Repeat("00", 8+n+16+1)
}

func TestDecodeRefusesUnsorted(t *testing.T) {
	for name, spoil := range map[string]func(s *causal.State){
		"entries swapped":      func(s *causal.State) { s.Vector[0], s.Vector[1] = s.Vector[1], s.Vector[0] },
		"entry twice":          func(s *causal.State) { s.Vector[1] = s.Vector[0] },
		"version twice":        func(s *causal.State) { s.Versions[1] = s.Versions[0] },
		"version not covered":  func(s *causal.State) { s.Versions[0].Dot.N = 3 },
		"exception unheld":     func(s *causal.State) { s.Exceptions[2].N++ },
		"entry below floor":    func(s *causal.State) { s.Floor = 6_000 },
		"exception next to it": func(s *causal.State) { s.Exceptions[0].N = 3 },
		"exceptions swapped":   func(s *causal.State) { s.Exceptions[0], s.Exceptions[1] = s.Exceptions[1], s.Exceptions[0] },
	} {
		s := everything()
		spoil(&s)
		if _, err := causal.DecodeState(s.Append(nil)); err == nil {
			t.Errorf("%s: it decodes", name)
		}
	}
}

// TestDecodeBoundsMemory: a count alone allocates nothing to speak of.
func TestDecodeBoundsMemory(t *testing.T) {
	for name, text := range map[string]string{
		"actors":     "010b" + "00" + "ffffffffffffffffff01",
		"exceptions": "0117" + "0001" + "06" + "0000000000000002" + "0100" + "ffffffffffffffffff01",
		"versions":   "0118" + "0001" + "04" + "0000000000000002" + "0100" + "ffffffffffffffffff01",
		"body":       "0133" + "0001" + "04" + "0000000000000002" + "0100" + "01" + "0001" + "00" + strings.Repeat("00", 24) + "ffffffffffffffffff01",
	} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = causal.DecodeState(b)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: it decodes", name)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
			t.Errorf("%s: %d bytes allocated for %d", name, n, len(b))
		}
	}
}

// FuzzJoinStates: whatever two states a peer and a disk come up with, their join
// is a state, and the same from both sides.
func FuzzJoinStates(f *testing.F) {
	other := everything()
	other.Versions[0].Sum.Lo++
	for _, s := range []causal.State{{}, typical(32), other} {
		f.Add(s.Append(nil), everything().Append(nil), uint8(64))
	}
	f.Fuzz(func(t *testing.T, x, y []byte, exceptions uint8) {
		a, errA := causal.DecodeState(x)
		b, errB := causal.DecodeState(y)
		if errA != nil || errB != nil {
			return
		}
		lim := causal.Limits{Exceptions: int(exceptions)}
		ab, ba := join(a, b), join(b, a)
		same(t, "commutative", ab, ba)
		same(t, "removal", ab.Remove(a.Claims, 5, lim), ba.Remove(a.Claims, 5, lim))
	})
}

// FuzzDecodeState: no bytes make it panic, and it accepts what Append makes and
// nothing else.
func FuzzDecodeState(f *testing.F) {
	for _, s := range []causal.State{{}, typical(32), everything()} {
		f.Add(s.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := causal.DecodeState(b)
		if err != nil {
			return
		}
		if again := s.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("%x is accepted but its form is %x", b, again)
		}
		joined, report := causal.JoinStates(s, s)
		if !equal(joined, s) || report != (causal.JoinReport{}) {
			t.Fatalf("%+v joined with itself gives %+v, %+v", s, joined, report)
		}
		next, _ := s.Mint(s.Claims, version("new"), causal.Actor{Run: 1, Life: 1 << 61}, 5, causal.DefaultLimits())
		if _, err := causal.DecodeState(next.Append(nil)); err != nil {
			t.Fatalf("minting into %+v gives %+v: %v", s, next, err)
		}
	})
}

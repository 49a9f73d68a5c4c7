package place_test

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/ring"
)

var update = flag.Bool("update", false, "write the golden files anew")

func checkLink(t testing.TB, l *place.Link) {
	t.Helper()
	b := place.AppendLink(nil, l)
	got, err := place.DecodeLink(b)
	if err != nil || !reflect.DeepEqual(got, l) {
		t.Fatalf("%v: %+v became %+v", err, l, got)
	}
}

func checkPlacement(t testing.TB, p *place.Placement) {
	t.Helper()
	got, err := place.Decode(p.Append(nil))
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Fatalf("%v: %+v became %+v", err, p, got)
	}
}

// examples are a placement and a link whose bytes must not change.
func examples(t testing.TB) (*place.Placement, *place.Link) {
	p := moving(t)
	l := next(p, place.Ordinary)
	l.Checkpoint = place.Checkpoint{Count: 1000, Digest: [16]byte{1, 2, 3}}
	l.Members[1].Disk = 22
	old := p.Of(1).Old
	l.Moves = []place.Move{
		{Partition: 0, Old: p.Of(0).New, Proofs: proofs(p, 0, usual)},
		{Partition: 1, Old: old, New: swapped(old, "C", "D")},
	}
	return p, l
}

func TestGolden(t *testing.T) {
	p, l := examples(t)
	for name, b := range map[string][]byte{"placement": p.Append(nil), "link": place.AppendLink(nil, l)} {
		path := filepath.Join("testdata", name+".hex")
		got := hex.Dump(b)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: disks and nodes in a running cluster would not be understood\n%s\nwas\n%s", name, got, want)
		}
	}
	checkPlacement(t, p)
	checkPlacement(t, follow(t, p, next(p, place.Ordinary)))
	checkLink(t, l)
}

// A proof that was made for another disk than is named stays one.
func TestAVoidProofIsSentAsItIs(t *testing.T) {
	_, l := examples(t)
	l.Moves[0].Proofs[0].Disk = 9
	checkLink(t, l)
}

func FuzzDecode(f *testing.F) {
	p, _ := examples(f)
	f.Add(p.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := place.Decode(b)
		if err == nil && string(p.Append(nil)) != string(b) {
			t.Fatal("two forms of one placement")
		}
	})
}

func FuzzDecodeLink(f *testing.F) {
	p, l := examples(f)
	f.Add(place.AppendLink(nil, l))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := place.DecodeLink(b)
		if err != nil {
			return
		}
		if string(place.AppendLink(nil, l)) != string(b) {
			t.Fatal("two forms of one link")
		}
		if n, err := p.Follow(l); err == nil {
			checkPlacement(t, n)
		}
	})
}

// The largest cluster that is aimed at fits into one message.
func TestSizes(t *testing.T) {
	var members []ring.NodeID
	for i := range 300 {
		members = append(members, ring.NodeID(fmt.Sprintf("node-%03d", i)))
	}
	p := named(t, founded(t, 8192, 3, members...))
	l := next(p, place.Ordinary)
	for i := range uint32(4096) {
		old := p.Of(i).Old
		l.Moves = append(l.Moves, place.Move{Partition: i, Old: old, New: swapped(old, old[0], members[(i*7+150)%300])})
	}
	whole, half := len(p.Append(nil)), len(place.AppendLink(nil, l))
	t.Logf("Q=8192, 300 nodes: a placement has %d bytes, a link that begins 4,096 moves %d", whole, half)
	if whole > 256<<10 || half > 256<<10 {
		t.Error("more than 256 KiB")
	}
}

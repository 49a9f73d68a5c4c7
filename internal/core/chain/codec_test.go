package chain_test

import (
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/place"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	ballot  = chain.Ballot{Round: 300, Node: "A", Run: 0x1122334455667788}
	earlier = chain.Ballot{Round: 2, Node: "B", Run: 3}
)

// examples are messages and votes whose bytes must not change.
func examples(t testing.TB) (map[string]*chain.Message, chain.Vote, *place.Placement) {
	p := place.Founded(place.Hash{7}, assigned(t, 4, "A", "B", "C"), 3)
	l := &place.Link{Number: 2, Before: p.Hash(), Members: []place.Member{{ID: "A", Disk: 1}, {ID: "B", Disk: 2}, {ID: "C", Disk: 3}}}
	m := chain.Message{Number: 1, Origin: p.Origin(), Hash: p.Hash(), Disk: 9}
	with := func(kind chain.Kind, f func(*chain.Message)) *chain.Message {
		x := m
		x.Kind = kind
		f(&x)
		return &x
	}
	proof := place.Proof{Who: "D", Disk: 4, Number: 3, N: 3, W: 2, R: 2, Sources: ids{"A", "B"}, Sealed: ids{"A", "C"}}
	return map[string]*chain.Message{
		"tell":         with(chain.Tell, func(*chain.Message) {}),
		"tell-nothing": {Kind: chain.Tell, Disk: 9},
		"prepare":      with(chain.Prepare, func(m *chain.Message) { m.Ballot = ballot }),
		"promise":      with(chain.Promise, func(m *chain.Message) { m.Ballot, m.Accepted, m.Link = ballot, earlier, l }),
		"accept":       with(chain.Accept, func(m *chain.Message) { m.Ballot, m.Link = ballot, l }),
		"accepted":     with(chain.Accepted, func(m *chain.Message) { m.Ballot = ballot }),
		"reject":       with(chain.Reject, func(m *chain.Message) { m.Ballot = ballot }),
		"chosen":       with(chain.Chosen, func(m *chain.Message) { m.Link = l }),
		"report":       with(chain.Report, func(m *chain.Message) { m.Clean, m.Reports = true, []chain.Ready{{Partition: 300, Proof: proof}} }),
		"fetch":        with(chain.Fetch, func(m *chain.Message) { m.Offset = 300 }),
		"page":         with(chain.Page, func(m *chain.Message) { m.Offset, m.Total, m.Bytes = 300, 303, []byte("abc") }),
	}, chain.Vote{Number: 1, Promised: ballot, Accepted: earlier, Link: l}, p
}

func golden(t *testing.T, name string, b []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", name+".hex")
	got := hex.EncodeToString(b) + "\n"
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
		t.Errorf("%s: the bytes changed: disks and nodes in a running cluster would not be understood\n%swas\n%s", name, got, want)
	}
	return b
}

func TestGolden(t *testing.T) {
	messages, v, p := examples(t)
	for name, m := range messages {
		got, err := chain.DecodeMessage(golden(t, name, chain.AppendMessage(nil, m)))
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%s: %v: %+v became %+v", name, err, m, got)
		}
	}
	for name, v := range map[string]chain.Vote{"vote": v, "vote-none": {Number: 7}} {
		got, err := chain.DecodeVote(golden(t, name, chain.AppendVote(nil, &v)))
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%v: %+v became %+v", err, v, got)
		}
	}
	got, err := chain.DecodePlacement(golden(t, "placement", chain.AppendPlacement(nil, p)))
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("%v: %+v became %+v", err, p, got)
	}
}

// What the disk keeps is whole or refused, and nothing at all is a new disk.
func TestDamagedDisk(t *testing.T) {
	_, v, p := examples(t)
	vote, placement := chain.AppendVote(nil, &v), chain.AppendPlacement(nil, p)
	for i := range vote {
		b := append([]byte(nil), vote...)
		b[i] ^= 4
		if _, err := chain.DecodeVote(b); err == nil {
			t.Errorf("byte %d of a vote is damaged and nobody notices", i)
		}
	}
	for i := range placement {
		b := append([]byte(nil), placement...)
		b[i] ^= 4
		if _, err := chain.DecodePlacement(b); err == nil {
			t.Errorf("byte %d of a placement is damaged and nobody notices", i)
		}
	}
	none, err := chain.DecodePlacement(nil)
	if none != nil || err != nil {
		t.Errorf("%v %v", none, err)
	}
	if v, err := chain.DecodeVote(nil); v != (chain.Vote{}) || err != nil {
		t.Errorf("%v %v", v, err)
	}
}

func FuzzDecodeMessage(f *testing.F) {
	messages, _, _ := examples(f)
	for _, m := range messages {
		f.Add(chain.AppendMessage(nil, m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := chain.DecodeMessage(b)
		if err == nil && string(chain.AppendMessage(nil, m)) != string(b) {
			t.Fatalf("two forms of one message: %+v", m)
		}
	})
}

func FuzzDecodeVote(f *testing.F) {
	_, v, _ := examples(f)
	f.Add(chain.AppendVote(nil, &v))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := chain.DecodeVote(b)
		if err == nil && len(b) > 0 && string(chain.AppendVote(nil, &v)) != string(b) {
			t.Fatalf("two forms of one vote: %+v", v)
		}
	})
}

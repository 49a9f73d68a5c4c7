package gossip

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

var update = flag.Bool("update", false, "write the golden files anew")

// grown is a history with each kind of change.
func grown(t testing.TB) member.History {
	t.Helper()
	h := genesis(t, 8, of("n1"), of("n2"))
	zoned := of("n5")
	zoned.Zone, zoned.DC, zoned.Weight = "z", "d", 3
	h, err := h.Issue(1000, "n1",
		add("n3"), remove("n3"), member.Change{Kind: member.Reweigh, Member: zoned}, member.Change{Kind: member.Relabel, Member: zoned},
		member.Change{Kind: member.Readdress, Member: zoned}, member.Change{Kind: member.Define, Name: "b", Bucket: member.DefaultBucket()},
		member.Change{Kind: member.Tune, Bucket: member.DefaultBucket()}, member.Change{Kind: member.Replace, Old: "n2", Member: zoned},
		add("n4"), member.Change{Kind: member.ForceRemove, Member: of("n4")},
	)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// messages are one of each form.
func messages(t testing.TB) []Message {
	h := grown(t)
	settled, ok := h.Checkpoint(h.Digest())
	if !ok {
		t.Fatal("no checkpoint")
	}
	page, rest := h.Page(member.Rung{}, 100), settled.Page(member.Rung{}, 100)
	return []Message{
		{},
		{Cluster: 7, Addr: "n1:7071", Wall: 1_700_000_000_000, Summary: h.Summary(member.Key{})},
		{Cluster: 7, Addr: "n1:7071", Wall: 1_700_000_000_000, Summary: h.Summary(page.Upto), Page: &page},
		{Cluster: 7, Addr: "n1:7071", Summary: settled.Summary(member.Key{}), Page: &rest, Answer: true},
	}
}

// The forms between nodes and on disk do not change by accident. Run with
// -update only where that is meant.
func TestGoldenBytes(t *testing.T) {
	var lines []string
	for _, m := range messages(t) {
		b := AppendMessage(nil, &m)
		lines = append(lines, hex.EncodeToString(b))
		back, err := DecodeMessage(b)
		if err != nil {
			t.Fatal(err)
		}
		if again := AppendMessage(nil, back); !bytes.Equal(again, b) {
			t.Errorf("read and written again it is %x", again)
		}
	}
	kept := Durable{grown(t), []Peer{{"p", "p:1"}, {"q", ""}}}
	b := AppendDurable(nil, &kept)
	lines = append(lines, hex.EncodeToString(b), "")
	back, err := DecodeDurable(b)
	if err != nil || !equal(back.History, kept.History) || len(back.Peers) != 2 || back.Peers[1].ID != "q" {
		t.Errorf("read back %+v, error %v", back, err)
	}
	if none, err := DecodeDurable(nil); err != nil || none.History.Len() != 0 {
		t.Errorf("nothing on disk: error %v", err)
	}
	const path = "testdata/golden.hex"
	text := strings.Join(lines, "\n")
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("the bytes differ from %s:\n%s", path, text)
	}
}

func TestDamagedBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := messages(&testing.T{})
		m := all[rapid.IntRange(0, len(all)-1).Draw(t, "message")]
		b := AppendMessage(nil, &m)
		if _, err := DecodeMessage(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]); err == nil {
			t.Fatal("a cut message was read")
		}
		if _, err := DecodeMessage(append(b, 0)); err == nil {
			t.Fatal("a message with more after it was read")
		}
		kept := Durable{grown(&testing.T{}), []Peer{{"p", "p:1"}}}
		d := AppendDurable(nil, &kept)
		d[rapid.IntRange(0, len(d)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := DecodeDurable(d); !errors.Is(err, ErrDamaged) {
			t.Fatalf("altered bytes on disk: error %v", err)
		}
	})
}

func FuzzDecodeMessage(f *testing.F) {
	for _, m := range messages(f) {
		f.Add(AppendMessage(nil, &m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := DecodeMessage(b)
		if err != nil {
			return
		}
		if again := AppendMessage(nil, m); !bytes.Equal(again, b) {
			t.Fatalf("%x is read as what is written %x", b, again)
		}
		w := newWorld(t, 1) // whatever it says, it is taken without a panic
		n := w.start("A", genesis(t, 8, of("A"), of("B")))
		m.Cluster = n.cfg.Cluster
		n.Deliver(w.clock(n), "B", m, &n.out)
		w.effects(n)
		w.run(2*w.latency, nil)
	})
}

func FuzzDecodeDurable(f *testing.F) {
	f.Add(AppendDurable(nil, &Durable{grown(f), []Peer{{ring.NodeID("p"), "p:1"}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		kept, err := DecodeDurable(b)
		if err == nil && len(b) > 0 && !bytes.Equal(AppendDurable(nil, &kept), b) {
			t.Errorf("%x is read as what is written otherwise", b)
		}
	})
}

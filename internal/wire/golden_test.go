package wire

import (
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/chain"
	"github.com/ourodb/ouro/internal/core/fact"
	"github.com/ourodb/ouro/internal/core/gossip"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/merkle"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/place"
	"github.com/ourodb/ouro/internal/core/reap"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

// timeType names time.Time for reflection.
type timeType = time.Time

var update = flag.Bool("update", false, "write the golden files anew")

var goldenTime = time.UnixMilli(1_764_000_000_123).UTC()

func goldenOp(key ring.Key) replica.Op {
	return replica.Op{ID: 1, Verb: replica.Read, Key: key}
}

// goldenMessages are messages whose bytes must never change within [Version].
func goldenMessages() map[string]node.Message {
	key := ring.NewKey("carts", "alice")
	actor := causal.Actor{Run: 0x1122334455667788, Life: 9}
	dot := causal.Dot{Actor: actor, N: 300}
	claims := causal.Claims{
		Vector:     []causal.Entry{{Actor: actor, N: 299, Time: 1_764_000_000_000}},
		Exceptions: []causal.Dot{{Actor: causal.Actor{Run: 1, Life: 2}, N: 3}},
	}
	ask := func(op replica.Op) node.Message {
		op.Partition, op.Key = 600, key
		return node.Message{Kind: node.KindAsk, Partition: 600, Number: 3, Op: op}
	}
	answer := func(a replica.Answer) node.Message {
		return node.Message{Kind: node.KindAnswer, Partition: 600, Number: 3, Answer: a}
	}
	forward := func(q node.Request) node.Message {
		q.Key = key
		return node.Message{Kind: node.KindForward, Partition: 600, Number: 3, Request: &q}
	}
	reply := func(p node.Reply) node.Message {
		return node.Message{Kind: node.KindReturn, Partition: 600, Number: 3, Reply: &p}
	}
	survey := func(s replica.Survey) node.Message {
		s.Partition = 600
		return node.Message{Kind: node.KindSurvey, Partition: 600, Number: 3, Survey: &s}
	}
	found := func(f replica.Found) node.Message {
		return node.Message{Kind: node.KindFound, Partition: 600, Number: 3, Found: &f}
	}
	sum := causal.Sum{Hi: 1, Lo: 2}
	return map[string]node.Message{
		"survey-roots": survey(replica.Survey{ID: 7, Look: replica.Roots, After: "carts"}),
		"survey-parts": survey(replica.Survey{ID: 9, Look: replica.Parts, Bucket: "carts", Span: merkle.Around(1<<63, 20)}),
		"survey-keys":  survey(replica.Survey{ID: 8, Look: replica.Keys, Bucket: "carts", Span: merkle.Span{First: 258, Last: 1027}, After: "alice"}),
		"survey-names": survey(replica.Survey{ID: 8, Look: replica.Names, Bucket: "carts", Span: merkle.Span{First: 1 << 60, Last: 1<<61 - 1}, Prefix: "al"}),
		"found-names":  found(replica.Found{ID: 8, Look: replica.Names, Status: replica.Have, Names: []replica.Named{{Name: "alice", State: []byte{1, 3, 0, 0, 0}}}, Until: 1<<61 - 1}),
		"found-roots":  found(replica.Found{ID: 7, Look: replica.Roots, Status: replica.Have, Recovering: true, Roots: []replica.Root{{Bucket: "carts", Count: 300, Sum: sum}}}),
		"found-parts":  found(replica.Found{ID: 9, Look: replica.Parts, Status: replica.Have, Parts: []merkle.Part{{Number: 2, Count: 40, Sum: sum}, {Number: 31, Count: 1, Sum: sum}}}),
		"found-keys":   found(replica.Found{ID: 8, Look: replica.Keys, Status: replica.Have, Keys: []replica.Listed{{Name: "alice", Digest: sum}}, Unreadable: 2, Next: "alice"}),
		"found-failed": found(replica.Found{ID: 8, Look: replica.Keys, Status: replica.Failed, Reason: replica.Overloaded}),
		"ask-join":     ask(replica.Op{ID: 70_000, Verb: replica.Join, State: []byte("canonical state")}),
		"ask-repair":   ask(replica.Op{ID: 70_001, Verb: replica.Join, State: []byte("canonical state"), Silent: true}),
		"ask-read":     ask(replica.Op{ID: 70_002, Verb: replica.Read, Full: true}),
		"ask-recall":   ask(replica.Op{ID: 70_003, Verb: replica.Recall, Request: 0xfedcba9876543210}),
		"ask-write": ask(replica.Op{ID: 70_004, Verb: replica.Write, Request: 0xfedcba9876543210, Mint: &replica.Mint{
			Context: claims, Value: []byte("milk"), ContentType: "text/plain", Expiry: 1_764_000_100_000, MaxSiblings: 100,
		}}),
		"ask-delete": ask(replica.Op{ID: 70_005, Verb: replica.Write, Mint: &replica.Mint{Context: claims, Delete: true, LWW: true}}),
		"ask-delta":  ask(replica.Op{ID: 70_010, Verb: replica.Join, State: []byte("canonical state"), Base: &claims}),
		"ask-hint": ask(replica.Op{
			ID: 70_006, Verb: replica.Join, State: []byte("canonical state"), Pending: true, Targets: []ring.NodeID{"n1", "n3"},
		}),
		"ask-paid": ask(replica.Op{
			ID: 70_007, Verb: replica.Paid, Pending: true, Targets: []ring.NodeID{"n1"}, Digest: causal.Sum{Hi: 1, Lo: 2},
		}),
		"ask-stamped": ask(replica.Op{
			ID: 70_008, Verb: replica.Join, State: []byte("canonical state"), Stamp: 700, Missed: "n2",
		}),
		"ask-drop": ask(replica.Op{ID: 70_009, Verb: replica.Drop, Digest: causal.Sum{Hi: 1, Lo: 2}, Stamp: 700}),
		"epochs": {Kind: node.KindEpochs, Show: &reap.Show{
			Wanted: 703, Shown: []reap.Shown{{Node: "n1", Epoch: 701, Clean: 77}, {Node: "n2", Epoch: 700, Clean: 300}, {Node: "n3"}},
		}},
		"gossip": {Kind: node.KindGossip, Gossip: &gossip.Message{
			Cluster: 7, Addr: "n1:7071", Wall: 1_700_000_000_000, Summary: member.Summary{Count: 3, Digest: [16]byte{1, 2}, Rungs: []member.Rung{{Count: 2, Sum: 9}}},
		}},
		"chain": {Kind: node.KindChain, Chain: &chain.Message{
			Kind: chain.Prepare, Number: 9, Origin: place.Hash{1}, Hash: place.Hash{2}, Disk: 3, Ballot: chain.Ballot{Round: 4, Node: "n1", Run: 5},
		}},
		"answer-stale": answer(replica.Answer{ID: 70_008, Verb: replica.Join, Status: replica.Failed, Reason: replica.Stale, Stamp: 701}),
		"answer-pending": answer(replica.Answer{
			ID: 70_006, Verb: replica.Join, Status: replica.Have, Durable: true, Pending: true, Digest: causal.Sum{Hi: 1, Lo: 2},
		}),
		"answer-stored": answer(replica.Answer{
			ID: 70_000, Verb: replica.Join, Status: replica.Have, Durable: true, Digest: causal.Sum{Hi: 1, Lo: 2},
		}),
		"answer-minted": answer(replica.Answer{
			ID: 70_004, Verb: replica.Write, Status: replica.Have, Found: true, State: []byte("canonical state"), Dot: dot,
		}),
		"answer-absent": answer(replica.Answer{ID: 70_002, Verb: replica.Read, Status: replica.Absent, Durable: true}),
		"answer-failed": answer(replica.Answer{ID: 70_002, Verb: replica.Read, Status: replica.Failed, Reason: replica.IOError}),
		"forward-get":   forward(node.Request{ID: 5, Verb: node.Get, R: ouro.Count{N: 2, Set: true}, PR: ouro.Count{Set: true}, Explain: true}),
		"forward-update": forward(node.Request{ID: 7, Verb: node.Update, Token: 0xfedcba9876543210, Update: &ouro.Update{
			Kind: ouro.SortedSet, Act: ouro.Assign, If: ouro.IfGreater, Expires: goldenTime, Elements: []ouro.Element{{Name: "alice", Score: 1.5}, {Name: "bob", By: -2}},
		}}),
		"forward-put": forward(node.Request{
			ID: 6, Verb: node.Put, Context: []byte("sealed"), HasContext: true, Value: []byte("milk"), ContentType: "text/plain",
			TTL: -1, W: ouro.Count{N: 3, Set: true}, PW: ouro.Count{N: 1, Set: true}, DW: ouro.Count{N: 2, Set: true},
			Timeout: 1500 * time.Millisecond, Token: 0xfedcba9876543210, Retry: true, Sent: 90 * time.Second, Within: 200 * time.Millisecond,
		}),
		"return-siblings": reply(node.Reply{
			ID: 5, Context: []byte("sealed"), Coordinator: "n2",
			Siblings: []ouro.Sibling{
				{Value: ouro.Value{Data: []byte("milk"), ContentType: "text/plain"}, Modified: goldenTime, Expires: goldenTime.Add(time.Hour)},
				{Modified: goldenTime},
			},
			Quorum:  ouro.Quorum{N: 3, R: 2, W: 2, PR: 1, PW: 1, DW: 2, Acks: 3, Primaries: 2, Durable: 1, Unsettled: true},
			Explain: []fact.Fact{{Kind: fact.Answered, Ticket: 5, At: time.Second, Lasted: time.Millisecond, Peer: "n3", N: 2, Note: "digest"}},
		}),
		"return-error": reply(node.Reply{
			ID: 6, Coordinator: "n2", Quorum: ouro.Quorum{N: 3, W: 3, Acks: 1},
			Err: &ouro.Error{Code: ouro.Overloaded, Message: "come back", Outcome: ouro.NotDone, Retryable: true, RetryAfter: time.Second},
		}),
	}
}

func TestGoldenBytes(t *testing.T) {
	for name, m := range goldenMessages() {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", "v1", name+".hex")
			got := hex.Dump(AppendMessage(nil, &m))
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
				t.Errorf("the bytes changed: nodes of version %d in a running cluster would not understand\n%s\nwas\n%s", Version, got, want)
			}
			decoded, err := DecodeMessage(undump(t, string(want)))
			if err != nil || !reflect.DeepEqual(decoded, m) {
				t.Errorf("%v: the golden bytes decode to\n%+v\nnot\n%+v", err, decoded, m)
			}
		})
	}
}

// undump is the inverse of hex.Dump.
func undump(t *testing.T, dump string) []byte {
	t.Helper()
	var b []byte
	for line := range strings.Lines(dump) {
		_, rest, _ := strings.Cut(line, "  ")
		digits, _, _ := strings.Cut(rest, "|")
		part, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, part...)
	}
	return b
}

package wire

import (
	"bytes"
	"testing"

	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/replica"
	"github.com/ourodb/ouro/internal/core/ring"
)

func benchMessages() map[string]node.Message {
	key := ring.NewKey("bucket", "user:0123456789abcdef")
	return map[string]node.Message{
		"join-1KiB": {Kind: node.KindAsk, Partition: 600, Number: 3, Op: replica.Op{
			ID: 1 << 30, Verb: replica.Join, Partition: 600, Key: key, State: bytes.Repeat([]byte("x"), 1100),
		}},
		"answer": {Kind: node.KindAnswer, Partition: 600, Number: 3, Answer: replica.Answer{
			ID: 1 << 30, Verb: replica.Join, Status: replica.Have, Durable: true, Digest: causal.Sum{Hi: 1, Lo: 2},
		}},
		"forward-1KiB": {Kind: node.KindForward, Partition: 600, Number: 3, Request: &node.Request{
			ID: 1 << 30, Verb: node.Put, Key: key, Value: bytes.Repeat([]byte("x"), 1024), ContentType: "text/plain", Token: 1 << 60,
		}},
	}
}

func BenchmarkAppendMessage(b *testing.B) {
	for name, m := range benchMessages() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 4096)
			for b.Loop() {
				buf = AppendMessage(buf[:0], &m)
			}
		})
	}
}

func BenchmarkDecodeMessage(b *testing.B) {
	for name, m := range benchMessages() {
		body := AppendMessage(nil, &m)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := DecodeInto(&sink, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

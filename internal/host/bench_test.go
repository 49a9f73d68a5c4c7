package host

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/node"
	"github.com/ourodb/ouro/internal/core/ring"
)

// The benchmarks run three hosts in one process over engines in memory, with 32
// requests outstanding: what the machines, the loop and the codec cost, without
// sockets and disks.

const benchKeys = 1000

func benchCluster(b *testing.B) []*Host {
	c := startCluster(b, three, nil)
	var hosts []*Host
	for _, id := range three {
		hosts = append(hosts, c.hosts[id])
	}
	return hosts
}

func BenchmarkPut(b *testing.B) {
	hosts := benchCluster(b)
	contexts := make([]atomic.Pointer[ouro.Context], benchKeys)
	value := make([]byte, 1024)
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := rand.IntN(benchKeys)
			var opts []ouro.Option
			if c := contexts[i].Load(); c != nil {
				opts = append(opts, ouro.WithContext(*c))
			}
			res, err := hosts[rand.IntN(3)].Put(b.Context(), ouro.Key{Bucket: "bench", Name: fmt.Sprint(i)}, ouro.Value{Data: value}, opts...)
			if err != nil {
				b.Error(err)
				return
			}
			contexts[i].Store(&res.Context)
		}
	})
}

func BenchmarkGet(b *testing.B) {
	hosts := benchCluster(b)
	value := make([]byte, 1024)
	for i := range benchKeys {
		if _, err := hosts[0].Put(b.Context(), ouro.Key{Bucket: "bench", Name: fmt.Sprint(i)}, ouro.Value{Data: value}, ouro.W(3)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := hosts[rand.IntN(3)].Get(b.Context(), ouro.Key{Bucket: "bench", Name: fmt.Sprint(rand.IntN(benchKeys))}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkInbox is the way of one request through an inbox.
func BenchmarkInbox(b *testing.B) {
	in := newInbox(1 << 20)
	c := &call{request: &node.Request{Key: ring.NewKey("b", "k"), Timeout: time.Second}}
	b.ReportAllocs()
	var items []item
	for range b.N {
		in.offer(item{call: c}, 1)
		items = in.take(items)
	}
}

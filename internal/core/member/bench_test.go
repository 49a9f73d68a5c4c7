package member_test

import (
	"fmt"
	"testing"

	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
)

// What a history of 10,000 changes costs: nodes that come and go in a cluster of 30,
// and as many that move to another address. It is folded at every change and at every
// start.
func BenchmarkFold(b *testing.B) {
	var members []member.Member
	for i := range 30 {
		members = append(members, member.Member{Node: ring.Node{ID: ring.NodeID(fmt.Sprintf("node-%04d", i)), Weight: 1}, Addr: "10.0.0.1:7071"})
	}
	for _, q := range []int{1024, 8192} {
		for _, changes := range []int{100, 1000, 10000} {
			if q*changes > 10_000*1024 {
				continue // most of a minute
			}
			h, err := member.Genesis("bench", members, q)
			if err != nil {
				b.Fatal(err)
			}
			var all []member.Change
			for i := range changes / 4 {
				id := ring.NodeID(fmt.Sprintf("node-%04d", 30+i))
				all = append(all,
					member.Change{Kind: member.Add, Member: member.Member{Node: ring.Node{ID: id, Weight: 1}, Addr: "10.0.0.1:7071"}},
					member.Change{Kind: member.Readdress, Member: member.Member{Node: ring.Node{ID: id}, Addr: "10.0.0.2:7071"}},
					member.Change{Kind: member.Readdress, Member: member.Member{Node: ring.Node{ID: id}, Addr: "10.0.0.3:7071"}},
					member.Change{Kind: member.Remove, Member: member.Member{Node: ring.Node{ID: id}}})
			}
			for len(all) > 0 {
				n := min(100, len(all))
				if h, err = h.Issue(1, "node-0000", all[:n]...); err != nil {
					b.Fatal(err)
				}
				all = all[n:]
			}
			b.Run(fmt.Sprintf("q=%d/changes=%d", q, changes), func(b *testing.B) {
				for b.Loop() {
					if _, err := h.Fold(); err != nil {
						b.Fatal(err)
					}
				}
				settled, _ := h.Checkpoint(h.Digest())
				b.ReportMetric(float64(len(h.Append(nil))), "B")
				b.ReportMetric(float64(len(settled.Append(nil))), "B-folded")
			})
			settled, _ := h.Checkpoint(h.Digest())
			b.Run(fmt.Sprintf("q=%d/changes=%d/folded", q, changes), func(b *testing.B) {
				for b.Loop() {
					if _, err := settled.Fold(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

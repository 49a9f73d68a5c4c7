package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// growing is a cluster that changes while clients use it.
type growing struct {
	*ringed
	load *load
	bulk int
}

// settled is what was acknowledged before anything moved.
func settledValue(k int) []byte {
	return fmt.Appendf(nil, "%d %0*d", k, 1500, k)
}

// known makes the nodes, in this order, those that the tests' helpers ask.
func (g *growing) ask(ids ...string) {
	g.Nodes = g.Nodes[:0]
	for _, id := range ids {
		var n struct {
			ID, Client, Peer, Admin, RESP, GRPC, Data string
			PID                                       int
		}
		s := g.at[id]
		n.ID, n.Client, n.Peer, n.Admin, n.PID = id, s.client, s.peer, s.admin, s.cmd.Process.Pid
		g.Nodes = append(g.Nodes, n)
	}
}

func (g *growing) fill() {
	s, err := client.New(g.at["n1"].client)
	if err != nil {
		g.t.Fatal(err)
	}
	defer s.Close()
	for k := range g.bulk {
		if _, err := s.Put(g.t.Context(), ouro.Key{Bucket: "bulk", Name: fmt.Sprint("k", k)}, ouro.Value{Data: settledValue(k)}, ouro.Blind()); err != nil {
			g.t.Fatal(err)
		}
	}
}

// whole reads what was filled in at every node.
func (g *growing) whole() {
	g.t.Helper()
	for _, n := range g.Nodes {
		s, err := client.New(n.Client)
		if err != nil {
			g.t.Fatal(err)
		}
		for k := range g.bulk {
			res, err := s.Get(g.t.Context(), ouro.Key{Bucket: "bulk", Name: fmt.Sprint("k", k)})
			if err != nil || len(res.Siblings) != 1 || string(res.Siblings[0].Data) != string(settledValue(k)) {
				g.t.Errorf("bulk/k%d at %s: %d siblings, %v", k, n.ID, len(res.Siblings), err)
			}
		}
		s.Close()
	}
}

// more lets the clients do so many operations more.
func (g *growing) more(ops int64) {
	g.t.Helper()
	want := g.load.done.Load() + ops
	eventually(g.t, "the clients go on", func() bool { return g.load.done.Load() >= want })
}

// moves waits until a node is being given what moves, and says how much is left.
func (g *growing) moves(at string) {
	g.t.Helper()
	eventually(g.t, "something moves at "+at, func() bool {
		info := g.info(at)
		return info.Moving > 0
	})
}

// certified checks by what right nodes count for what moved last.
func (g *growing) certified(at string) {
	g.t.Helper()
	var info ouro.ClusterInfo
	if err := json.Unmarshal([]byte(g.op(at, "cluster", "certificates", "-o", "json")), &info); err != nil {
		g.t.Fatal(err)
	}
	if len(info.Certificates) == 0 {
		g.t.Errorf("%s shows no certificate", at)
	}
	for _, x := range info.Certificates {
		sources, sealed := slices.Compact(slices.Sorted(slices.Values(x.Sources))), slices.Compact(slices.Sorted(slices.Values(x.Sealed)))
		if len(sources) < x.N-x.W+1 || len(sealed) < x.N-x.R+1 || slices.Contains(sources, x.Node) {
			g.t.Errorf("a certificate that proves nothing: %+v", x)
		}
	}
	if len(info.Certificates) > 0 {
		g.t.Logf("%d certificates at %s, such as %+v", len(info.Certificates), at, info.Certificates[0])
	}
}

// shrink lets a node leave. In the long form it is killed while it hands on, and one
// that is given something too; both are started again.
func (g *growing) shrink(full bool, ops int64, leaver, heir string, stay ...string) {
	g.t.Helper()
	if full {
		for _, id := range stay {
			g.op(id, "cluster", "throttle", "32KiB")
		}
	}
	g.op(stay[1], "cluster", "leave", leaver, "--commit")
	g.load.asks(stay...)
	if full {
		for _, id := range []string{leaver, heir} {
			g.moves(stay[1])
			g.load.asks(slices.DeleteFunc(slices.Clone(stay), func(s string) bool { return s == id })...)
			g.kill(id)
			g.more(ops / 10)
			g.begin(id, "--seeds", g.ports[stay[1]][1])
		}
		g.ask(stay...)
		g.load.lastAt(g.cluster)
		g.more(ops / 3)
		for _, id := range stay {
			g.op(id, "cluster", "throttle", "64MiB")
		}
	}
	g.agree(stay...)
	g.certified(stay[1])
}

// Three nodes become five, four and three while clients use them; a donor and a
// newcomer are killed midway. Nothing that was acknowledged is lost (paper,
// sections 4.9 and 6.2).
func TestClusterGrowsAndShrinks(t *testing.T) {
	full := os.Getenv("OURO_E2E_FULL") != ""
	q, ops, bulk := "64", int64(300), 300
	if full {
		q, ops, bulk = "1024", 5000, 5000
	}
	g := &growing{ringed: newRinged(t, "--q", q), bulk: bulk}
	ids := []string{"n1", "n2", "n3"}
	members := ""
	for _, id := range ids {
		g.ports[id] = freePorts(t, 3)
		members += "," + g.located(id)
	}
	founder := []string{"--members", members[1:]}
	for _, id := range ids {
		g.begin(id, founder...)
	}
	for _, id := range ids {
		g.at[id].ready(t).foundAll(t, 3)
	}
	g.ask(ids...)
	g.fill()
	g.load = newLoad(g.cluster, 1)
	g.load.start(4)
	g.more(ops)
	g.load.phase.Store(1)

	began := time.Now()
	slow := []string{"--seeds", g.ports["n1"][1] + "," + g.ports["n3"][1], "--transfer-rate", "64KiB"}
	g.begin("n4", slow...)
	g.begin("n5", slow...)
	g.op("n1", "cluster", "join", g.located("n4"))
	g.op("n1", "cluster", "join", g.located("n5"), "--commit")
	g.moves("n4")
	g.more(ops / 3)
	g.kill("n2")
	g.more(ops / 3)
	g.moves("n1")
	g.begin("n2", founder...).ready(t)
	g.kill("n4")
	g.more(ops / 3)
	g.moves("n1")
	g.begin("n4", slow[:2]...)
	g.op("n5", "cluster", "throttle", "64MiB")
	g.agree("n1", "n2", "n3", "n4", "n5")
	g.certified("n1")
	g.load.phase.Store(2)

	g.shrink(full, ops, "n2", "n4", "n1", "n3", "n4", "n5")
	g.shrink(full, ops, "n5", "n1", "n1", "n3", "n4")
	info := g.agree("n1", "n3", "n4")
	g.more(ops / 3)
	g.load.stop()
	t.Logf("it grew and shrank in %v", time.Since(began).Round(time.Second))
	if !slices.Equal(info.Removed, []string{"n2", "n5"}) {
		t.Errorf("removed are %v", info.Removed)
	}
	g.refused("fenced", "n1", "cluster", "join", g.located("n2"))
	g.at["n2"].stop(t, unix.SIGTERM)
	g.at["n5"].stop(t, unix.SIGTERM)

	g.ask("n1", "n3", "n4")
	g.load.lastAt(g.cluster)
	g.noHints()
	stats, broken := g.load.rec.judge(g.load.final)
	if broken != nil {
		t.Errorf("%v", broken)
	}
	t.Logf("%d operations: %d done, %d not done, %d unknown; %v; %d reads checked", g.load.rec.ops, g.load.done.Load(), g.load.refused.Load(), g.load.unknown.Load(), g.load.failed, stats.Reads)
	g.whole()
	g.equalReplicas("chaos", chaosKeys)
	for id, s := range g.at {
		if err := os.WriteFile(filepath.Join(g.Dir, id+".log"), []byte(g.logs[id]+s.log.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g.noAlarms()
	before, during := g.load.p99(0), g.load.p99(1)
	t.Logf("p99 %v before, %v while it grew: a ratio of %.2f", before, during, float64(during)/float64(max(before, time.Microsecond)))
}

package e2e

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro"
)

// formed is a cluster of nodes that have one list of members.
func formed(t *testing.T, ids []string, flags ...string) (g *growing, founder []string) {
	t.Helper()
	g = &growing{ringed: newRinged(t, flags...)}
	list := ""
	for _, id := range ids {
		g.ports[id] = freePorts(t, 3)
		list += "," + g.located(id)
	}
	founder = []string{"--members", list[1:]}
	for _, id := range ids {
		g.begin(id, founder...)
	}
	for _, id := range ids {
		g.at[id].ready(t).foundAll(t, len(ids))
	}
	g.ask(ids...)
	return g, founder
}

// restart stops a node in order and starts it again. It returns when all reach it.
func (g *growing) restart(id string, members int, args ...string) {
	g.t.Helper()
	if code := g.at[id].stop(g.t, unix.SIGTERM); code != 0 {
		g.t.Errorf("SIGTERM: %s ends with exit code %d\n%s", id, code, g.at[id].log.String())
	}
	g.logs[id] += g.at[id].log.String()
	g.begin(id, args...).ready(g.t)
	for _, n := range g.Nodes {
		g.at[n.ID].foundAll(g.t, members)
	}
}

// Every node in turn is stopped and started again while clients use the cluster, the
// last one at another address: that changes nothing of the ring, moves nothing and
// loses nothing, and a client that asks another node where one does not answer gets an
// answer to everything (paper, section 4.8).
func TestNodesAreStartedAgain(t *testing.T) {
	ids := []string{"n1", "n2", "n3"}
	g, founder := formed(t, ids, "--q", "64")
	eventually(t, "the disks of the founders are named", func() bool { return g.agree(ids...).Placement > 1 })
	before := g.agree(ids...)
	g.load = newLoad(g.cluster, 1)
	g.load.stubborn = true
	g.load.start(4)
	g.more(100)
	for _, id := range ids {
		g.restart(id, 3, founder...)
		g.more(30)
	}
	if after := g.agree(ids...); after.Version != before.Version || after.Placement != before.Placement || after.Hash != before.Hash || after.Changes != before.Changes {
		t.Errorf("before every node was started again %s, link %d %s, %d changes; after it %s, link %d %s, %d changes",
			before.Version, before.Placement, before.Hash, before.Changes, after.Version, after.Placement, after.Hash, after.Changes)
	}

	was := g.ports["n3"]
	g.ports["n3"] = freePorts(t, 3)
	g.restart("n3", 3) // what the list says of it is past
	g.ask(ids...)
	g.load.lastAt(g.cluster)
	after := g.agree(ids...)
	if after.Placement != before.Placement || after.Hash != before.Hash || after.Changes != before.Changes+1 {
		t.Errorf("before n3 had another address link %d %s, %d changes; after it link %d %s, %d changes",
			before.Placement, before.Hash, before.Changes, after.Placement, after.Hash, after.Changes)
	}
	if i := slices.IndexFunc(after.Members, func(m ouro.ClusterMember) bool { return m.ID == "n3" }); after.Members[i].Peer != g.ports["n3"][1] {
		t.Errorf("n3 went from %s to %s, and is listed at %s", was[1], g.ports["n3"][1], after.Members[i].Peer)
	}
	g.restart("n1", 3, founder...) // which finds it where it is, whatever its list says
	g.more(50)
	g.judged()
}

// judged ends the load and checks all that was promised. The clients that ask other
// nodes must have had an answer to everything.
func (g *growing) judged() {
	g.t.Helper()
	g.load.stop()
	g.noHints()
	stats, broken := g.load.rec.judge(g.load.final)
	if broken != nil {
		g.t.Errorf("%v", broken)
	}
	l := g.load
	g.t.Logf("%d operations: %d done, %d not done, %d unknown, %d attempts in vain: %v; %d reads checked", l.rec.ops, l.done.Load(), l.refused.Load(), l.unknown.Load(), l.vain.Load(), l.failed, stats.Reads)
	if l.stubborn && l.refused.Load()+l.unknown.Load() > 0 {
		g.t.Errorf("%d operations were refused and of %d it is not known what became, though other nodes could be asked", l.refused.Load(), l.unknown.Load())
	}
	g.equalReplicas("chaos", chaosKeys)
	for id, s := range g.at {
		for line := range strings.Lines(g.logs[id] + s.log.String()) {
			if strings.Contains(line, "ALARM") {
				g.t.Errorf("%s says: %s", id, line)
			}
		}
	}
}

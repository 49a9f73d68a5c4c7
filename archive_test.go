package ouro_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/archive"
	"github.com/ourodb/ouro/internal/core/member"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
)

// Archives in the simulator (paper, section 6.2; FIELD 2.14, class 19).

// archived makes an archive of bucket b through a node, in a folder of its own.
func (c cluster) archived(at ring.NodeID, q int, step func(p int)) string {
	c.t.Helper()
	dir, p := c.t.TempDir(), 0
	w := &archive.Work{Dir: dir, Workers: 1, Step: func() { step(p); p++ }}
	if err := w.Create(c.t.Context(), &archive.Manifest{Cluster: "c", Q: q, Buckets: []string{"b", "typed"}}, c.Archivist(at)); err != nil {
		c.t.Fatal(err)
	}
	if c.Broken() != nil {
		c.t.Fatal(c.Broken())
	}
	return dir
}

// restored merges an archive into a cluster, and returns how many records it has.
func (c cluster) restored(at ring.NodeID, dir string) int64 {
	c.t.Helper()
	m, err := archive.Load(dir)
	if err != nil {
		c.t.Fatal(err)
	}
	w := &archive.Work{Dir: dir, Workers: 1, Step: func() {}}
	sum, err := w.Restore(c.t.Context(), m, c.Archivist(at))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.Broken() != nil {
		c.t.Fatal(c.Broken())
	}
	return sum.Records
}

func quiet(int) {}

// many writes keys of bucket b, each as a client does, with the id of a request.
func (c cluster) many(n int, value string) []ouro.Key {
	c.t.Helper()
	var keys []ouro.Key
	for i := range n {
		key := ouro.Key{Bucket: "b", Name: fmt.Sprint("k", i)}
		c.put("A", key, value, ouro.RequestID(fmt.Sprint(value, i)))
		keys = append(keys, key)
	}
	return keys
}

// TestField_19_AnotherRing: what is archived of five nodes, among which some crash and
// some can't reach each other, and while it is written to, has all that was acknowledged
// before; and a cluster of three with another number of partitions has it then.
func TestField_19_AnotherRing(t *testing.T) {
	cfg := sim.Config{Q: 8, Nodes: nodes("A", "B", "C", "D", "E"), Buckets: numbers(3, 2, 2), Compare: true}
	from := newCluster(t, cfg)
	keys := from.many(60, "before")
	twin := ouro.Key{Bucket: "b", Name: "twin"}
	from.put("A", twin, "one")
	from.put("B", twin, "two")
	gone := ouro.Key{Bucket: "b", Name: "gone"}
	from.put("A", gone, "before")
	if _, err := from.Delete("A", gone).Wait(); err != nil {
		t.Fatal(err)
	}
	dir := from.archived("A", 8, func(p int) {
		switch p {
		case 1:
			from.Crash("B")
		case 2:
			from.Restart("B")
			from.Cut("A", "C")
		case 3:
			from.over("D", keys[0], "meanwhile")
		case 4:
			from.Heal("A", "C")
			from.Crash("E")
		case 6:
			from.Restart("E")
		}
	})

	to := newCluster(t, sim.Config{Q: 32, Seed: 99, Buckets: numbers(3, 2, 2)})
	if n := to.restored("B", dir); n != 61 {
		t.Errorf("%d records are restored, not 61", n)
	}
	for _, key := range keys[1:] {
		to.get("C", key, []string{"before"}, ouro.R(3))
	}
	to.get("C", twin, []string{"one", "two"}, ouro.R(3))
	to.get("C", gone, nil, ouro.R(3))
	first, err := to.Get("C", keys[0]).Wait()
	if got := shown(first); err != nil || len(got) != 1 || got[0] != "before" && got[0] != "meanwhile" {
		t.Errorf("what was written meanwhile: %q, %v", got, err)
	}
	to.over("A", keys[0], "after")
	to.get("B", keys[0], []string{"after"}, ouro.R(3))
}

// TestField_19_RestoringUndoesNothing: into the cluster that it is of, an archive brings
// back no value that was replaced since, and no key that was deleted since as long as
// anybody knows that it was; what has gone is as it was, once, though its writes had the
// ids of requests; and to merge twice is to merge once.
func TestField_19_RestoringUndoesNothing(t *testing.T) {
	cfg := sim.Config{Q: 8, Buckets: numbers(3, 2, 2), Compare: true}
	typed := cfg.Buckets.Default
	typed.Types = true
	cfg.Buckets.Named = map[string]member.Bucket{"typed": typed}
	c := newCluster(t, cfg)
	keys := c.many(30, "before")
	count := ouro.Key{Bucket: "typed", Name: "count"}
	add := ouro.Update{Kind: ouro.Counter, Act: ouro.Increment, Elements: []ouro.Element{{By: 3}}}
	c.update("A", count, add)
	c.update("B", count, add)
	dir := c.archived("A", 8, quiet)
	c.update("C", count, add)
	for i, key := range keys {
		switch i % 3 {
		case 0:
			c.over("B", key, "newer")
		case 1:
			c.get("B", key, []string{"before"})
			if _, err := c.Delete("B", key).Wait(); err != nil {
				t.Fatal(err)
			}
		case 2:
			c.Forget("C", key)
		}
	}
	beside := keys[2]
	c.put("B", beside, "beside")
	before := map[ouro.Key][]byte{}
	for round := range 2 {
		if n := c.restored("C", dir); n != 31 {
			t.Fatalf("%d records", n)
		}
		c.RunFor(5 * time.Second)
		for i, key := range keys {
			want := [][]string{{"newer"}, nil, {"before"}}[i%3]
			if key == beside {
				want = []string{"before", "beside"}
			}
			for _, id := range everybody {
				c.get(id, key, want, ouro.R(3))
			}
		}
		if res, err := c.Get("B", count, ouro.R(3)).Wait(); err != nil || res.Typed == nil || res.Typed.Count != 9 {
			t.Errorf("a counter of which an update is newer: %+v, %v", res.Typed, err)
		}
		now := map[ouro.Key][]byte{}
		for _, key := range keys {
			s := c.state("A", key)
			now[key] = s.Append(nil)
		}
		if round == 1 && !maps.EqualFunc(before, now, bytes.Equal) {
			t.Error("to restore again has changed something")
		}
		before = now
	}
	c.agree(slices.Clone(keys))
}

// TestPaper_6_5_ArchivesWaitForClients: while clients wait for the disk of the node that
// is asked, an archive goes on slowly, and does go on.
func TestPaper_6_5_ArchivesWaitForClients(t *testing.T) {
	cfg := sim.Config{Q: 1, Buckets: numbers(3, 2, 2), Admit: true}
	cfg.Runner.CacheBytes = -1
	cfg.Node.ArchiveRate = 256 << 10
	cfg.Buckets.Default.Timeout = 5 * time.Second
	c := newCluster(t, cfg)
	keys := c.many(100, string(make([]byte, 12<<10)))
	minute := func() (read int) {
		a := c.Archivist("A")
		for end := c.Now() + time.Minute; c.Now() < end; read++ {
			if _, err := a.Record(t.Context(), keys[read%len(keys)]); err != nil {
				t.Fatal(err)
			}
			c.Get("A", keys[0])
		}
		return read
	}
	well := minute()
	c.SlowReads("A", 60*time.Millisecond)
	for range 200 {
		c.Get("A", keys[0])
		c.RunFor(100 * time.Millisecond)
	}
	slow := minute()
	t.Logf("%d records in a minute, and %d while clients wait", well, slow)
	if well < 500 || slow > well/10 || slow < 10 {
		t.Errorf("%d records in a minute, and %d while clients wait", well, slow)
	}
}

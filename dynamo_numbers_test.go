package ouro_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
)

// What the numbers N, R and W are worth (sections 2, 4.4 and 6), in numbers.

// lag is how long after its acknowledgement a put is at all its replicas.
func (c cluster) lag(at ring.NodeID, key ouro.Key, value string, most time.Duration) time.Duration {
	c.t.Helper()
	c.put(at, key, value)
	acknowledged, primaries := c.Now(), c.Preference(key)[:3]
	all := func() bool {
		return !slices.ContainsFunc(primaries, func(id ring.NodeID) bool {
			s, ok := c.State(id, key)
			return !ok || len(s.Versions) != 1 || string(s.Versions[0].Value) != value
		})
	}
	for !all() && c.Now() < acknowledged+most && c.Step() {
		continue
	}
	if !all() {
		c.t.Errorf("%v after its acknowledgement %v is not at all of %v", most, key, primaries)
	}
	return c.Now() - acknowledged
}

// The window in which a replica may be behind (2.0.2, 4.4.1): bounded by a delay and
// a sync of a disk while nothing fails; by the outage while one of the N is away.
func TestPaper_2_0_2_LagToAllN(t *testing.T) {
	c := newCluster(t, sim.Config{Nodes: nodes(ae...), Q: 16, Buckets: numbers(3, 2, 2), Net: sim.NetConfig{Jitter: 300 * time.Microsecond}})
	var all []time.Duration
	for i := range 300 {
		all = append(all, c.lag(ae[i%5], ouro.Key{Bucket: "b", Name: fmt.Sprint(i)}, "v", 5*time.Second))
	}
	slices.Sort(all)
	if most := all[len(all)-1]; most > 20*time.Millisecond {
		t.Errorf("the last of N replicas had a write %v after its acknowledgement, and nothing failed", most)
	}
	const outage = 5 * time.Second
	key := c.keyIn("A", "B")
	c.Crash("B")
	began := c.Now()
	c.RunFor(time.Second)
	c.put("A", key, "v")
	c.RunFor(outage - (c.Now() - began))
	c.Restart("B")
	back := c.Now()
	for c.Step() {
		if _, ok := c.State("B", key); ok {
			break
		}
	}
	took := c.Now() - back
	if _, ok := c.State("B", key); !ok || took > 30*time.Second {
		t.Errorf("%v after its return B has not what was written while it was away", took)
	}
	t.Logf("lag to all of N: median %v, p99 %v, longest %v of %d; with one away for %v, %v after its return", all[150], all[297], all[299], len(all), outage, took)
}

// The matrix of section 6: availability of reads and writes with one and two of the
// primaries down, with a sloppy quorum and with a strict one (pr=r, pw=w); how often
// a read at once after a write is stale; how long both take. docs/guide.md has it.
func TestPaper_6_0_4_Matrix(t *testing.T) {
	t.Log("| n, r, w | stale reads | read | write | sloppy, one down | two down | strict, one down | two down |")
	for _, m := range []struct{ r, w int }{{1, 1}, {1, 3}, {2, 2}, {3, 1}} {
		row := fmt.Sprintf("| 3, %d, %d ", m.r, m.w)
		stale, read, write := atOnce(t, m.r, m.w)
		row += fmt.Sprintf("| %.0f %% | %v | %v ", 100*stale, read.Round(10*time.Microsecond), write.Round(10*time.Microsecond))
		if overlaps := m.r+m.w > 3; (stale == 0) != overlaps {
			t.Errorf("r=%d, w=%d: %.2f of reads are stale", m.r, m.w, stale)
		}
		for _, strict := range []bool{false, true} {
			for down := 1; down <= 2; down++ {
				gets, puts := served(t, m.r, m.w, down, strict)
				row += fmt.Sprintf("| %s ", map[[2]bool]string{{true, true}: "both", {true, false}: "reads", {false, true}: "writes", {false, false}: "none"}[[2]bool{gets, puts}])
				wantGets, wantPuts := !strict || 3-down >= m.r, !strict || 3-down >= m.w
				if gets != wantGets || puts != wantPuts {
					t.Errorf("r=%d, w=%d, %d down, strict %v: gets are served: %v, puts: %v", m.r, m.w, down, strict, gets, puts)
				}
			}
		}
		t.Log(row + "|")
	}
}

// served says whether reads and writes are served with so many primaries down.
func served(t *testing.T, r, w, down int, strict bool) (gets, puts bool) {
	c, key := five(t, 3, r, w)
	c.put("E", key, "before", ouro.W(3))
	c.RunUntilIdle()
	for _, id := range c.Preference(key)[:down] {
		c.Crash(id)
	}
	c.RunFor(time.Second)
	var forGet, forPut []ouro.Option
	if strict {
		forGet, forPut = []ouro.Option{ouro.PR(r)}, []ouro.Option{ouro.PW(w)}
	}
	read, err := c.Get("E", key, forGet...).Wait()
	gets = err == nil && slices.Equal(shown(read), []string{"before"})
	_, err = c.Put("E", key, text("meanwhile"), forPut...).Wait()
	return gets, err == nil
}

// atOnce writes and reads at another node at once, many times: the share of reads that
// miss the write, and the medians of how long both take.
func atOnce(t *testing.T, r, w int) (stale float64, read, write time.Duration) {
	const rounds = 200
	c := newCluster(t, sim.Config{Seed: 4, Nodes: nodes(ae...), Q: 16, Buckets: numbers(3, r, w), Net: sim.NetConfig{Jitter: 500 * time.Microsecond}})
	draw := rand.New(rand.NewPCG(5, 6))
	var reads, writes []time.Duration
	missed := 0
	for i := range rounds {
		key := ouro.Key{Bucket: "b", Name: fmt.Sprint(i)}
		put := c.Put(ae[draw.IntN(5)], key, text("v"))
		if _, err := put.Wait(); err != nil {
			t.Fatal(err)
		}
		get := c.Get(ae[draw.IntN(5)], key)
		res, err := get.Wait()
		if err != nil && ouro.CodeOf(err) != ouro.NotFound {
			t.Fatal(err)
		}
		if len(res.Siblings) == 0 {
			missed++
		}
		reads, writes = append(reads, get.Took()), append(writes, put.Took())
	}
	slices.Sort(reads)
	slices.Sort(writes)
	return float64(missed) / rounds, reads[rounds/2], writes[rounds/2]
}

// Demo 13: a node of weight 2 has twice the keys, takes part in twice the requests and
// coordinates half as many again as another, at least, wherever they are made; when a
// node fails its load spreads over all others (2.3.7, 4.2.4).
func TestDemo_13_WeightsAndLoadOnFailure(t *testing.T) {
	all := nodes("A", "B", "C", "D", "E", "F")
	all[5].Weight = 2
	c := newCluster(t, sim.Config{Nodes: all, Q: 256, Buckets: numbers(3, 2, 2)})
	const keys = 700
	load := func() (held, asked map[ring.NodeID]int) {
		held, asked = map[ring.NodeID]int{}, map[ring.NodeID]int{}
		for i := range keys {
			key := ouro.Key{Bucket: "b", Name: fmt.Sprint(i)}
			res, err := c.Put(all[i%6].ID, key, text("v"), ouro.Blind()).Wait()
			if err != nil {
				res = c.put("A", key, "v", ouro.Blind())
			}
			asked[ring.NodeID(res.Coordinator)]++
			for _, n := range all {
				_, own := c.State(n.ID, key)
				_, kept := c.KeptFor(n.ID, key)
				if own || kept {
					held[n.ID]++
				}
			}
		}
		return held, asked
	}
	held, asked := load()
	if others := keys - asked["F"]; 2*5*asked["F"] < 3*others || 5*asked["F"] > 5*others/2 {
		t.Errorf("F coordinates %d of %d writes, the five others %d", asked["F"], keys, others)
	}
	mean := 3 * keys / 7 // six nodes, one of which counts twice
	for _, n := range all {
		want := mean
		if n.ID == "F" {
			want *= 2
		}
		if d := held[n.ID] - want; d > want/4 || -d > want/4 {
			t.Errorf("%s holds %d records, its share is %d", n.ID, held[n.ID], want)
		}
	}
	t.Logf("records by node, F of weight 2: %v; coordinated: %v", held, asked)

	c.Crash("B")
	c.RunFor(time.Second)
	before := held
	held, _ = load()
	for _, n := range all {
		if n.ID == "B" {
			continue
		}
		more := held[n.ID] - before[n.ID]
		if share := before["B"] / 5; n.ID != "F" && (more < share/3 || more > 2*share) {
			t.Errorf("%s has %d more to hold while B is down, an equal share is %d", n.ID, more, share)
		}
	}
	t.Logf("while B is down: %v", held)
}

// Why no node but a replica coordinates a write of a timestamped bucket (6.4.1, RULES
// R23): one that has no state of the key has nothing to replace, so each of its writes
// would stay beside all others.
func TestPaper_6_4_1_TimestampedWritesNeedTheState(t *testing.T) {
	c := newCluster(t, sim.Config{Nodes: nodes(ae...), Q: 16, Buckets: lwwBuckets(3, 2, 2)})
	key := ouro.Key{Bucket: "lww", Name: "session"}
	primaries := c.Preference(key)[:3]
	for i := range 20 {
		res := c.put(ae[i%5], key, fmt.Sprint(i), ouro.Blind())
		if !slices.Contains(primaries, ring.NodeID(res.Coordinator)) {
			t.Fatalf("%s coordinated a write, the replicas are %v", res.Coordinator, primaries)
		}
	}
	c.RunUntilIdle()
	c.stores(primaries[0], key, "19")

	// Where no replica can be reached stand-ins coordinate, and each keeps its own.
	for _, id := range primaries {
		c.Crash(id)
	}
	c.RunFor(time.Second)
	for i, at := range c.Preference(key)[3:] {
		for _, other := range c.Preference(key)[3:] {
			if other != at {
				c.Cut(at, other)
			}
		}
		c.put(at, key, fmt.Sprint("stand-in ", i), ouro.W(1))
	}
	for _, id := range primaries {
		c.Restart(id)
	}
	c.RunFor(20 * time.Second)
	c.RunUntilIdle()
	if s := c.state(primaries[0], key); len(s.Versions) != 3 {
		t.Errorf("after writes of two stand-ins that had no state there are %d versions", len(s.Versions))
	}
	c.get(primaries[0], key, []string{"stand-in 1"}, ouro.R(3))
}

// The four differences of section 3.4.
func TestPaper_3_4_FourDifferences(t *testing.T) {
	t.Run("no update is refused for failures or concurrent writes", func(t *testing.T) {
		c, key := five(t, 3, 2, 2)
		old := c.put("E", key, "v")
		c.put("E", key, "w", ouro.WithContext(old.Context))
		c.Crash("A")
		c.Crash("B")
		c.RunFor(time.Second)
		c.put("E", key, "at once with w", ouro.WithContext(old.Context))
		c.get("D", key, []string{"at once with w", "w"}, ouro.R(3))
	})
	t.Run("one administrative domain: whoever reaches a node is served", func(t *testing.T) {
		c, key := five(t, 3, 2, 2)
		for _, at := range ae { // no name, no password, no owner of a key
			c.put(at, key, "v", ouro.Blind())
			c.get(at, key, c.all(key))
		}
	})
	t.Run("no hierarchy, no schema", func(t *testing.T) {
		c, _ := five(t, 3, 2, 2)
		for _, name := range []string{"a", "a/b", "a/", "\x00\xff", "{\"json\": 1}"} {
			c.put("A", ouro.Key{Bucket: "b", Name: name}, "of "+name)
		}
		if _, err := c.Delete("B", ouro.Key{Bucket: "b", Name: "a"}).Wait(); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a/b", "a/", "\x00\xff", "{\"json\": 1}"} {
			c.get("C", ouro.Key{Bucket: "b", Name: name}, []string{"of " + name})
		}
	})
	t.Run("99.9 percent within a few hundred milliseconds, one node hanging", func(t *testing.T) {
		c, key := five(t, 3, 2, 2)
		c.put("E", key, "v")
		c.Pause("B")
		slow := 0
		for i := range 1000 {
			if took(t, c.Get([]ring.NodeID{"A", "C", "D", "E"}[i%4], key)) > 300*time.Millisecond {
				slow++
			}
		}
		if slow > 1 {
			t.Errorf("%d of 1,000 reads took longer than 300 ms while one node hangs", slow)
		}
	})
}

// all is what a key shows.
func (c cluster) all(key ouro.Key) []string {
	c.t.Helper()
	res, err := c.Get("A", key, ouro.R(3)).Wait()
	if err != nil {
		c.t.Fatal(err)
	}
	return shown(res)
}

// The read engine (6.0.3), r=1 and w=n: a read asks the own disk alone and is never
// stale; a write needs all n. With one of them down it is refused where pw=n; else a
// stand-in takes it, and the node that was down shows the old version until it is
// handed the new one.
func TestPaper_6_0_3_ReadEngine(t *testing.T) {
	c, key := five(t, 3, 1, 3)
	c.put("A", key, "old")
	for _, at := range []ring.NodeID{"A", "B", "C"} {
		get := c.Get(at, key)
		if res, err := get.Wait(); err != nil || !slices.Equal(shown(res), []string{"old"}) {
			t.Errorf("%s shows %q right after the write of all: %v", at, shown(res), err)
		}
		if get.Took() > 100*time.Microsecond {
			t.Errorf("a read at %s, which holds the key, took %v", at, get.Took())
		}
	}
	c.Crash("C")
	c.RunFor(time.Second)
	if _, err := c.Put("A", key, text("refused"), ouro.PW(3)).Wait(); ouro.CodeOf(err) != ouro.QuorumUnavailable {
		t.Errorf("a put with pw=3 and two primaries: %v", err)
	}
	old := c.get("A", key, []string{"old"})
	c.put("A", key, "new", ouro.WithContext(old.Context))
	c.Restart("C")
	c.get("C", key, []string{"old"})
	c.RunUntilIdle()
	c.get("C", key, []string{"new"})
}

package ouro_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/causal"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/sim"
)

// What the choice of a write's coordinator is worth (sections 5.8, 5.9, 2.2.4): with
// it the replica that answered the read first coordinates the write after it, as the
// context says.

// ae are five nodes.
var ae = []ring.NodeID{"A", "B", "C", "D", "E"}

// naming is the context of a read that names another node than the one that
// answered first, or none.
func (c cluster) naming(id ring.NodeID, key ouro.Key, read ouro.Result) ouro.Option {
	c.t.Helper()
	said, err := c.Open(key, read.Context)
	if err != nil {
		c.t.Fatal(err)
	}
	said.Fastest = string(id)
	return ouro.WithContext(c.Seal(key, said))
}

// coordinated runs reads and the writes after them over skewed keys, at nodes drawn
// from those that are well; with it, one node after the other is slow by so much, each
// way. It returns how many of the writes the busiest node coordinated, over the mean,
// and the share of them that took as long as a message to the slow one.
func coordinated(t *testing.T, choice bool, slow time.Duration) (busiest, waited float64) {
	const writes, spells = 2000, 10
	c := newCluster(t, sim.Config{Seed: 1, Nodes: nodes(ae...), Q: 64, Buckets: numbers(3, 2, 2), Net: sim.NetConfig{Jitter: 100 * time.Microsecond}})
	r := rand.New(rand.NewPCG(1, 2))
	popular := rand.NewZipf(r, 1.2, 1, 999)
	by := map[string]int{}
	late, sick := 0, 0
	for i := range writes {
		if i%(writes/spells) == 0 {
			if i > 0 {
				c.Slow(ae[sick], -slow)
			}
			sick = r.IntN(5)
			c.Slow(ae[sick], slow)
		}
		at := ae[(sick+1+r.IntN(4))%5]
		key := ouro.Key{Bucket: "b", Name: fmt.Sprint(popular.Uint64())}
		read, err := c.Get(at, key).Wait()
		if err != nil && ouro.CodeOf(err) != ouro.NotFound {
			t.Fatal(err)
		}
		opt := ouro.Blind()
		if len(read.Context) > 0 {
			if opt = ouro.WithContext(read.Context); !choice {
				opt = c.naming(c.Preference(key)[0], key, read)
			}
		}
		put := c.Put(at, key, text("v"), opt)
		res, err := put.Wait()
		if err != nil {
			t.Fatal(err)
		}
		by[res.Coordinator]++
		if put.Took() >= slow {
			late++
		}
	}
	most := 0
	for _, n := range by {
		most = max(most, n)
	}
	return float64(most) * float64(len(ae)) / writes, float64(late) / writes
}

// Without the choice the first of the preference list coordinates every write (5.8).
func TestPaper_2_2_4_ChoiceOfTheCoordinator(t *testing.T) {
	even, _ := coordinated(t, true, 0)
	uneven, _ := coordinated(t, false, 0)
	_, quick := coordinated(t, true, 40*time.Millisecond)
	_, slow := coordinated(t, false, 40*time.Millisecond)
	t.Logf("the busiest node coordinates %.2f times the mean with the choice, %.2f without; while one node is slow by 40 ms, %.2f %% and %.2f %% of the writes wait for it",
		even, uneven, 100*quick, 100*slow)
	if even > .8*uneven {
		t.Errorf("the choice does not spread the writes: %.2f times the mean at the busiest node, %.2f without it", even, uneven)
	}
	if quick > .75*slow {
		t.Errorf("the choice does not help the tail: %.4f of the writes wait for a slow node, %.4f without it", quick, slow)
	}
}

// ownWrites is the share of reads that show what the same client has just written,
// with R=W=1, at the node that the client reads at; writes go to any other.
func ownWrites(t *testing.T, choice bool, rounds int) float64 {
	c := newCluster(t, sim.Config{Seed: 1, Nodes: nodes(ae...), Q: 64, Buckets: numbers(3, 1, 1), Net: sim.NetConfig{Jitter: 2 * time.Millisecond}})
	r, own := rand.New(rand.NewPCG(3, 4)), 0
	for i := range rounds {
		at, key := ae[i%5], ouro.Key{Bucket: "b", Name: fmt.Sprint(i)}
		c.put(at, key, "old", ouro.W(3))
		read := c.get(at, key, []string{"old"})
		opt := ouro.WithContext(read.Context)
		if !choice {
			opt = c.naming("", key, read)
		}
		c.put(ae[(i+1+r.IntN(4))%5], key, "new", opt)
		after, err := c.Get(at, key).Wait()
		if err != nil {
			t.Fatal(err)
		}
		if slices.Equal(shown(after), []string{"new"}) {
			own++
		}
	}
	return float64(own) / float64(rounds)
}

func TestPaper_5_9_ReadYourWrites(t *testing.T) {
	on, off := ownWrites(t, true, 200), ownWrites(t, false, 200)
	t.Logf("with R=W=1 a client reads what it wrote in %.1f %% of cases with the choice, in %.1f %% without", 100*on, 100*off)
	if on <= off || on < .99 {
		t.Errorf("%.3f of reads show the client's own write with the choice, %.3f without", on, off)
	}
}

// has says whether a node has a value on its disk, for itself or for others.
func (c cluster) has(id ring.NodeID, key ouro.Key, value string) bool {
	own, _ := c.State(id, key)
	kept, _ := c.KeptFor(id, key)
	return slices.ContainsFunc(slices.Concat(own.Versions, kept.Versions), func(v causal.Version) bool { return string(v.Value) == value })
}

// A failed local write is never a success, whatever the numbers, the error and the
// node that was asked (section 4.5): what was acknowledged is on the disks of those
// that are said to have it, when all lose power; what is said to be not done is nowhere.
func TestPaper_4_5_6_FailedLocalWriteIsNoSuccess(t *testing.T) {
	broken := errors.New("the controller does not answer")
	for w := 1; w <= 3; w++ {
		for sick := 1; sick < 32; sick++ { // every set of nodes whose disks fail
			c := newCluster(t, sim.Config{Nodes: nodes(ae...), Q: 16, Buckets: numbers(3, 1, 1)})
			for i, id := range ae {
				if sick>>i&1 == 1 {
					c.FailWrites(id, broken)
				}
			}
			key := ouro.Key{Bucket: "b", Name: fmt.Sprint(w, sick)}
			for i, at := range ae {
				value := fmt.Sprint("at ", i)
				res, err := c.Put(at, key, text(value), ouro.W(w), ouro.Timeout(200*time.Millisecond)).Wait()
				holders := 0
				for _, id := range ae {
					if c.has(id, key, value) {
						holders++
					}
				}
				var e *ouro.Error
				switch {
				case err == nil && (holders < w || sick>>slices.Index(ae, ring.NodeID(res.Coordinator))&1 == 1):
					t.Fatalf("w=%d, disks %05b fail: the put at %s is acknowledged by %s and on %d disks", w, sick, at, res.Coordinator, holders)
				case errors.As(err, &e) && e.Outcome == ouro.NotDone && holders > 0:
					t.Fatalf("w=%d, disks %05b fail: the put at %s is said to be not done and on %d disks", w, sick, at, holders)
				}
			}
		}
	}
}

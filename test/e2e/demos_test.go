package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// The demonstrations of failures with real processes; the simulator has the same
// ones, see dynamo_demos_test.go in the root.

// siblings returns what a get of all replicas shows, sorted.
func (c *cluster) siblings(i int, key string, args ...string) (values []string, context string) {
	c.t.Helper()
	var seen struct {
		Context  string
		Siblings []struct{ Value []byte }
	}
	if err := json.Unmarshal([]byte(c.get(i, key, append([]string{"-o", "json"}, args...)...)), &seen); err != nil {
		c.t.Fatal(err)
	}
	for _, s := range seen.Siblings {
		values = append(values, string(s.Value))
	}
	slices.Sort(values)
	return values, seen.Context
}

// insist puts under a context and repeats the request, under its id, until it is
// answered: what was under way when a link went silent may end as unknown.
func (c *cluster) insist(i int, key, value, context string) {
	c.t.Helper()
	c.within(func() string {
		r := runs(c.t, "put", key, value, "--context", context, "--request-id", fmt.Sprint("side-", i), "--addr", c.Nodes[i-1].Client)
		if r.code != 0 {
			return fmt.Sprintf("put of %q at n%d: %s", value, i, r.err)
		}
		return ""
	})
}

// A cart on both sides of a partition: one side adds, the other removes. After
// it there are two siblings; the merged cart has what was added, and what was
// removed is back, as the paper says (sections 4.4 and 6).
func TestDemo_3_CartThroughAPartition(t *testing.T) {
	c := start(t, "", 4)
	c.put(1, "carts/k0", "book lamp")
	_, before := c.siblings(3, "carts/k0")
	c.dev("cut", "1", "2")
	c.insist(1, "carts/k0", "book lamp pen", before)
	c.insist(3, "carts/k0", "book", before)
	c.expect(2, "carts/k0", "book lamp pen", "--r", "1")
	c.expect(4, "carts/k0", "book", "--r", "1")
	c.dev("heal")
	c.noHints()
	both, context := c.siblings(2, "carts/k0", "--r", "3")
	if !slices.Equal(both, []string{"book", "book lamp pen"}) {
		t.Fatalf("after the partition: %q", both)
	}
	items := strings.Fields(strings.Join(both, " "))
	slices.Sort(items)
	c.put(4, "carts/k0", strings.Join(slices.Compact(items), " "), "--context", context)
	for i := range c.Nodes {
		c.expect(i+1, "carts/k0", "book lamp pen", "--r", "3")
	}
	c.equalReplicas("carts", 1)
}

// A node of a key's first N is down: another takes its place, and keeps what is
// for it in a store of its own; when it is back it is handed that, and the other
// has nothing of it any more (section 4.6).
func TestDemo_6_HintedHandoff(t *testing.T) {
	c := start(t, "", 4)
	key := ouro.Key{Bucket: "carts", Name: "k0"}
	primaries, others := c.owners(key)
	down, standIn := primaries[2], others[0]
	c.put(standIn, "carts/k0", "before", "--w", "3")
	c.dev("kill", fmt.Sprint(down))
	c.put(standIn, "carts/k0", "meanwhile", "--w", "3")
	if is := c.replica(standIn, key); is != "absent" {
		t.Errorf("what is kept for another is among the node's own records: %s", is)
	}
	if hints := must(t, "hints", "--admin", c.Nodes[standIn-1].Admin); strings.Contains(hints, "keeps 0 bytes") {
		t.Errorf("the stand-in does not tell what it keeps:\n%s", hints)
	}
	c.dev("start", fmt.Sprint(down))
	c.within(func() string {
		if is := must(t, "key", "inspect", "carts/k0", "--admin", c.Nodes[down-1].Admin); !strings.Contains(is, "meanwhile") {
			return "the node that was down has what was written meanwhile:\n" + is
		}
		return ""
	})
	c.noHints()
	c.equalReplicas("carts", 1)
}

// With W=1 a write is taken while any node is left, whichever that is, and all
// of them come home (section 4.6).
func TestDemo_7_OneNodeIsEnough(t *testing.T) {
	c := start(t, "", 5)
	put := func(stage int) result {
		return runs(t, "put", fmt.Sprintf("sessions/k%d", stage), fmt.Sprint("with ", stage, " down"), "--blind", "--w", "1", "--addr", c.Nodes[4].Client)
	}
	for stage := range 5 {
		if stage > 0 {
			c.dev("kill", fmt.Sprint(stage))
		}
		if r := put(stage); r.code != 0 {
			t.Errorf("with %d of 5 nodes down: %+v", stage, r)
		}
	}
	c.dev("kill", "5")
	if r := put(5); r.code != 1 || !strings.Contains(r.err, "no node can be reached") {
		t.Errorf("without any node: %+v", r)
	}
	c.dev("start", "5") // with what it took alone
	c.dev("start", "1", "2", "3", "4")
	c.noHints()
	for stage := range 5 {
		c.expect(1+stage%4, fmt.Sprintf("sessions/k%d", stage), fmt.Sprint("with ", stage, " down"), "--r", "3")
	}
	c.equalReplicas("sessions", 5)
}

// Three zones, one of them killed whole under load: nothing fails, and when it
// is back all replicas are equal to the byte (section 4.6).
func TestDemo_8_ZoneLoss(t *testing.T) {
	c := start(t, "", 6, "--zones", "3")
	const keys = 30
	for k := range keys {
		primaries, _ := c.owners(ouro.Key{Bucket: "zones", Name: fmt.Sprintf("k%d", k)})
		zones := map[int]bool{}
		for _, p := range primaries {
			zones[(p-1)%3] = true
		}
		if len(zones) != 3 {
			t.Errorf("the replicas of k%d are at %v, in %d zones", k, primaries, len(zones))
		}
	}
	var rounds, failed atomic.Int64
	over := make(chan struct{})
	var clients sync.WaitGroup
	for id, node := range []int{1, 3, 4, 6} { // of the zones that stay
		store, err := client.New(c.Nodes[node-1].Client)
		if err != nil {
			t.Fatal(err)
		}
		clients.Go(func() {
			for i := id; ; i += 4 {
				select {
				case <-over:
					return
				default:
				}
				key := ouro.Key{Bucket: "zones", Name: fmt.Sprintf("k%d", i%keys)}
				_, err := store.Put(t.Context(), key, ouro.Value{Data: fmt.Append(nil, i)})
				if err == nil {
					_, err = store.Get(t.Context(), key)
				}
				if rounds.Add(1); err != nil && failed.Add(1) < 5 {
					t.Errorf("%v through n%d: %v", key, node, err)
				}
			}
		})
	}
	goOn := func() {
		for want := rounds.Load() + 100; rounds.Load() < want && failed.Load() == 0; {
			c.replica(1, ouro.Key{Bucket: "zones", Name: "k0"})
		}
	}
	goOn()
	c.dev("kill", "2", "5")
	goOn()
	c.dev("start", "2", "5")
	goOn()
	close(over)
	clients.Wait()
	t.Logf("%d puts and gets, %d failed", 2*rounds.Load(), failed.Load())
	c.noHints()
	for k := range keys {
		c.get(2, fmt.Sprintf("zones/k%d", k), "--r", "3")
	}
	c.equalReplicas("zones", keys)
}

// Read repair alone: nothing is compared by turns, and with as many nodes as
// replicas nobody keeps a hint. One get of a key brings up to date the replica
// that was down when it was written (section 5), and no get leaves it as it is.
func TestDemo_10_ReadRepair(t *testing.T) {
	nodes := serveThree(t, "--compare=false", "--log-level", "debug")
	nodes.kill(2)
	for k := range 5 {
		must(t, "put", fmt.Sprintf("catalogue/k%d", k), "v", "--addr", nodes.at[0].client)
	}
	nodes.begin(2)
	for _, n := range nodes.at[1:] { // one that is back counts once it has heard from the others
		n.foundAll(t, 3)
	}
	for k := range 5 {
		if is := nodes.status(2, fmt.Sprintf("catalogue/k%d", k)); is != "absent" {
			t.Errorf("the node that was down has %s of k%d", is, k)
		}
	}
	for k := range 4 {
		key := fmt.Sprintf("catalogue/k%d", k)
		read := runs(t, "get", key, "--explain", "--timeout", "20s", "--addr", nodes.at[1].client)
		if read.code != 0 || !turns(patience, func() bool { return nodes.status(2, key) == "have" }) {
			t.Fatalf("never: this read of %s has repaired it: %+v\nn2 logged:\n%s\nn3 logged:\n%s", key, read, nodes.at[1].log.String(), nodes.at[2].log.String())
		}
	}
	if is := nodes.status(2, "catalogue/k4"); is != "absent" {
		t.Errorf("of the key that nobody read the node has %s", is)
	}
}

package host

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro"
)

// TestReplicaAtShowsEveryReplica: one node shows what each holds, stale ones
// included, and looking at them repairs none.
func TestReplicaAtShowsEveryReplica(t *testing.T) {
	c := startCluster(t, three, nil)
	key := ouro.Key{Bucket: "b", Name: "k"}
	h := c.hosts["a"]
	if _, err := h.Put(t.Context(), key, ouro.Value{Data: []byte("v1")}, ouro.W(3)); err != nil {
		t.Fatal(err)
	}
	c.setCut("c", true)
	if _, err := h.Put(t.Context(), key, ouro.Value{Data: []byte("v2")}, ouro.W(2), ouro.Blind()); err != nil {
		t.Fatal(err)
	}
	c.setCut("c", false)
	for range 2 {
		for node, versions := range map[string]int{"a": 2, "b": 2, "c": 1} {
			info, err := h.ReplicaAt(t.Context(), node, key)
			if err != nil || info.Node != node || info.Status != "have" || len(info.Versions) != versions || info.Kept {
				t.Fatalf("%s: %+v, %v", node, info, err)
			}
			own, err := c.hosts[node].Replica(t.Context(), key)
			if err != nil || own.Digest != info.Digest || info.Versions[0].Bytes != 2 {
				t.Errorf("%s holds %+v, and is said to hold %+v", node, own, info)
			}
		}
	}
	if info, err := h.ReplicaAt(t.Context(), "b", ouro.Key{Bucket: "b", Name: "none"}); err != nil || info.Status != "absent" {
		t.Errorf("%+v, %v", info, err)
	}
	if _, err := h.ReplicaAt(t.Context(), "z", key); err == nil || !strings.Contains(err.Error(), "no member") {
		t.Errorf("a stranger: %v", err)
	}
	h.Down("b")
	if info, err := h.ReplicaAt(t.Context(), "b", key); err != nil || info.Status != "failed" || !strings.Contains(info.Reason, "no link") {
		t.Errorf("%+v, %v", info, err)
	}
}

// TestReplicaAtShowsWhatIsKept: of a node that is no primary of the key it is what it
// keeps in the stead of one.
func TestReplicaAtShowsWhatIsKept(t *testing.T) {
	c := startCluster(t, []string{"a", "b", "c", "d"}, nil)
	key := ouro.Key{Bucket: "b", Name: "k"}
	owners, err := c.hosts["a"].Owners(key)
	if err != nil {
		t.Fatal(err)
	}
	at, gone, standIn := owners.Primaries[0], owners.Primaries[1], owners.Fallbacks[0]
	for _, h := range c.hosts {
		h.Down(gone)
	}
	h := c.hosts[at]
	if info, err := h.ReplicaAt(t.Context(), standIn, key); err != nil || info.Status != "absent" {
		t.Fatalf("before anything is written: %+v, %v", info, err)
	}
	if _, err := h.Put(t.Context(), key, ouro.Value{Data: []byte("v")}, ouro.W(3)); err != nil {
		t.Fatal(err)
	}
	info, err := h.ReplicaAt(t.Context(), standIn, key)
	if err != nil || !info.Kept || info.Status != "have" || len(info.Versions) != 1 || string(info.Versions[0].Value) != "v" {
		t.Errorf("%+v, %v", info, err)
	}
	if info, err := h.ReplicaAt(t.Context(), at, key); err != nil || info.Kept || info.Status != "have" {
		t.Errorf("the primary: %+v, %v", info, err)
	}
}

// TestReplicaAtIsBounded: beyond so many looks at once the next is refused, and
// what never comes is forgotten.
func TestReplicaAtIsBounded(t *testing.T) {
	c := startCluster(t, three, nil)
	key := ouro.Key{Bucket: "b", Name: "k"}
	h := c.hosts["a"]
	for range peekCalls {
		h.peeking <- struct{}{}
	}
	if _, err := h.ReplicaAt(t.Context(), "b", key); err == nil || !strings.Contains(err.Error(), "come back later") {
		t.Errorf("%v", err)
	}
	for range peekCalls {
		<-h.peeking
	}
	c.setCut("b", true)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if info, err := h.ReplicaAt(ctx, "b", key); err != nil || info.Status != "failed" || !strings.Contains(info.Reason, "no answer") {
		t.Errorf("%+v, %v", info, err)
	}
	left := make(chan int)
	owners, err := h.Owners(key)
	if err != nil {
		t.Fatal(err)
	}
	h.shardOf(owners.Partition).in.force(item{do: func(s *shard) { left <- len(s.peeks) }})
	if n := <-left; n != 0 {
		t.Errorf("%d looks are kept", n)
	}
}

package e2e

import (
	"fmt"
	"testing"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
)

// An operator slows what moves, speeds it up again while it moves, and sees at which
// rate a node receives. A node that starts again has the rate of its configuration.
func TestTransfersAreThrottled(t *testing.T) {
	const values, length = 60, 64 << 10
	c := newRinged(t, "--q", "16")
	c.begin("n1", "--seeds", "none")
	c.op("n1", "cluster", "init")
	s, err := client.New(c.at["n1"].client)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range values {
		value := fmt.Appendf(nil, "%0*d", length, i)
		if _, err := s.Put(t.Context(), ouro.Key{Bucket: "bulk", Name: fmt.Sprint(i)}, ouro.Value{Data: value}, ouro.Blind()); err != nil {
			t.Fatal(err)
		}
	}
	seed := []string{"--seeds", c.ports["n1"][1]}
	crawls := func(id string) { // that it is slow, and goes on
		t.Helper()
		eventually(t, "something is brought to "+id, func() bool {
			for _, x := range c.info(id).Transfers {
				if x.Bytes > 0 {
					return true
				}
			}
			return false
		})
		brought := int64(0)
		info := c.info(id)
		for _, x := range info.Transfers {
			brought += x.Bytes
		}
		if info.Moving == 0 || brought > values*length/2 {
			t.Errorf("at 1 KiB a second %s has got %d bytes, %d partitions move", id, brought, info.Moving)
		}
	}

	c.begin("n2", append(seed, "--transfer-rate", "1MiB")...)
	c.says("n2", "n2 receives at most 1.0 MiB a second", "cluster", "status")
	fails(t, 2, "it is a number of bytes", "cluster", "throttle", "0", "--admin", c.ports["n2"][2])
	c.op("n2", "cluster", "throttle", "1KiB")
	c.says("n2", "n2 receives at most 1.0 KiB a second", "cluster", "status")
	c.says("n1", "n1 receives at most 64.0 MiB a second", "cluster", "status")
	c.op("n1", "cluster", "join", c.located("n2"))
	var plan ouro.Plan
	c.decode(c.op("n1", "cluster", "plan", "-o", "json"), &plan)
	if plan.Bytes <= 0 || plan.Seconds < 0 {
		t.Errorf("the plan does not say how much moves and how long it takes: %+v", plan)
	}
	c.op("n1", "cluster", "commit", "--version", plan.Version)
	crawls("n2")
	c.kill("n2")
	c.begin("n2", append(seed, "--transfer-rate", "32MiB")...)
	c.says("n2", "n2 receives at most 32.0 MiB a second", "cluster", "status")
	c.agree("n1", "n2")

	c.begin("n3", seed...)
	c.op("n3", "cluster", "throttle", "1KiB")
	c.op("n1", "cluster", "join", c.located("n3"), "--commit")
	crawls("n3")
	c.op("n3", "cluster", "throttle", "64MiB") // while it moves
	c.agree("n1", "n2", "n3")
}

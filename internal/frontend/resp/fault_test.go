package resp

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ourodb/ouro/internal/frontend/fault/faulttest"
	"github.com/ourodb/ouro/internal/oracle"
)

// A fault is an answer: alone, among several keys, and in a pipeline.
func TestAFaultIsAnswered(t *testing.T) {
	var told atomic.Int32
	cfg := Config{Faulted: func(what any, stack []byte) {
		if what != "odd" || !strings.Contains(string(stack), "faulttest.Store.Get") {
			t.Errorf("told of %v\n%s", what, stack)
		}
		told.Add(1)
	}}
	p := dial(t, start(t, cfg, faulttest.Store{Store: oracle.New(oracle.Config{})}))
	p.send(encode("GET", "odd") + encode("MGET", "even", "odd") + encode("GET", "odd") + encode("PING"))
	for range 3 {
		if got := fmt.Sprint(p.answer()); !strings.Contains(got, "internal unknown: the request met a fault") {
			t.Errorf("answered %s", got)
		}
	}
	if got := p.answer(); got != "PONG" || told.Load() != 3 {
		t.Errorf("after that %v; %d were told", got, told.Load())
	}
}

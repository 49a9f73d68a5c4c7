package fault

import (
	"strings"
	"testing"

	"github.com/ourodb/ouro"
)

// carryOut is a request that runs do in a goroutine of its own.
func carryOut(told Told, do func()) (err *ouro.Error) {
	defer Catch(told, func(e *ouro.Error) { err = e })
	var g Group
	g.Go(do)
	g.Go(func() {})
	g.Wait()
	return nil
}

func here(m map[string]int) { m["nil"]++ }

func TestAFaultIsTheRequestsAlone(t *testing.T) {
	var what string
	var stack []byte
	told := func(w any, s []byte) { what, stack = w.(error).Error(), s }
	err := carryOut(told, func() { here(nil) })
	if err == nil || err.Code != ouro.Internal || err.Outcome != ouro.Unknown || !strings.Contains(err.Message, "nil map") {
		t.Errorf("the client has %v", err)
	}
	if !strings.Contains(what, "nil map") || !strings.Contains(string(stack), "fault.here") {
		t.Errorf("the log has %s\n%s", what, stack)
	}
	if err := carryOut(told, func() {}); err != nil {
		t.Errorf("without a fault: %v", err)
	}
}

func TestWithNobodyToTellItGoesOn(t *testing.T) {
	defer func() {
		if c, ok := recover().(carried); !ok || !strings.Contains(c.String(), "fault.here") {
			t.Errorf("it is not seen where: %v", c)
		}
	}()
	carryOut(nil, func() { here(nil) })
}

package fault_test

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/fault"
	"github.com/ourodb/ouro/internal/store/memory"
	"github.com/ourodb/ouro/internal/store/storetest"
)

var errBroken = errors.New("broken")

// faults is a plan whose faults are set by operation.
type faults map[fault.Op]fault.Fault

func (f faults) plan(op fault.Op, _ []byte) fault.Fault { return f[op] }

func TestConformanceWithoutFaults(t *testing.T) {
	storetest.Run(t, storetest.Subject{Name: "fault", Volatile: true, Open: func(dir string) (store.Engine, error) {
		e := memory.New(memory.Options{})
		if _, err := os.Stat(dir); err == nil {
			if e, err = memory.Open(dir, memory.Options{}); err != nil {
				return nil, err
			}
		}
		return fault.New(e, faults{}.plan), nil
	}})
}

func apply(t *testing.T, e store.Engine, keys ...string) error {
	t.Helper()
	var b store.Batch
	for _, k := range keys {
		b.Set([]byte(k), []byte("value of "+k))
	}
	calls := 0
	var synced error
	err := e.Apply(&b, func(err error) { calls++; synced = err })
	if err != nil {
		if calls != 0 {
			t.Error("a batch that was refused was told synced")
		}
		return err
	}
	if calls != 1 {
		t.Errorf("%d callbacks", calls)
	}
	return synced
}

func get(t *testing.T, e store.Engine, key string) string {
	t.Helper()
	value := "absent"
	if _, err := e.Get([]byte(key), func(v []byte) { value = string(v) }); err != nil {
		t.Errorf("get %q: %v", key, err)
	}
	return value
}

func TestErrors(t *testing.T) {
	f := faults{}
	e := fault.New(memory.New(memory.Options{}), f.plan)
	calls := map[fault.Op]func() error{
		fault.Get:        func() error { _, err := e.Get([]byte("a"), func([]byte) {}); return err },
		fault.Range:      func() error { return e.Range(nil, nil, func(_, _ []byte) bool { return true }) },
		fault.Apply:      func() error { return apply(t, e, "a") },
		fault.Checkpoint: func() error { return e.Checkpoint(t.TempDir() + "/c") },
		fault.Usage:      func() error { _, err := e.Usage(); return err },
	}
	for op, call := range calls {
		f[op] = fault.Fault{Err: errBroken}
		if err := call(); !errors.Is(err, errBroken) {
			t.Errorf("operation %d with a fault: %v", op, err)
		}
		delete(f, op)
		if err := call(); err != nil {
			t.Errorf("operation %d after the fault: %v", op, err)
		}
	}
}

func TestFailedSyncIsForEver(t *testing.T) {
	f := faults{fault.Sync: {Err: errBroken}}
	e := fault.New(memory.New(memory.Options{}), f.plan)
	if err := apply(t, e, "a"); !errors.Is(err, errBroken) || !errors.Is(err, store.ErrDead) {
		t.Errorf("sync with a fault: %v", err)
	}
	delete(f, fault.Sync)
	if err := apply(t, e, "b"); !errors.Is(err, store.ErrDead) {
		t.Errorf("apply after a failed sync: %v", err)
	}
	if _, err := e.Get([]byte("a"), func([]byte) {}); !errors.Is(err, store.ErrDead) {
		t.Errorf("get after a failed sync: %v", err)
	}
	if err := e.Close(); !errors.Is(err, store.ErrDead) {
		t.Errorf("close after a failed sync: %v", err)
	}
}

// TestSyncsInFlight checks that batches applied before the fault get it too.
func TestSyncsInFlight(t *testing.T) {
	f := faults{}
	inner := memory.New(memory.Options{Manual: true})
	e := fault.New(inner, f.plan)
	var got []error
	for _, key := range []string{"a", "b", "c"} {
		var b store.Batch
		b.Set([]byte(key), nil)
		if err := e.Apply(&b, func(err error) { got = append(got, err) }); err != nil {
			t.Fatal(err)
		}
	}
	inner.SyncTo(1)
	f[fault.Sync] = fault.Fault{Err: errBroken}
	inner.SyncTo(1)
	delete(f, fault.Sync)
	inner.Sync()
	if len(got) != 3 || got[0] != nil || !errors.Is(got[1], store.ErrDead) || !errors.Is(got[2], store.ErrDead) {
		t.Errorf("syncs %v", got)
	}
}

func TestLostChanges(t *testing.T) {
	f := faults{fault.Apply: {Lose: 1}}
	e := fault.New(memory.New(memory.Options{}), f.plan)
	if err := apply(t, e, "a", "b"); err != nil {
		t.Fatal(err)
	}
	if get(t, e, "a") != "value of a" || get(t, e, "b") != "absent" {
		t.Errorf("torn batch: a %q, b %q", get(t, e, "a"), get(t, e, "b"))
	}
	f[fault.Apply] = fault.Fault{Lose: 9}
	if err := apply(t, e, "c", "d"); err != nil {
		t.Fatal(err)
	}
	if get(t, e, "c") != "absent" || get(t, e, "d") != "absent" {
		t.Error("a lost batch is there")
	}
}

func TestRotOfOneKey(t *testing.T) {
	e := fault.New(memory.New(memory.Options{}), func(op fault.Op, key []byte) fault.Fault {
		return fault.Fault{Rot: op == fault.Get && bytes.Equal(key, []byte("b"))}
	})
	if err := apply(t, e, "a", "b"); err != nil {
		t.Fatal(err)
	}
	if get(t, e, "a") != "value of a" || get(t, e, "b") != "value of c" {
		t.Errorf("a %q, b %q", get(t, e, "a"), get(t, e, "b"))
	}
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := faults{fault.Get: {Delay: time.Second}, fault.Sync: {Delay: time.Minute}}
		e := fault.New(memory.New(memory.Options{}), f.plan)
		start := time.Now()
		if err := apply(t, e, "a"); err != nil {
			t.Fatal(err)
		}
		get(t, e, "a")
		if took := time.Since(start); took != time.Minute+time.Second {
			t.Errorf("it took %v of virtual time", took)
		}
	})
}

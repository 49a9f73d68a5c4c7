package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/core/ring"
	"github.com/ourodb/ouro/internal/store"
	"github.com/ourodb/ouro/internal/store/bolt"
	"github.com/ourodb/ouro/internal/store/pebble"
)

// TestVerify: trees are added up from the records and compared, on a node that
// runs and in the folder of one that does not; what is wrong is told, with an exit
// code of its own.
func TestVerify(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"pebble", "bbolt"} {
		t.Run(engine, func(t *testing.T) {
			dir, ports := filepath.Join(t.TempDir(), "n1"), freePorts(t, 3)
			args := []string{"--id", "n1", "--data", dir, "--engine", engine, "--q", "8"}
			n := serveOn(t, ports, args...).ready(t)
			for i := range 100 {
				must(t, "put", fmt.Sprint("b/k", i), "v", "--addr", n.client)
			}
			const whole = "every tree is the sum of its records"
			if out := must(t, "verify", "--admin", n.admin); !strings.Contains(out, "n1: 100 records") || !strings.Contains(out, "of 8 trees: "+whole) {
				t.Error(out)
			}
			fails(t, 1, "is in use", "verify", "--data", dir)
			n.stop(t, unix.SIGTERM)
			fails(t, 1, "is no data folder", "verify", "--data", t.TempDir())
			var v ouro.VerifyInfo
			if err := json.Unmarshal([]byte(must(t, "verify", "--data", dir, "-o", "json")), &v); err != nil || v.Records != 100 || v.Trees != 8 || v.Next != "" || len(v.Wrong) > 0 {
				t.Errorf("%+v, %v", v, err)
			}
			loseRecord(t, engine, dir, ring.NewKey("b", "k7"))
			r := runs(t, "verify", "--data", dir)
			if r.code != 10 || strings.Count(r.out, "WRONG:") != 1 || !strings.Contains(r.out, "is not the sum of its") || !strings.Contains(r.out, "1 things are wrong") {
				t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
			}
			n = serveOn(t, ports, args...).ready(t)
			if r := runs(t, "verify", "--admin", n.admin); r.code != 10 || strings.Count(r.out, "WRONG:") != 1 {
				t.Errorf("running, exit code %d\n%s%s", r.code, r.out, r.err)
			}
		})
	}
}

// loseRecord takes a record out of the folder of a node that is stopped, and
// leaves the tree as it is.
func loseRecord(t *testing.T, engine, dir string, k ring.Key) {
	var e store.Engine
	var err error
	if dir = filepath.Join(dir, "data"); engine == "bbolt" {
		e, err = bolt.Open(dir, bolt.Options{})
	} else {
		e, err = pebble.Open(dir, pebble.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	var b store.Batch
	b.Delete(store.AppendRecordKey(nil, uint32(k.Pos.Hi>>61), k.Bucket, k.Pos.Hi, k.Name))
	if err := e.Apply(&b, func(error) {}); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

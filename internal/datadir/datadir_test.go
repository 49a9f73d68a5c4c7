package datadir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var want = Want{Node: "n1", Cluster: "shop", ClusterID: 7, Q: 64, Engine: "pebble"}

func open(t *testing.T, path string, w Want, run uint64) *Dir {
	t.Helper()
	d, err := Open(path, w, run)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestIdentityStaysAndStartsAreCounted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "n1")
	d := open(t, path, want, 100)
	first := d.Identity()
	if first.Starts != 1 || len(first.Runs) != 1 || first.Runs[0] != 100 || first.DiskID == 0 {
		t.Fatalf("the first start: %+v", first)
	}
	d.Close()

	for run := uint64(101); run < 200; run++ {
		d = open(t, path, Want{}, run) // nothing wanted: all is taken from the folder
		d.Close()
	}
	last := d.Identity()
	if last.Starts != 100 || len(last.Runs) != keptRuns || last.Runs[keptRuns-1] != 199 || last.Runs[0] != 136 {
		t.Errorf("after 100 starts: starts %d, %d runs from %d to %d", last.Starts, len(last.Runs), last.Runs[0], last.Runs[len(last.Runs)-1])
	}
	if last.Node != "n1" || last.Cluster != "shop" || last.ClusterID != 7 || last.Q != 64 || last.DiskID != first.DiskID {
		t.Errorf("the identity changed: %+v", last)
	}
	if peeked, found, err := Peek(path); err != nil || !found || peeked.Starts != 100 {
		t.Errorf("Peek: %+v %v %v", peeked, found, err)
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds more than lock and identity: %v %v", entries, err)
	}
}

// What a process left that was killed while it replaced the identity goes with the next
// start.
func TestHalvesAreRemoved(t *testing.T) {
	path := t.TempDir()
	open(t, path, want, 1).Close()
	for _, left := range []string{"node.json.new-17", "node.json.new-4", "mine.new-1"} {
		if err := os.WriteFile(filepath.Join(path, left), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, path, want, 2).Close()
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != 3 || entries[0].Name() != "mine.new-1" {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

func TestForeignFoldersAreRefused(t *testing.T) {
	path := t.TempDir()
	open(t, path, want, 1).Close()
	for _, c := range []struct {
		name, says string
		change     func(*Want)
	}{
		{"other cluster", "--cluster shop", func(w *Want) { w.Cluster = "books" }},
		{"other key", "--cluster-key-file", func(w *Want) { w.ClusterID = 8 }},
		{"other node", "--id n1", func(w *Want) { w.Node = "n2" }},
		{"other q", "--q 64", func(w *Want) { w.Q = 128 }},
		{"other engine", "--engine pebble", func(w *Want) { w.Engine = "memory" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := want
			c.change(&w)
			refused(t, path, w, c.says)
		})
	}
	if id, _, _ := Peek(path); id.Starts != 1 {
		t.Errorf("a refused start was counted: %d", id.Starts)
	}
}

func TestDamagedAndNewerIdentityIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, says string }{
		"newer":   {`{"format":4,"node":17}`, "newer ouro"},
		"older":   {`{"format":2,"node":"n1"}`, "export its data"},
		"garbage": {`{"format":3,`, "damaged"},
		"empty":   {``, "damaged"},
		"fields":  {`{"format":3,"node":"n1"}`, "fields are missing"},
		"id":      {`{"format":3,"node":"n1","cluster":"c","cluster_id":"xyz","q":64}`, "16 hexadecimal digits"},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			if err := os.WriteFile(filepath.Join(path, identityName), []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, path, want, c.says)
			if b, _ := os.ReadFile(filepath.Join(path, identityName)); string(b) != c.file {
				t.Errorf("a refused start changed the file to %q", b)
			}
		})
	}
}

func TestFileIsNoFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Peek(path); err == nil || !strings.Contains(err.Error(), "is not a folder") {
		t.Errorf("error %v", err)
	}
}

func TestDataWithoutIdentityIsRefused(t *testing.T) {
	path := t.TempDir()
	if err := os.Mkdir(filepath.Join(path, engineName), 0o700); err != nil {
		t.Fatal(err)
	}
	refused(t, path, want, "no node.json")
}

func TestLockedFolderIsRefused(t *testing.T) {
	path := t.TempDir()
	d := open(t, path, want, 1)
	refused(t, path, want, "in use by another process")
	d.Close()
	open(t, path, want, 2).Close()
}

func TestFoundingNeedsNames(t *testing.T) {
	for _, c := range []struct {
		w    Want
		says string
	}{
		{Want{Cluster: "c", Q: 8}, "--id"},
		{Want{Node: "n 1", Cluster: "c", Q: 8}, "--id"},
		{Want{Node: "n1", Q: 8}, "--cluster"},
		{Want{Node: "n1", Cluster: "c", Q: 12}, "power of two"},
		{Want{Node: "n1", Cluster: "c"}, "power of two"},
	} {
		refused(t, t.TempDir(), c.w, c.says)
	}
}

func refused(t *testing.T, path string, w Want, says string) {
	t.Helper()
	d, err := Open(path, w, 9)
	if err == nil {
		d.Close()
		t.Fatalf("Open(%+v) worked", w)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("Open(%+v): the error does not say %q: %v", w, says, err)
	}
}

func FuzzParseIdentity(f *testing.F) {
	f.Add([]byte(`{"format":2,"node":"n1","cluster":"c","cluster_id":"0000000000000007","q":64,"engine":"pebble","disk_id":"00000000000000ff","starts":1,"runs":["0000000000000001"]}`))
	f.Add([]byte(`{"format":9}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := parseIdentity(b)
		if err == nil && (id.Node == "" || id.Q < 1) {
			t.Errorf("accepted without node or q: %+v", id)
		}
	})
}

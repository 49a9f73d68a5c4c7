package datadir

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestComeBackIsAnotherDisk(t *testing.T) {
	path := t.TempDir()
	d := open(t, path, want, 1)
	first := d.Identity()
	if first.Confirmed || first.Recover {
		t.Errorf("a new folder: %+v", first)
	}
	if err := d.ComeBack(); err != nil {
		t.Fatal(err)
	}
	d.Close()
	d = open(t, path, want, 2)
	defer d.Close()
	id := d.Identity()
	if id.DiskID == first.DiskID || !id.Recover || !id.Confirmed || !slices.Equal(id.Replaced, []ID{first.DiskID}) {
		t.Errorf("after it came back: %+v", id)
	}
	if err := d.Marked(); err != nil || d.Identity().Recover || d.Identity().DiskID != id.DiskID {
		t.Errorf("marked: %v, %+v", err, d.Identity())
	}
}

// Which start the data knows of is noted once it does, and never runs ahead of it.
func TestWhichStartTheDataKnows(t *testing.T) {
	path := t.TempDir()
	for run, noted := range []uint64{0, 0, 2, 2, 4} {
		d := open(t, path, want, uint64(run+1))
		if got := d.Identity().Noted; got != noted {
			t.Errorf("start %d: the data knows of %d, want %d", run+1, got, noted)
		}
		if run%2 == 1 {
			if err := d.Note(); err != nil {
				t.Fatal(err)
			}
		}
		d.Close()
	}
}

// That there are links is known when nothing else is left of the data.
func TestThatThereAreLinksOutlivesTheData(t *testing.T) {
	path := t.TempDir()
	d := open(t, path, want, 1)
	if d.Identity().Linked {
		t.Error("a new folder knows of links")
	}
	for range 2 {
		if err := d.Link(); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.StartOver(); err != nil {
		t.Fatal(err)
	}
	d.Close()
	d = open(t, path, want, 2)
	defer d.Close()
	if id := d.Identity(); !id.Linked || !id.Recover {
		t.Errorf("after it started over: %+v", id)
	}
}

func TestConfirmAndRemember(t *testing.T) {
	path := t.TempDir()
	d := open(t, path, want, 1)
	for _, known := range [][]uint64{nil, {0}, {76, 77}, {77}, {uint64(d.Identity().DiskID)}} {
		if err := d.Confirm(known); err != nil {
			t.Fatal(err)
		}
	}
	peers := []Peer{{Node: "n2", DiskID: 5, Starts: 3, Run: 8, Retired: []ID{4}}}
	if err := d.Remember(peers); err != nil {
		t.Fatal(err)
	}
	d.Close()
	id, _, err := Peek(path)
	if err != nil || !id.Confirmed || !slices.Equal(id.Replaced, []ID{76, 77}) {
		t.Errorf("confirmed: %v, %+v", err, id)
	}
	if len(id.Peers) != 1 || id.Peers[0].Run != 8 || !slices.Equal(id.Peers[0].Retired, []ID{4}) {
		t.Errorf("remembered: %+v", id.Peers)
	}
}

// TestSetAside is RULES R22.
func TestSetAside(t *testing.T) {
	path := t.TempDir()
	d := open(t, path, want, 1)
	fill := func(text string) {
		t.Helper()
		if err := os.MkdirAll(d.Engine(), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d.Engine(), "file"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, to := range []string{"set-aside-1", "set-aside-2"} {
		fill(to)
		before := d.Identity()
		if err := d.StartOver(); err != nil {
			t.Fatal(err)
		}
		d.Close()
		d = open(t, path, want, uint64(2+i))
		id := d.Identity()
		if d.Aside() != filepath.Join(path, to) || id.Aside || !id.Recover || id.DiskID == before.DiskID {
			t.Errorf("set aside to %q, %+v", d.Aside(), id)
		}
		if b, err := os.ReadFile(filepath.Join(path, to, "file")); err != nil || string(b) != to {
			t.Errorf("%s holds %q, %v", to, b, err)
		}
		if _, err := os.Stat(d.Engine()); err == nil {
			t.Error("the data is still there")
		}
	}
	d.Close()
	d = open(t, path, want, 9)
	defer d.Close()
	if d.Aside() != "" {
		t.Errorf("a later start set aside %q", d.Aside())
	}
}

func TestMarkRecovering(t *testing.T) {
	path := t.TempDir()
	if _, err := MarkRecovering(path, false, false); err == nil || !strings.Contains(err.Error(), "no data folder") {
		t.Errorf("an empty folder: %v", err)
	}
	d := open(t, path, want, 1)
	before := d.Identity()
	if _, err := MarkRecovering(path, false, false); err == nil || !strings.Contains(err.Error(), "stop its node first") {
		t.Errorf("a folder in use: %v", err)
	}
	d.Close()
	after, err := MarkRecovering(path, false, false)
	if err != nil || !after.Recover || after.DiskID == before.DiskID || after.Node != "n1" {
		t.Errorf("%v, %+v", err, after)
	}
	if id, _, err := Peek(path); err != nil || id.DiskID != after.DiskID {
		t.Errorf("stored: %v, %+v", err, id)
	}
	if after.Forget || after.Linked || after.Aside {
		t.Errorf("nobody said so: %+v", after)
	}
	if id, err := MarkRecovering(path, false, true); err != nil || !id.Recover || !id.Forget || !id.Linked || id.Aside {
		t.Errorf("to forget its links: %v, %+v", err, id)
	}
}

func TestForsakeForgetsOnce(t *testing.T) {
	path := t.TempDir()
	d := open(t, path, want, 1)
	first := d.Identity()
	if err := d.Forsake(); err != nil {
		t.Fatal(err)
	}
	d.Close()
	d = open(t, path, want, 2)
	defer d.Close()
	if id := d.Identity(); id.DiskID == first.DiskID || !id.Recover || !id.Grown || !id.Forget {
		t.Errorf("forsaken: %+v", id)
	}
	if err := d.Forgotten(); err != nil || d.Identity().Forget || !d.Identity().Grown {
		t.Errorf("forgotten: %v, %+v", err, d.Identity())
	}
}

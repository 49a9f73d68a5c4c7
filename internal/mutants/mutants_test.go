package mutants

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestPlant(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.go", []byte("package a\n\nconst n = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay := Mutant{File: "a.go", Old: "n = 1", New: "n = 2"}.plant(t)
	b, err := os.ReadFile(overlay)
	if err != nil {
		t.Fatal(err)
	}
	var spec struct{ Replace map[string]string }
	if err := json.Unmarshal(b, &spec); err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs("a.go")
	if err != nil {
		t.Fatal(err)
	}
	changed, err := os.ReadFile(spec.Replace[path])
	if err != nil || string(changed) != "package a\n\nconst n = 2\n" {
		t.Fatalf("%q %v", changed, err)
	}
	kept, err := os.ReadFile("a.go")
	if err != nil || string(kept) != "package a\n\nconst n = 1\n" {
		t.Fatalf("the tree was touched: %q %v", kept, err)
	}
}

// A mutant whose snippet is gone, or there twice, or is not changed, is none.
func TestChange(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.go", []byte("package a\n\nconst n, m = 1, 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, m := range []Mutant{
		{File: "a.go", Old: "2", New: "3"},
		{File: "a.go", Old: "1", New: "2"},
		{File: "a.go", Old: "n", New: "n"},
		{File: "b.go", Old: "n", New: "m"},
	} {
		if _, _, err := m.change(); err == nil {
			t.Errorf("%+v can be planted", m)
		}
	}
}

func TestWithout(t *testing.T) {
	got := without([]string{"A=1", Variable + "=1", "B=2"}, Variable)
	if len(got) != 2 || got[0] != "A=1" || got[1] != "B=2" {
		t.Fatalf("%v", got)
	}
}

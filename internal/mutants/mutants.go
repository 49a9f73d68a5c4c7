// Package mutants plants bugs on purpose and requires that a test notices each:
// a test that cannot fail proves nothing.
//
// A mutant is a change of one snippet of one file. It is compiled in by the go
// tool's overlay, so that no file of the tree is touched. Each costs a compile,
// so the tests that call [Run] plant them only if asked for; that each can still
// be planted is always checked:
//
//	OURO_MUTANTS=1 go test -run Mutants -timeout 30m ./internal/core/coord
package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Variable is the environment variable that asks for mutants.
const Variable = "OURO_MUTANTS"

// Limit is how long the test of one mutant may take. A mutant that makes its
// test run longer counts as noticed: the log then says "test timed out", which
// on a machine that is busy with other things is worth a second look.
const Limit = 5 * time.Minute

// Mutant is one planted bug.
type Mutant struct {
	Name string // what is wrong
	Dir  string // of the file, relative to the calling test's; "" for its own
	File string
	Old  string // must occur exactly once
	New  string
	Test string // regular expression of the tests that must notice it
	Pkg  string // directory of these tests, relative likewise; "" for the caller's own
}

// Run plants each mutant in turn and fails t for each that no test notices, or
// whose snippet the source no longer has.
func Run(t *testing.T, list []Mutant) {
	t.Helper()
	for _, m := range list {
		if _, _, err := m.change(); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
	if os.Getenv(Variable) == "" {
		t.Skipf("%d mutants; each costs a compile: set %s=1 to plant them", len(list), Variable)
	}
	for _, m := range list {
		t.Run(m.Name, func(t *testing.T) { m.run(t) })
	}
}

func (m Mutant) run(t *testing.T) {
	t.Helper()
	overlay := m.plant(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*Limit) // with the compile
	defer cancel()
	pkg := "." + string(filepath.Separator) + m.Pkg
	cmd := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-vet=off", "-count=1", "-failfast", "-timeout", Limit.String(), "-run", m.Test, pkg)
	cmd.Env = without(os.Environ(), Variable)
	out, err := cmd.CombinedOutput()
	switch {
	case bytes.Contains(out, []byte("[build failed]")), bytes.Contains(out, []byte("[setup failed]")):
		t.Fatalf("the mutant does not compile:\n%s", out)
	case bytes.Contains(out, []byte("no tests to run")):
		t.Fatalf("no test matches %q", m.Test)
	case err == nil:
		t.Errorf("nobody noticed: %s", m.Name)
	default:
		t.Logf("noticed: %s", firstLine(out))
	}
}

// change returns the path of the mutant's file, and the file with the bug.
func (m Mutant) change() (path, changed string, err error) {
	if path, err = filepath.Abs(filepath.Join(m.Dir, m.File)); err != nil {
		return "", "", err
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	if n := strings.Count(string(source), m.Old); n != 1 || m.New == m.Old {
		return "", "", fmt.Errorf("%s has this snippet %d times, want once, and another instead:\n%s", m.File, n, m.Old)
	}
	return path, strings.Replace(string(source), m.Old, m.New, 1), nil
}

// plant writes the changed file and the overlay that puts it into place, and
// returns the overlay's path.
func (m Mutant) plant(t *testing.T) string {
	t.Helper()
	path, source, err := m.change()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, m.File)
	if err := os.WriteFile(changed, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	spec, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, spec, 0o600); err != nil {
		t.Fatal(err)
	}
	return overlay
}

func without(env []string, name string) []string {
	var kept []string
	for _, e := range env {
		if !strings.HasPrefix(e, name+"=") {
			kept = append(kept, e)
		}
	}
	return kept
}

// firstLine is the first line of a test's output that tells a failure.
func firstLine(out []byte) string {
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "_test.go:") || strings.HasPrefix(line, "panic:") {
			return strings.TrimSpace(line)
		}
	}
	return "without a word"
}

package server

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestResolve: a seed is an address, a name that may have several, or a file that has
// one a line; which of them is drawn anew each time.
func TestResolve(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seeds")
	if err := os.WriteFile(file, []byte("# all of them\n\n10.0.0.1:7071\n 10.0.0.2:7071 # the second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	local, err := net.DefaultResolver.LookupHost(t.Context(), "localhost")
	if err != nil {
		t.Skip(err)
	}
	for i, ip := range local {
		local[i] = net.JoinHostPort(ip, "7071")
	}
	for seed, want := range map[string][]string{
		"10.0.0.9:7071":  {"10.0.0.9:7071"},
		"localhost:7071": local,
		"file:" + file:   {"10.0.0.1:7071", "10.0.0.2:7071"},
	} {
		seen := map[string]bool{}
		for range 200 {
			addr, err := resolve(t.Context(), seed)
			if err != nil || !slices.Contains(want, addr) {
				t.Fatalf("%s stands for %s, %v", seed, addr, err)
			}
			seen[addr] = true
		}
		if len(seen) != len(want) {
			t.Errorf("%s stands for %v, and %v were drawn", seed, want, seen)
		}
	}
	if err := os.WriteFile(file, []byte("# nobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, seed := range []string{"file:" + file, "file:" + file + "-not", "10.0.0.9"} {
		if addr, err := resolve(t.Context(), seed); err == nil {
			t.Errorf("%s stands for %s", seed, addr)
		}
	}
}

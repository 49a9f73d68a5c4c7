package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/internal/config"
)

// Every verb, at every level, says what it does and shows how.
func TestEveryVerbHasHelp(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Short == "" || cmd.Example == "" {
			t.Errorf("%s: short %q, example %q", cmd.CommandPath(), cmd.Short, cmd.Example)
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRootCommand())
}

// docs/reference/config.md lists every setting as 'ouro config describe' does.
// UPDATE=1 writes the list anew.
func TestConfigReference(t *testing.T) {
	const file, head = "../../docs/reference/config.md", "| setting | type | default | meaning |\n|---|---|---|---|\n"
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	intro, list, found := strings.Cut(string(got), head)
	if !found {
		t.Fatalf("%s has no table of settings", file)
	}
	var b strings.Builder
	cell := strings.NewReplacer("|", `\|`)
	for _, k := range config.Describe() {
		reload := ""
		if k.Reload {
			reload = "; may be changed while the node runs, with `PUT /admin/v1/" + k.Name + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s%s |\n", k.Name, cell.Replace(k.Type), k.Default, cell.Replace(k.Doc), reload)
	}
	if os.Getenv("UPDATE") != "" {
		list = b.String()
		if err := os.WriteFile(file, []byte(intro+head+list), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if list != b.String() {
		t.Errorf("%s is not what the settings are: UPDATE=1 go test ./cmd/ouro -run TestConfigReference", file)
	}
}

func TestAdminAddressFollowsFromTheClients(t *testing.T) {
	t.Setenv("OURO_ADDR", "")
	t.Setenv("OURO_ADMIN", "")
	check := func(tg target, want string) {
		t.Helper()
		if got, err := tg.adminAddr(); err != nil || got != want {
			t.Errorf("%+v: %q %v, want %q", tg, got, err, want)
		}
	}
	check(target{}, "127.0.0.1:7072")
	check(target{addr: "10.0.0.1:8000"}, "10.0.0.1:8002")
	check(target{addr: "[::1]:8000"}, "[::1]:8002")
	check(target{addr: "10.0.0.1:8000", admin: "10.0.0.9:1"}, "10.0.0.9:1")
	t.Setenv("OURO_ADDR", "10.0.0.2:9000")
	check(target{}, "10.0.0.2:9002")
	t.Setenv("OURO_ADMIN", "10.0.0.3:1")
	check(target{}, "10.0.0.3:1")
	check(target{addr: "10.0.0.1:8000"}, "10.0.0.1:8002") // a flag goes over the environment
}

func TestSpans(t *testing.T) {
	for want, in := range map[string][]uint32{
		"": nil, "7": {7}, "1-3": {1, 2, 3}, "0 2 4-5 9": {0, 2, 4, 5, 9},
	} {
		if got := spans(in); got != want {
			t.Errorf("%v: %q, want %q", in, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	for in, want := range map[int64]string{-1: "unknown", 0: "0 bytes", 1023: "1023 bytes", 1024: "1.0 KiB", 3 << 20: "3.0 MiB", 5 << 40: "5.0 TiB"} {
		if got := size(in); got != want {
			t.Errorf("%d: %q, want %q", in, got, want)
		}
	}
}

func TestPreview(t *testing.T) {
	for in, want := range map[string]string{
		"": `""`, "a\nb": `"a\nb"`, "\xff": "(binary)", strings.Repeat("ä", 50): `"` + strings.Repeat("ä", 40) + `"...`,
	} {
		if got := preview([]byte(in)); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// A single value is printed as it is, and nothing else.
func TestSingleValueIsRaw(t *testing.T) {
	var out bytes.Buffer
	res := ouro.Result{Siblings: []ouro.Sibling{{Value: ouro.Value{Data: []byte("\x00raw")}}}}
	printVersions(&out, ouro.Key{Bucket: "b", Name: "k"}, res, 0)
	if out.String() != "\x00raw" {
		t.Errorf("printed %q", out.String())
	}
}

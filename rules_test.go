package ouro_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// This file is a statement of policy: who may import whom, and what the core may
// not contain. To change a line here is to change the design; say why in the
// commit. The checks themselves are in rules_checks_test.go.

const (
	module = "github.com/ourodb/ouro"

	// Values have laws and know no machine.
	values = "internal/core/clock internal/core/codec internal/core/fact internal/core/ring internal/core/place internal/core/causal internal/core/merkle internal/core/typed internal/core/stale internal/core/local internal/core/lineage "
	// Machines own a state and its transitions, and never know each other; only
	// node knows several. What replica is asked and answers is vocabulary.
	machines = "internal/core/coord internal/core/replica internal/core/member internal/core/gossip internal/core/plan internal/core/handoff internal/core/repair internal/core/listing internal/core/recovery internal/core/reap internal/core/chain internal/core/transfer internal/core/admit internal/core/hot internal/core/scrub internal/core/canary internal/core/detector "
	core     = values + machines + "internal/core/node internal/core/steward "
)

// walls says for each package of the module which others its code may import;
// "." is package ouro itself. Tests may import more.
var walls = map[string]string{
	".": "", // the vocabulary: the standard library alone

	"internal/core/clock":    "",
	"internal/core/codec":    "",
	"internal/core/fact":     "",
	"internal/core/ring":     "",
	"internal/core/stale":    "",
	"internal/core/lineage":  "",
	"internal/core/strategy": "internal/core/ring", // what the paper compares; nothing serves from it
	"internal/core/causal":   ". internal/core/clock",
	"internal/core/merkle":   "internal/core/causal",
	"internal/core/typed":    ". internal/core/causal",
	"internal/core/place":    "internal/core/codec internal/core/ring",
	"internal/core/local":    "internal/core/causal internal/core/place",
	"internal/core/coord":    ". " + values + "internal/core/replica",
	"internal/core/replica":  ". " + values,
	"internal/core/member":   ". " + values,
	"internal/core/gossip":   values + "internal/core/member",        // the history is a value
	"internal/core/plan":     ". " + values + "internal/core/member", // likewise
	"internal/core/handoff":  values + "internal/core/replica",
	"internal/core/recovery": values + "internal/core/replica",
	"internal/core/repair":   values + "internal/core/replica",
	"internal/core/listing":  values + "internal/core/replica",
	"internal/core/transfer": values + "internal/core/replica",
	"internal/core/reap":     values + "internal/core/replica",
	"internal/core/scrub":    values + "internal/core/replica",
	"internal/core/chain":    values,
	"internal/core/canary":   ". " + values,
	"internal/core/admit":    "internal/core/clock",
	"internal/core/hot":      "internal/core/clock internal/core/ring",
	"internal/core/detector": "internal/core/ring internal/core/stale",
	"internal/core/node":     ". " + values + machines,
	"internal/core/steward":  ". " + values + machines + "internal/core/node",

	"internal/store":           "",
	"internal/store/memory":    "internal/store",
	"internal/store/pebble":    "internal/store",
	"internal/store/buffer":    "internal/store",
	"internal/store/bolt":      "internal/datadir internal/store internal/store/buffer",
	"internal/store/fault":     "internal/store",
	"internal/store/storetest": "internal/store",
	"internal/disk":            values + "internal/core/replica internal/store",
	"internal/datadir":         "",

	"internal/wire":      ". " + core,
	"internal/transport": "", // moves frames, knows no message

	// The two hosts never know each other, and name no engine, front end or link;
	// the simulator's disk is memory with faults.
	"internal/host":         ". " + core + "internal/disk internal/store internal/wire",
	"internal/sim":          ". " + core + "internal/disk internal/store internal/store/memory internal/store/fault internal/wire internal/oracle internal/sim/history internal/sim/workload",
	"internal/sim/history":  ". " + values,
	"internal/sim/workload": ". internal/oracle internal/sim/history",
	"internal/oracle":       ".",

	// Front ends and clients see the vocabulary.
	"client":                    ". internal/core/local internal/core/ring internal/frontend/keypath",
	"internal/frontend/keypath": ".",
	"internal/frontend/fault":   ".",

	"internal/frontend/fault/faulttest": ".", // of front ends' tests
	"internal/frontend/jsonbody":        "",
	"internal/frontend/openapi":         "", // reads the document that holds the servers
	"internal/frontend/web":             ". internal/frontend/fault internal/frontend/jsonbody internal/frontend/keypath internal/frontend/openapi",
	"internal/frontend/resp":            ". internal/frontend/fault",
	"internal/frontend/rpc":             ". internal/frontend/fault proto/ouro/v1",
	"internal/frontend/console":         "", // files alone
	"internal/frontend/admin":           ". internal/dev internal/frontend/console internal/frontend/jsonbody internal/frontend/keypath internal/frontend/openapi internal/telemetry",
	"internal/telemetry":                ". internal/core/fact",
	"internal/dataset":                  ".",
	"internal/archive":                  ". internal/core/causal internal/core/merkle internal/core/ring internal/datadir",
	"internal/conformance":              ". client", // what every body of the store must do
	"internal/effort":                   "",         // how far exhaustive tests go
	"internal/mutants":                  "",         // plants bugs in a copy of the source
	"internal/bench":                    ".",
	"internal/paper":                    ". client internal/bench internal/core/ring internal/core/strategy",                                                                     // the paper's evaluation
	"internal/demo":                     ". client internal/archive internal/paper internal/core/canary internal/core/member internal/core/node internal/core/ring internal/sim", // the paper's demonstrations
	"internal/bench/peer":               ". " + core + "internal/bench internal/transport internal/wire",

	"internal/config":   ". internal/core/member internal/core/ring",
	"internal/security": "",
	"internal/dev":      ". client internal/datadir",

	// A node's process: names the concrete parts, knows no command line; cmd/ouro alone runs it.
	"internal/server": ". client " + core + "internal/config internal/datadir internal/dev internal/disk internal/host internal/security internal/store internal/store/bolt internal/store/buffer internal/store/memory internal/store/pebble internal/frontend/admin internal/frontend/resp internal/frontend/rpc internal/frontend/web internal/telemetry internal/transport",

	"client/protobuf": "client",
	"proto/ouro/v1":   "", // made of ouro.proto, but for a comment

	// Examples are written against the vocabulary; what they play on can be broken.
	"examples/stage":     ". client internal/core/member internal/core/node internal/core/ring internal/dev internal/sim",
	"examples/cart":      ". client examples/stage",
	"examples/sessions":  ". examples/stage",
	"examples/catalogue": ". examples/stage",

	"cmd/ouro": "*", // a file for each verb: wires flags to packages
}

// peepholes are walls with a hole of a few names: importer, imported, names.
var peepholes = map[string]map[string]string{
	// The host encodes frames in place; it makes no link, the server hands it one.
	"internal/host": {"internal/transport": "AppendFrame BeginFrame EndFrame ErrDown ErrFull Hello"},
}

// libraries says which packages may import a library; one not listed is free to
// all but the core and package ouro.
var libraries = map[string]string{
	"github.com/cockroachdb/":    "internal/store/pebble internal/store/storetest",
	"github.com/RaduBerinde/":    "internal/store/memory internal/store/buffer",
	"go.etcd.io/bbolt":           "internal/store/bolt",
	"github.com/prometheus/":     "internal/telemetry internal/frontend/admin internal/server",
	"github.com/spf13/cobra":     "cmd/ouro",
	"github.com/BurntSushi/toml": "internal/config",
	"google.golang.org/grpc":     "internal/frontend/rpc proto/ouro/v1",
}

// coreImports are the only imports from outside the module that the core may
// have: none of them knows a clock, a file, a socket, a lock or a logger. Of
// package time and of math/rand/v2 it may use values, see forbiddenNames.
const coreImports = `bytes cmp container/heap crypto/aes crypto/cipher crypto/hkdf crypto/hmac crypto/md5 crypto/sha256
	crypto/subtle encoding/base64 encoding/binary encoding/hex errors fmt hash hash/crc32 hash/maphash iter math math/bits
	math/rand/v2 slices sort strconv strings time unicode/utf8 github.com/zeebo/xxh3`

// forbiddenNames are names that the core may not use although it may import
// their package, and what it uses instead.
var forbiddenNames = map[string]struct{ names, instead string }{
	"time": {
		"Now Since Until Sleep After AfterFunc Tick NewTimer NewTicker Timer Ticker",
		"take now clock.Now as an argument and report one deadline",
	},
	"math/rand/v2": {
		"Int IntN Int32 Int32N Int64 Int64N Uint32 Uint32N Uint64 Uint64N UintN Uint N Float32 Float64 ExpFloat64 NormFloat64 Perm Shuffle",
		"take a seeded *rand.Rand as an argument",
	},
	"fmt":          {"Print Printf Println", "state a fact (package fact)"},
	"hash/maphash": {"MakeSeed String Bytes Comparable", "take a seed as an argument and use xxh3"},
}

// Ratchets: what is over them is split, not exempted.
const (
	maxFileLines = 500
	maxFuncLines = 80
)

// vagueNames say nothing of what a package is for.
const vagueNames = "util utils common types manager managers helper helpers misc base shared"

func TestRules(t *testing.T) {
	for _, broken := range check(sourcesBelow(t, ".")) {
		t.Error(broken)
	}
}

// sourcesBelow reads the Go files that are not tests.
func sourcesBelow(t *testing.T, root string) map[string]string {
	sources := map[string]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || len(d.Name()) > 1 && d.Name()[0] == '.'):
			return filepath.SkipDir
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			text, err := os.ReadFile(name)
			sources[filepath.ToSlash(name)] = string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

// Every rule fires on a source that breaks it, and not on one that does not.
func TestRulesFire(t *testing.T) {
	lines := func(n int) string { return strings.Repeat("//\n", n) }
	for _, test := range []struct {
		name, file, text string
		want             string // part of the message; "" for no message
	}{
		{"clean", "internal/core/ring/a.go", "package ring\nimport \"fmt\"\nfunc F() string { return fmt.Sprint(1) }", ""},
		{"clock", "internal/core/ring/a.go", "package ring\nimport \"time\"\nfunc F() any { return time.Now() }", "time.Now: take now clock.Now"},
		{"clock renamed", "internal/core/ring/a.go", "package ring\nimport x \"time\"\nvar _ x.Duration\nfunc F() { x.Sleep(1) }", "time.Sleep: take now"},
		{"timer in a field", "internal/core/coord/a.go", "package coord\nimport \"time\"\ntype T struct { t *time.Timer }", "time.Timer"},
		{"durations are values", "internal/core/ring/a.go", "package ring\nimport \"time\"\nconst d = time.Second", ""},
		{"clock in the host", "internal/host/a.go", "package host\nimport \"time\"\nfunc F() any { return time.Now() }", ""},
		{"goroutine", "internal/core/node/a.go", "package node\nfunc F() { go F() }", "a goroutine: return an effect"},
		{"channel", "internal/core/node/a.go", "package node\ntype T chan int", "a channel: return an effect"},
		{"receive", "internal/core/node/a.go", "package node\nfunc F(c T) { <-c }", "a channel"},
		{"send", "internal/core/node/a.go", "package node\nfunc F(c T) { c <- 1 }", "a channel"},
		{"select", "internal/core/node/a.go", "package node\nfunc F() { select {} }", "a select: Step takes one input"},
		{"lock", "internal/core/node/a.go", "package node\nimport \"sync\"\nvar _ sync.Locker", "imports sync"},
		{"atomic", "internal/core/node/a.go", "package node\nimport \"sync/atomic\"\nvar _ atomic.Bool", "imports sync/atomic"},
		{"log", "internal/core/node/a.go", "package node\nimport \"log/slog\"\nvar _ slog.Level", "imports log/slog"},
		{"files", "internal/core/member/a.go", "package member\nimport \"os\"\nfunc F() { os.Exit(1) }", "imports os"},
		{"dot import", "internal/core/member/a.go", "package member\nimport . \"fmt\"\nfunc F() { Print(1) }", "import under a name"},
		{"print", "internal/core/member/a.go", "package member\nimport \"fmt\"\nfunc F() { fmt.Println(1) }", "fmt.Println: state a fact"},
		{"builtin print", "internal/core/member/a.go", "package member\nfunc F() { println(1) }", "println: state a fact"},
		{"randomness", "internal/core/coord/a.go", "package coord\nimport \"math/rand/v2\"\nfunc F() int { return rand.IntN(3) }", "rand/v2.IntN: take a seeded"},
		{"seeded randomness", "internal/core/coord/a.go", "package coord\nimport \"math/rand/v2\"\nfunc F(r *rand.Rand) int { return r.IntN(3) }", ""},
		{"old randomness", "internal/core/coord/a.go", "package coord\nimport \"math/rand\"\nfunc F() int { return rand.Int() }", "imports math/rand"},
		{"variable", "internal/core/coord/a.go", "package coord\nvar count int", "package variable count"},
		{"variable map", "internal/core/coord/a.go", "package coord\nvar m = map[int]int{}", "package variable m"},
		{"variable slice", "internal/core/coord/a.go", "package coord\nvar s = []int{1}", "package variable s"},
		{"sentinel", "internal/core/coord/a.go", "package coord\nimport \"errors\"\nvar ErrX = errors.New(\"x\")", ""},
		{"name array", "internal/core/coord/a.go", "package coord\nvar names = [...]string{\"a\"}", ""},
		{"guard", "internal/core/coord/a.go", "package coord\nvar _ error = (*E)(nil)\ntype E struct{ error }", ""},
		{"init", "internal/core/coord/a.go", "package coord\nfunc init() {}", "an init function"},
		{"map range over a local", "internal/core/coord/a.go", "package coord\nfunc F() { m := map[int]int{}; for range m { F() } }", "ranges over a map"},
		{"map range over a field", "internal/core/coord/a.go", "package coord\ntype T struct { m map[int]int }\nfunc (t *T) F() int { for k := range t.m { return k }; return 0 }", "ranges over a map"},
		{"map range over a named type", "internal/core/coord/a.go", "package coord\ntype M map[int]int\nfunc F(m M) int { for k := range m { return k }; return 0 }", "ranges over a map"},
		{"slice range", "internal/core/coord/a.go", "package coord\nfunc F(s []int) int { for k := range s { return k }; return 0 }", ""},
		{"map look-up", "internal/core/coord/a.go", "package coord\nfunc F(m map[int]int) int { return m[1] }", ""},
		{"map range in the host", "internal/host/a.go", "package host\nfunc F(m map[int]int) { for range m { F(m) } }", ""},
		{"package maps", "internal/core/coord/a.go", "package coord\nimport \"maps\"\nfunc F(m map[int]int) any { return maps.Keys(m) }", "imports maps"},
		{"machine imports machine", "internal/core/member/a.go", "package member\nimport \"github.com/ourodb/ouro/internal/core/coord\"\nvar _ coord.X", "may not import internal/core/coord"},
		{"value imports machine", "internal/core/causal/a.go", "package causal\nimport \"github.com/ourodb/ouro/internal/core/replica\"\nvar _ replica.X", "may not import internal/core/replica"},
		{"host imports sim", "internal/host/a.go", "package host\nimport \"github.com/ourodb/ouro/internal/sim\"\nvar _ sim.X", "may not import internal/sim"},
		{"sim imports host", "internal/sim/a.go", "package sim\nimport \"github.com/ourodb/ouro/internal/host\"\nvar _ host.X", "may not import internal/host"},
		{"host names an engine", "internal/host/a.go", "package host\nimport \"github.com/ourodb/ouro/internal/store/pebble\"\nvar _ pebble.X", "may not import internal/store/pebble"},
		{"host makes a link", "internal/host/a.go", "package host\nimport \"github.com/ourodb/ouro/internal/transport\"\nvar _ transport.Transport", "may use of internal/transport only"},
		{"host encodes a frame", "internal/host/a.go", "package host\nimport \"github.com/ourodb/ouro/internal/transport\"\nfunc F() { transport.BeginFrame(nil) }", ""},
		{"front end sees the core", "internal/frontend/web/a.go", "package web\nimport \"github.com/ourodb/ouro/internal/core/ring\"\nvar _ ring.X", "may not import internal/core/ring"},
		{"server behind its wall", "internal/dev/a.go", "package dev\nimport \"github.com/ourodb/ouro/internal/server\"\nvar _ server.Options", "may not import internal/server"},
		{"server sees the simulator", "internal/server/a.go", "package server\nimport \"github.com/ourodb/ouro/internal/sim\"\nvar _ sim.X", "may not import internal/sim"},
		{"server sees a command line", "internal/server/a.go", "package server\nimport \"github.com/spf13/cobra\"\nvar _ cobra.Command", "only cmd/ouro may"},
		{"transport sees messages", "internal/transport/a.go", "package transport\nimport \"github.com/ourodb/ouro/internal/wire\"\nvar _ wire.X", "may not import internal/wire"},
		{"vocabulary with a library", "a.go", "package ouro\nimport \"github.com/zeebo/xxh3\"\nvar _ xxh3.Uint128", "standard library alone"},
		{"library behind its wall", "internal/host/a.go", "package host\nimport \"github.com/prometheus/client_golang/prometheus\"\nvar _ prometheus.Labels", "only internal/telemetry"},
		{"library in the core", "internal/core/ring/a.go", "package ring\nimport \"github.com/BurntSushi/toml\"\nvar _ toml.Key", "imports github.com/BurntSushi/toml"},
		{"unknown package", "internal/new/a.go", "package fresh", "not in the table of walls"},
		{"vague package", "internal/host/util/a.go", "package util", "name says nothing"},
		{"vague folder", "internal/helpers/a.go", "package fresh", "name says nothing"},
		{"long file", "internal/host/a.go", "package host\n" + lines(maxFileLines), "501 lines: split"},
		{"file at the limit", "internal/host/a.go", "package host\n" + lines(maxFileLines-1), ""},
		{"long function", "internal/host/a.go", "package host\nfunc F() {\n" + lines(maxFuncLines-1) + "}", "function F has 81 lines"},
		{"function at the limit", "internal/host/a.go", "package host\nfunc F() {\n" + lines(maxFuncLines-2) + "}", ""},
		{"generated code", "internal/host/a.go", "// Code generated by x. DO NOT EDIT.\npackage host\n" + lines(maxFileLines), ""},
		{"no Go", "internal/host/a.go", "packag host", "expected 'package'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := check(map[string]string{test.file: test.text})
			switch {
			case test.want == "" && len(got) > 0:
				t.Errorf("a clean source is reported: %q", got)
			case test.want != "" && !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, test.want) }):
				t.Errorf("reported %q, want a message with %q", got, test.want)
			}
		})
	}
}

// A map of another core package is seen as one, too.
func TestRulesSeeMapsOfOtherPackages(t *testing.T) {
	got := check(map[string]string{
		"internal/core/causal/a.go": "package causal\nimport \"strings\"\nvar _ strings.Builder\ntype T struct { M map[int]int }",
		"internal/core/coord/a.go":  "package coord\nimport \"" + path.Join(module, "internal/core/causal") + "\"\nfunc F(t causal.T) int { for k := range t.M { return k }; return 0 }",
	})
	if len(got) != 1 || !strings.Contains(got[0], "internal/core/coord/a.go:3: ranges over a map") {
		t.Errorf("reported %q", got)
	}
}

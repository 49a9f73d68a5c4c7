package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/sim"
	"github.com/ourodb/ouro/internal/sim/history"
)

func simRun(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), append([]string{"sim"}, args...), strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestSimPrintsTheSameHistoryTwice(t *testing.T) {
	code, first, stderr := simRun("--seed", "3", "--ops", "200", "-o", "json")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	_, second, _ := simRun("--seed", "3", "--ops", "200", "-o", "json")
	_, other, _ := simRun("--seed", "4", "--ops", "200", "-o", "json")
	if a, b := historyOf(t, first), historyOf(t, second); a != b {
		t.Errorf("seed 3 gave %s and %s", a, b)
	}
	if a, c := historyOf(t, first), historyOf(t, other); a == c {
		t.Errorf("seeds 3 and 4 both gave %s", a)
	}
}

func historyOf(t *testing.T, out string) string {
	t.Helper()
	var r struct{ History string }
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.History == "" {
		t.Fatalf("no history in %s (%v)", out, err)
	}
	return r.History
}

func TestSimRunsRanges(t *testing.T) {
	code, out, stderr := simRun("--seeds", "1..3", "--ops", "100")
	if code != 0 || !strings.Contains(out, "3 seeds") || !strings.Contains(out, "every promise was kept") || !strings.Contains(out, "quorums     seeds") {
		t.Errorf("exit code %d\n%s%s", code, out, stderr)
	}
}

func TestSimRefusesNonsense(t *testing.T) {
	for _, args := range [][]string{
		{"--seeds", "5"},
		{"--seeds", "5..1"},
		{"--seeds", "a..b"},
		{"--ops", "0"},
		{"--nodes", "2"},
		{"--seed", "1", "--seeds", "1..2"},
		{"--seeds", "1..2", "--trace", "all"},
		{"--lines", "0"},
		{"extra"},
	} {
		if code, _, stderr := simRun(args...); code != exitWrongUse || stderr == "" {
			t.Errorf("sim %v: exit code %d, said %q", args, code, stderr)
		}
	}
}

func TestSimHelpListsEveryCode(t *testing.T) {
	_, out, _ := simRun("--help")
	for _, want := range []string{"10  lost", "15  context", "25  replay"} {
		if !strings.Contains(out, want) {
			t.Errorf("the help does not list %q:\n%s", want, out)
		}
	}
}

func TestSimTellsABrokenPromise(t *testing.T) {
	broken := &history.Violation{Promise: history.Lost, Key: "main/s0", Detail: "op 7 is gone"}
	sum := &sim.Summary{Runs: 2, Broken: 2, Failed: []sim.Report{
		{Seed: 9, Violation: &history.Violation{Promise: history.Stale, Detail: "op 8 is missing"}},
		{Seed: 4, Violation: broken},
	}}
	for _, format := range []string{"table", "json"} {
		var out bytes.Buffer
		f := &simFlags{ops: 60, lines: 10000}
		cmd := newSimCommand()
		cmd.Flags().String("output", format, "")
		cmd.SetOut(&out)
		var exit *exitError
		if err := f.finish(cmd, sum, nil); !errors.As(err, &exit) || exit.code != 10 {
			t.Errorf("%s: %v, want exit code 10, that of the lowest seed", format, err)
		}
		for _, want := range []string{"ouro sim --seed 4 --ops 60", "op 7 is gone", "lost", "ouro sim --seed 9"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is not in\n%s", format, want, out.String())
			}
		}
		if format == "table" && !strings.Contains(out.String(), "CLIENT") {
			t.Errorf("there is no trace in\n%s", out.String())
		}
	}
}

func TestSimTracesAKey(t *testing.T) {
	code, out, stderr := simRun("--seed", "3", "--ops", "60", "--trace", "all")
	if code != 0 || !strings.Contains(out, "CLIENT") || !strings.Contains(out, "arrives") || !strings.Contains(out, "stores") {
		t.Errorf("exit code %d, %s\n%.2000s", code, stderr, out)
	}
}

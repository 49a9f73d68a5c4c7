package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro/internal/sim"
	"github.com/ourodb/ouro/internal/sim/history"
)

// simFlags are the flags of sim.
type simFlags struct {
	seed    uint64
	seeds   string
	ops     int
	nodes   int
	calm    bool
	ring    string
	types   bool
	lists   bool
	own     bool
	budget  time.Duration
	fresh   bool
	workers int
	trace   string
	lines   int
}

const simLong = `Runs whole clusters in this process on virtual time, breaks them on purpose, and
checks what their clients saw. A seed draws the cluster, the load and the kinds
of fault; the same seed gives the same history, to the byte, on any machine.

A run that breaks a promise prints its seed, the promise, what happened to the
key concerned, and the command that repeats it, and exits with the promise's
code; of several, that of the lowest seed.

`

func newSimCommand() *cobra.Command {
	var f simFlags
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Simulate clusters among faults and check every promise",
		Long:  simLong + promiseList(),
		Example: `  ouro sim --seed 7                     one run, made twice to show that it repeats
  ouro sim --seeds 1..1000              a thousand runs, on all cores
  ouro sim --fresh --time 10m           new seeds for ten minutes
  ouro sim --ring also --seeds 1..300   nodes join and leave, among faults
  ouro sim --seed 7 --trace main/s3     everything that happens to one key`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := onlyOneOf(cmd, "seed", "seeds", "fresh"); err != nil {
				return err
			}
			return f.run(cmd)
		},
	}
	fl := cmd.Flags()
	fl.Uint64Var(&f.seed, "seed", 1, "run this seed, twice, and compare the histories")
	fl.StringVar(&f.seeds, "seeds", "", "run the seeds `A..B`, both included")
	fl.IntVar(&f.ops, "ops", sim.DefaultOps, "client operations of each run")
	fl.IntVar(&f.nodes, "nodes", 0, "nodes of each cluster, 3 to 9; 0: the seed draws it")
	fl.BoolVar(&f.calm, "calm", false, "no faults: then everything must succeed")
	fl.StringVar(&f.ring, "ring", "", "let nodes join and leave: 'only', with no other faults, or 'also', among them")
	fl.BoolVar(&f.types, "types", false, "besides, clients of data types: counters, maps, sets and sorted sets")
	fl.BoolVar(&f.lists, "lists", false, "list keys while clients work, at any node, and check every page")
	fl.BoolVar(&f.own, "own", false, "have clients coordinate half of the reads themselves")
	fl.DurationVar(&f.budget, "time", 0, "begin no further run after this `duration`")
	fl.BoolVar(&f.fresh, "fresh", false, "begin at a random seed and go on until --time is over (default 1m)")
	fl.IntVar(&f.workers, "workers", 0, "runs at a time; 0: as many as cores")
	fl.StringVar(&f.trace, "trace", "", "with --seed: print what happens to this `BUCKET/KEY`, or to 'all'")
	fl.IntVar(&f.lines, "lines", 200, "lines at most of the trace of a failed run")
	return cmd
}

func promiseList() string {
	var b strings.Builder
	b.WriteString("Exit codes: 0 all promises kept, 1 failed, 2 wrong use, or the promise broken:\n")
	for _, p := range history.Promises() {
		fmt.Fprintf(&b, "  %d  %-12s %s\n", p.Code, p.Name, p.Text)
	}
	return strings.TrimRight(b.String(), "\n")
}

func (f *simFlags) run(cmd *cobra.Command) error {
	switch {
	case f.ops < 1:
		return wrongUse("--ops %d: a run does at least one operation", f.ops)
	case f.nodes != 0 && (f.nodes < 3 || f.nodes > 9):
		return wrongUse("--nodes %d: choose 3 to 9, or 0 to let the seed draw it", f.nodes)
	case f.ring != "" && f.ring != string(sim.RingOnly) && f.ring != string(sim.RingAlso):
		return wrongUse("--ring %q: choose only or also", f.ring)
	case f.lines < 1:
		return wrongUse("--lines %d: choose 1 or more", f.lines)
	case f.trace != "" && (f.seeds != "" || f.fresh):
		return wrongUse("--trace follows one run: use it with --seed")
	}
	m := sim.Many{From: f.seed, To: f.seed, Workers: f.workers, Budget: f.budget, Options: f.options()}
	switch {
	case f.fresh:
		m.From, m.To = freshSeed(), math.MaxUint64
		if m.Budget == 0 {
			m.Budget = time.Minute
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "seeds from %d\n", m.From)
	case f.seeds != "":
		var err error
		if m.From, m.To, err = parseSeeds(f.seeds); err != nil {
			return err
		}
	default:
		return f.one(cmd, m)
	}
	return f.many(cmd, m)
}

// parseSeeds reads A..B.
func parseSeeds(s string) (from, to uint64, err error) {
	a, b, ok := strings.Cut(s, "..")
	if ok {
		from, err = strconv.ParseUint(a, 10, 64)
		if err == nil {
			to, err = strconv.ParseUint(b, 10, 64)
		}
	}
	if !ok || err != nil || to < from {
		return 0, 0, wrongUse("--seeds %q: give two numbers, the first not above the second, such as 1..1000", s)
	}
	return from, to, nil
}

// freshSeed draws a seed that is easy to read and leaves room above it.
func freshSeed() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:]) >> 24
}

// one runs a seed twice.
func (f *simFlags) one(cmd *cobra.Command, m sim.Many) error {
	o := m.Options
	o.Seed = f.seed
	if f.trace != "" {
		o.Trace = cmd.OutOrStdout()
		if f.trace != "all" {
			o.TraceKey = f.trace
		}
	}
	began := time.Now()
	rep := sim.Run(o)
	s := &sim.Summary{Runs: 1, Elapsed: time.Since(began), Stats: rep.Stats}
	o.Trace = nil
	if v := sim.Again(o, &rep); v != nil && rep.Violation == nil {
		rep.Violation = v
	}
	if rep.Violation != nil {
		s.Broken, s.Failed = 1, []sim.Report{rep}
	}
	if !wantsJSON(cmd) {
		fmt.Fprintf(cmd.OutOrStdout(), "seed %d: %s\nhistory %016x, the same in two runs: %v\n", f.seed, rep.Shape, rep.Hash,
			rep.Violation == nil || rep.Violation.Promise != history.Replayed)
	}
	return f.finish(cmd, s, &rep)
}

// many runs a range of seeds.
func (f *simFlags) many(cmd *cobra.Command, m sim.Many) error {
	ctx, cancel := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer cancel()
	m.Stop = ctx.Done()
	m.Progress = simProgress(cmd.ErrOrStderr())
	return f.finish(cmd, sim.Seeds(m), nil)
}

// simProgress returns what tells how far many runs are: a line that is written
// over on a terminal, a new one now and then elsewhere.
func simProgress(w io.Writer) func(*sim.Summary) {
	every, form := 30*time.Second, "%s\n"
	if isTerminal(w) {
		every, form = time.Second, "\r\x1b[K%s"
	}
	shown := time.Now()
	return func(s *sim.Summary) {
		if time.Since(shown) < every {
			return
		}
		shown = time.Now()
		fmt.Fprintf(w, form, fmt.Sprintf("%d seeds, %.1f a second, %d operations, %d faults, %d runs broke a promise ",
			s.Runs, s.Rate(), s.Stats.History.Ops, s.Stats.Faults.Injected(), s.Broken))
	}
}

// simResult is what -o json prints.
type simResult struct {
	Seeds    int          `json:"seeds"`
	Elapsed  float64      `json:"seconds"`
	Rate     float64      `json:"seeds_per_second"`
	Hash     string       `json:"history,omitempty"` // of a single seed
	Injected int          `json:"faults_injected"`
	Stats    sim.Stats    `json:"stats"`
	Broken   int          `json:"broken"`
	Failures []simFailure `json:"failures"`
}

type simFailure struct {
	Seed    uint64 `json:"seed"`
	Code    int    `json:"code"`
	Promise string `json:"promise"`
	Key     string `json:"key,omitempty"`
	Detail  string `json:"detail"`
	Repeat  string `json:"repeat"`
}

func (f *simFlags) finish(cmd *cobra.Command, s *sim.Summary, one *sim.Report) error {
	if wantsJSON(cmd) {
		if err := printJSON(cmd.OutOrStdout(), f.result(s, one)); err != nil {
			return err
		}
	} else {
		printSummary(cmd.OutOrStdout(), s)
		f.explain(cmd.OutOrStdout(), s)
	}
	if code := s.Code(); code != 0 {
		return &exitError{code: code}
	}
	return nil
}

func (f *simFlags) result(s *sim.Summary, one *sim.Report) simResult {
	r := simResult{
		Seeds: s.Runs, Elapsed: s.Elapsed.Seconds(), Rate: s.Rate(), Injected: s.Stats.Faults.Injected(),
		Stats: s.Stats, Broken: s.Broken, Failures: []simFailure{},
	}
	if one != nil {
		r.Hash = fmt.Sprintf("%016x", one.Hash)
	}
	for i := range s.Failed {
		v := s.Failed[i].Violation
		r.Failures = append(r.Failures, simFailure{s.Failed[i].Seed, v.Promise.Code, v.Promise.Name, v.Key, v.Detail, f.repeat(s.Failed[i].Seed)})
	}
	return r
}

// repeat is the command that repeats a run.
func (f *simFlags) repeat(seed uint64) string {
	c := fmt.Sprintf("ouro sim --seed %d", seed)
	if f.ops != sim.DefaultOps {
		c += fmt.Sprintf(" --ops %d", f.ops)
	}
	if f.nodes != 0 {
		c += fmt.Sprintf(" --nodes %d", f.nodes)
	}
	if f.calm {
		c += " --calm"
	}
	if f.ring != "" {
		c += " --ring " + f.ring
	}
	if f.types {
		c += " --types"
	}
	if f.lists {
		c += " --lists"
	}
	if f.own {
		c += " --own"
	}
	return c
}

func printSummary(w io.Writer, s *sim.Summary) {
	h, c := &s.Stats.History, &s.Stats.Faults
	fmt.Fprintf(w, "%d seeds in %.1f s: %.1f a second, %.1f simulated hours\n", s.Runs, s.Elapsed.Seconds(), s.Rate(), s.Stats.Virtual/3600)
	fmt.Fprintf(w, "operations  %d: %d gets, %d puts, %d deletes; %d done, %d not done, %d unknown; %d repeated, %d of them stored twice\n",
		h.Ops, h.Gets, h.Puts, h.Deletes, h.OK, h.Fail, h.Info, h.Retried, h.Doubled)
	fmt.Fprintf(w, "checked     %d reads, %d of them strictly, %d contexts; %d reads with siblings, at most %d\n",
		h.Reads, h.Strict, h.Contexts, h.Conflicts, h.Siblings)
	fmt.Fprintf(w, "faults      %d: %d crashes, %d power cuts, %d pauses, %d clock jumps, %d wiped disks, %d stalled disks, %d failed syncs,\n",
		c.Injected(), c.Crashes, c.PowerCuts, c.Pauses, c.ClockJumps, c.Wipes, c.Stalls, c.SyncErrors)
	fmt.Fprintf(w, "            %d disks restored, %d of them to before their first epoch, %d copied, %d rotten records and %d leaves of trees, %d long absences,\n", c.Restored, c.Early, c.Copied, c.Rotten, c.RottenLeaves, c.Away)
	fmt.Fprintf(w, "            %d spells of failing writes, %d of failing reads, %d full disks, %d slow disks, %d that read slowly,\n", c.WriteFails, c.ReadFails, c.FullDisks, c.SlowDisks, c.SlowReads)
	fmt.Fprintf(w, "            %d cuts, %d one-way cuts, %d clogs, %d slow nodes, %d frames lost, %d repeated\n",
		c.Cuts, c.OneWay, c.Clogs, c.Slow, c.Lost, c.Duplicated)
	fmt.Fprintf(w, "repairs     %d replicas, %d late answers, %d forwards, %d repeated requests recognised, %d prunings\n",
		s.Stats.Repairs, s.Stats.Late, s.Stats.Forward, s.Stats.Known, s.Stats.Pruned)
	fmt.Fprintf(w, "comparisons %d complete, %d ended early, %d keys brought up to date\n", s.Stats.Agreed, s.Stats.Apart, s.Stats.Moved)
	a := &s.Stats.Agreeing
	fmt.Fprintf(w, "agreement   %d seeds by comparison alone, %d of them with no hints ever: within %.1f s of virtual time; %d records lacked %d bytes,\n            %d bytes of states were exchanged, at most %.1f for each, and %d of questions and answers, at most %.0f %% of what there may be\n",
		a.Runs, a.Unhinted, a.Longest, a.Records, a.Needed, a.States, a.Worst, a.Looks, 100*a.WorstLooks)
	fmt.Fprintf(w, "hints       %d kept, %d handed over, %d let go for their age or for want of room\n", s.Stats.Hinted, s.Stats.Handed, s.Stats.LetGo)
	fmt.Fprintf(w, "reaping     %d tombstones dropped, %d shares of ended processes folded, %d epochs begun, %d states refused as too old\n", s.Stats.Reaped, s.Stats.Folded, s.Stats.Epochs, s.Stats.Stale)
	if g := &s.Stats.Ring; g.Links > 0 {
		fmt.Fprintf(w, "ring        %d changes (%d joins, %d leaves, %d replaces), %d links, %d moves begun, %d ended, %d aborted, %d bytes brought, %d checkpoints\n",
			g.Changes, g.Joins, g.Leaves, g.Replaces, g.Links, g.Begun, g.Ended, g.Aborted, g.Bytes, g.Folded)
	}
	fmt.Fprintf(w, "background  yields in %d seeds, %d times by half; a key has few requests at a time in %d, %d were refused\n", s.Stats.Governed, s.Stats.Shrunk, s.Stats.HotKeys, s.Stats.Shed)
	fmt.Fprintf(w, "lists       %d pages of keys, %d of them complete\n", s.Stats.Pages, h.Pages)
	if o := &s.Stats.Own; o.Begun > 0 {
		fmt.Fprintf(w, "clients     coordinated %d reads, %d to the end, %d of them by an old map\n", o.Begun, o.Agreed, o.Old)
	}
	q := &s.Stats.Quorums
	fmt.Fprintf(w, "quorums     seeds with 50 writes or more, sloppy: %d with w=1, %d with w=2, %d with more; strict: %d, %d, %d; with 50 strict reads: %d\n",
		q.Sloppy[0], q.Sloppy[1], q.Sloppy[2], q.Strict[0], q.Strict[1], q.Strict[2], q.Reads)
	if s.Broken == 0 {
		fmt.Fprintln(w, "every promise was kept")
	}
}

// explain tells what each failed run found, and of the first one how.
func (f *simFlags) explain(w io.Writer, s *sim.Summary) {
	for i := range s.Failed {
		r := &s.Failed[i]
		fmt.Fprintf(w, "\nseed %d: %v\n  cluster: %s\n  repeat with: %s\n", r.Seed, r.Violation, r.Shape, f.repeat(r.Seed))
		if i == 0 {
			f.traceOf(w, r)
		}
	}
	if s.Broken > len(s.Failed) {
		fmt.Fprintf(w, "\nand %d more\n", s.Broken-len(s.Failed))
	}
}

// options are those of every run.
func (f *simFlags) options() sim.Options {
	return sim.Options{Ops: f.ops, Nodes: f.nodes, Calm: f.calm, Ring: sim.Ring(f.ring), Types: f.types, Lists: f.lists, Own: f.own}
}

// traceOf runs a failed seed again and prints the end of what happened to the
// key concerned.
func (f *simFlags) traceOf(w io.Writer, r *sim.Report) {
	var b bytes.Buffer
	o := f.options()
	o.Seed, o.Trace, o.TraceKey = r.Seed, &b, r.Violation.Key
	sim.Run(o)
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	if cut := len(lines) - f.lines; cut > 0 {
		lines = lines[cut:]
		fmt.Fprintf(w, "  the last %d lines of its trace, %d before them left out (--lines):\n", len(lines), cut)
	}
	for _, l := range lines {
		fmt.Fprintf(w, "  %s\n", l)
	}
}

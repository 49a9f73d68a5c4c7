package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/bench"
	"github.com/ourodb/ouro/internal/bench/peer"
	"github.com/ourodb/ouro/internal/dev"
)

const benchLong = `Put a cluster under load and measure it.

A closed loop (the default) keeps --workers busy, each with one operation at a
time. With --rate operations start on a schedule instead, and each is measured
from the moment it was due, so that a stall shows in all that it delayed.

A put carries the context last seen for its key, so siblings come from puts that
really were concurrent; how many gets saw some is reported.

--via http goes through a node's client port. --via peer sends requests over node
links, as a node that is no replica forwards them, straight to a replica: the data
path without the front end. The CPU time of the nodes' processes is counted where
they are known: with --dev, --dir or --pids, on Linux.`

// benchFlags are the flags of bench.
type benchFlags struct {
	target
	cfg    bench.Config
	bucket string
	via    string
	own    bool // --dev: a cluster of its own
	dir    string
	pids   []int
	noLoad bool
}

// The values of --via.
const (
	viaHTTP = "http"
	viaPeer = "peer"
)

func newBenchCommand() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Put a cluster under load and measure it",
		Long:  benchLong,
		Example: `  ouro bench --dev --duration 10s                    a cluster of its own, thrown away after
  ouro bench --mix 0.95 --distribution uniform --dir ./cluster
  ouro bench --rate 2000 --duration 1m               open loop
  ouro bench --dev --via peer --mix 0 -o json        CPU per put of the data path`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.addFlags(cmd, true)
	fs := cmd.Flags()
	fs.IntVar(&f.cfg.Workers, "workers", 32, "operations under way at once")
	fs.DurationVar(&f.cfg.Duration, "duration", 10*time.Second, "how long to measure")
	fs.Int64Var(&f.cfg.Ops, "ops", 0, "end after this `number` of operations, if that comes first")
	fs.Float64Var(&f.cfg.Rate, "rate", 0, "operations a second to start, whether or not earlier ones are done (closed loop)")
	fs.Float64Var(&f.cfg.Reads, "mix", 0.5, "share of gets, 0 to 1")
	fs.IntVar(&f.cfg.Keys, "keys", 10_000, "`number` of keys")
	fs.StringVar(&f.cfg.Dist, "distribution", bench.Zipfian, "which keys are hot: zipfian (theta 0.99) or uniform")
	fs.IntVar(&f.cfg.ValueSize, "value-size", 1024, "`bytes` of a value, incompressible")
	fs.Uint64Var(&f.cfg.Seed, "seed", 1, "`number` that draws keys and values")
	fs.DurationVar(&f.cfg.Warmup, "warmup", time.Second, "load before measuring")
	fs.DurationVar(&f.cfg.OpTimeout, "op-timeout", 10*time.Second, "give up on an operation after this `duration`")
	fs.BoolVar(&f.noLoad, "no-load", false, "do not give every key a value first")
	fs.StringVar(&f.bucket, "bucket", "bench", "`bucket` to use")
	fs.StringVar(&f.via, "via", viaHTTP, "http: a client port; peer: node links")
	fs.BoolVar(&f.own, "dev", false, "run a cluster of three nodes for this and remove it after")
	fs.StringVar(&f.dir, "dir", "", "`folder` of a dev cluster, to use it and to count its CPU")
	fs.IntSliceVar(&f.pids, "pids", nil, "`processes` of the nodes, to count their CPU")
	return cmd
}

func (f *benchFlags) check() error {
	f.cfg.Load = !f.noLoad
	if err := f.cfg.Check(); err != nil {
		return &exitError{exitWrongUse, err}
	}
	if err := ouro.ValidateBucket(f.bucket); err != nil {
		return wrongUse("--bucket: %v", err)
	}
	switch {
	case f.via != viaHTTP && f.via != viaPeer:
		return wrongUse("--via %q: it is %s or %s", f.via, viaHTTP, viaPeer)
	case f.own && (f.dir != "" || f.addr != "" || f.admin != ""):
		return wrongUse("--dev is a cluster of its own: --dir, --addr and --admin name another")
	case f.cfg.OpTimeout <= 0:
		return wrongUse("--op-timeout %v: it is longer than nothing", f.cfg.OpTimeout)
	case slices.ContainsFunc(f.pids, func(pid int) bool { return pid < 1 }):
		return wrongUse("--pids: %v are not all process ids", f.pids)
	}
	return nil
}

func (f *benchFlags) run(cmd *cobra.Command) error {
	if err := f.check(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, unix.SIGTERM)
	defer stop()
	if f.own {
		cluster, dir, err := ownCluster(ctx, cmd.ErrOrStderr(), 3)
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		defer cluster.Stop(stopPatience)
		f.dir = dir
	}
	if err := f.useDir(); err != nil {
		return err
	}
	f.cfg.PIDs = f.pids
	driver, done, err := f.driver(ctx)
	if err != nil {
		return err
	}
	defer done()
	fmt.Fprintf(cmd.ErrOrStderr(), "%s\n", f.plan())
	report, err := bench.Run(ctx, f.cfg, driver)
	if err != nil {
		return err
	}
	if wantsJSON(cmd) {
		return printJSON(cmd.OutOrStdout(), struct {
			Via             string  `json:"via"`
			DurationSeconds float64 `json:"duration_seconds"`
			*bench.Report
		}{f.via, f.cfg.Duration.Seconds(), report})
	}
	return printReport(cmd.OutOrStdout(), report)
}

// ownCluster runs nodes in a temporary folder.
func ownCluster(ctx context.Context, log io.Writer, nodes int) (*dev.Cluster, string, error) {
	dir, err := os.MkdirTemp("", "ouro-bench-")
	if err != nil {
		return nil, "", err
	}
	binary, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	opts := dev.Options{Dir: dir, Nodes: nodes, Binary: binary, Log: log}
	opts.Args = devNodeArgs(opts)
	cluster, err := dev.Run(ctx, opts)
	if err != nil {
		os.RemoveAll(dir)
		return nil, "", err
	}
	return cluster, dir, nil
}

// useDir takes addresses and processes from a dev cluster's folder where they
// are not given.
func (f *benchFlags) useDir() error {
	if f.dir == "" {
		return nil
	}
	dir, err := filepath.Abs(f.dir)
	if err != nil {
		return err
	}
	in, err := dev.ReadInfo(dir)
	if err != nil {
		return err
	}
	takePIDs := len(f.pids) == 0
	for _, n := range in.Nodes {
		if n.PID == 0 {
			continue
		}
		if f.addr == "" {
			f.addr, f.admin = n.Client, n.Admin
		}
		if takePIDs {
			f.pids = append(f.pids, n.PID)
		}
	}
	if f.addr == "" {
		return fmt.Errorf("no node of the cluster in %s runs: start it with 'ouro dev --dir %s'", dir, dir)
	}
	return nil
}

// driver connects to the cluster.
func (f *benchFlags) driver(ctx context.Context) (bench.Driver, func(), error) {
	if f.via == viaPeer {
		return f.peerDriver(ctx)
	}
	addr, err := f.target.client()
	if err != nil {
		return nil, nil, err
	}
	store, err := client.New(addr)
	if err != nil {
		return nil, nil, err
	}
	if err := answers(ctx, store, f.bucket); err != nil {
		store.Close()
		return nil, nil, err
	}
	return bench.FromStore(store, f.bucket), store.Close, nil
}

func (f *benchFlags) peerDriver(ctx context.Context) (bench.Driver, func(), error) {
	c := peer.Cluster{Peers: map[string]string{}}
	err := f.inside(ctx, func(ctx context.Context, a *client.Admin) error {
		st, err := a.Status(ctx)
		if err != nil {
			return err
		}
		c.Name = st.Cluster
		for _, m := range st.Members {
			c.Peers[m.ID] = m.Peer
		}
		c.Ring, err = a.Ring(ctx)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	d, err := peer.Dial(ctx, c, f.bucket)
	if err != nil {
		return nil, nil, err
	}
	return d, d.Close, nil
}

// plan tells what will be measured.
func (f *benchFlags) plan() string {
	c := f.cfg
	loop := "closed loop"
	if c.Rate > 0 {
		loop = fmt.Sprintf("open loop of %g a second", c.Rate)
	}
	return fmt.Sprintf("%d workers, %s, %v, %.0f %% gets, %d keys %s, values of %d bytes, via %s",
		c.Workers, loop, c.Duration, 100*c.Reads, c.Keys, c.Dist, c.ValueSize, f.via)
}

func printReport(w io.Writer, r *bench.Report) error {
	t := newTable(w, "VERB", "OPS", "PER SECOND", "MEAN", "P50", "P90", "P99", "P99.9", "MAX", "ERRORS")
	for _, v := range []struct {
		name string
		stat bench.VerbStat
	}{{"get", r.Gets}, {"put", r.Puts}} {
		s := v.stat
		t.row(v.name, strconv.FormatInt(s.Ops, 10), fmt.Sprintf("%.0f", float64(s.Ops)/r.Seconds),
			micros(int64(s.Mean)), micros(s.P50), micros(s.P90), micros(s.P99), micros(s.P999), micros(s.Max), errorCounts(s.Errors))
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d operations in %.1f s, %.0f a second\n", r.Ops, r.Seconds, r.Throughput)
	fmt.Fprintf(w, "siblings: %.2f %% of gets saw several, at most %d\n", 100*r.Siblings.Share, r.Siblings.Most)
	if c := r.CPU; c != nil {
		fmt.Fprintf(w, "server CPU: %.1f us an operation (user %.1f, system %.1f) in %s, %.2f cores busy\n", c.TotalPerOp, c.UserPerOp, c.SystemPerOp, processes(c.Processes), c.Cores)
	}
	return nil
}

func processes(n int) string {
	if n == 1 {
		return "1 process"
	}
	return fmt.Sprintf("%d processes", n)
}

// micros tells microseconds in the unit that suits.
func micros(us int64) string {
	return (time.Duration(us) * time.Microsecond).String()
}

func errorCounts(errs map[string]int64) string {
	if len(errs) == 0 {
		return "none"
	}
	var parts []string
	for code, n := range errs {
		parts = append(parts, fmt.Sprintf("%s %d", code, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

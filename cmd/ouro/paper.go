package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro"
	"github.com/ourodb/ouro/client"
	"github.com/ourodb/ouro/internal/demo"
	"github.com/ourodb/ouro/internal/dev"
	"github.com/ourodb/ouro/internal/paper"
)

type paperFlags struct {
	out   string
	only  []string
	quick bool
}

func newPaperCommand() *cobra.Command {
	var f paperFlags
	names := experimentNames()
	cmd := &cobra.Command{
		Use:   "paper",
		Short: "Run the paper's evaluation again and write a page with plots",
		Long: "Runs the evaluation of the paper on clusters of its own on this machine, and writes one\n" +
			"HTML file that needs nothing else: each figure beside the paper's, with where and why\n" +
			"they differ. It takes some ten minutes.\n\nExperiments: " + strings.Join(names, ", ") + ".",
		Example: "  ouro paper                          everything, into ouro-paper.html\n" +
			"  ouro paper --only figure8,figure6   two of them\n" +
			"  ouro paper --quick --out /tmp/p.html   a glance, in a minute: too short for figures",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	cmd.AddCommand(newDemoCommand())
	cmd.Flags().StringVar(&f.out, "out", "ouro-paper.html", "`file` to write")
	cmd.Flags().StringSliceVar(&f.only, "only", nil, "run these `experiments` alone")
	cmd.Flags().BoolVar(&f.quick, "quick", false, "make each short: to see that it works, too short for figures")
	return cmd
}

func experimentNames() (names []string) {
	for _, e := range paper.Experiments() {
		names = append(names, e.Name)
	}
	return names
}

// chosen are the experiments that --only names, or all.
func (f *paperFlags) chosen() ([]paper.Experiment, error) {
	all := paper.Experiments()
	if len(f.only) == 0 {
		return all, nil
	}
	for _, name := range f.only {
		if !slices.Contains(experimentNames(), name) {
			return nil, wrongUse("--only %q: there is no such experiment: choose from %s", name, strings.Join(experimentNames(), ", "))
		}
	}
	return slices.DeleteFunc(all, func(e paper.Experiment) bool { return !slices.Contains(f.only, e.Name) }), nil
}

func (f *paperFlags) run(cmd *cobra.Command) error {
	chosen, err := f.chosen()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	report := &paper.Report{Version: version, Machine: machine(), Begun: time.Now(), Command: strings.Join(append([]string{"ouro"}, os.Args[1:]...), " ")}
	failed := 0
	for _, e := range chosen {
		s := runExperiment(ctx, cmd.ErrOrStderr(), e, f.quick)
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: nothing was written")
		}
		if s.Failed != "" {
			failed++
			fmt.Fprintf(cmd.ErrOrStderr(), "%s failed: %s\n", e.Name, s.Failed)
		}
		report.Sections = append(report.Sections, s)
	}
	if err := writeReport(f.out, report); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "wrote %s\n", f.out)
	if failed > 0 {
		return fmt.Errorf("%d of %d experiments failed; the page says why", failed, len(chosen))
	}
	return nil
}

// runExperiment runs one with a bar of its own.
func runExperiment(ctx context.Context, log io.Writer, e paper.Experiment, quick bool) paper.Section {
	lab := &paper.Lab{
		Quick: quick, SlowDisk: demo.SlowDisk, Staleness: demo.Staleness, Sizes: demo.Sizes,
		// That a node ended is what the experiment is about, and no line for somebody to act on.
		Cluster: func(ctx context.Context, nodes int) (paper.Cluster, error) {
			return paperCluster(ctx, io.Discard, nodes)
		},
	}
	if isTerminal(log) {
		var end func()
		lab.Step, end = stepsOf(log, e.Name, e.Steps)
		defer end()
	} else {
		fmt.Fprintf(log, "%s: %s\n", e.Name, e.Title)
	}
	return e.Run(ctx, lab)
}

func writeReport(name string, r *paper.Report) error {
	file, err := os.Create(filepath.Clean(name))
	if err != nil {
		return err
	}
	err = r.Write(file)
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return err
}

func machine() string {
	return fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
}

// localCluster is a [paper.Cluster] of processes on this machine.
type localCluster struct {
	cluster *dev.Cluster
	dir     string
}

func paperCluster(ctx context.Context, log io.Writer, nodes int) (paper.Cluster, error) {
	c, dir, err := ownCluster(ctx, log, nodes)
	if err != nil {
		return nil, err
	}
	return &localCluster{c, dir}, nil
}

func (c *localCluster) Clients() (addrs []string) {
	for _, n := range c.cluster.Info().Nodes {
		addrs = append(addrs, n.Client)
	}
	return addrs
}

// SetBucket implements [paper.Cluster].
func (c *localCluster) SetBucket(ctx context.Context, name string, set ouro.BucketSettings) error {
	admin, err := client.NewAdmin(c.cluster.Info().Nodes[0].Admin)
	if err != nil {
		return err
	}
	_, err = admin.SetBucket(ctx, name, set)
	return err
}

func (c *localCluster) Admins() (addrs []string) {
	for _, n := range c.cluster.Info().Nodes {
		addrs = append(addrs, n.Admin)
	}
	return addrs
}

// PIDs implements [paper.Cluster].
func (c *localCluster) PIDs() (all []int) {
	for _, n := range c.cluster.Info().Nodes {
		all = append(all, n.PID)
	}
	return all
}

func (c *localCluster) Slow(by time.Duration) error {
	cmd := dev.Command{Verb: dev.Slow, By: by}
	for i := range c.cluster.Info().Nodes {
		cmd.Nodes = append(cmd.Nodes, i+1)
	}
	_, err := c.cluster.Do(cmd)
	return err
}

func (c *localCluster) Kill(node int) error  { return c.do(dev.Kill, node) }
func (c *localCluster) Start(node int) error { return c.do(dev.Start, node) }

func (c *localCluster) do(verb string, node int) error {
	_, err := c.cluster.Do(dev.Command{Verb: verb, Nodes: []int{node}})
	return err
}

func (c *localCluster) Stop() error {
	c.cluster.Stop(0)
	return os.RemoveAll(c.dir)
}

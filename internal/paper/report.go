// Package paper runs the evaluation of the paper again (sections 2.2, 4.8 and 6) and
// writes one page with what came out beside what the paper shows. Absolute times
// can't be compared, as the paper says neither what it ran on nor how hard: shapes
// and ratios can.
package paper

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/ourodb/ouro"
)

// Report is what a run found out.
type Report struct {
	Version  string
	Machine  string
	Begun    time.Time
	Command  string // that repeats it
	Sections []Section
}

// Section is one experiment.
type Section struct {
	Name    string // as in --only
	Title   string
	Item    string // of the paper: "figure 8", "section 6.3"
	How     string // what was done
	Plots   []Plot
	Tables  []Table
	Differs string // where and why it differs from the paper
	Took    time.Duration
	Failed  string // why it could not be run; nothing else is there then
}

// Table is rows below a head.
type Table struct {
	Caption string
	Head    []string
	Rows    [][]string
}

// Plot is curves over one axis.
type Plot struct {
	Title  string
	X, Y   string // what the axes show, with the unit
	LogX   bool
	LogY   bool
	Series []Series
	YMin   float64 // with YMax, where the axis is to begin and end; both 0: as the data has it
	YMax   float64
}

// Series is one curve, or a row of marks.
type Series struct {
	Name   string
	Points []Point
	Paper  bool // it is the paper's: dashed
	Model  bool // it is predicted: dotted
}

// Point is one of a curve.
type Point struct{ X, Y float64 }

// Experiment is one of those that [Experiments] lists.
type Experiment struct {
	Name  string
	Title string
	// Steps is about how long it takes, for the progress bar.
	Steps int
	run   func(ctx context.Context, lab *Lab) (Section, error)
}

// Lab is what experiments run in.
type Lab struct {
	// Quick makes every experiment short: enough to see that it works, too little for
	// figures.
	Quick bool
	// Cluster starts so many nodes of their own processes; see [Cluster].
	Cluster func(ctx context.Context, nodes int) (Cluster, error)
	// SlowDisk runs a simulated node whose disk turns slow and well again, with background
	// work of this kind.
	SlowDisk func(ctx context.Context, b Background) (*SlowDisk, error)
	// Staleness measures how many reads are stale in a simulated cluster, and tells how many
	// were predicted to be.
	Staleness func(ctx context.Context, quick bool) (*Staleness, error)
	// Sizes runs a simulated cluster of so many nodes and partitions, while nothing happens
	// and while one more node joins.
	Sizes func(nodes, q int) (ClusterSize, error)
	// Step is called whenever a step is done, of as many as [Experiment.Steps] says.
	Step func()
}

func (l *Lab) step() {
	if l.Step != nil {
		l.Step()
	}
}

// Cluster is a running cluster of processes that can be broken.
type Cluster interface {
	Clients() []string // addresses for clients, by node
	// SetBucket defines a bucket, or changes it.
	SetBucket(ctx context.Context, name string, set ouro.BucketSettings) error
	Admins() []string // addresses of their admin ports
	PIDs() []int      // of their processes
	Kill(node int) error
	Start(node int) error
	Slow(by time.Duration) error // all that nodes send each other comes so much later
	Stop() error
}

// Experiments lists them in the order of the paper.
func Experiments() []Experiment {
	return []Experiment{
		{"sla", "The agreement of section 2.2, healthy and with a node down", slaSteps, runSLA},
		{"figure4", "Latencies over a day", figure4Steps, runFigure4},
		{"figure5", "Buffered writes against writes to disk", figure5Steps, runFigure5},
		{"figure6", "Nodes out of balance, by load", figure6Steps, runFigure6},
		{"figure8", "How evenly three strategies spread load", figure8Steps, runFigure8},
		{"table2", "Coordination by a node behind a balancer, and by the client's choice", table2Steps, runTable2},
		{"slices", "Background work that yields while a disk is slow", slicesSteps, runSlices},
		{"gossip", "What nodes tell each other and keep, by their number", gossipSteps, runGossip},
		{"staleness", "How often reads miss an acknowledged write: predicted and measured", staleSteps, runStaleness},
		{"siblings", "How often reads show several versions", siblingSteps, runSiblings},
	}
}

// Run runs an experiment. One that fails is a section too, which says why.
func (e Experiment) Run(ctx context.Context, lab *Lab) Section {
	begun := time.Now()
	s, err := e.run(ctx, lab)
	if err != nil {
		s = Section{Failed: err.Error()}
	}
	s.Name, s.Title, s.Took = e.Name, e.Title, time.Since(begun)
	return s
}

// Write writes the page.
func (r *Report) Write(w io.Writer) error {
	if err := page().Execute(w, r); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

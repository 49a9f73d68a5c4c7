package paper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Background is what a node whose disk turns slow does besides serving.
type Background int

const (
	Controlled   Background = iota // all that it does, as the controller lets it
	Uncontrolled                   // the same, at its full pace throughout
	None                           // nothing: what requests would have for themselves
)

// SlowDisk is one run of a node whose disk turns slow and well again, and where that was.
type SlowDisk struct {
	From, To time.Duration // when reads of the disk took Reads
	Reads    time.Duration
	Parts    []SlowDiskPart // in order, each as long as the others
}

// SlowDiskPart is what was seen of the node in some seconds.
type SlowDiskPart struct {
	At       time.Duration // its end
	Slices   int           // of the pool that background work shares
	Most     int
	Read     time.Duration // the p99 of the engine's reads for clients, as the controller has it
	Gets     time.Duration // the p99 of gets at this node, as its clients had it
	Surveyed int           // questions of comparisons that it put to others
}

const slicesSteps = 3

// runSlices lets a disk turn slow three times: with the controller, without it, and with
// nothing in the background.
func runSlices(ctx context.Context, lab *Lab) (Section, error) {
	if lab.SlowDisk == nil {
		return Section{}, errors.New("there is no simulator to run it in")
	}
	var runs [3]*SlowDisk
	for i := range runs {
		var err error
		if runs[i], err = lab.SlowDisk(ctx, Background(i)); err != nil {
			return Section{}, err
		}
		lab.step()
	}
	with, without, alone := runs[Controlled], runs[Uncontrolled], runs[None]
	table := Table{Caption: "p99 of gets at the node, median of the parts, and questions of comparisons that it put", Head: []string{"", "well", "slow", "well again"}}
	for _, run := range []struct {
		name string
		of   *SlowDisk
	}{{"with the controller", with}, {"without", without}, {"nothing in the background", alone}} {
		table.Rows = append(table.Rows, row(run.name, run.of))
	}
	return Section{
		Item: "section 6.5",
		How: fmt.Sprintf("Simulated, on virtual time: three nodes of the real core with 400 keys on all of them, 21 gets a second at one node, which compares what it holds and reads it back all the time. "+
			"After %v every read of its disk takes %v, until %v. While it reads it does nothing else, as a shard does. Once with the controller, once without, and once with nothing in the background.", with.From, with.Reads, with.To),
		Plots: []Plot{{
			Title: "Slices and p99 while a disk is slow", X: "seconds", Y: "slices; ms", LogY: true,
			Series: []Series{
				curve("slices of the pool", with, func(p *SlowDiskPart) float64 { return float64(p.Slices) }),
				curve("p99 of the engine's reads for clients in a minute, ms", with, func(p *SlowDiskPart) float64 { return milliseconds(p.Read) }),
				curve("p99 of gets with the controller, ms", with, gets),
				curve("p99 of gets without it, ms", without, gets),
			},
		}},
		Tables: []Table{table},
		Differs: "The paper describes the controller and shows no figure of it: the 99th percentile of the database's reads over the last 60 s against a threshold, say 50 ms, decides how many time slices there are for the background. Ours goes by " +
			"the same percentile, window and threshold, and by the waits of queues. It differs in what a slice is: not a lease of time, but a sixteenth of the pace that is configured for a kind of work; each kind keeps one, so that replicas become equal however slow the disk is. " +
			"The slices fall within seconds, and come back when the slow minute has left the window. That floor is what gets still pay on a disk that is slow: where nothing else is done they take one read of it, and beside a comparison several.",
	}, nil
}

func gets(p *SlowDiskPart) float64 { return milliseconds(p.Gets) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// curve draws one number of each part.
func curve(name string, d *SlowDisk, of func(p *SlowDiskPart) float64) Series {
	s := Series{Name: name}
	for i := range d.Parts {
		s.Points = append(s.Points, Point{d.Parts[i].At.Seconds(), of(&d.Parts[i])})
	}
	return s
}

// row tells the p99 and how much was compared before, while and after the disk was slow.
func row(name string, d *SlowDisk) []string {
	cells := []string{name}
	for _, span := range d.Spans() {
		asked := 0
		for i := range span {
			asked += span[i].Surveyed
		}
		cells = append(cells, fmt.Sprintf("%.1f ms, %.1f a second", milliseconds(Typical(span)), float64(asked)/(float64(len(span))*d.Each().Seconds())))
	}
	return cells
}

// Typical is the median of the p99 of gets.
func Typical(parts []SlowDiskPart) time.Duration {
	gets := make([]time.Duration, len(parts))
	for i := range parts {
		gets[i] = parts[i].Gets
	}
	slices.Sort(gets)
	return gets[len(gets)/2]
}

// Each is how long a part is.
func (d *SlowDisk) Each() time.Duration { return d.Parts[0].At }

// Spans are the parts before the disk was slow, those while it was, and those at the end
// when it had been well for as long as it was before.
func (d *SlowDisk) Spans() (spans [3][]SlowDiskPart) {
	end := d.Parts[len(d.Parts)-1].At
	for _, p := range d.Parts {
		switch {
		case p.At <= d.From:
			spans[0] = append(spans[0], p)
		case p.At > d.From+d.Each() && p.At <= d.To:
			spans[1] = append(spans[1], p)
		case p.At > end-d.From:
			spans[2] = append(spans[2], p)
		}
	}
	return spans
}

package paper

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ourodb/ouro/internal/bench"
)

// TestPlotIsWellFormed: what a plot draws is XML with every point in its field,
// whatever its values.
func TestPlotIsWellFormed(t *testing.T) {
	for name, p := range map[string]Plot{
		"nothing":   {Title: "a <plot> & \"nothing\""},
		"one point": {Series: []Series{{Name: "x", Points: []Point{{3, 3}}}}},
		"logs":      {LogX: true, LogY: true, Series: []Series{{Points: []Point{{1, 0}, {10, .1}, {1000, 300}}}, {Paper: true, Points: []Point{{5, 5}}}}},
		"fixed":     {YMin: 0, YMax: 1, Series: []Series{{Points: []Point{{0, .5}, {1, 1}}}}},
	} {
		d := xml.NewDecoder(strings.NewReader(string(p.SVG())))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, p.SVG())
				break
			}
		}
		if svg := string(p.SVG()); strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: not every place is a number:\n%s", name, svg)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		a    axis
		want int // marks at least, twice as many at most
	}{{axis{low: 0, top: 1}, 5}, {axis{low: 3, top: 97}, 4}, {axis{low: 60, top: 30720, log: true}, 8}, {axis{low: .5, top: 1}, 5}} {
		ticks := c.a.ticks()
		if len(ticks) < c.want || len(ticks) > 2*c.want {
			t.Errorf("%+v has the marks %v", c.a, ticks)
		}
		for _, v := range ticks {
			if v < c.a.low*.99 || v > c.a.top*1.01 {
				t.Errorf("%+v: the mark %v is outside", c.a, v)
			}
		}
	}
}

// TestFailedExperimentIsOnThePage: one that can't be run takes the others with it
// neither from the run nor from the page.
func TestFailedExperimentIsOnThePage(t *testing.T) {
	lab := &Lab{Quick: true, Cluster: func(context.Context, int) (Cluster, error) { return nil, errors.New("no room for a cluster") }}
	r := Report{Version: "v", Begun: time.Unix(0, 0)}
	for _, e := range Experiments() {
		if e.Name == "sla" || e.Name == "figure6" {
			r.Sections = append(r.Sections, e.Run(t.Context(), lab))
		}
	}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"no room for a cluster", "<svg", "out of balance, 120 nodes"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, link := range []string{"src=", "http://", "https://", "@import"} {
		if strings.Contains(b.String(), link) {
			t.Errorf("the page asks for something elsewhere: %s", link)
		}
	}
}

// TestSlices: the section tells what was seen before, while and after the disk was slow,
// and can't be made where there is nothing to run it in.
func TestSlices(t *testing.T) {
	lab := &Lab{SlowDisk: func(_ context.Context, b Background) (*SlowDisk, error) {
		d := &SlowDisk{From: 20 * time.Second, To: 50 * time.Second, Reads: time.Second}
		for at := 10 * time.Second; at <= 90*time.Second; at += 10 * time.Second {
			p := SlowDiskPart{At: at, Slices: 80, Most: 80, Gets: time.Millisecond, Surveyed: 100}
			if slow := at > d.From && at <= d.To; slow && b == Controlled {
				p.Slices, p.Gets, p.Surveyed = 5, 20*time.Millisecond, 6
			} else if slow && b == Uncontrolled {
				p.Gets = 200 * time.Millisecond
			} else if slow {
				p.Gets, p.Surveyed = 10*time.Millisecond, 0
			}
			d.Parts = append(d.Parts, p)
		}
		return d, nil
	}}
	s, err := runSlices(t.Context(), lab)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"with the controller", "1.0 ms, 10.0 a second", "20.0 ms, 0.6 a second", "1.0 ms, 10.0 a second"},
		{"without", "1.0 ms, 10.0 a second", "200.0 ms, 10.0 a second", "1.0 ms, 10.0 a second"},
		{"nothing in the background", "1.0 ms, 10.0 a second", "10.0 ms, 0.0 a second", "1.0 ms, 10.0 a second"},
	}
	for i, row := range s.Tables[0].Rows {
		if strings.Join(row, "|") != strings.Join(want[i], "|") {
			t.Errorf("%q, not %q", row, want[i])
		}
	}
	for _, c := range s.Plots[0].Series {
		if len(c.Points) != 9 {
			t.Errorf("%s has %d points", c.Name, len(c.Points))
		}
	}
	if s.Differs == "" || len(s.Plots[0].Series) != 4 {
		t.Errorf("%+v", s)
	}
	if _, err := runSlices(t.Context(), &Lab{}); err == nil {
		t.Error("run in nothing")
	}
}

// TestCurves: what is drawn of a load and of siblings is what was measured; what never
// was is left out.
func TestCurves(t *testing.T) {
	h := &histogram{}
	for range 98 {
		h.note(0)
	}
	h.note(3)
	h.note(9)
	if got := h.curve("x").Points; !slices.Equal(got, []Point{{1, 98}, {3, 1}, {5, 1}}) {
		t.Errorf("siblings: %v", got)
	}
	if got := slaCurve("x", bench.VerbStat{P50: 1000, P99: 20_000, P999: 300_000}).Points; !slices.Equal(got, []Point{{2, 1}, {100, 20}, {1000, 300}}) {
		t.Errorf("load: %v", got)
	}
}

// TestBalanceFollowsLoad: nodes are out of balance when load is low, and fewer of them
// when it is high (section 6.2 of the paper, 6.2.2), however many nodes there are.
func TestBalanceFollowsLoad(t *testing.T) {
	for _, nodes := range []int{9, 30, 120} {
		curve, low, high, err := imbalance(t.Context(), &Lab{}, nodes)
		t.Logf("%d nodes: %.3f of them are out of balance at low load, %.3f at high load", nodes, low, high)
		if err != nil || len(curve.Points) != halfHours || low < 1.5*high || low < .05 || low > .4 || high > .15 {
			t.Errorf("%d nodes: %.3f of them are out of balance at low load, %.3f at high load, %v", nodes, low, high, err)
		}
	}
}

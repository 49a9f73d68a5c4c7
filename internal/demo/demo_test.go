package demo

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/ourodb/ouro/internal/sim"
)

// Every demonstration that is simulated shows what is expected.
func TestDemos(t *testing.T) {
	for i, d := range Demos() {
		if d.N != i+1 {
			t.Fatalf("number %d is in the place of %d", d.N, i+1)
		}
		if d.Play == nil || d.Long {
			continue
		}
		t.Run(d.Title, func(t *testing.T) {
			var out bytes.Buffer
			if err := d.Run(&out); err != nil {
				t.Errorf("%v\n%s", err, &out)
			}
			if !strings.Contains(out.String(), "seen") {
				t.Errorf("it shows nothing:\n%s", &out)
			}
		})
	}
}

// One that shows something else fails, and says what.
func TestFailedDemo(t *testing.T) {
	d := Demo{Play: func(s *Scene) {
		s.begin(sim.Config{})
		s.expect("the sum", 4, 5)
	}}
	var out bytes.Buffer
	if err := d.Run(&out); !errors.Is(err, ErrFailed) || !strings.Contains(out.String(), "the sum: expected 4, SEEN 5") {
		t.Errorf("%v: %s", err, &out)
	}
}

// What takes minutes with two hundred nodes is the same with twenty.
func TestManyNodes(t *testing.T) {
	var out bytes.Buffer
	d := Demo{Play: manyNodes(20, 64)}
	if err := d.Run(&out); err != nil || strings.Count(out.String(), "seen") != 5 {
		t.Errorf("%v\n%s", err, &out)
	}
}

// There is one way to run each.
func TestEveryDemoIsListed(t *testing.T) {
	all := Demos()
	if len(all) != 22 {
		t.Errorf("there are %d demonstrations of 22", len(all))
	}
	for _, d := range all {
		ways := 0
		for _, is := range []bool{d.Play != nil, d.Command != nil, d.Live != nil} {
			if is {
				ways++
			}
		}
		if ways != 1 || d.Title == "" || d.Items == "" {
			t.Errorf("demo %d: %+v", d.N, d)
		}
	}
}

// What the simulated nodes of the paper's page find of staleness is what they predict,
// roughly where it is quick.
func TestStaleness(t *testing.T) {
	s, err := Staleness(t.Context(), true)
	if err != nil || len(s.Curves) != 4 {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, c := range s.Curves {
		for i := range s.Delays {
			share := float64(c.Stale[i]) / float64(c.Reads[i])
			if c.Reads[i] < 20 || share < c.Predicted[i]-.25 || share > c.Predicted[i]+.25 || c.R+c.W > 3 && share > 0 {
				t.Errorf("r=%d w=%d after %v: %d of %d stale, %.2f predicted", c.R, c.W, s.Delays[i], c.Stale[i], c.Reads[i], c.Predicted[i])
			}
		}
	}
}

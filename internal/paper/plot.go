package paper

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
)

// The size of a plot, and what is round its field.
const (
	width, height            = 720, 360
	left, right, top, bottom = 64, 16, 28, 48
	legendLine               = 18
)

// axis maps values to places.
type axis struct {
	log      bool
	low, top float64 // values
	from, to float64 // places
}

func (a axis) at(v float64) float64 {
	low, high := a.low, a.top
	if a.log {
		v, low, high = math.Log10(max(v, a.low)), math.Log10(low), math.Log10(high)
	}
	return a.from + (v-low)/(high-low)*(a.to-a.from)
}

// ticks are values worth a mark: powers of ten, or round steps.
func (a axis) ticks() (at []float64) {
	if a.log {
		for p := math.Floor(math.Log10(a.low)); p <= math.Ceil(math.Log10(a.top)); p++ {
			for _, m := range []float64{1, 2, 5} {
				if v := m * math.Pow(10, p); v >= a.low*.999 && v <= a.top*1.001 {
					at = append(at, v)
				}
			}
		}
		return at
	}
	step := math.Pow(10, math.Floor(math.Log10((a.top-a.low)/5)))
	for _, m := range []float64{1, 2, 5, 10} {
		if (a.top-a.low)/(step*m) <= 7 {
			step *= m
			break
		}
	}
	for v := math.Ceil(a.low/step) * step; v <= a.top+step/1000; v += step {
		at = append(at, v)
	}
	return at
}

// SVG draws the plot. Colours come from the page, for dark and for light.
func (p Plot) SVG() template.HTML {
	x, y := p.axes()
	var b strings.Builder
	tall := height + legendLine*len(p.Series)
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-label="%s">`, width, tall, html.EscapeString(p.Title))
	fmt.Fprintf(&b, `<text class="title" x="%d" y="18">%s</text>`, left, html.EscapeString(p.Title))
	p.frame(&b, x, y)
	for i, s := range p.Series {
		s.draw(&b, i, x, y)
		s.legend(&b, i)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// axes span all points.
func (p Plot) axes() (x, y axis) {
	x = axis{log: p.LogX, low: math.Inf(1), top: math.Inf(-1), from: left, to: width - right}
	y = axis{log: p.LogY, low: math.Inf(1), top: math.Inf(-1), from: height - bottom, to: top}
	for _, s := range p.Series {
		for _, q := range s.Points {
			x.low, x.top = min(x.low, q.X), max(x.top, q.X)
			if !p.LogY || q.Y > 0 {
				y.low, y.top = min(y.low, q.Y), max(y.top, q.Y)
			}
		}
	}
	if p.YMax > p.YMin {
		y.low, y.top = p.YMin, p.YMax
	}
	return x.open(), y.open()
}

// open makes an axis one that has an extent.
func (a axis) open() axis {
	switch {
	case a.low > a.top:
		a.low, a.top = 1, 2
	case a.low == a.top:
		a.top++
	}
	return a
}

func (p Plot) frame(b *strings.Builder, x, y axis) {
	for _, v := range x.ticks() {
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, x.at(v), top, x.at(v), height-bottom)
		fmt.Fprintf(b, `<text class="tick" text-anchor="middle" x="%.1f" y="%d">%s</text>`, x.at(v), height-bottom+16, number(v))
	}
	for _, v := range y.ticks() {
		fmt.Fprintf(b, `<line class="grid" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`, left, y.at(v), width-right, y.at(v))
		fmt.Fprintf(b, `<text class="tick" text-anchor="end" x="%d" y="%.1f">%s</text>`, left-6, y.at(v)+4, number(v))
	}
	fmt.Fprintf(b, `<text class="axis" text-anchor="middle" x="%d" y="%d">%s</text>`, (left+width-right)/2, height-10, html.EscapeString(p.X))
	fmt.Fprintf(b, `<text class="axis" text-anchor="middle" transform="rotate(-90)" x="%d" y="14">%s</text>`, -(top+height-bottom)/2, html.EscapeString(p.Y))
}

func (s Series) draw(b *strings.Builder, i int, x, y axis) {
	var points []string
	for _, q := range s.Points {
		points = append(points, fmt.Sprintf("%.1f,%.1f", x.at(q.X), y.at(q.Y)))
		fmt.Fprintf(b, `<circle class="c%d" cx="%.1f" cy="%.1f" r="2.5"><title>%s: %s, %s</title></circle>`, i, x.at(q.X), y.at(q.Y), html.EscapeString(s.Name), number(q.X), number(q.Y))
	}
	fmt.Fprintf(b, `<polyline class="c%d%s" points="%s"/>`, i, s.dashed(), strings.Join(points, " "))
}

func (s Series) dashed() string {
	switch {
	case s.Paper:
		return " paper"
	case s.Model:
		return " model"
	}
	return ""
}

func (s Series) legend(b *strings.Builder, i int) {
	at := height + legendLine*i
	fmt.Fprintf(b, `<line class="c%d%s" x1="%d" y1="%d" x2="%d" y2="%d"/>`, i, s.dashed(), left, at+8, left+26, at+8)
	fmt.Fprintf(b, `<text class="tick" x="%d" y="%d">%s</text>`, left+34, at+12, html.EscapeString(s.Name))
}

// number prints a value in as few characters as tell it from its neighbours.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 10_000:
		return fmt.Sprintf("%.0fk", v/1000)
	case a >= 100 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case a >= 1:
		return fmt.Sprintf("%.1f", v)
	}
	return strings.TrimRight(fmt.Sprintf("%.6f", v), "0")
}

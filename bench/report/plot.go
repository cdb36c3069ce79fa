package report

import (
	"fmt"
	"math"
	"strings"
)

// Plot is a figure with logarithmic axes.
type Plot struct {
	Title, X, Y string
	Lines       []Line
}

// Line is one of a plot's series.
type Line struct {
	Name   string
	Points [][2]float64 // all positive
}

// The picture, in pixels.
const (
	width, height           = 760, 430
	left, right, top, below = 80, 190, 44, 56
)

// Colours that people with colour blindness can tell apart (Okabe and Ito).
var colours = []string{"#0072b2", "#000000", "#009e73", "#d55e00", "#cc79a7", "#e69f00"}

// SVG returns the plot as an SVG document.
func (p Plot) SVG() string {
	x0, x1 := p.span(0)
	y0, y1 := p.span(1)
	px := func(v float64) float64 { return left + (math.Log10(v)-x0)/(x1-x0)*(width-left-right) }
	py := func(v float64) float64 { return height - below - (math.Log10(v)-y0)/(y1-y0)*(height-top-below) }

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<text x="%d" y="24" font-size="15">%s</text>`+"\n", left, p.Title)
	for e := x0; e <= x1; e++ {
		v := math.Pow(10, e)
		fmt.Fprintf(&b, `<path d="M%.1f %d V%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			px(v), top, height-below, px(v), height-below+18, Count(int(v)))
	}
	for e := y0; e <= y1; e++ {
		v := math.Pow(10, e)
		fmt.Fprintf(&b, `<path d="M%d %.1f H%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n",
			left, py(v), width-right, left-8, py(v)+4, v)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", (left+width-right)/2, height-14, p.X)
	fmt.Fprintf(&b, `<text transform="translate(20 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", (top+height-below)/2, p.Y)
	for i, l := range p.Lines {
		colour := colours[i%len(colours)]
		var points strings.Builder
		for _, pt := range l.Points {
			fmt.Fprintf(&points, "%.1f,%.1f ", px(pt[0]), py(pt[1]))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>`+"\n", px(pt[0]), py(pt[1]), colour)
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.TrimSpace(points.String()), colour)
		y := top + 14 + 20*i
		fmt.Fprintf(&b, `<path d="M%d %d h22" stroke="%s" stroke-width="2"/><text x="%d" y="%d">%s</text>`+"\n",
			width-right+16, y-4, colour, width-right+44, y, l.Name)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// span returns the powers of ten around all values of an axis.
func (p Plot) span(axis int) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, l := range p.Lines {
		for _, pt := range l.Points {
			low, high = min(low, math.Floor(math.Log10(pt[axis]))), max(high, math.Ceil(math.Log10(pt[axis])))
		}
	}
	if low == high {
		high++
	}
	return low, high
}

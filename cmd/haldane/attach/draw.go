package attach

import (
	"math"
	"strings"

	"github.com/haldane-canary/haldane"
)

// bar draws how much of its limit a value has reached, over width cells. What
// is negative has reached nothing.
func bar(value, limit float64, width int) string {
	share := 0.0
	if limit > 0 && !math.IsNaN(value) {
		share = max(0, min(value/limit, 1))
	}
	full := int(share * float64(width))
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

// spark draws the latest of values, one cell each, over width cells. top is
// the value of a full cell; unknown values are left blank.
func spark(values []haldane.Number, top float64, width int) string {
	const levels = "▁▂▃▄▅▆▇█"
	steps := []rune(levels)
	if len(values) > width {
		values = values[len(values)-width:]
	}
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", width-len(values)))
	for _, v := range values {
		switch x := float64(v); {
		case math.IsNaN(x):
			b.WriteByte(' ')
		case top <= 0:
			b.WriteRune(steps[0])
		default:
			i := int(x / top * float64(len(steps)))
			b.WriteRune(steps[max(0, min(i, len(steps)-1))])
		}
	}
	return b.String()
}

// An axis is a stretch of ratios from 1/span to span, drawn logarithmically
// over width cells, so that twice as bad is as far from 1 as twice as good.
type axis struct {
	span  float64
	width int
}

// newAxis returns the narrowest of a few axes that shows all of the ratios
// that are known.
func newAxis(width int, ratios ...haldane.Number) axis {
	spans := []float64{1.25, 1.5, 2, 4, 10}
	for _, span := range spans {
		fits := true
		for _, r := range ratios {
			x := float64(r)
			fits = fits && (math.IsNaN(x) || x <= span && x >= 1/span)
		}
		if fits {
			return axis{span, width}
		}
	}
	return axis{spans[len(spans)-1], width}
}

// cell returns where ratio is on a, and whether it is on it at all. What is
// beyond an end is at that end.
func (a axis) cell(ratio haldane.Number) (i int, on bool) {
	x := float64(ratio)
	if math.IsNaN(x) {
		return 0, false
	}
	at := 0.5 // of the way; a ratio of 0 is infinitely far to the left
	if x <= 0 {
		at = math.Inf(-1)
	} else {
		at += math.Log(x) / math.Log(a.span) / 2
	}
	i = int(math.Round(max(0, min(at, 1)) * float64(a.width-1)))
	return i, at >= 0 && at <= 1
}

// interval draws the estimate ● with its interval ├──┤ on a, the ratio 1 ┊
// and the guard line ┃ that the interval must not cross to the right of. A
// bound that is not known, or beyond the axis, leaves the interval open there.
func (a axis) interval(estimate haldane.Number, in haldane.Interval, guard haldane.Number) string {
	cells := []rune(strings.Repeat("·", a.width))
	set := func(ratio haldane.Number, mark rune) {
		if i, on := a.cell(ratio); on {
			cells[i] = mark
		}
	}
	set(1, '┊')
	if known(in.Lower) || known(in.Upper) {
		from, lower := a.cell(in.Lower)
		to, upper := a.cell(in.Upper)
		if !known(in.Upper) {
			to = a.width - 1
		}
		for i := from; i <= to; i++ {
			cells[i] = '─'
		}
		if lower {
			cells[from] = '├'
		}
		if upper {
			cells[to] = '┤'
		}
	}
	set(guard, '┃')
	set(estimate, '●')
	return string(cells)
}

func known(x haldane.Number) bool { return !math.IsNaN(float64(x)) }

package attach

import (
	"fmt"
	"math"

	"charm.land/lipgloss/v2"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/figures"
)

// The widths of the parts of an indicator's lines, so that they fit 80 columns.
const (
	barWidth   = 10
	sparkWidth = 14
	labelWidth = 11
	valueWidth = 9
	countWidth = 13
	fixedWidth = labelWidth + valueWidth + countWidth
)

// indicator returns the four lines of e:
//
//	errors     pass                                      margin 1.1 and +0.1 %
//	  baseline 0.500 %  of 45,818 ▁▂▁▁▃▁▁▂▁▁▁  roll back ▕██░░░░░░░░▏ -1.2/4.6
//	  canary   0.585 %  of 2,394  ▁▁▅▁▁▂▁▁▁▁▁  promote   ▕██████████▏  3.9/3.0
//	  ratio    1.17 (0.61 … 1.94)  0.5 ····├───┊●─┃─────┤··· 2
func (m model) indicator(v haldane.Verdict, e haldane.Evidence) []string {
	t := m.theme
	left := t.strong.Render(e.Name) + pad(e.Name, labelWidth) + t.judgement(e.Judgement).Render(e.Judgement.String())
	if e.Needs.Requests > 0 && e.Judgement == haldane.Undecided && m.status.Phase.Running() {
		left += ", needs " + figures.Needs(e.Needs)
	}
	h := m.history.by[e.Name]
	if h == nil {
		h = &history{}
	}
	wide := sparkWidth + max(0, m.width-80) // a wider terminal shows a longer past
	top := h.top(wide)
	if e.Name != haldane.Errors {
		top *= 1.5 // what hardly moves shall not look like an alarm
	}
	back, forth := -math.Log(v.Alpha), -math.Log(v.AlphaPromote)
	danger := t.faint
	if e.LogE > back/2 {
		danger = t.bad
	}
	return []string{
		m.sides(left, t.faint.Render("margin "+figures.Margin(e.Margin))),
		arm("  baseline", e.Name, e.Estimate.Baseline, v.Baseline) + spark(h.tracks[haldane.Baseline], top, wide) +
			"  roll back " + limit(danger, e.LogE, back),
		arm("  canary", e.Name, e.Estimate.Canary, v.Canary) + spark(h.tracks[haldane.Canary], top, wide) +
			"  promote   " + limit(t.good, e.LogEPromote, forth),
		m.ratio(e),
	}
}

// pad returns the spaces that fill s up to width.
func pad(s string, width int) string {
	return fmt.Sprintf("%*s", max(1, width-lipgloss.Width(s)), "")
}

// arm returns what is known of one track.
func arm(label, indicator string, x haldane.Number, n haldane.Totals) string {
	value, count := figures.Value(indicator, x), "of "+figures.Count(n.N)
	return label + pad(label, labelWidth) + value + pad(value, valueWidth) + count + pad(count, countWidth)
}

// limit returns how near the evidence is to what it must reach: natural logs
// of e-values, and the log of 1/alpha.
func limit(style lipgloss.Style, logE, limit float64) string {
	if math.Abs(logE) < 0.05 {
		logE = 0 // rather than -0.0
	}
	return "▕" + style.Render(bar(logE, limit, barWidth)) + "▏" + fmt.Sprintf("%5.1f/%.1f", logE, limit)
}

// ratio returns the estimated ratio with its interval and the guard line: the
// ratio beyond which the canary is rolled back.
func (m model) ratio(e haldane.Evidence) string {
	r, in := e.Estimate.Ratio, e.Interval
	label := "  ratio"
	text := label + pad(label, labelWidth) + fmt.Sprintf("%s (%s … %s)", figures.Ratio(r), figures.Ratio(in.Lower), figures.Ratio(in.Upper))
	text += pad(text, fixedWidth)
	guard := haldane.Number(e.Margin.Ratio)
	a := newAxis(max(10, m.width-lipgloss.Width(text)-10), r, in.Lower, in.Upper, guard)
	return text + m.theme.faint.Render(fmt.Sprintf("%4.3g ", 1/a.span)) +
		a.interval(r, in, guard) + m.theme.faint.Render(fmt.Sprintf(" %-4.3g", a.span))
}

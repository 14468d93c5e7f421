package analyzer

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/haldane-canary/haldane"
)

// reason returns v in plain words: what was seen, against what limit, and what
// it means.
func (t *Trial) reason(v *haldane.Verdict) string {
	if t.splitBroken() {
		return fmt.Sprintf("the split is not sound: the canary was served %v of the requests of this epoch; "+
			"no comparison is believed", v.Served)
	}
	var parts []string
	for i := range v.Indicators {
		e := &v.Indicators[i]
		if v.Judgement == haldane.Fail && e.Judgement != haldane.Fail {
			continue
		}
		parts = append(parts, t.sentence(v, e))
	}
	return strings.Join(parts, "; ")
}

// sentence says what e amounts to.
func (t *Trial) sentence(v *haldane.Verdict, e *haldane.Evidence) string {
	s := fmt.Sprintf("%s: canary %s against baseline %s", e.Name,
		value(e.Name, e.Estimate.Canary), value(e.Name, e.Estimate.Baseline))
	if r := float64(e.Estimate.Ratio); !math.IsNaN(r) && !math.IsInf(r, 0) {
		s += fmt.Sprintf(" (ratio %.3g, %.4g %% interval %s to %s)", r, 100*(1-v.Alpha),
			bound(e.Interval.Lower, "0"), bound(e.Interval.Upper, "∞"))
	}
	switch {
	case e.Judgement == haldane.Fail:
		s += fmt.Sprintf(", worse than the tolerated %s: log e %.1f, limit %.1f, after %d requests (%d canary)",
			marginWords(e.Margin), e.LogE, math.Log(1/v.Alpha), v.Observations, v.CanaryObservations)
	case e.Judgement == haldane.Pass:
		s += fmt.Sprintf(", not worse than %s: log e %.1f, limit %.1f",
			marginWords(e.Promote), e.LogEPromote, math.Log(1/v.AlphaPromote))
	case e.LogE >= math.Log(1/v.AlphaPromote):
		s += fmt.Sprintf(", looks worse than %s (log e %.1f of %.1f): held back until that is settled",
			marginWords(e.Margin), e.LogE, math.Log(1/v.Alpha))
	default:
		s += fmt.Sprintf(", not yet known to be within %s (log e %.1f of %.1f): needs about %d more requests",
			marginWords(e.Promote), e.LogEPromote, math.Log(1/v.AlphaPromote), e.Needs.Requests)
	}
	return s
}

// value writes an estimate as people read it: a percentage, or a duration.
func value(indicator string, n haldane.Number) string {
	f := float64(n)
	switch {
	case math.IsNaN(f):
		return "nothing"
	case indicator == haldane.Latency:
		return time.Duration(f * float64(time.Second)).Round(10 * time.Microsecond).String()
	}
	return fmt.Sprintf("%.3g %%", 100*f)
}

func bound(n haldane.Number, none string) string {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return none
	}
	return fmt.Sprintf("%.3g", f)
}

// marginWords writes a margin: "×1.1 and +0.1 points".
func marginWords(m haldane.Margin) string {
	s := fmt.Sprintf("×%.3g", m.Ratio)
	if m.Floor > 0 {
		s += fmt.Sprintf(" and +%.3g points", 100*m.Floor)
	}
	return s
}

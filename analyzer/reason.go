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

// sentence says what e amounts to: short, since the numbers stand beside it in
// every table, but for a failure, which must explain itself wherever it is read.
func (t *Trial) sentence(v *haldane.Verdict, e *haldane.Evidence) string {
	s := fmt.Sprintf("%s: canary %s against baseline %s", e.Name,
		value(e.Name, e.Estimate.Canary), value(e.Name, e.Estimate.Baseline))
	if math.IsNaN(float64(e.Estimate.Canary)) && math.IsNaN(float64(e.Estimate.Baseline)) {
		s = e.Name + ": nothing counted yet"
	}
	limit, promoteLimit := math.Log(1/v.Alpha), math.Log(1/v.AlphaPromote)
	switch {
	case e.Judgement == haldane.Fail:
		return s + fmt.Sprintf("%s, worse than the tolerated %s: log e %.1f, limit %.1f, after %d requests (%d canary)",
			effectWords(v, e), marginWords(e.Margin), e.LogE, limit, v.Observations, v.CanaryObservations)
	case e.Judgement == haldane.Pass:
		return s + fmt.Sprintf(", not worse than %s (log e %.1f, limit %.1f)", marginWords(e.Promote), e.LogEPromote, promoteLimit)
	case e.LogE >= promoteLimit:
		return s + fmt.Sprintf("%s, looks worse than %s (log e %.1f, limit %.1f): held back until that is settled",
			effectWords(v, e), marginWords(e.Margin), e.LogE, limit)
	case e.Needs.Requests >= maxNeeds:
		return s + fmt.Sprintf(", too far from %s for any traffic to show it", marginWords(e.Promote))
	}
	return s + fmt.Sprintf(", about %d more requests to show it within %s", e.Needs.Requests, marginWords(e.Promote))
}

// effectWords writes the ratio and its interval, where there is one.
func effectWords(v *haldane.Verdict, e *haldane.Evidence) string {
	r := float64(e.Estimate.Ratio)
	if math.IsNaN(r) || math.IsInf(r, 0) {
		return ""
	}
	return fmt.Sprintf(" (ratio %.3g, %.4g %% interval %s to %s)", r, 100*(1-v.Alpha),
		bound(e.Interval.Lower, "0"), bound(e.Interval.Upper, "∞"))
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
	if f >= 1000 {
		return "over 1000"
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

package analyzer

import (
	"fmt"
	"math"
	"strings"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/figures"
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
		figures.Value(e.Name, e.Estimate.Canary), figures.Value(e.Name, e.Estimate.Baseline))
	if math.IsNaN(float64(e.Estimate.Canary)) && math.IsNaN(float64(e.Estimate.Baseline)) {
		s = e.Name + ": nothing counted yet"
	}
	limit, promoteLimit := math.Log(1/v.Alpha), math.Log(1/v.AlphaPromote)
	switch {
	case e.Judgement == haldane.Fail:
		return s + t.givenUpWords(e) + fmt.Sprintf("%s, worse than the tolerated %s: log e %.1f, limit %.1f, after %d requests (%d canary)",
			effectWords(v, e), figures.Margin(e.Margin), e.LogE, limit, v.Observations, v.CanaryObservations)
	case e.Judgement == haldane.Pass:
		return s + fmt.Sprintf(", not worse than %s (log e %.1f, limit %.1f)", figures.Margin(e.Promote), e.LogEPromote, promoteLimit)
	case e.LogEPromote >= promoteLimit:
		return s + fmt.Sprintf("%s, good enough for %s, but leaning towards worse than %s (log e %.1f, limit %.1f): held back until that is settled",
			effectWords(v, e), figures.Margin(e.Promote), figures.Margin(e.Margin), e.LogE, limit)
	case e.Needs.Requests >= maxNeeds:
		return s + fmt.Sprintf(", too far from %s for any traffic to show it", figures.Margin(e.Promote))
	}
	return s + fmt.Sprintf(", about %d more requests to show it within %s", e.Needs.Requests, figures.Margin(e.Promote))
}

// effectWords writes the ratio and its interval, where there is one.
func effectWords(v *haldane.Verdict, e *haldane.Evidence) string {
	if r := float64(e.Estimate.Ratio); math.IsNaN(r) || math.IsInf(r, 0) {
		return ""
	}
	upper := "∞"
	if !math.IsInf(float64(e.Interval.Upper), 1) {
		upper = figures.Ratio(e.Interval.Upper)
	}
	return fmt.Sprintf(" (ratio %s, %.4g %% interval %s to %s)", figures.Ratio(e.Estimate.Ratio), 100*(1-v.Alpha),
		figures.Ratio(e.Interval.Lower), upper)
}

// givenUpWords says how many requests were given up by their clients, where it
// is them that the canary failed by.
func (t *Trial) givenUpWords(e *haldane.Evidence) string {
	for _, i := range t.indicators {
		if i.Name != e.Name || len(i.harm) < 2 {
			continue
		}
		if logs, _ := i.groupLogs(t); logs[1] <= logs[0]+1 {
			continue
		}
		var gone [haldane.NumTracks]uint64
		for k := range t.epochs {
			for track := range gone {
				gone[track] += t.epochs[k].tracks[track].Canceled
			}
		}
		return fmt.Sprintf(", and requests given up by their clients: %s of the canary's against %s of the baseline's",
			figures.Count(gone[haldane.Canary]), figures.Count(gone[haldane.Baseline]))
	}
	return ""
}

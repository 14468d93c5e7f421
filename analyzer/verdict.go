package analyzer

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer/evalue"
)

// Verdict returns the verdict as of at, the time of the last observation, with
// all its evidence but for Counts; see Tape. Intervals cost some tens of
// milliseconds: ask for Judgement between verdicts that somebody reads.
func (t *Trial) Verdict(at time.Time) haldane.Verdict {
	judgement, harm, fine := t.judge()
	totals := t.totals()
	v := haldane.Verdict{
		Judgement: judgement, At: at, Service: t.spec.Service, Rollout: t.spec.Rollout,
		Step: max(t.step, 0), Alpha: t.spec.Alpha, AlphaPromote: t.spec.AlphaPromote,
		Observations:       totals[haldane.Baseline].N + totals[haldane.Canary].N,
		CanaryObservations: totals[haldane.Canary].N,
		Baseline:           totals[haldane.Baseline], Canary: totals[haldane.Canary],
		Warnings: []string{},
	}
	if e := t.present(); e != nil {
		v.Epoch, v.Served = e.Epoch, served(e)
	}
	culprits := t.culprits(judgement, harm)
	for k, i := range t.indicators {
		e := haldane.Evidence{
			Name: i.Name, LogE: harm[k], LogEPromote: fine[k], Margin: i.Margin, Promote: i.promote,
		}
		e.Judgement = t.indicatorJudgement(culprits[k], harm[k], fine[k])
		e.Estimate, e.Interval = t.effect(i)
		if judgement == haldane.Undecided && e.Judgement == haldane.Undecided {
			e.Needs = haldane.Needs{Requests: t.needs(i)}
		}
		v.Needs.Requests = max(v.Needs.Requests, e.Needs.Requests)
		v.Indicators = append(v.Indicators, e)
	}
	v.Warnings = append(v.Warnings, t.warnings()...)
	v.Reason = t.reason(&v)
	return v
}

// Tape returns the counts that the trial's verdicts are made from, as JSON,
// for Replay.
func (t *Trial) Tape() (json.RawMessage, error) {
	b, err := json.Marshal(Tape{Last: t.spec.lastStep(t.step), Segments: t.segments()})
	if err != nil {
		return nil, fmt.Errorf("encode the tape of %s: %w", t.spec.Rollout, err)
	}
	return b, nil
}

// present returns the latest weight epoch; of several weights in it, as a
// recording may have, the one with the most observations. nil before the first.
func (t *Trial) present() *epochCounts {
	var best *epochCounts
	size := func(e *epochCounts) uint64 {
		return e.tracks[haldane.Baseline].drawn() + e.tracks[haldane.Canary].drawn()
	}
	for i := range t.epochs {
		e := &t.epochs[i]
		if best == nil || e.Epoch > best.Epoch || e.Epoch == best.Epoch && size(e) > size(best) {
			best = e
		}
	}
	return best
}

// served returns the canary's share of the requests assigned in e.
func served(e *epochCounts) haldane.Weight {
	b, c := &e.tracks[haldane.Baseline], &e.tracks[haldane.Canary]
	all := b.drawn() + c.drawn()
	if all == 0 {
		return 0
	}
	return haldane.Weight(math.Round(float64(c.drawn()) / float64(all) * float64(haldane.FullWeight)))
}

// culprits returns which indicators a failure can be laid at: those that every
// hypothesis containing them is rejected with. It is the closed test of
// averaged e-values (Vovk and Wang 2021, "E-values: calibration, combination
// and applications", Annals of Statistics 49(3), section 5 and algorithm 1):
// whichever others are let off, the average of the rest with it reaches 1/alpha.
func (t *Trial) culprits(j haldane.Judgement, harm []float64) []bool {
	out := make([]bool, len(harm))
	if j != haldane.Fail {
		return out
	}
	limit := math.Log(1 / t.spec.Alpha)
	for k := range harm {
		out[k] = true
		// The hardest companions are all those that pull the average down most:
		// with few indicators every set is tried.
		for set := range 1 << len(harm) {
			if set&(1<<k) == 0 {
				continue
			}
			var logs []float64
			for other := range harm {
				if set&(1<<other) != 0 {
					logs = append(logs, harm[other])
				}
			}
			out[k] = out[k] && evalue.Equal(len(logs)).LogE(logs) >= limit
		}
	}
	return out
}

func (t *Trial) indicatorJudgement(culprit bool, harm, fine float64) haldane.Judgement {
	promoteLimit := math.Log(1 / t.spec.AlphaPromote)
	switch {
	case culprit:
		return haldane.Fail
	case fine >= promoteLimit && !leans(harm):
		return haldane.Pass
	}
	return haldane.Undecided
}

// effect returns the estimate and the interval of an indicator.
func (t *Trial) effect(i *indicator) (haldane.Estimate, haldane.Interval) {
	if i.Name == haldane.Errors {
		return t.errorsEffect()
	}
	return t.latencyEffect()
}

func (t *Trial) errorsEffect() (haldane.Estimate, haldane.Interval) {
	totals := t.totals()
	share := func(c haldane.Totals) float64 { return float64(c.Errors) / float64(c.N) } // NaN if nothing was seen
	b, c := share(totals[haldane.Baseline]), share(totals[haldane.Canary])
	strata := t.strata()
	lower, upper := evalue.RatioInterval(strata, t.spec.Alpha)
	est := haldane.Estimate{
		Baseline: haldane.Number(b), Canary: haldane.Number(c),
		Ratio: haldane.Number(evalue.RatioEstimate(strata)), Difference: haldane.Number(c - b),
	}
	return est, haldane.Interval{Lower: haldane.Number(lower), Upper: haldane.Number(upper)}
}

// strata returns the failures of each epoch; where the weight was not told, it
// is the share seen.
func (t *Trial) strata() []evalue.Stratum {
	var out []evalue.Stratum
	for i := range t.epochs {
		e := &t.epochs[i]
		b, c := &e.tracks[haldane.Baseline], &e.tracks[haldane.Canary]
		w := e.Weight
		if w == 0 && b.N+c.N > 0 {
			w = float64(c.N) / float64(b.N+c.N)
		}
		if w > 0 && w < 1 {
			out = append(out, evalue.Stratum{Weight: w, Baseline: b.Errors, Canary: c.Errors})
		}
	}
	return out
}

// warnings returns the doubts that go with the verdict.
func (t *Trial) warnings() []string {
	var out []string
	estimated := false
	for i := range t.epochs {
		estimated = estimated || t.epochs[i].Weight == 0
	}
	if estimated {
		out = append(out, "the weight was not given: it is estimated from the share of canary observations, "+
			"so that alpha holds only approximately and a broken split cannot be noticed; give --weight")
	}
	if t.splitBroken() {
		out = append(out, fmt.Sprintf("the canary did not get the share of requests that its weight says (p < %g): "+
			"nothing can be concluded until the split is sound", splitAlpha))
	}
	return out
}

package evalue

import "math"

// A Stratum is the count of one kind of outcome (failures) by track, while the
// canary was drawn with probability Weight in (0, 1).
type Stratum struct {
	Weight           float64
	Baseline, Canary uint64
}

// ratioGrid are the ratios over which RatioInterval spreads its stake: wide
// enough for anything between "a hundredth" and "a hundred times".
var ratioGrid = []float64{
	0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 30, 100,
}

// logLikelihood is of the ratio r, given how many outcomes there were.
func logLikelihood(strata []Stratum, r float64) float64 {
	sum := 0.0
	for _, s := range strata {
		q := CanaryShare(s.Weight, r)
		if s.Canary > 0 {
			sum += float64(s.Canary) * math.Log(q)
		}
		if s.Baseline > 0 {
			sum += float64(s.Baseline) * math.Log1p(-q)
		}
	}
	return sum
}

// RatioEstimate returns the ratio canary / baseline under which the counts are
// likeliest: +Inf if only the canary had any, NaN if neither had.
func RatioEstimate(strata []Stratum) float64 {
	b, c := uint64(0), uint64(0)
	for _, s := range strata {
		b, c = b+s.Baseline, c+s.Canary
	}
	switch {
	case b == 0 && c == 0:
		return math.NaN()
	case b == 0:
		return math.Inf(1)
	case c == 0:
		return 0
	}
	// The score Σ canary - (canary+baseline)·q(r) falls as r grows.
	score := func(logR float64) float64 {
		sum, r := 0.0, math.Exp(logR)
		for _, s := range strata {
			sum += float64(s.Canary) - float64(s.Canary+s.Baseline)*CanaryShare(s.Weight, r)
		}
		return sum
	}
	return math.Exp(bisect(score, -maxLogRatio, maxLogRatio))
}

// maxLogRatio bounds the search for a ratio: e^20 is half a thousand million.
const maxLogRatio = 20

// bisect returns where f, which falls, crosses 0 in [lo, hi].
func bisect(f func(float64) float64, lo, hi float64) float64 {
	for range 60 {
		mid := (lo + hi) / 2
		if f(mid) > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// RatioInterval returns bounds that hold the true ratio canary / baseline of
// the counted outcomes, at every moment at once, with probability at least
// 1-alpha: all r whose e-value
//
//	E(r) = Σ_k share_k · Π q(r_k)… / Π q(r)…
//
// stays below 1/alpha (method of mixtures; Robbins 1970, "Statistical methods
// related to the law of the iterated logarithm", eq. 4; Lindon and Malek 2022,
// section 4). The likelihood is unimodal in log r, so these are an interval:
// 0 and +Inf where the data give no bound.
func RatioInterval(strata []Stratum, alpha float64) (lower, upper float64) {
	best := RatioEstimate(strata)
	if math.IsNaN(best) {
		return 0, math.Inf(1)
	}
	wealth := make([]float64, len(ratioGrid))
	for k, r := range ratioGrid {
		wealth[k] = logLikelihood(strata, r)
	}
	need := Equal(len(ratioGrid)).LogE(wealth) - math.Log(1/alpha)
	inside := func(logR float64) float64 { return logLikelihood(strata, math.Exp(logR)) - need }
	peak := min(max(math.Log(best), -maxLogRatio), maxLogRatio)
	lower, upper = 0, math.Inf(1)
	if best > 0 && inside(-maxLogRatio) < 0 {
		lower = math.Exp(bisect(func(x float64) float64 { return -inside(x) }, -maxLogRatio, peak))
	}
	if !math.IsInf(best, 1) && inside(maxLogRatio) < 0 {
		upper = math.Exp(bisect(inside, peak, maxLogRatio))
	}
	return lower, upper
}

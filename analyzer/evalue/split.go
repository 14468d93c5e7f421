package evalue

import "math"

// splitPriors are how many observations the belief in the configured weight is
// worth before the first one: 10⁴ is the default of Optimizely's ssrm and finds
// small differences; the others find gross ones before anything else is judged.
var splitPriors = []float64{1, 100, 1e4}

// lgamma is log Γ(x) for x > 0.
func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// LogESplit returns the log of the e-value against "each of these requests
// went to the canary with probability w", having seen how many went where: the
// average over k of
//
//	log E = lB(a+n) - lB(a) - n_c·log w - n_b·log(1-w),  a = k·(w, 1-w),
//
// with lB the log of the Beta function (Lindon and Malek 2022, arXiv
// 2011.03567, eq. 9). 0 if w is not in (0, 1), for then nothing is drawn. The
// e-values of several weight epochs multiply.
func LogESplit(w float64, baseline, canary uint64) float64 {
	if !(w > 0 && w < 1) {
		return 0
	}
	nc, nb := float64(canary), float64(baseline)
	logs := make([]float64, len(splitPriors))
	for i, k := range splitPriors {
		ac, ab := k*w, k*(1-w)
		posterior := lgamma(ac+nc) + lgamma(ab+nb) - lgamma(k+nc+nb)
		prior := lgamma(ac) + lgamma(ab) - lgamma(k)
		logs[i] = posterior - prior - nc*math.Log(w) - nb*math.Log1p(-w)
	}
	return Equal(len(logs)).LogE(logs)
}

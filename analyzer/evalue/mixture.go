package evalue

import "math"

// A Mixture is the share of the first stake that each alternative gets, as
// logarithms. The shares are fixed before the first observation and sum to 1.
type Mixture []float64

// Equal returns the mixture of n equal shares.
func Equal(n int) Mixture {
	m := make(Mixture, n)
	for k := range m {
		m[k] = -math.Log(float64(n))
	}
	return m
}

// Shares returns the mixture of the given shares, scaled to sum to 1. They
// must be positive.
func Shares(shares ...float64) Mixture {
	sum := 0.0
	for _, s := range shares {
		sum += s
	}
	m := make(Mixture, len(shares))
	for k, s := range shares {
		m[k] = math.Log(s / sum)
	}
	return m
}

// LogE returns the logarithm of the mixed wealth Σ share·exp(wealth), without
// overflow; len(wealth) must be len(m). At wealth 0 everywhere it is 0 to the
// rounding of the shares. O(len(m)), no allocation.
func (m Mixture) LogE(wealth []float64) float64 {
	top := math.Inf(-1)
	for k, s := range wealth {
		top = max(top, m[k]+s)
	}
	if math.IsInf(top, -1) {
		return top
	}
	sum := 0.0
	for k, s := range wealth {
		sum += math.Exp(m[k] + s - top)
	}
	return top + math.Log(sum)
}

// Times returns n·x rounded to a float64, so that no compiler fuses it with an
// addition that follows: a fused sum is rounded once instead of twice, and a
// verdict replayed on another architecture would differ in its last bit (the
// Go specification, "Floating-point operators", allows fusing but across an
// explicit conversion).
func Times(n, x float64) float64 { return float64(n * x) }

package evalue

import (
	"math"

	"github.com/haldane-canary/haldane"
)

// A Bet is what one observation adds to the log-wealth, by the track that
// served it.
type Bet [haldane.NumTracks]float64

// clamp keeps the gambler from staking everything, so that no single
// observation can ruin it: q stays in [1e-6, 1-1e-6].
func clamp(q float64) float64 { return min(max(q, 1e-6), 1-1e-6) }

// CanaryShare returns the probability that an outcome came from the canary,
// drawn with probability w, if the canary has r times as many of them as the
// baseline has:
//
//	q(r) = w·r / (w·r + 1 - w)
//
// (Lindon and Malek 2022, arXiv 2011.03567, section 2: thinning). 0 < w < 1.
func CanaryShare(w, r float64) float64 {
	if math.IsInf(r, 1) {
		return 1
	}
	return w * r / (w*r + 1 - w)
}

// ShareBet returns the bet on one outcome of a kind (a failure) for the
// alternative that the canary has alt times as many of them as the baseline,
// against the null that it has at most (if alt > null) or at least (if
// alt < null) null times as many:
//
//	log(q(alt)/q(null)) on the canary, log((1-q(alt))/(1-q(null))) on the baseline.
//
// Its mean factor is 1 where the ratio is exactly null, and it moves with the
// ratio, so the wealth is an e-process for every ratio on null's side, even one
// that changes from request to request.
func ShareBet(w, null, alt float64) Bet {
	q0, q := clamp(CanaryShare(w, null)), clamp(CanaryShare(w, alt))
	return Bet{
		haldane.Canary:   math.Log(q / q0),
		haldane.Baseline: math.Log((1 - q) / (1 - q0)),
	}
}

// A FloorBet is a bet on the difference of two shares rather than their ratio:
// what a failure and a request that did not fail add to the log-wealth.
type FloorBet struct {
	Failed Bet
	Clean  float64 // the same on both tracks
}

// ExcessBet returns the bet against the null "the canary's share of failures
// is at most floor above the baseline's". For Y = 1 on a failure and Z = 1 on
// the canary, one request multiplies the wealth by
//
//	1 + λ·(Y·(Z/w - (1-Z)/(1-w)) - floor),
//
// whose mean is at most 1 under the null for any fixed λ in
// [0, 1/(1/(1-w)+floor)) (Waudby-Smith and Ramdas 2024, "Estimating means of
// bounded random variables by betting", arXiv 2010.09686, section 4, with the
// inverse-probability weighted difference). λ is q(alt) - w, the stake that is
// best if the canary has alt times the failures and floor is small.
func ExcessBet(w, floor, alt float64) FloorBet {
	limit := 1 / (1/(1-w) + floor)
	lambda := min(CanaryShare(w, alt)-w, 0.999*limit)
	lambda = max(lambda, 0)
	return FloorBet{
		Failed: Bet{
			haldane.Canary:   math.Log1p(lambda * (1/w - floor)),
			haldane.Baseline: math.Log1p(-lambda * (1/(1-w) + floor)),
		},
		Clean: math.Log1p(-lambda * floor),
	}
}

// WithinBet returns the bet against the null "the canary's share of failures
// is at least floor above the baseline's", mirrored from ExcessBet:
//
//	1 + λ·(floor - Y·(Z/w - (1-Z)/(1-w))), λ = stake/(1/w - floor),
//
// for a stake in (0, 1): the part of the wealth lost on a failure of the
// canary. Without any failure the log-wealth grows by about stake·w·floor a
// request, that is stake·floor for each request of the canary.
func WithinBet(w, floor, stake float64) FloorBet {
	lambda := stake / (1/w - floor)
	return FloorBet{
		Failed: Bet{
			haldane.Canary:   math.Log1p(lambda * (floor - 1/w)),
			haldane.Baseline: math.Log1p(lambda * (floor + 1/(1-w))),
		},
		Clean: math.Log1p(lambda * floor),
	}
}

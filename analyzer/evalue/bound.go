package evalue

import "math"

// kl is the Kullback-Leibler divergence of two coins, in nats, for p and q in
// [0, 1]; 0·log 0 is 0.
func kl(p, q float64) float64 {
	term := func(a, b float64) float64 {
		if a == 0 {
			return 0
		}
		return a * math.Log(a/b)
	}
	return term(p, q) + term(1-p, 1-q)
}

// Information returns how many nats a request is worth for telling the shares
// of failures pb and pc apart, at weight w, if anything up to ratio times the
// baseline's share or up to floor above it is tolerated:
//
//	D = inf over tolerated (b, c) of w·KL(pc‖c) + (1-w)·KL(pb‖b).
//
// No test of lifetime error alpha decides in fewer than log(1/alpha)/D
// requests on average (Wald 1945, "Sequential tests of statistical
// hypotheses"; the null is composite, so its nearest member counts:
// Turner, Ly and Grünwald 2024, arXiv 2106.02693). With ratio 1 and floor 0 it
// is the mutual information of outcome and track. 0 if (pb, pc) is itself
// tolerated. Both infima are over a line and convex; golden section.
func Information(w, pb, pc, ratio, floor float64) float64 {
	if pc <= ratio*pb || pc <= pb+floor {
		return 0
	}
	cost := func(b, c float64) float64 { return w*kl(pc, c) + (1-w)*kl(pb, b) }
	byRatio := minimise(func(b float64) float64 { return cost(b, ratio*b) }, pb, min(pc/ratio, 1))
	byFloor := minimise(func(b float64) float64 { return cost(b, b+floor) }, max(pb, 1e-12), pc-floor)
	return min(byRatio, byFloor)
}

// minimise returns the least value of the convex f on [lo, hi].
func minimise(f func(float64) float64, lo, hi float64) float64 {
	phi := (math.Sqrt(5) - 1) / 2
	for range 100 {
		a, b := hi-phi*(hi-lo), lo+phi*(hi-lo)
		if f(a) < f(b) {
			hi = b
		} else {
			lo = a
		}
	}
	return f((lo + hi) / 2)
}

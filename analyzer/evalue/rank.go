package evalue

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/sketch"
)

// Ranks are the places of latency buckets among latencies seen before: frozen,
// so that bets made by them are fixed before the outcomes they are made on.
// Place 0 is the fastest, 1 the slowest; places do not fall with the bucket.
type Ranks struct {
	lo     int       // the bucket of places[1]; places[0] is of everything faster
	places []float64 // mid-ranks in (0, 1); the last is of everything slower
}

// NewRanks ranks the pooled latencies h. It needs at least one.
func NewRanks(h sketch.Histogram) Ranks {
	h = h.Trim()
	total := float64(h.Total()) + 1
	places := make([]float64, 0, len(h.Counts)+2)
	places = append(places, 0.5/total)
	below := 0.5
	for _, n := range h.Counts {
		places = append(places, (below+float64(n)/2)/total)
		below += float64(n)
	}
	places = append(places, 1-0.5/total)
	return Ranks{lo: h.Offset, places: places}
}

// Len returns the number of distinct places.
func (r Ranks) Len() int { return len(r.places) }

// Slot returns which place bucket i has, in [0, Len()).
func (r Ranks) Slot(i int) int { return min(max(i-r.lo+1, 0), len(r.places)-1) }

// A Likelihood is how much likelier the canary is than the baseline to have
// made an outcome of each place in (0, 1), under one alternative. It must be
// monotone, and its mean over a uniform place is 1.
type Likelihood func(place float64) float64

// Shift returns the alternative that the canary's latencies are d standard
// deviations slower (d > 0) or faster (d < 0) on the normal scale of the
// pooled ranks: exp(d·z - d²/2) with z = Φ⁻¹(place), as of two normals.
func Shift(d float64) Likelihood {
	return func(place float64) float64 {
		return math.Exp(d*distuv.UnitNormal.Quantile(place) - d*d/2)
	}
}

// Tail returns the alternative that a share e of the canary's requests always
// lands among the slowest share u: (1-e) + (e/u)·1{place > 1-u}.
func Tail(u, e float64) Likelihood {
	return func(place float64) float64 {
		if place > 1-u {
			return 1 - e + e/u
		}
		return 1 - e
	}
}

// Below returns the alternative that the canary lands among the slowest share
// u only r < 1 times as often as the baseline.
func Below(u, r float64) Likelihood {
	return func(place float64) float64 {
		if place > 1-u {
			return r
		}
		return (1 - u*r) / (1 - u)
	}
}

// A RankTable holds the bets of several alternatives on every place, for one
// weight: what an outcome of slot s adds to the log-wealth of alternative k is
// Bets[track][s·K+k].
type RankTable struct {
	K    int
	Bets [haldane.NumTracks][]float64
}

// Table returns the bets of alternatives on r's places at weight w in (0, 1):
//
//	log(L/(w·L+1-w)) on the canary, log(1/(w·L+1-w)) on the baseline,
//
// which is q/w and (1-q)/(1-w) for q = w·L/(w·L+1-w), the growth-optimal bet
// if the alternative's likelihood ratio L is true (Grünwald, de Heide and
// Koolen 2024, "Safe testing", JRSS-B 86(5), section 2). O(places × alternatives).
func (r Ranks) Table(w float64, alternatives []Likelihood) RankTable {
	k := len(alternatives)
	t := RankTable{K: k}
	for track := range t.Bets {
		t.Bets[track] = make([]float64, len(r.places)*k)
	}
	for s, place := range r.places {
		for j, alt := range alternatives {
			q := clamp(CanaryShare(w, alt(place)))
			t.Bets[haldane.Canary][s*k+j] = math.Log(q / w)
			t.Bets[haldane.Baseline][s*k+j] = math.Log((1 - q) / (1 - w))
		}
	}
	return t
}

// Add adds to wealth, one entry an alternative, what the latencies h of a
// track win or lose. Bucket i is ranked as bucket i-shift: shift buckets are
// the harm forgiven. O(non-empty buckets × alternatives), no allocation.
func (t RankTable) Add(wealth []float64, r Ranks, h sketch.Histogram, track haldane.Track, shift int) {
	for j, n := range h.Counts {
		if n == 0 {
			continue
		}
		s := r.Slot(h.Offset + j - shift)
		for k, bet := range t.Bets[track][s*t.K : (s+1)*t.K] {
			wealth[k] += Times(float64(n), bet)
		}
	}
}

// ShiftBetween returns the number of buckets by which c's latencies must be
// lowered to lie level with b's: the median of all pairwise differences in
// bucket space (Hodges and Lehmann 1963, "Estimates of location based on rank
// tests"), to a fraction of a bucket. NaN if either is empty.
// O((buckets of b + buckets of c) · log(range)).
func ShiftBetween(b, c sketch.Histogram) float64 {
	b, c = b.Trim(), c.Trim()
	nb, nc := float64(b.Total()), float64(c.Total())
	if nb == 0 || nc == 0 {
		return math.NaN()
	}
	// cum[j] counts b's latencies in its first j buckets.
	cum := make([]float64, len(b.Counts)+1)
	for j, n := range b.Counts {
		cum[j+1] = cum[j] + float64(n)
	}
	below := func(i int) float64 { return cum[min(max(i-b.Offset, 0), len(b.Counts))] }
	// excess(m) is P(c-m > b) + ½P(c-m = b) - ½, which falls as m grows.
	excess := func(m int) float64 {
		sum := 0.0
		for j, n := range c.Counts {
			if n > 0 {
				i := c.Offset + j - m
				sum += float64(n) * (below(i) + below(i+1)) / 2
			}
		}
		return sum/(nb*nc) - 0.5
	}
	lo := c.Offset - b.Offset - len(b.Counts)
	hi := c.Offset + len(c.Counts) - b.Offset
	m := lo + sort.Search(hi-lo+1, func(k int) bool { return excess(lo+k) <= 0 })
	after := excess(m)
	before := excess(m - 1)
	if before <= after {
		return float64(m)
	}
	return float64(m-1) + before/(before-after)
}

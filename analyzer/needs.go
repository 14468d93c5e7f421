package analyzer

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer/evalue"
	"github.com/haldane-canary/haldane/sketch"
)

// maxNeeds is written where so much data would be needed that the number
// means "never".
const maxNeeds = 1_000_000_000

// needs returns how many more requests, on both tracks together, are expected
// to be wanted before i passes, if the canary is as good as the baseline, at
// the present weight. It reckons each bet's mean growth on what both tracks
// have shown together, which is what they would show if they were equal.
func (t *Trial) needs(i *indicator) uint64 {
	w := t.presentWeight()
	if !(w > 0 && w < 1) {
		return maxNeeds
	}
	limit := math.Log(1 / t.spec.AlphaPromote)
	typical := t.typical(w)
	need := 0.0
	if i.average {
		need = math.Inf(1)
	}
	for _, p := range i.fine {
		n := t.growth(p, typical, w, limit+t.averagingCost(i))
		if i.average {
			need = min(need, n)
		} else {
			need = max(need, n)
		}
	}
	if i.Name == haldane.Latency {
		need += leastRanked - float64(min(t.latencies.total(), leastRanked))
	}
	return uint64(math.Ceil(min(max(need, 1), maxNeeds)))
}

// averagingCost is what averaging i's processes takes from the best of them.
func (t *Trial) averagingCost(i *indicator) float64 {
	if i.average {
		return math.Log(float64(len(i.fine)))
	}
	return 0
}

// presentWeight returns the probability of the canary in the latest epoch.
func (t *Trial) presentWeight() float64 {
	e := t.present()
	if e == nil {
		if t.step >= 1 && t.step <= len(t.spec.Steps) {
			return t.spec.Steps[t.step-1].Weight.Fraction()
		}
		return 0
	}
	s := Segment{Key: e.Key}
	return t.weightOf(&s)
}

// typical returns a segment of fractional requests, scaled by scale, that
// shows what equal tracks would: both tracks' failures and latencies pooled.
// One failure in two is added to none, so that never having seen one is not
// taken for its being impossible.
func (t *Trial) typical(w float64) *Segment {
	s := &Segment{Key: Key{Step: t.step, Weight: w}}
	var both Counts
	for i := range t.epochs {
		for _, c := range t.epochs[i].tracks {
			both.N += c.ended(true)
			both.Errors += c.bad(true)
		}
	}
	for track := range s.Tracks {
		s.Tracks[track].N, s.Tracks[track].Errors = both.N, both.Errors
	}
	var h sketch.Histogram
	for _, seg := range t.segments() {
		h.Merge(seg.Tracks[haldane.Baseline].Latency)
		h.Merge(seg.Tracks[haldane.Canary].Latency)
	}
	if h.Total() < leastTypical {
		h = nominal()
	}
	for track := range s.Tracks {
		s.Tracks[track].Latency = h
	}
	return s
}

// leastTypical is how many latencies must be known before they are taken for
// typical; below that nominal is.
const leastTypical = 30

// nominal returns latencies such as services often have: log-normal, with a
// standard deviation of 0.6 in natural logs. Where they lie does not matter.
func nominal() sketch.Histogram {
	const n = 1000
	var h sketch.Histogram
	for i := range n {
		z := distuv.UnitNormal.Quantile((float64(i) + 0.5) / n)
		h.Add(sketch.IndexSeconds(0.02*math.Exp(0.6*z)), 1)
	}
	return h
}

// growth returns the least number of requests after which one alternative of
// p, growing as it does on typical, has carried the mixture to limit.
func (t *Trial) growth(p *process, typical *Segment, w, limit float64) float64 {
	b := p.bettor
	if r, ok := b.(*rankBettor); ok {
		b = r.provisional(typical)
	}
	gain := perRequest(b, typical, w, len(p.mix))
	wealth := p.wealth(t.open, t.weightOf)
	if p.mix.LogE(wealth) >= limit {
		return 0
	}
	least := math.Inf(1)
	for k, g := range gain {
		if g > 0 {
			least = min(least, (limit-p.mix[k]-wealth[k])/g)
		}
	}
	return max(least, 1)
}

// provisional returns b with ranks; if it has none yet, made from what is
// typical.
func (b *rankBettor) provisional(typical *Segment) bettor {
	h := typical.Tracks[haldane.Baseline].Latency
	if b.ranked > 0 || h.Total() == 0 {
		return b
	}
	var p pooled
	p[haldane.Baseline] = h
	return &rankBettor{shift: b.shift, alternatives: b.alternatives, ranked: 1,
		ranks: evalue.NewRanks(p.shifted(b.shift)), tables: map[float64]evalue.RankTable{}}
}

// perRequest returns the mean gain of each alternative on one request of equal
// tracks, which typical shows the outcomes of.
func perRequest(b bettor, typical *Segment, w float64, alternatives int) []float64 {
	sum := make([]float64, alternatives)
	for track, share := range [haldane.NumTracks]float64{haldane.Baseline: 1 - w, haldane.Canary: w} {
		c := typical.Tracks[track]
		one := Segment{Key: typical.Key}
		one.Tracks[track] = Counts{N: c.N + 1, Errors: c.Errors, Latency: c.Latency}
		gain := make([]float64, alternatives)
		b.bet(gain, &one, w)
		for k := range sum {
			sum[k] += share * gain[k] / float64(c.N+1)
		}
	}
	return sum
}

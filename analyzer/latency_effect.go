package analyzer

import (
	"math"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer/evalue"
	"github.com/haldane-canary/haldane/sketch"
)

// intervalShifts are the alternatives of the latency interval, few, since it
// is found by trying many margins.
var intervalShifts = []float64{0.08, 0.32, 1.28}

// intervalReach is how many buckets around the estimate the interval is
// looked for: 256 are a factor of 16.
const intervalReach = 256

// latencyEffect returns the medians of both tracks, by how much the canary's
// whole distribution is stretched, and the interval of that stretch.
func (t *Trial) latencyEffect() (haldane.Estimate, haldane.Interval) {
	var all pooled
	segments := t.segments()
	for i := range segments {
		for track := range all {
			all[track].Merge(segments[i].Tracks[track].Latency)
		}
	}
	b, c := all[haldane.Baseline].Quantile(0.5), all[haldane.Canary].Quantile(0.5)
	shift := evalue.ShiftBetween(all[haldane.Baseline], all[haldane.Canary])
	est := haldane.Estimate{
		Baseline: haldane.Number(b), Canary: haldane.Number(c),
		Ratio: haldane.Number(ratioOf(shift)), Difference: haldane.Number(c - b),
	}
	none := haldane.Interval{Lower: 0, Upper: haldane.Number(math.Inf(1))}
	if math.IsNaN(shift) {
		return est, none
	}
	limit := math.Log(2 / t.spec.Alpha) // half of alpha on each side
	middle := int(math.Round(shift))
	reject := func(m int, sign float64) bool { return t.stretchLogE(segments, m, sign) >= limit }
	interval := none
	if reject(middle-intervalReach, 1) {
		lo := boundary(middle-intervalReach, middle, func(m int) bool { return reject(m, 1) })
		interval.Lower = haldane.Number(ratioOf(float64(lo)))
	}
	if reject(middle+intervalReach, -1) {
		hi := boundary(middle+intervalReach, middle, func(m int) bool { return reject(m, -1) })
		interval.Upper = haldane.Number(ratioOf(float64(hi)))
	}
	return est, interval
}

// ratioOf returns the ratio of latencies that a number of buckets stands for.
func ratioOf(buckets float64) float64 { return math.Exp2(buckets / float64(int(1)<<sketch.Scale)) }

// boundary returns the m nearest to in that is still rejected, out being so.
func boundary(out, in int, rejected func(int) bool) int {
	for out-in > 1 || in-out > 1 {
		if mid := (out + in) / 2; rejected(mid) {
			out = mid
		} else {
			in = mid
		}
	}
	return out
}

// stretchLogE returns the log e-value against "the canary's latencies lowered
// by m buckets are no slower" (sign 1) or "no faster" (sign -1), over the tape.
// Ranks are made anew only when the latencies known have doubled.
func (t *Trial) stretchLogE(segments []Segment, m int, sign float64) float64 {
	var alts []evalue.Likelihood
	for _, d := range intervalShifts {
		alts = append(alts, evalue.Shift(sign*d))
	}
	b := newRankBettor(m, alts)
	b.refresh = 2
	p := newProcess(evalue.Equal(len(alts)), b, anyStep)
	var seen pooled
	var n uint64
	var tracks [haldane.NumTracks]uint64
	for start := 0; start < len(segments); {
		end := start
		for end < len(segments) && segments[end].Page == segments[start].Page {
			end++
		}
		weight := func(s *Segment) float64 {
			if s.Weight != 0 || n == 0 {
				return s.Weight
			}
			return float64(tracks[haldane.Canary]) / float64(n)
		}
		p.close(segments[start:end], weight)
		for i := start; i < end; i++ {
			for track := range seen {
				c := &segments[i].Tracks[track]
				seen[track].Merge(c.Latency)
				tracks[track] += c.N
				n += c.N
			}
		}
		b.turn(&seen)
		start = end
	}
	return p.mix.LogE(p.closed)
}

package analyzer

import (
	"math"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer/evalue"
	"github.com/haldane-canary/haldane/sketch"
)

// leastRanked is how many latencies must have been seen before any is ranked
// among them; until then they are only learned from.
const leastRanked = 100

// The alternatives for a slower canary: all of it slower by so many standard
// deviations of the ranks, or a share e of it landing among the slowest u.
var (
	slowerShifts = []float64{0.04, 0.08, 0.16, 0.32, 0.64, 1.28}
	slowerTails  = [][2]float64{{0.1, 0.05}, {0.1, 0.2}, {0.01, 0.01}, {0.01, 0.05}, {0.01, 0.2}, {0.001, 0.01}}
)

// The alternatives for a canary whose tail is good enough: it reaches the
// slowest share only this often, relative to the baseline.
var thinnerTails = []float64{0.1, 0.3, 0.5, 0.7}

// rankBettor bets on the ranks of latencies, the canary's lowered by shift
// buckets, among those of the pages before.
type rankBettor struct {
	shift        int
	alternatives []evalue.Likelihood
	refresh      float64 // rank anew once so many times as many are known; 1 for every page

	ranked uint64 // how many latencies the ranks are made from; 0 for none yet
	ranks  evalue.Ranks
	tables map[float64]evalue.RankTable // by weight
}

func (b *rankBettor) table(w float64) evalue.RankTable {
	t, ok := b.tables[w]
	if !ok {
		t = b.ranks.Table(w, b.alternatives)
		b.tables[w] = t
	}
	return t
}

func (b *rankBettor) bet(wealth []float64, s *Segment, w float64) {
	if b.ranked == 0 {
		return
	}
	t := b.table(w)
	t.Add(wealth, b.ranks, s.Tracks[haldane.Baseline].Latency, haldane.Baseline, 0)
	t.Add(wealth, b.ranks, s.Tracks[haldane.Canary].Latency, haldane.Canary, b.shift)
}

func (b *rankBettor) turn(p *pooled) {
	n := p.total()
	if n < leastRanked || float64(n) < b.refresh*float64(b.ranked) {
		return
	}
	b.ranked = n
	b.ranks = evalue.NewRanks(p.shifted(b.shift))
	b.tables = map[float64]evalue.RankTable{}
}

func newRankBettor(shift int, alternatives []evalue.Likelihood) *rankBettor {
	return &rankBettor{shift: shift, alternatives: alternatives, refresh: 1}
}

// buckets returns by how many buckets a ratio moves a latency.
func buckets(ratio float64) float64 { return math.Log2(ratio) * float64(int(1)<<sketch.Scale) }

// latencyHarm returns the one process against "not slower than m.Ratio times".
// The margin is rounded up to whole buckets (1.1 to 1.102): what is tolerated
// is never called harm.
func latencyHarm(m haldane.Margin) []group {
	var alts []evalue.Likelihood
	for _, d := range slowerShifts {
		alts = append(alts, evalue.Shift(d))
	}
	for _, t := range slowerTails {
		alts = append(alts, evalue.Tail(t[0], t[1]))
	}
	b := newRankBettor(int(math.Ceil(buckets(m.Ratio))), alts)
	return []group{{share: 1, processes: []*process{newProcess(evalue.Equal(len(alts)), b, anyStep)}}}
}

// latencyFine returns the processes against "slower than m.Ratio times", the
// margin rounded down to whole buckets: in the whole of the distribution, at
// its slowest tenth, and if deep at its slowest hundredth. Each must be
// excluded, so the e-value is the least of them.
func latencyFine(m haldane.Margin, step int, deep bool) []*process {
	shift := int(math.Floor(buckets(m.Ratio)))
	var whole []evalue.Likelihood
	for _, d := range slowerShifts {
		whole = append(whole, evalue.Shift(-d))
	}
	groups := [][]evalue.Likelihood{whole}
	tails := []float64{0.1}
	if deep {
		tails = append(tails, 0.01)
	}
	for _, u := range tails {
		var alts []evalue.Likelihood
		for _, r := range thinnerTails {
			alts = append(alts, evalue.Below(u, r))
		}
		groups = append(groups, alts)
	}
	var ps []*process
	for _, alts := range groups {
		ps = append(ps, newProcess(evalue.Equal(len(alts)), newRankBettor(shift, alts), step))
	}
	return ps
}

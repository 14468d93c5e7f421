package analyzer

import (
	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer/evalue"
)

// The alternatives for a canary that fails more often, as multiples of the
// baseline's share of failures. Few enough that spreading the stake costs
// little, and close enough that one of them is near whatever is true.
var worseRatios = []float64{1.3, 1.6, 2, 3, 5, 10, 30, 100}

// The alternatives for a canary that is good enough, and what each is staked:
// half on "as good as the baseline".
var (
	fineRatios = []float64{1, 0.5, 0.8, 1.15, 0.1}
	fineShares = []float64{8, 2, 2, 2, 2}
)

// The stakes of the bets that failures are within the floor: high ones for
// services that hardly ever fail, low ones for those that often do.
var (
	withinStakes = []float64{0.99, 0.9, 0.7, 0.45, 0.2, 0.07}
	withinShares = []float64{8, 4, 3, 2, 2, 1}
)

// shareBettor bets on failures alone: their ratio between the tracks.
type shareBettor struct {
	null         float64
	alternatives []float64
	all          bool // requests given up by their clients count as failures
}

func (b shareBettor) bet(wealth []float64, s *Segment, w float64) {
	onBaseline, onCanary := float64(s.Tracks[haldane.Baseline].bad(b.all)), float64(s.Tracks[haldane.Canary].bad(b.all))
	for k, alt := range b.alternatives {
		bet := evalue.ShareBet(w, b.null, alt)
		wealth[k] += evalue.Times(onBaseline, bet[haldane.Baseline]) + evalue.Times(onCanary, bet[haldane.Canary])
	}
}

func (shareBettor) turn(*pooled) {}

// floorBettor bets on the difference of the tracks' shares of failures.
type floorBettor struct {
	floor        float64
	alternatives []float64
	of           func(w, floor, alternative float64) evalue.FloorBet
	all          bool // as of shareBettor
}

func (b floorBettor) bet(wealth []float64, s *Segment, w float64) {
	base, canary := &s.Tracks[haldane.Baseline], &s.Tracks[haldane.Canary]
	onBaseline, onCanary := base.bad(b.all), canary.bad(b.all)
	clean := float64(base.ended(b.all) - onBaseline + canary.ended(b.all) - onCanary)
	for k, alt := range b.alternatives {
		bet := b.of(w, b.floor, alt)
		wealth[k] += evalue.Times(clean, bet.Clean) +
			evalue.Times(float64(onBaseline), bet.Failed[haldane.Baseline]) +
			evalue.Times(float64(onCanary), bet.Failed[haldane.Canary])
	}
}

func (floorBettor) turn(*pooled) {}

// beyond returns the alternatives that exceed ratio, with some room: a bet
// on 1.12 against 1.1 would never come to anything.
func beyond(alternatives []float64, ratio float64) []float64 {
	var out []float64
	for _, r := range alternatives {
		if r >= ratio*1.1 {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		out = []float64{2 * ratio, 10 * ratio}
	}
	return out
}

// givenUpStake is the part of the stake against harm that counts requests given
// up as failures: a canary that hangs until its clients have gone fails nobody,
// and must be found all the same. It costs the rest log(1/0.9), a tenth of a nat.
const givenUpStake = 0.1

// errorsHarm returns the processes against "not worse than m". Within a group
// the least e-value counts, since harm means beyond both ratio and floor and
// the null is what is within either; the groups are averaged.
func errorsHarm(m haldane.Margin) []group {
	return []group{
		{share: 1 - givenUpStake, processes: errorsBeyond(m, false)},
		{share: givenUpStake, processes: errorsBeyond(m, true)},
	}
}

func errorsBeyond(m haldane.Margin, all bool) []*process {
	alts := beyond(worseRatios, m.Ratio)
	ps := []*process{newProcess(evalue.Equal(len(alts)), shareBettor{m.Ratio, alts, all}, anyStep)}
	if m.Floor > 0 {
		every := beyond(worseRatios, 1)
		ps = append(ps, newProcess(evalue.Equal(len(every)), floorBettor{m.Floor, every, evalue.ExcessBet, all}, anyStep))
	}
	return ps
}

// errorsFine returns the processes against "worse than m" at a step: the
// e-value is their average, since what is worse than m is beyond both. Requests
// given up count as failures here: nobody is promoted for not answering.
func errorsFine(m haldane.Margin, step int) []*process {
	var ratios, shares []float64
	for k, r := range fineRatios {
		if r < m.Ratio*0.95 {
			ratios, shares = append(ratios, r), append(shares, fineShares[k])
		}
	}
	ps := []*process{newProcess(evalue.Shares(shares...), shareBettor{m.Ratio, ratios, true}, step)}
	if m.Floor > 0 {
		ps = append(ps, newProcess(evalue.Shares(withinShares...),
			floorBettor{m.Floor, withinStakes, evalue.WithinBet, true}, step))
	}
	return ps
}

package evalue_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer/evalue"
	"github.com/haldane-canary/haldane/sketch"
)

// mean returns the mean factor of a bet on an outcome that comes from the
// canary with probability q.
func mean(b evalue.Bet, q float64) float64 {
	return q*math.Exp(b[haldane.Canary]) + (1-q)*math.Exp(b[haldane.Baseline])
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance*max(1, math.Abs(b)) }

func TestShareBetIsFairAtTheNullAndLosesWithinIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.Float64Range(0.0001, 0.9999).Draw(t, "w")
		null := rapid.Float64Range(0.5, 5).Draw(t, "null")
		alt := rapid.Float64Range(0.05, 100).Draw(t, "alt")
		b := evalue.ShareBet(w, null, alt)
		if m := mean(b, evalue.CanaryShare(w, null)); !near(m, 1, 1e-9) {
			t.Errorf("mean factor at the null is %v, want 1", m)
		}
		// Further inside the null, on the side away from the alternative.
		inside := null * rapid.Float64Range(0, 1).Draw(t, "inside")
		if alt < null {
			inside = null * rapid.Float64Range(1, 20).Draw(t, "inside")
		}
		if m := mean(b, evalue.CanaryShare(w, inside)); m > 1+1e-9 {
			t.Errorf("mean factor at ratio %v is %v, want at most 1", inside, m)
		}
	})
}

// floorMean returns the mean factor of a bet on one request.
func floorMean(b evalue.FloorBet, w, pb, pc float64) float64 {
	clean := (w*(1-pc) + (1-w)*(1-pb)) * math.Exp(b.Clean)
	return clean + w*pc*math.Exp(b.Failed[haldane.Canary]) + (1-w)*pb*math.Exp(b.Failed[haldane.Baseline])
}

func TestFloorBetsAreFairAtTheFloorAndLoseWithinIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.Float64Range(0.0001, 0.9999).Draw(t, "w")
		floor := rapid.Float64Range(0.0001, 0.2).Draw(t, "floor")
		pb := rapid.Float64Range(0, 0.7).Draw(t, "pb")
		excess := evalue.ExcessBet(w, floor, rapid.Float64Range(1, 200).Draw(t, "alt"))
		within := evalue.WithinBet(w, floor, rapid.Float64Range(0.01, 0.99).Draw(t, "stake"))
		for name, b := range map[string]evalue.FloorBet{"excess": excess, "within": within} {
			if m := floorMean(b, w, pb, pb+floor); !near(m, 1, 1e-9) {
				t.Errorf("%s: mean factor at the floor is %v, want 1", name, m)
			}
		}
		if m := floorMean(excess, w, pb+floor, pb); m > 1+1e-9 {
			t.Errorf("excess: mean factor for a better canary is %v, want at most 1", m)
		}
		if m := floorMean(within, w, pb, min(1, pb+2*floor)); m > 1+1e-9 {
			t.Errorf("within: mean factor beyond the floor is %v, want at most 1", m)
		}
	})
}

func histogram(t *rapid.T, name string) sketch.Histogram {
	var h sketch.Histogram
	for _, i := range rapid.SliceOfN(rapid.IntRange(-300, 300), 1, 60).Draw(t, name) {
		h.Add(i, 1)
	}
	return h
}

func likelihoods() map[string]evalue.Likelihood {
	return map[string]evalue.Likelihood{
		"slower": evalue.Shift(0.3), "faster": evalue.Shift(-0.3),
		"tail": evalue.Tail(0.01, 0.2), "thin": evalue.Below(0.1, 0.3),
	}
}

func TestRankBetsAreFairWhateverTheLatency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.Float64Range(0.0001, 0.9999).Draw(t, "w")
		r := evalue.NewRanks(histogram(t, "seen"))
		for name, l := range likelihoods() {
			table := r.Table(w, []evalue.Likelihood{l})
			for s := range r.Len() {
				b := evalue.Bet{table.Bets[haldane.Baseline][s], table.Bets[haldane.Canary][s]}
				if m := mean(b, w); !near(m, 1, 1e-9) {
					t.Errorf("%s: mean factor at place %d is %v, want 1", name, s, m)
				}
			}
		}
	})
}

func TestRankBetsAreMonotoneInBadness(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.Float64Range(0.001, 0.999).Draw(t, "w")
		r := evalue.NewRanks(histogram(t, "seen"))
		for name, sign := range map[string]float64{"slower": 1, "tail": 1, "faster": -1, "thin": -1} {
			bets := r.Table(w, []evalue.Likelihood{likelihoods()[name]}).Bets[haldane.Canary]
			for s := 1; s < len(bets); s++ {
				if sign*(bets[s]-bets[s-1]) < -1e-12 {
					t.Errorf("%s: bet at place %d is %v after %v", name, s, bets[s], bets[s-1])
				}
			}
		}
	})
}

func TestLikelihoodsAverageToOneOverAUniformPlace(t *testing.T) {
	const n = 200000
	for name, l := range likelihoods() {
		sum := 0.0
		for i := range n {
			sum += l((float64(i) + 0.5) / n)
		}
		if m := sum / n; !near(m, 1, 1e-3) {
			t.Errorf("%s: mean %v, want 1", name, m)
		}
	}
}

func TestMixtureDoesNotOverflow(t *testing.T) {
	m := evalue.Shares(1, 3)
	for _, c := range []struct {
		wealth []float64
		want   float64
	}{
		{[]float64{0, 0}, 0},
		{[]float64{5000, -5000}, 5000 + math.Log(0.25)},
		{[]float64{math.Inf(-1), math.Inf(-1)}, math.Inf(-1)},
	} {
		if got := m.LogE(c.wealth); got != c.want && !near(got, c.want, 1e-12) {
			t.Errorf("LogE(%v) = %v, want %v", c.wealth, got, c.want)
		}
	}
}

// The table in section 4 of the project's statistics notes: nats a request for
// a concurrent control, without tolerance.
func TestInformationAgreesWithTheTable(t *testing.T) {
	for _, c := range []struct{ pb, pc, w, nats float64 }{
		{0.001, 0.01, 0.05, 6.14e-4}, {0.001, 0.005, 0.05, 1.84e-4}, {0.001, 0.002, 0.05, 1.81e-5},
		{0.005, 0.01, 0.10, 1.70e-4}, {0.01, 0.05, 0.01, 4.05e-4}, {0.001, 0.006, 0.50, 9.94e-4}, {0.001, 0.5, 0.01, 2.19e-2},
	} {
		if got := evalue.Information(c.w, c.pb, c.pc, 1, 0); !near(got/c.nats, 1, 0.005) {
			t.Errorf("Information(w %v, %v → %v) = %.3e, want %.3e", c.w, c.pb, c.pc, got, c.nats)
		}
	}
	if got := evalue.Information(0.05, 0.01, 0.0105, 1.1, 0.001); got != 0 {
		t.Errorf("information against what is tolerated is %v, want 0", got)
	}
}

// A mixture of points over the conditional share has the estimate where a
// binomial has it: the closed form for one stratum is r = (c/b)·(1-w)/w.
func TestRatioEstimateHasItsClosedForm(t *testing.T) {
	got := evalue.RatioEstimate([]evalue.Stratum{{Weight: 0.1, Baseline: 90, Canary: 20}})
	if want := 20.0 / 90 * 0.9 / 0.1; !near(got, want, 1e-9) {
		t.Errorf("got %v, want %v", got, want)
	}
	for name, c := range map[string]struct {
		s    evalue.Stratum
		want float64
	}{
		"none on the baseline": {evalue.Stratum{Weight: 0.1, Canary: 3}, math.Inf(1)},
		"none on the canary":   {evalue.Stratum{Weight: 0.1, Baseline: 3}, 0},
	} {
		if got := evalue.RatioEstimate([]evalue.Stratum{c.s}); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if got := evalue.RatioEstimate(nil); !math.IsNaN(got) {
		t.Errorf("without counts: got %v, want NaN", got)
	}
}

// The interval must hold the truth at every look at once: of 400 streams that
// are looked at after each failure, at most a share alpha may ever miss it.
func TestRatioIntervalCoversAtEveryLook(t *testing.T) {
	const alpha, truth, streams = 0.05, 2.0, 400
	rng := rand.New(rand.NewPCG(1, 2))
	missed := 0
	for range streams {
		s := []evalue.Stratum{{Weight: 0.1}, {Weight: 0.4}}
		for n := range 300 {
			k := &s[n/150]
			if rng.Float64() < evalue.CanaryShare(k.Weight, truth) {
				k.Canary++
			} else {
				k.Baseline++
			}
			if lo, hi := evalue.RatioInterval(s, alpha); truth < lo || truth > hi {
				missed++
				break
			}
		}
	}
	// 99.9 % of binomial(400, 0.05) draws are below 35.
	if missed > 35 {
		t.Errorf("%d of %d streams missed the truth, want at most about %v", missed, streams, alpha*streams)
	}
}

func TestShiftBetweenFindsAShift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := histogram(t, "baseline")
		m := rapid.IntRange(-200, 200).Draw(t, "shift")
		c := h.Clone()
		c.Offset += m
		if got := evalue.ShiftBetween(h, c); math.Abs(got-float64(m)) > 1 {
			t.Errorf("got %v buckets, want %d", got, m)
		}
	})
	if got := evalue.ShiftBetween(sketch.Histogram{}, sketch.Histogram{}); !math.IsNaN(got) {
		t.Errorf("of nothing: got %v, want NaN", got)
	}
}

func TestLogESplitNoticesAWrongShareOnly(t *testing.T) {
	if got := evalue.LogESplit(0.05, 95000, 5000); got > 0 {
		t.Errorf("log e of the exact share is %v, want below 0", got)
	}
	if got := evalue.LogESplit(0.05, 92000, 8000); got < 100 {
		t.Errorf("log e of 8 %% for 5 %% is %v, want overwhelming", got)
	}
	if got := evalue.LogESplit(1, 5, 5); got != 0 {
		t.Errorf("log e where nothing is drawn is %v, want 0", got)
	}
}

// Three failures of the canary at 1 %, and none of the baseline, are past any
// doubt: the third multiplies the wealth by up to a hundred again.
func ExampleShareBet() {
	bet := evalue.ShareBet(0.01, 1.1, 100)
	fmt.Printf("a failure of the canary: ×%.0f, of the baseline: ×%.2f\n",
		math.Exp(bet[haldane.Canary]), math.Exp(bet[haldane.Baseline]))
	// Output: a failure of the canary: ×46, of the baseline: ×0.50
}

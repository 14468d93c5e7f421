package sim

import (
	"math"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer"
	"github.com/haldane-canary/haldane/analyzer/evalue"
	"github.com/haldane-canary/haldane/rollout"
)

// ramp is the plan of the worlds in which nothing is wrong: four steps, so
// that the weight changes under the evidence.
func ramp() rollout.Plan {
	return rollout.Plan{
		Steps: []rollout.Step{
			{Weight: 100, Bake: 5 * time.Second}, {Weight: 500, Bake: 5 * time.Second},
			{Weight: 2500, Bake: 5 * time.Second}, {Weight: 5000, Bake: 5 * time.Second},
		},
		Deadline: 2 * time.Minute,
	}
}

// typical is a service of the size of the demo's.
var typical = Profile{Failures: 0.001, Median: 0.02, Sigma: 0.6}

// Alike returns worlds whose tracks are the same: every rollback there is a
// false one, and their share must not exceed the spec's alpha of 0.01.
func Alike() []World {
	often := typical
	often.Failures = 0.05
	never := typical
	never.Failures = 0
	heavy := typical
	heavy.Sigma = 1.2
	world := func(name string, s func() Service) World {
		return World{Name: name, Rate: 800, New: s, Plan: ramp(), Horizon: 3 * time.Minute}
	}
	same := func(p Profile) func() Service {
		return func() Service { return Steady{p, p} }
	}
	return []World{
		world("alike, 0.1 % failures", same(typical)),
		world("alike, 5 % failures", same(often)),
		world("alike, no failures", same(never)),
		world("alike, heavy-tailed latency", same(heavy)),
		world("alike, autocorrelated, with a season and shared incidents",
			func() Service { return &Restless{Profile: typical} }),
	}
}

// A Hunt is a world in which the canary is worse, at one weight that does not
// change, and the fewest requests that any test could need on average.
type Hunt struct {
	World
	Weight haldane.Weight
	Bound  float64 // log(1/alpha) / information per request; see evalue.Information
	Goal   float64 // 1.5·Bound + 2/(w·pc)
}

// Hunts returns the worlds by which the requests to a rollback are measured:
// shares of failures pb → pc at weight w, judged without any tolerance (as the
// bound of mutual information assumes) and with the default margin (whose own
// bound is higher, since what is tolerated must be told apart too).
func Hunts() []Hunt {
	var out []Hunt
	for _, c := range []struct {
		name   string
		w      haldane.Weight
		pb, pc float64
	}{
		{"0.1 % → 1 %", 500, 0.001, 0.01},
		{"0.1 % → 0.5 %", 500, 0.001, 0.005},
		{"0.5 % → 1 %", 1000, 0.005, 0.01},
	} {
		defaults := haldane.DefaultIndicators()[0]
		for _, m := range []struct {
			name   string
			margin haldane.Margin
		}{{"no tolerance", haldane.Margin{Ratio: 1}}, {"default margin", defaults.Margin}} {
			ind := defaults
			ind.Margin = m.margin
			out = append(out, hunt(c.name+", "+m.name, c.w, c.pb, c.pc, ind))
		}
	}
	return out
}

// hunt returns the world of one comparison. Promotion is made all but
// impossible, so that what is measured is the time to the rollback alone.
func hunt(name string, w haldane.Weight, pb, pc float64, ind haldane.Indicator) Hunt {
	const alpha = 0.01
	b, c := typical, typical
	b.Failures, c.Failures = pb, pc
	info := evalue.Information(w.Fraction(), pb, pc, ind.Margin.Ratio, ind.Margin.Floor)
	bound := math.Log(1/alpha) / info
	return Hunt{
		World: World{
			Name: name, Rate: 1000, New: func() Service { return Steady{b, c} },
			Plan:    rollout.Plan{Steps: []rollout.Step{{Weight: w}}},
			Spec:    analyzer.Spec{Alpha: alpha, AlphaPromote: 1e-12, Indicators: []haldane.Indicator{ind}},
			Horizon: time.Duration(30 * bound / 1000 * float64(time.Second)),
		},
		Weight: w, Bound: bound, Goal: 1.5*bound + 2/(w.Fraction()*pc),
	}
}

package analyzer_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer"
	"github.com/haldane-canary/haldane/sketch"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A behaviour is how a track answers: its share of failures, and what its
// log-normal latencies are multiplied by.
type behaviour struct {
	failures, stretch float64
	tail              bool // the slowest hundredth takes three times as long
}

func newTrial(t testing.TB, spec analyzer.Spec) *analyzer.Trial {
	t.Helper()
	trial, err := analyzer.NewTrial(spec)
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

// feed gives n requests to trial and stops at the first decision; it returns
// it and how many requests it took.
func feed(trial *analyzer.Trial, rng *rand.Rand, k analyzer.Key, n int, tracks [haldane.NumTracks]behaviour) (haldane.Judgement, int) {
	for i := range n {
		track := haldane.Baseline
		if rng.Float64() < k.Weight {
			track = haldane.Canary
		}
		b, z := tracks[track], rng.NormFloat64()
		latency := 0.02 * math.Exp(0.5*z) * b.stretch
		if b.tail && z > 2.326 {
			latency *= 3
		}
		trial.Observe(k, track, rng.Float64() < b.failures, true, sketch.IndexSeconds(latency))
		if i%100 == 99 {
			trial.Turn()
			if j := trial.Judgement(); j != haldane.Undecided {
				return j, i + 1
			}
		}
	}
	return trial.Judgement(), n
}

func TestVerdictsOnKnownStreams(t *testing.T) {
	same := behaviour{failures: 0.001, stretch: 1}
	for name, c := range map[string]struct {
		canary behaviour
		base   behaviour
		want   haldane.Judgement
		by     string // the indicator that decides
	}{
		"0.1 % to 1 % errors":           {behaviour{failures: 0.01, stretch: 1}, same, haldane.Fail, haldane.Errors},
		"1 % to 2 % errors":             {behaviour{failures: 0.02, stretch: 1}, behaviour{failures: 0.01, stretch: 1}, haldane.Fail, haldane.Errors},
		"no errors to a few":            {behaviour{failures: 0.02, stretch: 1}, behaviour{stretch: 1}, haldane.Fail, haldane.Errors},
		"a fifth slower":                {behaviour{failures: 0.001, stretch: 1.2}, same, haldane.Fail, haldane.Latency},
		"the slowest hundredth tripled": {behaviour{failures: 0.001, stretch: 1, tail: true}, same, haldane.Fail, haldane.Latency},
		"alike":                         {same, same, haldane.Pass, ""},
		"better":                        {behaviour{stretch: 0.8}, same, haldane.Pass, ""},
		"4 % slower, as machines are":   {behaviour{failures: 0.001, stretch: 1.04}, same, haldane.Pass, ""},
	} {
		t.Run(name, func(t *testing.T) {
			trial := newTrial(t, analyzer.Spec{})
			got, n := feed(trial, rand.New(rand.NewPCG(7, 7)), analyzer.Key{Weight: 0.05}, 300000,
				[haldane.NumTracks]behaviour{c.base, c.canary})
			v := trial.Verdict(noon)
			if got != c.want || v.Judgement != c.want {
				t.Fatalf("got %v after %d requests, want %v: %s", got, n, c.want, v.Reason)
			}
			for _, e := range v.Indicators {
				if c.want == haldane.Fail && (e.Judgement == haldane.Fail) != (e.Name == c.by) {
					t.Errorf("%s is %v, want the failure laid at %s alone", e.Name, e.Judgement, c.by)
				}
			}
			if v.Needs.Requests != 0 {
				t.Errorf("a decided verdict needs %d more requests, want 0", v.Needs.Requests)
			}
		})
	}
}

func TestADeadCanaryIsOutWithinFiveOfItsRequests(t *testing.T) {
	for seed := range uint64(50) {
		trial := newTrial(t, analyzer.Spec{})
		rng := rand.New(rand.NewPCG(seed, 1))
		k := analyzer.Key{Weight: 0.01}
		canary := 0
		for trial.Judgement() != haldane.Fail {
			track := haldane.Baseline
			if rng.Float64() < k.Weight {
				track = haldane.Canary
				canary++
			}
			trial.Observe(k, track, track == haldane.Canary, true, 0)
			if canary > 5 {
				t.Fatalf("seed %d: not out after %d failed requests of the canary", seed, canary-1)
			}
		}
	}
}

func TestABrokenSplitFreezesAndBlamesNobody(t *testing.T) {
	trial := newTrial(t, analyzer.Spec{})
	k := analyzer.Key{Weight: 0.05}
	trial.Add(k, haldane.Baseline, analyzer.Counts{N: 80000, Errors: 80})
	trial.Add(k, haldane.Canary, analyzer.Counts{N: 20000, Errors: 2000})
	v := trial.Verdict(noon)
	if v.Judgement != haldane.Undecided || len(v.Warnings) != 1 || !strings.Contains(v.Reason, "split") {
		t.Errorf("got %v, warnings %q: %s; want undecided because of the split", v.Judgement, v.Warnings, v.Reason)
	}
}

func TestAGrosslyBrokenSplitIsSeenBeforeAnythingElse(t *testing.T) {
	for seed := range uint64(40) {
		trial := newTrial(t, analyzer.Spec{})
		rng, k := rand.New(rand.NewPCG(seed, 5)), analyzer.Key{Weight: 0.05}
		for range 600 {
			track := haldane.Baseline
			if rng.Float64() < 0.6 {
				track = haldane.Canary
			}
			trial.Observe(k, track, rng.Float64() < 0.05, true, 0)
			if trial.Judgement() == haldane.Fail {
				t.Fatalf("seed %d: blamed the canary for a split of 60 %% instead of 5 %%", seed)
			}
		}
	}
}

func TestSuspicionHoldsAPassBack(t *testing.T) {
	trial := newTrial(t, analyzer.Spec{Indicators: haldane.DefaultIndicators()[:1], AlphaPromote: 0.05})
	k := analyzer.Key{Weight: 0.5}
	// Within the promotion margin (1.5 times) without doubt, but beyond the
	// tolerated 1.1 times and 0.1 points by an e-value between 20 and 100.
	trial.Add(k, haldane.Baseline, analyzer.Counts{N: 100000, Errors: 3000})
	trial.Add(k, haldane.Canary, analyzer.Counts{N: 100000, Errors: 3665})
	v := trial.Verdict(noon)
	e := v.Indicators[0]
	if e.LogEPromote < math.Log(20) || e.LogE < math.Log(20) || e.LogE >= math.Log(100) {
		t.Fatalf("the counts do not make the case: log e %.2f, of promotion %.2f", e.LogE, e.LogEPromote)
	}
	if v.Judgement != haldane.Undecided || !strings.Contains(v.Reason, "held back") {
		t.Errorf("got %v: %s; want it held back", v.Judgement, v.Reason)
	}
}

func TestPromotionEvidenceStartsAfreshAtEachStep(t *testing.T) {
	trial := newTrial(t, analyzer.Spec{Indicators: haldane.DefaultIndicators()[:1],
		Steps: []analyzer.Step{{Weight: 100}, {Weight: 5000}}})
	trial.Enter(1)
	trial.Add(analyzer.Key{Epoch: 1, Step: 1, Weight: 0.01}, haldane.Baseline, analyzer.Counts{N: 99000})
	trial.Add(analyzer.Key{Epoch: 1, Step: 1, Weight: 0.01}, haldane.Canary, analyzer.Counts{N: 1000})
	if j := trial.Judgement(); j != haldane.Pass {
		t.Fatalf("step 1: got %v, want pass", j)
	}
	trial.Enter(2)
	// A late observation of the step before is evidence of harm, not of promotion.
	trial.Add(analyzer.Key{Epoch: 1, Step: 1, Weight: 0.01}, haldane.Baseline, analyzer.Counts{N: 90})
	v := trial.Verdict(noon)
	if v.Judgement != haldane.Undecided || math.Abs(v.Indicators[0].LogEPromote) > 1e-12 {
		t.Errorf("step 2 without traffic: got %v with log e of promotion %v, want undecided with 0",
			v.Judgement, v.Indicators[0].LogEPromote)
	}
}

func TestNeedsAreAboutWhatIsThenNeeded(t *testing.T) {
	same := behaviour{failures: 0.002, stretch: 1}
	sum, need := 0.0, 0.0
	const runs = 20
	for seed := range uint64(runs) {
		trial := newTrial(t, analyzer.Spec{})
		rng, k := rand.New(rand.NewPCG(seed, 3)), analyzer.Key{Weight: 0.2}
		feed(trial, rng, k, 1000, [haldane.NumTracks]behaviour{same, same})
		need += float64(trial.Verdict(noon).Needs.Requests) / runs
		_, n := feed(trial, rng, k, 500000, [haldane.NumTracks]behaviour{same, same})
		sum += float64(n) / runs
	}
	if need < sum/2 || need > sum*2 {
		t.Errorf("said about %.0f more requests, took %.0f: want them within a factor of 2", need, sum)
	}
}

func TestAReplayIsTheSameToTheBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := analyzer.Spec{Rollout: "r", Steps: []analyzer.Step{{Weight: 500}, {Weight: 2500}, {Weight: 5000}}}
		trial, err := analyzer.NewTrial(spec)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		known := rapid.Bool().Draw(t, "weight known")
		for step := 1; step <= rapid.IntRange(1, 3).Draw(t, "steps"); step++ {
			trial.Enter(step)
			w := spec.Steps[step-1].Weight.Fraction()
			for range rapid.IntRange(1, 30).Draw(t, "batches") {
				for range rapid.IntRange(1, 200).Draw(t, "requests") {
					k, track := analyzer.Key{Epoch: uint64(step), Step: step, Weight: w}, haldane.Baseline
					if rng.Float64() < w {
						track = haldane.Canary
					}
					if !known {
						k.Weight = 0
					}
					trial.Observe(k, track, rng.Float64() < 0.05, true, int(rng.NormFloat64()*40))
				}
				trial.Turn()
				trial.Judgement() // being looked at must change nothing
			}
		}
		stored := trial.Verdict(noon)
		counts, err := trial.Tape()
		if err != nil {
			t.Fatal(err)
		}
		// As it would be read from an event.
		var wire haldane.Verdict
		b, err := json.Marshal(stored)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &wire); err != nil {
			t.Fatal(err)
		}
		again, err := analyzer.Replay(wire, counts)
		if err != nil {
			t.Fatal(err)
		}
		if d := analyzer.Differences(wire, again); d != nil {
			t.Errorf("the replay differs: %v", d)
		}
	})
}

func TestReplayNoticesWhatWasChanged(t *testing.T) {
	trial := newTrial(t, analyzer.Spec{})
	feed(trial, rand.New(rand.NewPCG(1, 1)), analyzer.Key{Weight: 0.05}, 5000,
		[haldane.NumTracks]behaviour{{failures: 0.01, stretch: 1}, {failures: 0.01, stretch: 1}})
	counts, err := trial.Tape()
	if err != nil {
		t.Fatal(err)
	}
	honest := trial.Verdict(noon)
	forged := honest
	forged.Indicators = append([]haldane.Evidence(nil), honest.Indicators...)
	forged.Indicators[0].LogE = math.Nextafter(forged.Indicators[0].LogE, 9)
	again, err := analyzer.Replay(forged, counts)
	if err != nil {
		t.Fatal(err)
	}
	if d := analyzer.Differences(forged, again); len(d) != 1 || !strings.Contains(d[0], "errors log e") {
		t.Errorf("one bit was changed; got differences %v", d)
	}
	for name, bad := range map[string]string{
		"no JSON":         `x`,
		"another shape":   `{"pages":[]}`,
		"a page skipped":  `{"last":true,"segments":[{"page":2,"weight":0.5}]}`,
		"too many errors": `{"last":true,"segments":[{"page":0,"weight":0.5,"tracks":[{"n":1,"errors":2},{}]}]}`,
		"a weight of 2":   `{"last":true,"segments":[{"page":0,"weight":2}]}`,
	} {
		if _, err := analyzer.Replay(honest, json.RawMessage(bad)); err == nil {
			t.Errorf("%s: replayed without an error", name)
		}
	}
}

func FuzzReplay(f *testing.F) {
	trial := newTrial(f, analyzer.Spec{})
	feed(trial, rand.New(rand.NewPCG(1, 1)), analyzer.Key{Weight: 0.05}, 500, [haldane.NumTracks]behaviour{{0.1, 1, false}, {0.1, 1, false}})
	counts, err := trial.Tape()
	if err != nil {
		f.Fatal(err)
	}
	v := trial.Verdict(noon)
	f.Add([]byte(counts))
	f.Fuzz(func(t *testing.T, in []byte) {
		if again, err := analyzer.Replay(v, in); err == nil && again.Judgement == haldane.Pass && again.Observations == 0 {
			t.Error("a pass without an observation")
		}
	})
}

func TestSpecFaultsAreAllReported(t *testing.T) {
	_, err := analyzer.NewTrial(analyzer.Spec{Alpha: 2, AlphaPromote: -1, Indicators: []haldane.Indicator{
		{Name: "smell", Margin: haldane.Margin{Ratio: 0.5}, Promote: haldane.Margin{Ratio: 1.5, Floor: 2}},
	}})
	for _, want := range []string{"alpha 2", "promotion alpha -1", `"smell"`, "ratio 0.5", "floor 2"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	trial := newTrial(b, analyzer.Spec{})
	rng, k := rand.New(rand.NewPCG(1, 1)), analyzer.Key{Weight: 0.05}
	b.ReportAllocs()
	for i := range b.N {
		trial.Observe(k, haldane.Track(i%20/19), i%1000 == 0, true, rng.IntN(100))
	}
}

func BenchmarkJudgement(b *testing.B) {
	trial := newTrial(b, analyzer.Spec{})
	feed(trial, rand.New(rand.NewPCG(1, 1)), analyzer.Key{Weight: 0.05}, 30000,
		[haldane.NumTracks]behaviour{{failures: 0.03, stretch: 1}, {failures: 0.03, stretch: 1}})
	b.ReportAllocs()
	for b.Loop() {
		trial.Judgement()
	}
}

func BenchmarkVerdict(b *testing.B) {
	trial := newTrial(b, analyzer.Spec{})
	feed(trial, rand.New(rand.NewPCG(1, 1)), analyzer.Key{Weight: 0.05}, 30000,
		[haldane.NumTracks]behaviour{{failures: 0.03, stretch: 1}, {failures: 0.03, stretch: 1}})
	b.ReportAllocs()
	for b.Loop() {
		trial.Verdict(noon)
	}
}

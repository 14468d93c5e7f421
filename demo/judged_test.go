package demo_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer"
	"github.com/haldane-canary/haldane/demo"
	"github.com/haldane-canary/haldane/sketch"
)

// The scenes are played here before the real judge, without servers and
// clocks, so that what a person will see is known for many seeds. With other
// seeds, 200 of 200 ended so, for each scene.
func TestScenesEndAsTheyMustBeforeTheJudge(t *testing.T) {
	for _, scene := range demo.Scenes() {
		t.Run(scene.Name, func(t *testing.T) {
			for seed := range uint64(5) {
				p := newPlay(t, scene, seed)
				if got := p.toTheEnd(); got != scene.Because {
					t.Errorf("seed %d: got %v after %v at step %d, want %v: %s", seed, got, p.now, p.step, scene.Because, p.trial.Verdict(time.Time{}).Reason)
				}
				if p.now > time.Minute+scene.Plan.Watch {
					t.Errorf("seed %d: took %v, want a minute at most", seed, p.now)
				}
			}
		})
	}
}

// A play is a scene in the judge's eyes: requests are drawn, counted and judged.
type play struct {
	scene   demo.Scene
	trial   *analyzer.Trial
	draw    *rand.Rand
	seed    uint64
	step    int           // from 1
	now     time.Duration // since the start
	entered time.Duration // when the step was
	served  [haldane.NumTracks]uint64
}

func newPlay(t *testing.T, s demo.Scene, seed uint64) *play {
	t.Helper()
	spec := analyzer.Spec{Service: demo.Service, Rollout: demo.Rollout, Alpha: s.Plan.Alpha}
	for _, w := range s.Plan.Steps {
		spec.Steps = append(spec.Steps, analyzer.Step{Weight: w})
	}
	trial, err := analyzer.NewTrial(spec)
	if err != nil {
		t.Fatal(err)
	}
	trial.Enter(1)
	return &play{scene: s, trial: trial, draw: rand.New(rand.NewPCG(seed, 1)), seed: seed, step: 1}
}

// toTheEnd plays until the canary is out, at full weight, or out of time.
func (p *play) toTheEnd() haldane.Judgement {
	const look = 100 * time.Millisecond
	for next := look; p.now < p.scene.Plan.Deadline; {
		p.now += time.Duration(p.draw.ExpFloat64() / p.scene.Rate * float64(time.Second))
		p.request()
		if p.now < next {
			continue
		}
		next = p.now + look
		p.trial.Turn()
		switch p.trial.Judgement() {
		case haldane.Fail:
			return haldane.Fail
		case haldane.Pass:
			if p.now-p.entered < p.scene.Plan.Bake {
				continue
			}
			if p.step == len(p.scene.Plan.Steps) {
				return haldane.Pass
			}
			p.step, p.entered = p.step+1, p.now
			p.trial.Enter(p.step)
		case haldane.Undecided:
		}
	}
	return p.trial.Judgement()
}

// request draws one request and counts what became of it.
func (p *play) request() {
	weight := p.scene.Plan.Steps[p.step-1].Fraction()
	track, version := haldane.Baseline, p.scene.Baseline
	if p.draw.Float64() < weight {
		track, version = haldane.Canary, p.scene.Canary
	}
	o := version.Outcome(p.seed+uint64(track)<<32, p.served[track])
	p.served[track]++
	const overhead = 1500 * time.Microsecond // of proxy and loopback, on a busy machine
	p.trial.Observe(analyzer.Key{Epoch: uint64(p.step), Step: p.step, Weight: weight}, track,
		version.Refuse || o.Status >= 500, p.now > p.scene.Plan.Warmup, sketch.Index(o.Wait+overhead))
}

package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer"
	"github.com/haldane-canary/haldane/rollout"
	"github.com/haldane-canary/haldane/sketch"
)

// tick is how often windows leave a proxy, and so how often is judged.
const tick = 100 * time.Millisecond

// A Result is how one rollout went.
type Result struct {
	Phase    haldane.Phase
	Requests uint64        // on both tracks, until it settled
	Canary   uint64        // of them, the canary's
	Harm     uint64        // of them, failed
	Took     time.Duration // until it settled
}

// Run takes the rollout with this seed through w, from its start until it is
// settled or the horizon is reached. The same seed gives the same result.
func Run(w World, seed uint64) (Result, error) {
	c, err := newClock(w, seed)
	if err != nil {
		return Result{}, err
	}
	for c.now < w.Horizon && !c.state.Phase.Settled() {
		c.serve()
		if err := c.decide(); err != nil {
			return Result{}, fmt.Errorf("world %s, seed %d: %w", w.Name, seed, err)
		}
	}
	c.result.Phase, c.result.Took = c.state.Phase, c.now
	return c.result, nil
}

// A clock is one rollout under way.
type clock struct {
	World
	rng     *rand.Rand
	service Service
	trial   *analyzer.Trial
	state   rollout.State
	epoch   time.Time // what now counts from
	now     time.Duration
	result  Result
}

func newClock(w World, seed uint64) (*clock, error) {
	spec := w.Spec
	spec.Service, spec.Rollout = "simulated", "simulated"
	for _, s := range w.Plan.Steps {
		spec.Steps = append(spec.Steps, analyzer.Step{Weight: s.Weight})
	}
	trial, err := analyzer.NewTrial(spec)
	if err != nil {
		return nil, fmt.Errorf("world %s: %w", w.Name, err)
	}
	c := &clock{
		World: w, rng: rand.New(rand.NewPCG(seed, 0x48616c64616e65)), service: w.New(), trial: trial,
		state: rollout.NewState("simulated", "simulated", 1, haldane.Versions{}),
		epoch: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	first := haldane.Position{Phase: haldane.Stepping, Step: 1, Weight: w.Plan.Steps[0].Weight}
	return c, c.apply(rollout.Move{Kind: haldane.KindStarted, To: first})
}

// apply makes m a decision, folds it, and puts its weight in force.
func (c *clock) apply(m rollout.Move) error {
	d := haldane.Decision{
		Seq: c.state.Seq + 1, Service: c.state.Service, Rollout: c.state.Rollout, Kind: m.Kind, Reason: m.Reason,
		From: c.state.Position(), To: m.To, Weight: m.To.Weight, At: c.epoch.Add(c.now),
	}
	s, err := c.state.Apply(d)
	if err != nil {
		return err
	}
	c.state = s
	c.trial.Enter(s.Step)
	return nil
}

// serve draws the requests of one tick, with the weight in force.
func (c *clock) serve() {
	mean := c.Rate * tick.Seconds()
	n := int(mean + c.rng.Float64()) // within one of the mean, and the mean on average
	weight := uint32(c.state.Weight)
	key := analyzer.Key{Epoch: c.state.Epoch(), Step: c.state.Step, Weight: c.state.Weight.Fraction()}
	warm := c.now >= c.Spec.Warmup
	for i := range n {
		track := haldane.Baseline
		if c.rng.Uint32N(uint32(haldane.FullWeight)) < weight {
			track = haldane.Canary
		}
		o := c.service.Answer(c.rng, c.now+tick*time.Duration(i)/time.Duration(n), track)
		c.trial.Observe(key, track, o.Failed, warm, sketch.IndexSeconds(o.Latency))
		c.result.Requests++
		if track == haldane.Canary {
			c.result.Canary++
			if o.Failed {
				c.result.Harm++
			}
		}
	}
	c.now += tick
}

// decide judges what was seen and does what the plan says.
func (c *clock) decide() error {
	c.trial.Turn()
	now := c.epoch.Add(c.now)
	v := &haldane.Verdict{
		Judgement: c.trial.Judgement(), At: now, Rollout: c.state.Rollout, Epoch: c.state.Epoch(), Step: c.state.Step,
	}
	if m, ok := c.Plan.Next(c.state, rollout.Input{Now: now, Verdict: v, ReceivedAt: now}); ok {
		return c.apply(m)
	}
	return nil
}

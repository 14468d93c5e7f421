package demo

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/haldane-canary/haldane"
)

// ErrUnknownScene is returned, wrapped, for a name that no scene has.
var ErrUnknownScene = errors.New("unknown scene")

// A Plan is how a scene's rollout climbs.
type Plan struct {
	Steps    []haldane.Weight
	Bake     time.Duration // of every step
	Warmup   time.Duration // of the canary, whose latency is not judged meanwhile
	Deadline time.Duration // for all steps together; then the weight is held
	Watch    time.Duration // at full weight, before the rollout is completed
	Alpha    float64       // bound on the probability of a false rollback
}

// A Scene is a rollout worth watching, with the end that it must come to.
type Scene struct {
	Name     string
	Story    string // what is the matter with the canary, in a line
	Baseline Behaviour
	Canary   Behaviour
	Rate     float64 // requests a second
	Plan     Plan

	Ends    haldane.Phase     // the phase in which the rollout comes to rest
	Because haldane.Judgement // of the last verdict
}

// Scenes returns every scene, the one that `haldane demo` plays by itself first.
func Scenes() []Scene {
	good := Scene{
		Name: "good", Story: "the new version is as good as the old one",
		Baseline: sound(), Canary: sound(), Rate: busy, Plan: brisk(),
		Ends: haldane.Completed, Because: haldane.Pass,
	}
	quiet := Scene{
		Name: "quiet", Story: "nothing is wrong, but hardly anybody comes: no verdict can be had, and none is made up",
		Baseline: sound(), Canary: sound(), Rate: 3, Plan: brisk(),
		Ends: haldane.Held, Because: haldane.Undecided,
	}
	quiet.Plan.Deadline = 20 * time.Second
	return []Scene{
		worse("bad", "one answer in twenty is a 503",
			sound(), with(sound(), func(b *Behaviour) { b.Errors = 0.05 })),
		good,
		worse("slow", "the median is the same, but one answer in ten takes six times as long",
			sound(), with(sound(), func(b *Behaviour) { b.Tail, b.TailFactor = 0.1, 6 })),
		worse("zero", "the old version never fails, the new one fails once in a hundred requests",
			flawless(), with(flawless(), func(b *Behaviour) { b.Errors = 0.01 })),
		worse("leaky", "fast at first, and slower with every request it has served",
			sound(), with(sound(), func(b *Behaviour) { b.Leak = 0.5 })),
		quiet,
		worse("outage", "the new version does not answer at all",
			sound(), Behaviour{Refuse: true}),
	}
}

// busy is the traffic of most scenes, in requests a second: enough to judge by
// within a minute, and little enough for a laptop.
const busy = 800

// worse returns a scene whose canary must be found out.
func worse(name, story string, baseline, canary Behaviour) Scene {
	return Scene{
		Name: name, Story: story, Baseline: baseline, Canary: canary, Rate: busy, Plan: brisk(),
		Ends: haldane.RolledBack, Because: haldane.Fail,
	}
}

// Find returns the scene of that name, or ErrUnknownScene, wrapped.
func Find(name string) (Scene, error) {
	var names []string
	for _, s := range Scenes() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Scene{}, fmt.Errorf("scene %q (there are %s): %w", name, strings.Join(names, ", "), ErrUnknownScene)
}

// sound is a version in good health: a few milliseconds, one failure in a thousand.
func sound() Behaviour {
	return Behaviour{Median: 4 * time.Millisecond, Spread: 0.5, Errors: 0.001}
}

// flawless is sound without the failures.
func flawless() Behaviour { return with(sound(), func(b *Behaviour) { b.Errors = 0 }) }

// with returns b, changed.
func with(b Behaviour, change func(*Behaviour)) Behaviour {
	change(&b)
	return b
}

// brisk is a plan for people who are watching: it climbs within a minute what
// a service would take hours for.
func brisk() Plan {
	return Plan{
		Steps:    []haldane.Weight{500, 2500, 5000},
		Bake:     3 * time.Second,
		Warmup:   2 * time.Second,
		Deadline: 5 * time.Minute,
		Watch:    5 * time.Second,
		Alpha:    0.01,
	}
}

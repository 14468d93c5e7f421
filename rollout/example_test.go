package rollout_test

import (
	"fmt"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/rollout"
)

// A rollout at its first step, baked, with a pass in hand, goes on to the
// second; with a fail it goes back.
func ExamplePlan_Next() {
	plan := rollout.Plan{Steps: []rollout.Step{{Weight: 100, Bake: 10 * time.Second}, {Weight: 500, Bake: 10 * time.Second}}}
	begun := time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC)
	state := rollout.State{Rollout: "shop-1.5.0", Seq: 1, Phase: haldane.Stepping, Step: 1, Weight: 100, Since: begun}
	now := begun.Add(12 * time.Second)
	for _, j := range []haldane.Judgement{haldane.Undecided, haldane.Pass, haldane.Fail} {
		v := &haldane.Verdict{Judgement: j, Rollout: "shop-1.5.0", Epoch: 1, Step: 1}
		move, due := plan.Next(state, rollout.Input{Now: now, Verdict: v, ReceivedAt: now})
		if !due {
			fmt.Printf("%v: nothing\n", j)
			continue
		}
		fmt.Printf("%v: %s, %v\n", j, move.Kind, move.To.Weight)
	}
	// Output:
	// undecided: nothing
	// pass: weight, 5 %
	// fail: rolledback, 0 %
}

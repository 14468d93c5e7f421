package config_test

import (
	"fmt"

	"github.com/haldane-canary/haldane/config"
)

// Every fault is told at once, with its line and what to write instead.
func ExampleParse() {
	_, err := config.Parse("haldane.yaml", []byte(`
services:
  - name: shop
    tracks:
      baseline: {version: "1.4.0", upstreams: ["http://127.0.0.1:9001"]}
    rollout:
      alhpa: 0.01
      steps: [{weight: 5}]
`))
	fmt.Println(err)
	// Output:
	// haldane.yaml:4:5: services[0].tracks.canary: missing: a rollout needs a candidate
	// haldane.yaml:7:7: services[0].rollout.alhpa: no such key: did you mean alpha? (known here: name, start, alpha, alpha_promote, assign, indicators, steps, warmup, deadline, on_undecided, watch)
	// haldane.yaml:8:24: services[0].rollout.steps[0].weight: weight "5" (write 5% or 500bp): not a weight
}

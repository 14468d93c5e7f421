package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/config"
)

// A slip is a line that is right, and a way to get it wrong.
type slip struct {
	indent      int
	right, fail string
	path        string
}

// slips are the lines of a whole file, in order.
func slips() []slip {
	return []slip{
		{0, `dir: /x`, `dirr: /x`, "dirr"},
		{0, `admin: {listen: "127.0.0.1:1"}`, `admin: {listen: "127.0.0.1"}`, "admin.listen"},
		{0, `telemetry: {sample: 0.5}`, `telemetry: {sample: half}`, "telemetry.sample"},
		{0, `proxy: {timeout: 3s}`, `proxy: {timeout: -3s}`, "proxy.timeout"},
		{0, `services:`, `services:`, ""},
		{0, `- name: shop`, `- name: "sh op"`, "services[0].name"},
		{2, `match: [{prefix: /}]`, `match: [{prefix: x}]`, "services[0].match[0].prefix"},
		{2, `tracks:`, `tracks:`, ""},
		{4, `baseline: {version: "1", upstreams: ["http://a"]}`, `baseline: {version: "1", upstreams: [a]}`, "services[0].tracks.baseline.upstreams[0]"},
		{4, `canary: {version: "2", upstreams: ["http://b"]}`, `canary: {version: [2], upstreams: ["http://b"]}`, "services[0].tracks.canary.version"},
		{2, `rollout:`, `rollout:`, ""},
		{4, `name: r`, `name: ""`, "services[0].rollout.name"},
		{4, `alpha: 0.01`, `alpha: 1`, "services[0].rollout.alpha"},
		{4, `assign: request`, `assign: client`, "services[0].rollout.assign"},
		{4, `steps: [{weight: 1%}]`, `steps: [{weight: 101%}]`, "services[0].rollout.steps[0].weight"},
		{4, `watch: 1m`, `watch: long`, "services[0].rollout.watch"},
	}
}

func TestNoFaultHidesAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		want := make(map[string]int) // the line of each fault, by path
		for i, s := range slips() {
			line := s.right
			if s.path != "" && rapid.Bool().Draw(t, s.path) {
				line = s.fail
				want[s.path] = i + 1
			}
			fmt.Fprintf(&text, "%s%s\n", strings.Repeat(" ", s.indent), line)
		}
		_, err := config.Parse("t.yaml", []byte(text.String()))
		faults, _ := errors.AsType[config.Faults](err)
		for _, f := range faults {
			line, ok := want[f.Path]
			if f.Path == "services[0].rollout.name" && want["services[0].tracks.canary.version"] > 0 {
				continue // the default name is made of the version
			}
			if !ok || line != f.Line {
				t.Fatalf("told %v, which was not got wrong on that line:\n%s", f, text.String())
			}
			delete(want, f.Path)
		}
		delete(want, "services[0].rollout.name") // an empty name has a default
		if len(want) > 0 {
			t.Fatalf("not told: %v; told:\n%v\n%s", want, err, text.String())
		}
	})
}

func TestAPlanOfAnyShapeHasAMarginForEveryStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := config.DefaultRollout("r")
		r.Steps = nil
		weight := 0
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			weight += rapid.IntRange(1, 500).Draw(t, "weight")
			r.Steps = append(r.Steps, config.Step{Weight: haldane.Weight(weight)})
		}
		r.FillMargins()
		for i, s := range r.Steps {
			for _, ind := range r.Indicators {
				m, ok := s.Promote[ind.Name]
				if !ok || m.Ratio < ind.Promote.Ratio || m.Floor < ind.Promote.Floor {
					t.Fatalf("step %d of %v excludes %+v of %s, less than the last step's %+v", i, s.Weight, m, ind.Name, ind.Promote)
				}
			}
		}
		for name, m := range r.Steps[len(r.Steps)-1].Promote {
			for _, ind := range r.Indicators {
				if ind.Name == name && m != ind.Promote {
					t.Fatalf("the last step excludes %+v of %s, not %+v", m, name, ind.Promote)
				}
			}
		}
	})
}

func TestAConfigMadeByHandIsCheckedAsWell(t *testing.T) {
	c := config.Default()
	c.Proxy.Timeout = 0
	c.Proxy.Orphan = config.Orphan{Policy: "panic", After: -time.Second}
	c.Bus = config.Bus{}
	c.Dir = ""
	c.Telemetry = config.Telemetry{OTLP: "collector:4318", Sample: 2}
	c.Services = []config.Service{{Name: "shop", Timeout: -1, Rollout: &config.Rollout{}}}
	err := c.Validate()
	if err == nil {
		t.Fatal("Validate let it through")
	}
	for _, want := range []string{
		"proxy.timeout: 0s", `proxy.orphan.policy: "panic"`, "proxy.orphan.after: -1s", "bus.urls: missing", "dir: missing",
		"telemetry.otlp:", "telemetry.sample: 2", "services[0].timeout", "services[0].tracks.baseline.version: missing",
		"services[0].tracks.canary: missing", "services[0].rollout.name: missing", "services[0].rollout.alpha: 0",
		"services[0].rollout.indicators: missing", "services[0].rollout.steps: missing", "services[0].rollout.deadline",
		`services[0].rollout.on_undecided: ""`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), ":0:") {
		t.Errorf("a place in a file that there is not:\n%v", err)
	}
}

package demo_test

import (
	"testing"
	"time"

	"github.com/haldane-canary/haldane/config"
	"github.com/haldane-canary/haldane/demo"
)

func TestEverySceneIsAConfigurationWithoutFault(t *testing.T) {
	for _, scene := range demo.Scenes() {
		t.Run(scene.Name, func(t *testing.T) {
			file, err := scene.Config(demo.Places{
				Proxy: "127.0.0.1:8080", Admin: "127.0.0.1:9900", Dir: "./a \"quoted\" folder",
				Baseline: "http://127.0.0.1:9001", Canary: "http://127.0.0.1:9002",
				OTLP: "http://127.0.0.1:4318",
			})
			if err != nil {
				t.Fatal(err)
			}
			c, err := config.Parse("haldane.yaml", file)
			if err != nil {
				t.Fatalf("parse: got\n%v\nof\n%s", err, file)
			}
			rollout := c.Services[0].Rollout
			if rollout.Alpha != scene.Plan.Alpha || rollout.Warmup != scene.Plan.Warmup || rollout.Watch != scene.Plan.Watch ||
				rollout.Deadline != scene.Plan.Deadline || !rollout.Auto || rollout.Name != demo.Rollout {
				t.Errorf("rollout: got %+v, want the plan %+v", rollout, scene.Plan)
			}
			for i, s := range rollout.Steps {
				if s.Weight != scene.Plan.Steps[i] || s.Bake != scene.Plan.Bake {
					t.Errorf("step %d: got %v for %v, want %v for %v", i+1, s.Weight, s.Bake, scene.Plan.Steps[i], scene.Plan.Bake)
				}
			}
			if c.Bus.Embedded == nil || c.Bus.Embedded.Listen != "" || c.Dir != "./a \"quoted\" folder" {
				t.Errorf("bus: got %+v in %s, want one for this process only", c.Bus.Embedded, c.Dir)
			}
			if c.Telemetry.OTLP != "http://127.0.0.1:4318" {
				t.Errorf("traces: got %q", c.Telemetry.OTLP)
			}
		})
	}
}

func TestDemoFitsIntoTheTimeOfANewcomer(t *testing.T) {
	for _, scene := range demo.Scenes() {
		climb := scene.Plan.Warmup + scene.Plan.Bake*time.Duration(len(scene.Plan.Steps)) + scene.Plan.Watch
		if climb > 30*time.Second {
			t.Errorf("%s: takes %v at the least, want 30s at most", scene.Name, climb)
		}
	}
}

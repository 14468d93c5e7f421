package config

import (
	"maps"
	"time"

	"github.com/haldane-canary/haldane"
)

// DefaultDir is where everything is kept if the file does not say.
const DefaultDir = "./haldane-data"

// DefaultAdmin is the address of the admin listener if the file does not say,
// and where client commands look for it.
const DefaultAdmin = "127.0.0.1:9900"

// Default returns the configuration of an empty file. It lacks services, and
// so is not valid yet.
func Default() *Config {
	return &Config{
		Dir: DefaultDir,
		Proxy: Proxy{
			Listen:  "127.0.0.1:8080",
			Timeout: 30 * time.Second,
			Orphan:  Orphan{Policy: OrphanHold, After: 10 * time.Minute},
		},
		Admin:     Admin{Listen: DefaultAdmin},
		Bus:       Bus{Embedded: &Embedded{Dir: DefaultDir, Listen: "127.0.0.1:4222"}},
		Telemetry: Telemetry{Sample: 0.01},
	}
}

// DefaultBake is the least time a step is given if its plan does not say.
const DefaultBake = 10 * time.Second

// DefaultRollout returns the rollout of a file that says no more of it than
// that it is wanted.
func DefaultRollout(name string) *Rollout {
	r := bareRollout(name)
	r.FillMargins()
	return r
}

// bareRollout is DefaultRollout without the steps' margins, which depend on
// indicators and steps that the file may still change.
func bareRollout(name string) *Rollout {
	r := &Rollout{
		Name:         name,
		Auto:         true,
		Alpha:        0.01,
		AlphaPromote: 0.05,
		Indicators:   haldane.DefaultIndicators(),
		Warmup:       time.Minute,
		Deadline:     30 * time.Minute,
		OnUndecided:  UndecidedHold,
		Watch:        10 * time.Minute,
	}
	for _, w := range []haldane.Weight{100, 500, 2500, 5000} {
		r.Steps = append(r.Steps, Step{Weight: w, Bake: DefaultBake})
	}
	return r
}

// FillMargins gives each step the promotion margin of each indicator that it
// does not state itself: the indicator's own at the last step, a grosser one
// before it (see haldane.Indicator.PromoteAt).
func (r *Rollout) FillMargins() {
	for i := range r.Steps {
		stated := maps.Clone(r.Steps[i].Promote)
		if stated == nil {
			stated = make(map[string]haldane.Margin, len(r.Indicators))
		}
		for _, ind := range r.Indicators {
			if _, ok := stated[ind.Name]; ok || ind.Name == "" {
				continue
			}
			stated[ind.Name] = ind.PromoteAt(r.Steps[i].Weight)
			if i == len(r.Steps)-1 {
				stated[ind.Name] = ind.Promote
			}
		}
		r.Steps[i].Promote = stated
	}
}

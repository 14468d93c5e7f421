package main

import (
	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/analyzer"
	"github.com/haldane-canary/haldane/config"
	"github.com/haldane-canary/haldane/proxy"
	"github.com/haldane-canary/haldane/rollout"
)

// proxyConfig returns what the proxy is to know of c.
func proxyConfig(c *config.Config) proxy.Config {
	p := proxy.Config{Timeout: c.Proxy.Timeout, Orphan: proxy.Orphan{Policy: c.Proxy.Orphan.Policy, After: c.Proxy.Orphan.After}}
	for _, s := range c.Services {
		service := proxy.Service{
			Name: s.Name, Timeout: s.Timeout,
			Baseline: proxy.Track{Version: s.Baseline.Version, Upstreams: s.Baseline.Upstreams},
		}
		for _, m := range s.Match {
			service.Match = append(service.Match, proxy.Match{Name: m.Name, Host: m.Host, Prefix: m.Prefix, Exact: m.Exact})
		}
		if s.Canary != nil {
			service.Canary = proxy.Track{Version: s.Canary.Version, Upstreams: s.Canary.Upstreams}
		}
		if r := s.Rollout; r != nil {
			service.Rollout = r.Name
			service.Assign = proxy.Assign{Cookie: r.Assign.Cookie, Header: r.Assign.Header}
		}
		p.Services = append(p.Services, service)
	}
	return p
}

// analyzerSpecs returns what is judged by c.
func analyzerSpecs(c *config.Config) []analyzer.Spec {
	var specs []analyzer.Spec
	for _, s := range c.Services {
		r := s.Rollout
		if r == nil {
			continue
		}
		spec := analyzer.Spec{
			Service: s.Name, Rollout: r.Name, Alpha: r.Alpha, AlphaPromote: r.AlphaPromote,
			Indicators: r.Indicators, Warmup: r.Warmup,
		}
		for _, step := range r.Steps {
			spec.Steps = append(spec.Steps, analyzer.Step{Weight: step.Weight, Promote: step.Promote})
		}
		specs = append(specs, spec)
	}
	return specs
}

// rolloutSpecs returns what is carried out by c.
func rolloutSpecs(c *config.Config) []rollout.Spec {
	var specs []rollout.Spec
	for _, s := range c.Services {
		r := s.Rollout
		if r == nil {
			continue
		}
		spec := rollout.Spec{
			Service: s.Name, Name: r.Name, Auto: r.Auto,
			Versions: haldane.Versions{Baseline: s.Baseline.Version, Canary: s.Canary.Version},
			Plan:     rollout.Plan{Deadline: r.Deadline, Watch: r.Watch, OnUndecided: rollout.OnUndecided(r.OnUndecided)},
		}
		for _, step := range r.Steps {
			spec.Plan.Steps = append(spec.Plan.Steps, rollout.Step{Weight: step.Weight, Bake: step.Bake})
		}
		specs = append(specs, spec)
	}
	return specs
}

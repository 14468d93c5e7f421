package config

import (
	"net/url"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/haldane-canary/haldane"
)

// config reads a whole file into c, which holds the defaults.
func (v value) config(c *Config) {
	dir := ""
	v.fields(
		field{"dir", func(v value) { v.string(&dir) }},
		field{"proxy", func(v value) { v.proxy(&c.Proxy) }},
		field{"admin", func(v value) {
			v.fields(field{"listen", func(v value) { v.string(&c.Admin.Listen) }})
		}},
		field{"bus", func(v value) { v.bus(&c.Bus) }},
		field{"telemetry", func(v value) {
			v.fields(
				field{"otlp", func(v value) { v.string(&c.Telemetry.OTLP) }},
				field{"sample", func(v value) { v.float(&c.Telemetry.Sample) }},
			)
		}},
		field{"services", func(v value) {
			v.each(func(_ int, v value) { c.Services = append(c.Services, v.service()) })
		}},
	)
	c.settleDir(dir)
}

// settleDir lets whichever of `dir` and `bus.embedded.dir` is given stand for
// both.
func (c *Config) settleDir(dir string) {
	_, busDir := c.at["bus.embedded.dir"]
	switch {
	case dir != "":
		c.Dir = dir
		if c.Bus.Embedded != nil && !busDir {
			c.Bus.Embedded.Dir = dir
		}
	case busDir:
		c.Dir = c.Bus.Embedded.Dir
	}
}

func (v value) proxy(p *Proxy) {
	v.fields(
		field{"listen", func(v value) { v.string(&p.Listen) }},
		field{"timeout", func(v value) { v.duration(&p.Timeout) }},
		field{"orphan", func(v value) {
			v.fields(
				field{"policy", func(v value) { v.choice(&p.Orphan.Policy, OrphanHold, OrphanBaseline) }},
				field{"after", func(v value) { v.duration(&p.Orphan.After) }},
			)
		}},
	)
}

func (v value) bus(b *Bus) {
	embedded := b.Embedded
	b.Embedded = nil
	v.fields(
		field{"embedded", func(v value) {
			b.Embedded = embedded
			v.fields(
				field{"dir", func(v value) { v.string(&embedded.Dir) }},
				field{"listen", func(v value) { v.string(&embedded.Listen) }},
			)
		}},
		field{"urls", func(v value) { v.strings(&b.URLs) }},
		field{"credentials", func(v value) { v.string(&b.Credentials) }},
	)
	if _, external := v.r.at[v.path+".urls"]; !external && b.Embedded == nil {
		b.Embedded = embedded // `bus: {credentials: …}` alone changes nothing else
	}
}

func (v value) service() Service {
	var s Service
	v.fields(
		field{"name", func(v value) { v.string(&s.Name) }},
		field{"match", func(v value) {
			v.each(func(_ int, v value) { s.Match = append(s.Match, v.match()) })
		}},
		field{"timeout", func(v value) { v.duration(&s.Timeout) }},
		field{"tracks", func(v value) {
			v.fields(
				field{"baseline", func(v value) { s.Baseline = v.track() }},
				field{"canary", func(v value) { t := v.track(); s.Canary = &t }},
			)
		}},
		field{"rollout", func(v value) { s.Rollout = v.rollout() }},
	)
	if _, given := v.r.at[v.path+".match"]; !given {
		s.Match = []Match{{Prefix: "/"}}
	}
	for i := range s.Match {
		s.Match[i].settle()
	}
	if s.Rollout != nil && s.Rollout.Name == "" {
		s.Rollout.Name = s.Name
		if s.Canary != nil {
			s.Rollout.Name += "-" + s.Canary.Version
		}
	}
	return s
}

func (v value) match() Match {
	var m Match
	v.fields(
		field{"name", func(v value) { v.string(&m.Name) }},
		field{"host", func(v value) { v.string(&m.Host); m.Host = strings.ToLower(m.Host) }},
		field{"prefix", func(v value) { v.string(&m.Prefix) }},
		field{"exact", func(v value) { v.string(&m.Exact) }},
	)
	return m
}

// settle gives m its default name, and the prefix of a match that has only a
// host.
func (m *Match) settle() {
	if m.Prefix == "" && m.Exact == "" {
		m.Prefix = "/"
	}
	if m.Name == "" {
		m.Name = m.Host + m.Prefix + m.Exact
	}
}

func (v value) track() Track {
	var t Track
	v.fields(
		field{"version", func(v value) { v.string(&t.Version) }},
		field{"upstreams", func(v value) {
			v.each(func(_ int, v value) {
				t.Upstreams = append(t.Upstreams, v.url())
			})
		}},
	)
	return t
}

// url reads the address of an upstream. It never returns nil.
func (v value) url() *url.URL {
	s, ok := v.scalar("a URL such as http://127.0.0.1:9001")
	if !ok {
		return &url.URL{}
	}
	u, err := url.Parse(s)
	if err != nil {
		v.fault("%q is not a URL: write http://host:port", s)
		return &url.URL{}
	}
	return u
}

func (v value) rollout() *Rollout {
	r := bareRollout("")
	start := "auto"
	v.fields(
		field{"name", func(v value) { v.string(&r.Name) }},
		field{"start", func(v value) { v.choice(&start, "auto", "manual") }},
		field{"alpha", func(v value) { v.float(&r.Alpha) }},
		field{"alpha_promote", func(v value) { v.float(&r.AlphaPromote) }},
		field{"assign", func(v value) { v.assign(&r.Assign) }},
		field{"indicators", func(v value) {
			r.Indicators = nil
			v.each(func(_ int, v value) { r.Indicators = append(r.Indicators, v.indicator()) })
		}},
		field{"steps", func(v value) {
			r.Steps = nil
			v.each(func(_ int, v value) { r.Steps = append(r.Steps, v.step()) })
		}},
		field{"warmup", func(v value) { v.duration(&r.Warmup) }},
		field{"deadline", func(v value) { v.duration(&r.Deadline) }},
		field{"on_undecided", func(v value) {
			v.choice(&r.OnUndecided, UndecidedHold, UndecidedPromote, UndecidedRollback)
		}},
		field{"watch", func(v value) { v.duration(&r.Watch) }},
	)
	r.Auto = start == "auto"
	r.FillMargins()
	return r
}

func (v value) assign(a *Assign) {
	if unit, ok := v.node.(*ast.StringNode); ok {
		if unit.Value != "request" {
			v.fault("%q is not a unit: write request, {cookie: NAME} or {header: NAME}", unit.Value)
		}
		return
	}
	v.fields(
		field{"cookie", func(v value) { v.string(&a.Cookie) }},
		field{"header", func(v value) { v.string(&a.Header) }},
	)
}

func (v value) indicator() haldane.Indicator {
	var ind haldane.Indicator
	var margin, promote *value
	v.fields(
		field{"name", func(v value) { v.choice(&ind.Name, haldane.Errors, haldane.Latency) }},
		field{"margin", func(v value) { margin = &v }},
		field{"promote", func(v value) { promote = &v }},
	)
	for _, d := range haldane.DefaultIndicators() {
		if d.Name == ind.Name {
			ind = d // margins that are left out, wholly or in part
		}
	}
	if margin != nil {
		margin.margin(&ind.Margin)
	}
	if promote != nil {
		promote.margin(&ind.Promote)
	}
	return ind
}

func (v value) margin(m *haldane.Margin) {
	v.fields(
		field{"ratio", func(v value) { v.float(&m.Ratio) }},
		field{"floor", func(v value) { v.float(&m.Floor) }},
	)
}

func (v value) step() Step {
	s := Step{Bake: DefaultBake}
	v.fields(
		field{"weight", func(v value) {
			text, ok := v.scalar("a weight such as 5%")
			if !ok {
				return
			}
			w, err := haldane.ParseWeight(text)
			if err != nil {
				v.wrong(err)
			}
			s.Weight = w
		}},
		field{"bake", func(v value) { v.duration(&s.Bake) }},
		field{"promote", func(v value) { s.Promote = v.promotions() }},
	)
	return s
}

// promotions reads the margins that a step states itself.
func (v value) promotions() map[string]haldane.Margin {
	stated := make(map[string]haldane.Margin)
	one := func(name string) field {
		return field{name, func(v value) {
			var m haldane.Margin
			v.margin(&m)
			stated[name] = m
		}}
	}
	v.fields(one(haldane.Errors), one(haldane.Latency))
	return stated
}

func (v value) strings(dst *[]string) {
	v.each(func(_ int, v value) {
		var s string
		v.string(&s)
		*dst = append(*dst, s)
	})
}

package demo

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"

	"github.com/haldane-canary/haldane"
)

// The names under which the demo's service and versions go.
const (
	Service         = "shop"
	BaselineVersion = "1.4.0"
	CanaryVersion   = "1.5.0"
	Rollout         = "shop-1.5.0"
)

// Places is where the parts of a demo are.
type Places struct {
	Proxy, Admin     string // host:port to listen at
	Bus              string // host:port for NATS clients from outside; "" = none
	Dir              string // for what must survive a restart
	Baseline, Canary string // URLs of the two versions
	OTLP             string // URL of what receives traces; "" = none are sent
}

// Config returns the haldane.yaml of s: the very file with which
// `haldane serve` would run it.
func (s Scene) Config(p Places) ([]byte, error) {
	file, err := template.New("haldane.yaml").Funcs(template.FuncMap{
		"weight": func(w haldane.Weight) string { return strings.ReplaceAll(w.String(), " ", "") },
	}).Parse(configFile)
	if err != nil {
		return nil, fmt.Errorf("read the template of scene %s: %w", s.Name, err)
	}
	var b bytes.Buffer
	err = file.Execute(&b, map[string]any{
		"Scene": s, "At": p, "Service": Service, "Rollout": Rollout,
		"BaselineVersion": BaselineVersion, "CanaryVersion": CanaryVersion,
	})
	if err != nil {
		return nil, fmt.Errorf("write the configuration of scene %s: %w", s.Name, err)
	}
	return b.Bytes(), nil
}

// configFile is what Config fills in. Strings are quoted as JSON, which YAML includes.
const configFile = `# {{.Scene.Name}}: {{.Scene.Story}}.
dir: {{printf "%q" .At.Dir}}
proxy: {listen: {{printf "%q" .At.Proxy}}}
admin: {listen: {{printf "%q" .At.Admin}}}
bus: {embedded: {dir: {{printf "%q" .At.Dir}}, listen: {{printf "%q" .At.Bus}}}}
{{- with .At.OTLP}}
telemetry: {otlp: {{printf "%q" .}}}
{{- end}}
services:
  - name: {{.Service}}
    match: [{prefix: "/"}]
    tracks:
      baseline: {version: {{printf "%q" .BaselineVersion}}, upstreams: [{{printf "%q" .At.Baseline}}]}
      canary:   {version: {{printf "%q" .CanaryVersion}}, upstreams: [{{printf "%q" .At.Canary}}]}
    rollout:
      name: {{.Rollout}}
      start: auto
      alpha: {{.Scene.Plan.Alpha}}
      assign: request
      steps:
{{- range .Scene.Plan.Steps}}
        - {weight: {{weight .}}, bake: {{$.Scene.Plan.Bake}}}
{{- end}}
      warmup: {{.Scene.Plan.Warmup}}
      deadline: {{.Scene.Plan.Deadline}}
      on_undecided: hold
      watch: {{.Scene.Plan.Watch}}
`

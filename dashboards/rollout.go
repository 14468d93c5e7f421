package dashboards

import (
	"encoding/json"
	"fmt"
)

// chosen restricts a query to what is chosen at the top of the page.
const chosen = `service=~"$service",rollout=~"$rollout"`

// failures are the classes that count against a version; see haldane.Class.Failed.
const failures = "server_error|timeout|reset|unreachable"

// JSON returns d as the file that Grafana imports.
func (d Dashboard) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write dashboard %q: %w", d.Title, err)
	}
	return append(b, '\n'), nil
}

// Queries returns every PromQL expression of d, annotations included.
// Grafana's own variables ($service, $__rate_interval …) stand in them.
func (d Dashboard) Queries() []string {
	var exprs []string
	for _, a := range d.Annotations.List {
		exprs = append(exprs, a.Expr)
	}
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			exprs = append(exprs, t.Expr)
		}
	}
	return exprs
}

// Rollout returns the dashboard of rollouts.
func Rollout() Dashboard {
	var g page
	standing(&g)
	comparison(&g)
	evidence(&g)
	health(&g)
	return Dashboard{
		UID: "haldane-rollout", Title: "Haldane: rollouts",
		Description:   "Where each rollout stands, how its two tracks compare, and how strong the evidence is.",
		Tags:          []string{"haldane", "canary"},
		SchemaVersion: 39, Editable: true, Tooltip: 1, Refresh: "5s",
		Time:        TimeRange{From: "now-15m", To: "now"},
		Templating:  Templating{List: variables()},
		Annotations: Annotations{List: []Annotation{decisions()}},
		Panels:      g.panels,
	}
}

// variables returns the choices at the top of the page.
func variables() []Variable {
	ds := source()
	all := &Current{Text: []string{"All"}, Value: []string{"$__all"}}
	return []Variable{
		{Name: "datasource", Label: "Prometheus", Type: "datasource", Query: "prometheus"},
		{Name: "service", Label: "Service", Type: "query", Query: "label_values(haldane_rollout_phase, service)",
			Datasource: &ds, Refresh: 2, Multi: true, IncludeAll: true, AllValue: ".*", Current: all},
		{Name: "rollout", Label: "Rollout", Type: "query", Query: `label_values(haldane_rollout_phase{service=~"$service"}, rollout)`,
			Datasource: &ds, Refresh: 2, Multi: true, IncludeAll: true, AllValue: ".*", Current: all},
	}
}

// decisions marks each decision at the very moment it was made.
func decisions() Annotation {
	return Annotation{
		Name: "Decisions", Datasource: source(), Enable: true, IconColor: "purple",
		Expr: "haldane_decision_timestamp_seconds{" + chosen + "} * 1000", UseValueForTime: "on", Step: "5s",
		TitleFormat: "{{kind}}", TextFormat: "{{rollout}}", TagKeys: "service,kind",
	}
}

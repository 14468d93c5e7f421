package dashboards

import "fmt"

// query returns a query with its legend.
func query(legend, expr string) Target { return Target{Expr: expr, Legend: legend} }

// standing answers: where is it, and what does the judge say?
func standing(g *page) {
	g.row("Where it stands")
	g.add(12, 6, colour(states("Phase", "The phase each rollout is in.",
		map[float64]Word{1: {Text: "here", Color: "blue"}},
		query("{{rollout}}: {{phase}}", "max by (rollout, phase) (haldane_rollout_phase{"+chosen+"}) == 1")),
		"/rolledback|aborted/", "red", false))
	g.add(12, 6, states("Verdict", "Pass advances, fail rolls back, and what is undecided stays where it is.",
		map[float64]Word{
			-1: {Text: "fail", Color: "red", Index: 0}, 0: {Text: "undecided", Color: "yellow", Index: 1}, 1: {Text: "pass", Color: "green", Index: 2},
		}, query("{{rollout}}", "max by (rollout) (haldane_verdict{"+chosen+"})")))
	g.add(12, 7, fromZero(lines("Weight", "The canary's share of the traffic: as decided, and as really served since the last change.", "percentunit",
		query("{{rollout}} asked", "max by (rollout) (haldane_weight_basis_points{"+chosen+"}) / 10000"),
		query("{{rollout}} served", "avg by (rollout) (haldane_served_basis_points{"+chosen+"}) / 10000"))))
	needed := panel("stat", "Data still needed", "Requests on both tracks together before a verdict can be expected, if the canary is as good as the baseline.", "short",
		query("{{rollout}} {{indicator}}", "max by (rollout, indicator) (haldane_needed_requests{"+chosen+"})"))
	g.add(6, 7, needed)
	made := panel("table", "Decisions", "The latest of each kind. All of them are marked on the charts.", "dateTimeAsIso",
		Target{Expr: "max by (rollout, kind) (haldane_decision_timestamp_seconds{" + chosen + "}) * 1000", Instant: true, Format: "table"})
	made.Options = map[string]any{"sortBy": []map[string]any{{"displayName": "Value", "desc": true}}}
	g.add(6, 7, made)
}

// comparison answers: do the two tracks differ?
func comparison(g *page) {
	g.row("Baseline and canary")
	g.add(8, 8, fromZero(tracks(lines("Requests", "Requests a second, by track.", "reqps",
		query("{{service}} {{track}}", "sum by (service, track) (rate(haldane_requests_total{"+chosen+"}[$__rate_interval]))")))))
	failed := `sum by (service, track) (rate(haldane_requests_total{` + chosen + `,class=~"` + failures + `"}[$__rate_interval]))`
	counted := `sum by (service, track) (rate(haldane_requests_total{` + chosen + `,class!="canceled"}[$__rate_interval]))`
	g.add(8, 8, fromZero(tracks(lines("Errors", "Share of requests that failed: status 500 or more, timeouts, broken and refused connections.", "percentunit",
		query("{{service}} {{track}}", failed+" / "+counted)))))
	var latency []Target
	for _, q := range []int{50, 95, 99} {
		latency = append(latency, Target{Expr: quantile(q), Legend: fmt.Sprintf("{{service}} {{track}} p%d", q), Exemplar: true})
	}
	g.add(8, 8, fromZero(tracks(lines("Latency", "From a request's arrival to the end of its answer.", "s", latency...))))
}

// quantile returns the query for a percentile of the latency. Classic buckets
// are there if the scrape kept them, native ones if the server keeps those.
func quantile(percent int) string {
	return fmt.Sprintf("histogram_quantile(0.%d, sum by (le, service, track) (rate(haldane_request_duration_seconds_bucket{%s}[$__rate_interval])))"+
		" or histogram_quantile(0.%d, sum by (service, track) (rate(haldane_request_duration_seconds{%s}[$__rate_interval])))",
		percent, chosen, percent, chosen)
}

// evidence answers: how strong is it?
func evidence(g *page) {
	g.row("Evidence")
	for _, indicator := range []string{"errors", "latency"} {
		effect := lines("Effect on "+indicator, "Canary / baseline: the estimate, and the interval that holds the truth at all moments at once. Harm begins at the margin.", "short",
			query("{{rollout}} {{bound}}", `max by (rollout, bound) (haldane_effect{`+chosen+`,indicator="`+indicator+`"})`))
		effect = colour(colour(effect, "/margin/", "red", true), "/estimate/", "orange", false)
		g.add(12, 8, colour(effect, "/lower|upper/", "light-orange", false))
	}
	for _, p := range []struct{ process, title, description string }{
		{"rollback", "Evidence for a rollback", "Natural log of the e-value against \"not worse than the margin\". At the limit the canary is out."},
		{"promote", "Evidence for an advance", "Natural log of the e-value against \"worse than the promotion margin\", over this step. Every indicator must reach the limit."},
	} {
		only := `{` + chosen + `,process="` + p.process + `"}`
		g.add(12, 8, colour(lines(p.title, p.description, "short",
			query("{{rollout}} {{indicator}}", "max by (rollout, indicator) (haldane_log_e_value"+only+")"),
			query("{{rollout}} limit", "max by (rollout) (haldane_log_e_limit"+only+")")), "/limit/", "red", true))
	}
}

// health answers: is Haldane itself well?
func health(g *page) {
	g.row("Haldane itself")
	g.add(8, 6, states("Control plane", "Whether each proxy hears the controller. While it does not, weights stay as they are.",
		map[float64]Word{0: {Text: "away", Color: "red", Index: 0}, 1: {Text: "connected", Color: "green", Index: 1}},
		query("{{instance}}", "min by (instance) (haldane_control_connected)")))
	g.add(8, 6, fromZero(lines("Dropped", "What was counted but could not be told: evidence comes late, never wrong.", "short",
		query("reports", "sum(rate(haldane_reports_dropped_total[$__rate_interval]))"),
		query("bus messages: {{kind}}", "sum by (kind) (rate(haldane_bus_messages_dropped_total[$__rate_interval]))"),
		query("malformed: {{kind}}", "sum by (kind) (rate(haldane_bus_malformed_total[$__rate_interval]))"),
		query("spans: {{reason}}", "sum by (reason) (rate(haldane_spans_dropped_total[$__rate_interval]))"))))
	g.add(8, 6, fromZero(lines("Load", "Requests under way, by track, and requests that the baseline answered in the canary's place.", "short",
		query("{{service}} {{track}} under way", `sum by (service, track) (haldane_requests_in_flight{service=~"$service"})`),
		query("{{service}} retried a second", `sum by (service) (rate(haldane_retries_total{service=~"$service"}[$__rate_interval]))`))))
	g.add(24, 6, lines("Decisions made", "By kind, within the time shown.", "short",
		query("{{service}} {{kind}}", `sum by (service, kind) (haldane_decisions_total{service=~"$service"}) > 0`)))
}

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
	reach(g)
	losses(g)
	g.add(8, 6, fromZero(lines("Load", "Requests under way, by track, and requests that the baseline answered in the canary's place.", "short",
		query("{{service}} {{track}} under way", `sum by (service, track) (haldane_requests_in_flight{service=~"$service"})`),
		query("{{service}} retried a second", `sum by (service) (rate(haldane_retries_total{service=~"$service"}[$__rate_interval]))`))))
	g.add(16, 6, lines("Decisions made", "By kind, by the processes that run now.", "short",
		query("{{service}} {{kind}}", `sum by (service, kind) (haldane_decisions_total{service=~"$service"}) > 0`)))
	running := panel("table", "Running", "Which version of Haldane each process is.", "",
		Target{Expr: "max by (instance, version, go) (haldane_build_info)", Instant: true, Format: "table"})
	g.add(8, 6, running)
}

// reach answers: do the parts hear one another?
func reach(g *page) {
	g.add(8, 6, states("Control plane", "Whether each proxy hears the controller, and each process the bus. While a proxy hears nothing, its weights stay as they are.",
		map[float64]Word{0: {Text: "away", Color: "red", Index: 0}, 1: {Text: "connected", Color: "green", Index: 1}},
		query("{{instance}}", "min by (instance) (haldane_control_connected)"),
		query("{{instance}} bus", "min by (instance) (haldane_bus_connected)")))
	g.add(8, 6, fromZero(lines("Silence", "Time since each proxy last heard the controller: about a second, while all is well.", "s",
		query("{{instance}}", "max by (instance) (timestamp(haldane_control_last_contact_timestamp_seconds) - (haldane_control_last_contact_timestamp_seconds > 0))"))))
	g.add(8, 6, fromZero(lines("Told", "What each process tells the others a second: the proxies' counts, and spans if traces are recorded.", "short",
		query("{{instance}} reports", "sum by (instance) (rate(haldane_reports_published_total[$__rate_interval]))"),
		query("{{instance}} spans", "sum by (instance) (rate(haldane_spans_sent_total[$__rate_interval]))"))))
}

// losses answers: does anything get lost on the way?
func losses(g *page) {
	g.add(8, 6, fromZero(lines("Dropped", "What was counted but could not be told, a second: evidence comes late, never wrong.", "short",
		query("reports not sent", "sum(rate(haldane_reports_dropped_total[$__rate_interval]))"),
		query("reports without room", "sum(rate(haldane_analyzer_reports_dropped_total[$__rate_interval]))"),
		query("reports refused", "sum(rate(haldane_analyzer_reports_refused_total[$__rate_interval]))"),
		query("bus messages: {{kind}}", "sum by (kind) (rate(haldane_bus_messages_dropped_total[$__rate_interval]))"),
		query("malformed: {{kind}}", "sum by (kind) (rate(haldane_bus_malformed_total[$__rate_interval]))"),
		query("spans: {{reason}}", "sum by (reason) (rate(haldane_spans_dropped_total[$__rate_interval]))"))))
	g.add(8, 6, fromZero(lines("Turned away", "Requests a second that no version was asked for, and faults of the proxy's own, survived.", "short",
		query("{{instance}} no such service", "sum by (instance) (rate(haldane_unrouted_requests_total[$__rate_interval]))"),
		query("{{instance}} not to be passed on", "sum by (instance) (rate(haldane_refused_requests_total[$__rate_interval]))"),
		query("{{instance}} faults", "sum by (instance) (rate(haldane_proxy_panics_total[$__rate_interval]))"))))
}

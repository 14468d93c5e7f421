package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/haldane-canary/haldane/dashboards"
	"github.com/haldane-canary/haldane/demo"
)

// The dashboard is shown here as Grafana would show it of `haldane demo`, by a
// Prometheus that keeps classic buckets and by one that keeps native ones.
func TestDashboardShowsADemo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	st := onStage(t, "good")
	const exemplars = "--enable-feature=exemplar-storage"
	servers := map[string]*prometheusServer{
		"classic": scrapes(ctx, t, st.server.AdminURL(), exemplars),
		"native":  scrapes(ctx, t, st.server.AdminURL(), exemplars+",native-histograms"),
	}
	t.Run("shown", func(t *testing.T) {
		for name, p := range servers {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				open := questions(t)
				eventually(ctx, t, func() (err error) { open, err = put(ctx, p, open); return err })
				eventually(ctx, t, func() error { return choices(ctx, p) })
				eventually(ctx, t, func() error { return tracesOfLatency(ctx, p) })
			})
		}
	})
	t.Run("native histograms arrive", func(t *testing.T) {
		eventually(ctx, t, func() error { return nativeDurations(ctx, servers["native"]) })
	})
	t.Run("nothing is exposed that nobody sees", func(t *testing.T) {
		exposed := names(ctx, t, servers["classic"])
		if native := names(ctx, t, servers["native"]); !maps.Equal(exposed, native) {
			t.Errorf("metrics: got %v by classic scrapes, %v by native ones", exposed, native)
		}
		allSeen(t, exposed)
	})
}

// onStage plays a scene as `haldane demo` does, until the test ends. Its traces
// go to a receiver that wants them.
func onStage(t *testing.T, name string) *stage {
	t.Helper()
	scene, err := demo.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Errorf("receive traces: %v", err)
		}
		w.Header().Set("Content-Type", "application/x-protobuf") // an empty message: all taken
	}))
	t.Cleanup(receiver.Close)
	f := demoFlags{scene: name, seed: 1, otlp: receiver.URL}
	ctx, end := context.WithCancel(context.Background()) // t's own ends before the cleanups
	notices := &output{}
	st, err := f.set(ctx, scene, t.TempDir(), notices)
	if err != nil {
		end()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- st.play(ctx, &f, io.Discard, notices) }()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Errorf("the demo: %v\n%s", err, notices)
		}
	})
	return st
}

// A question is a query of the dashboard.
type question struct {
	where  string   // it stands
	query  string   // with Grafana's variables replaced
	labels []string // that are shown of every series
	check  func(value float64) error
}

// questions returns every query of the dashboard, as Grafana puts it with all
// services and rollouts chosen.
func questions(t *testing.T) []question {
	t.Helper()
	field := regexp.MustCompile(`\{\{(\w+)\}\}`)
	var all []question
	add := func(where, expr, shown string, check func(float64) error) {
		q := question{where: where + ": " + expr, query: asked(expr), check: check}
		for _, m := range field.FindAllStringSubmatch(shown, -1) {
			q.labels = append(q.labels, m[1])
		}
		if strings.Contains(q.query, "$") {
			t.Errorf("%s: a variable is left", q.where)
		}
		all = append(all, q)
	}
	d := dashboards.Rollout()
	for _, a := range d.Annotations.List {
		add("mark "+a.Name, a.Expr, a.TitleFormat+a.TextFormat, justNow)
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			add("panel "+p.Title, target.Expr, target.Legend, func(float64) error { return nil })
		}
	}
	if got := d.Queries(); len(all) != len(got) {
		t.Errorf("got %d queries on the page, %d by Queries", len(all), len(got))
	}
	return all
}

// asked returns a query of the dashboard as Grafana sends it, with all chosen.
// A rate is over four scrapes, of 15 s each unless Grafana is told otherwise.
func asked(expr string) string {
	replacements := []string{"$__rate_interval", "1m"}
	for _, v := range dashboards.Rollout().Templating.List {
		replacements = append(replacements, "$"+v.Name, v.AllValue)
	}
	return strings.NewReplacer(replacements...).Replace(expr)
}

// justNow says if a moment, in milliseconds, is not of this hour.
func justNow(ms float64) error {
	if since := time.Since(time.UnixMilli(int64(ms))); since < -time.Minute || since > time.Hour {
		return fmt.Errorf("%v as a time in milliseconds is %v ago", ms, since)
	}
	return nil
}

// put asks questions, and returns those that are still open, with what is
// wrong with each.
func put(ctx context.Context, p *prometheusServer, all []question) (open []question, err error) {
	for _, q := range all {
		if fault := q.put(ctx, p); fault != nil {
			open = append(open, q)
			err = errors.Join(err, fmt.Errorf("%s: %w", q.where, fault))
		}
	}
	return open, err
}

// put asks, and returns what is wrong with the answer: it must have something
// to draw, and everything in it must have a name.
func (q question) put(ctx context.Context, p *prometheusServer) error {
	samples, err := p.ask(ctx, q.query)
	if err != nil {
		return err
	}
	drawn := 0
	for _, s := range samples {
		for _, label := range q.labels {
			if s.labels[label] == "" {
				return fmt.Errorf("a series without %s: %v", label, s.labels)
			}
		}
		if math.IsNaN(s.value) || math.IsInf(s.value, 0) {
			continue // a gap
		}
		drawn++
		if err := q.check(s.value); err != nil {
			return err
		}
	}
	if drawn == 0 {
		return fmt.Errorf("nothing to draw among %v", samples)
	}
	return nil
}

// tracesOfLatency says if there is no trace beside the latencies that ask for
// some.
func tracesOfLatency(ctx context.Context, p *prometheusServer) error {
	asks := 0
	for _, panel := range dashboards.Rollout().Panels {
		for _, target := range panel.Targets {
			if !target.Exemplar {
				continue
			}
			asks++
			traces, err := p.exemplars(ctx, asked(target.Expr))
			if err != nil {
				return err
			}
			if len(traces) == 0 || slices.ContainsFunc(traces, func(id string) bool { return len(id) != 32 }) {
				return fmt.Errorf("%s: got traces %q", panel.Title, traces)
			}
		}
	}
	if asks == 0 {
		return errors.New("no panel asks for exemplars")
	}
	return nil
}

// choices says if a variable of the dashboard does not offer what there is.
func choices(ctx context.Context, p *prometheusServer) error {
	want := map[string]string{"service": demo.Service, "rollout": demo.Rollout}
	values := regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	for _, v := range dashboards.Rollout().Templating.List {
		if v.Type != "query" {
			continue
		}
		m := values.FindStringSubmatch(asked(v.Query))
		if m == nil {
			return fmt.Errorf("%s asks %s, want label_values of something", v.Name, v.Query)
		}
		got, err := p.values(ctx, m[2], m[1])
		if err != nil {
			return err
		}
		if !slices.Equal(got, []string{want[v.Name]}) {
			return fmt.Errorf("%s offers %q, want %q", v.Name, got, want[v.Name])
		}
	}
	return nil
}

// nativeDurations says if the durations of both tracks are not there as native
// histograms, or make no sense.
func nativeDurations(ctx context.Context, p *prometheusServer) error {
	const durations = "rate(haldane_request_duration_seconds[1m])"
	perSecond, err := p.ask(ctx, "sum by (track) (histogram_count("+durations+"))")
	if err != nil {
		return err
	}
	var tracks []string
	for _, s := range perSecond {
		if s.value > 0 {
			tracks = append(tracks, s.labels["track"])
		}
	}
	if slices.Sort(tracks); !slices.Equal(tracks, []string{"baseline", "canary"}) {
		return fmt.Errorf("durations of %v a second: %v", tracks, perSecond)
	}
	// The shop answers within 4 ms, mostly; a busy machine adds to that.
	median, err := p.ask(ctx, "histogram_quantile(0.5, sum("+durations+"))")
	if err != nil {
		return err
	}
	if len(median) != 1 || !(median[0].value > 0.002 && median[0].value < 1) {
		return fmt.Errorf("median of the durations: got %v s, want some milliseconds", median)
	}
	return nil
}

// names returns the names of all of our metrics that are there.
func names(ctx context.Context, t *testing.T, p *prometheusServer) map[string]bool {
	t.Helper()
	all, err := p.values(ctx, "__name__", `{__name__=~"haldane_.*"}`)
	if err != nil {
		t.Fatal(err)
	}
	families := map[string]bool{}
	for _, name := range all {
		families[family(name)] = true
	}
	return families
}

// family returns the name that a histogram's series are parts of; any other
// name is its own.
func family(name string) string {
	for _, part := range []string{"_bucket", "_sum", "_count"} {
		if whole, ok := strings.CutSuffix(name, part); ok {
			return whole
		}
	}
	return name
}

// allSeen compares what is exposed with what is on the dashboard.
func allSeen(t *testing.T, exposed map[string]bool) {
	t.Helper()
	unseen := map[string]string{
		"haldane_rollout_step": "each step has a weight of its own, and that is drawn",
	}
	seen := map[string]bool{}
	metric := regexp.MustCompile(`\bhaldane_\w+`)
	for _, q := range dashboards.Rollout().Queries() {
		for _, name := range metric.FindAllString(q, -1) {
			seen[family(name)] = true
		}
	}
	if len(seen) == 0 {
		t.Fatal("nothing is on the dashboard")
	}
	for name := range seen {
		if !exposed[name] {
			t.Errorf("%s is on the dashboard, and nobody exposes it", name)
		}
	}
	for name := range exposed {
		reason, excused := unseen[name]
		if !seen[name] && !excused {
			t.Errorf("%s is on no panel: draw it, or say here why not", name)
		}
		if seen[name] && excused {
			t.Errorf("%s is on a panel although %q", name, reason)
		}
	}
	for name := range unseen {
		if !exposed[name] {
			t.Errorf("%s is excused, and nobody exposes it", name)
		}
	}
}

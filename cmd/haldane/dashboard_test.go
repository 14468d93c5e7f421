package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	binary := findPrometheus(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	t.Cleanup(cancel)
	st := onStage(t, "good")
	for _, tt := range []struct {
		keeps, features string
		holds           []func(context.Context, *prometheusServer) error
	}{
		{"classic buckets", "exemplar-storage",
			[]func(context.Context, *prometheusServer) error{choices, tracesOfLatency}},
		{"native buckets", "exemplar-storage,native-histograms",
			[]func(context.Context, *prometheusServer) error{choices, tracesOfLatency, nativeDurations}},
	} {
		t.Run(tt.keeps, func(t *testing.T) {
			t.Parallel()
			p := scrapes(ctx, t, binary, st.server.AdminURL(), "--enable-feature="+tt.features)
			open := questions(t)
			eventually(ctx, t, func() (err error) {
				open, err = put(ctx, p, open)
				for _, hold := range tt.holds {
					err = errors.Join(err, hold(ctx, p))
				}
				return err
			})
			allSeen(t, names(t, p))
		})
	}
}

// onStage plays a scene as `haldane demo` does, until the test ends.
func onStage(t *testing.T, name string) *stage {
	t.Helper()
	st, end := perform(t, demoFlags{scene: name, seed: 1, otlp: receiver(t)})
	t.Cleanup(end)
	return st
}

// perform plays a scene until end is called.
func perform(t testing.TB, f demoFlags) (st *stage, end func()) {
	t.Helper()
	scene, err := demo.Find(f.scene)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background()) // t's own ends before the cleanups
	notices := &output{}
	if st, err = f.set(ctx, scene, t.TempDir(), notices); err != nil {
		stop()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- st.play(ctx, &f, io.Discard, notices) }()
	return st, func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the demo: %v\n%s", err, notices)
		}
	}
}

// receiver runs what takes any traces until the test ends, and returns its URL.
func receiver(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Errorf("receive traces: %v", err)
		}
		w.Header().Set("Content-Type", "application/x-protobuf") // an empty message: all are taken
	}))
	t.Cleanup(s.Close)
	return s.URL
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
func names(t *testing.T, p *prometheusServer) map[string]bool {
	t.Helper()
	all, err := p.values(t.Context(), "__name__", `{__name__=~"haldane_.*"}`)
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

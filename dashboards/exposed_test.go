package dashboards_test

import (
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/haldane-canary/haldane/collectors"
	"github.com/haldane-canary/haldane/events/bus"
	"github.com/haldane-canary/haldane/proxy"
	"github.com/haldane-canary/haldane/telemetry"
)

// exposed returns every metric that the parts of Haldane really expose, with
// its labels, as each part describes itself.
func exposed(t *testing.T) map[string][]string {
	t.Helper()
	description := regexp.MustCompile(`^Desc\{fqName: "(\w+)",.*variableLabels: \{([^}]*)\}\}$`)
	// What the command adds of its own is written down here. Its own test holds
	// the dashboard against a haldane that runs.
	metrics := map[string][]string{
		"haldane_build_info":                     {"version", "go", "instance", "job"},
		"haldane_analyzer_reports_dropped_total": {"instance", "job"},
		"haldane_analyzer_reports_refused_total": {"instance", "job"},
	}
	for _, c := range parts(t) {
		descs := make(chan *prometheus.Desc, 64)
		c.Describe(descs)
		close(descs)
		for d := range descs {
			found := description.FindStringSubmatch(d.String())
			if found == nil {
				t.Fatalf("description %s: not as client_golang writes them", d)
			}
			labels := append(strings.Split(found[2], ","), "instance", "job") // a scrape adds the last two
			metrics[found[1]] = labels
			if strings.HasSuffix(found[1], "_duration_seconds") {
				metrics[found[1]+"_bucket"] = append(labels, "le")
			}
		}
	}
	return metrics
}

// parts returns the collectors of a whole Haldane.
func parts(t *testing.T) []prometheus.Collector {
	t.Helper()
	tally := collectors.NewTally("test")
	at := []*url.URL{{Scheme: "http", Host: "127.0.0.1:1"}}
	p, err := proxy.New(proxy.Config{Services: []proxy.Service{{
		Name: "shop", Match: []proxy.Match{{Prefix: "/"}}, Baseline: proxy.Track{Version: "1", Upstreams: at},
	}}}, tally, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Open(t.Context(), bus.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close the bus: %v", err)
		}
	})
	tracing, err := telemetry.Setup(t.Context(), telemetry.Config{OTLP: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	return append(b.Collectors(), tally, p, tracing, telemetry.NewMetrics(), &collectors.Publisher{Tally: tally})
}

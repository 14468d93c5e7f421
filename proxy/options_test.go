package proxy_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/haldane-canary/haldane/proxy"
)

// timesOut sets the service's timeout.
func timesOut(after time.Duration) func(*proxy.Config) {
	return func(c *proxy.Config) { c.Services[0].Timeout = after }
}

// matches makes the service match a host and prefix only.
func matches(host, prefix string) func(*proxy.Config) {
	return func(c *proxy.Config) { c.Services[0].Match = []proxy.Match{{Host: host, Prefix: prefix}} }
}

// assigns sets how requests are assigned.
func assigns(a proxy.Assign) func(*proxy.Config) {
	return func(c *proxy.Config) { c.Services[0].Assign = a }
}

// orphans sets the orphan policy.
func orphans(o proxy.Orphan) func(*proxy.Config) {
	return func(c *proxy.Config) { c.Orphan = o }
}

// metrics returns the values of a collector; those of one name are summed.
func metrics(t testing.TB, c prometheus.Collector) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.Metric {
			values[f.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return values
}

package proxy_test

import (
	"testing"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/proxy"
)

func TestMetricsSayWhatIsServed(t *testing.T) {
	r := newRig(t, says("baseline"), says("canary"), func(c *proxy.Config) {
		other := c.Services[0]
		other.Name, other.Rollout, other.Match = "till", "", []proxy.Match{{Host: "till", Prefix: "/"}}
		c.Services = append(c.Services, other)
	})
	before := metrics(t, r.proxy)
	if _, ok := before["haldane_served_basis_points"]; ok || before["haldane_weight_basis_points"] != 0 {
		t.Errorf("metrics before any request %v, want weight 0 and no share", before)
	}
	r.split(haldane.FullWeight)
	r.do("GET", "/", "")
	r.proxy.Contact(true, at(1, 1, 0).Since)
	got := metrics(t, r.proxy)
	for name, want := range map[string]float64{
		"haldane_weight_basis_points": 10000, "haldane_served_basis_points": 10000, "haldane_control_connected": 1,
		"haldane_requests_in_flight": 0, "haldane_retries_total": 0, "haldane_refused_requests_total": 0,
		"haldane_unrouted_requests_total": 0, "haldane_proxy_panics_total": 0,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s = %v, %v; want %v", name, v, ok, want)
		}
	}
}

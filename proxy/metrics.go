package proxy

import (
	"cmp"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/haldane-canary/haldane"
)

// descs are the descriptions of everything a Proxy exposes.
type descs struct {
	weight, served, inFlight, retries *prometheus.Desc
	connected, lastContact            *prometheus.Desc
	unrouted, refused, panics         *prometheus.Desc
}

// newDescs returns the descriptions.
func newDescs() descs {
	d := prometheus.NewDesc
	return descs{
		weight:   d("haldane_weight_basis_points", "The canary's share of requests in force, 0 to 10000.", []string{"service", "rollout"}, nil),
		served:   d("haldane_served_basis_points", "The canary's share of the requests drawn since the weight epoch began.", []string{"service", "rollout"}, nil),
		inFlight: d("haldane_requests_in_flight", "Requests being answered, by the track they were drawn.", []string{"service", "track"}, nil),
		retries:  d("haldane_retries_total", "Requests that the baseline was asked again after the canary had failed.", []string{"service"}, nil),

		connected:   d("haldane_control_connected", "1 if the controller can be heard.", nil, nil),
		lastContact: d("haldane_control_last_contact_timestamp_seconds", "When the controller was last heard.", nil, nil),

		unrouted: d("haldane_unrouted_requests_total", "Requests that no service is configured for.", nil, nil),
		refused:  d("haldane_refused_requests_total", "Requests that no proxy should pass on.", nil, nil),
		panics:   d("haldane_proxy_panics_total", "Faults of the proxy's own, survived.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (p *Proxy) Describe(ch chan<- *prometheus.Desc) {
	d := newDescs()
	for _, desc := range []*prometheus.Desc{d.weight, d.served, d.inFlight, d.retries,
		d.connected, d.lastContact, d.unrouted, d.refused, d.panics} {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (p *Proxy) Collect(ch chan<- prometheus.Metric) {
	d := newDescs()
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	counter := func(desc *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(v), labels...)
	}
	for _, s := range p.services {
		for t := range haldane.Track(haldane.NumTracks) {
			gauge(d.inFlight, float64(s.inFlight[t].Load()), s.Name, t.String())
		}
		counter(d.retries, s.retries.Load(), s.Name)
		st := s.state.Load()
		rollout := cmp.Or(st.split.Rollout, s.Rollout)
		if rollout == "" {
			continue
		}
		gauge(d.weight, float64(st.weight), s.Name, rollout)
		if canary, total := st.counts(); total > 0 {
			gauge(d.served, float64(haldane.FullWeight)*float64(canary)/float64(total), s.Name, rollout)
		}
	}
	p.mu.Lock()
	contact := p.contact
	p.mu.Unlock()
	connected, last := 0., 0.
	if contact.connected {
		connected = 1
	}
	if !contact.last.IsZero() {
		last = float64(contact.last.UnixMilli()) / 1e3
	}
	gauge(d.connected, connected)
	gauge(d.lastContact, last)
	counter(d.unrouted, p.unrouted.Load())
	counter(d.refused, p.refused.Load())
	counter(d.panics, p.panics.Load())
}

package collectors_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/collectors"
	"github.com/haldane-canary/haldane/sketch"
)

// The formats in which a Prometheus asks for metrics.
const (
	protobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	text        = "text/plain;version=0.0.4"
	openMetrics = "application/openmetrics-text;version=1.0.0"
)

// expose returns what an HTTP scrape of c in a format gets, and its type.
func expose(t *testing.T, c prometheus.Collector, accept string) (body []byte, contentType string) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, EnableOpenMetricsTextCreatedSamples: true, ErrorHandling: promhttp.HTTPErrorOnError,
	}))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("scrape: %s, %v: %s", resp.Status, err, body)
	}
	return body, resp.Header.Get("Content-Type")
}

// scrape returns the metric families that a protobuf scrape of c gets.
func scrape(t *testing.T, c prometheus.Collector) map[string]*dto.MetricFamily {
	t.Helper()
	body, contentType := expose(t, c, protobuf)
	decoder := expfmt.NewDecoder(bytes.NewReader(body), expfmt.ResponseFormat(http.Header{"Content-Type": {contentType}}))
	families := make(map[string]*dto.MetricFamily)
	for {
		var f dto.MetricFamily
		if err := decoder.Decode(&f); errors.Is(err, io.EOF) {
			return families
		} else if err != nil {
			t.Fatal(err)
		}
		families[f.GetName()] = &f
	}
}

// value returns the sum of a family's metrics that have all the labels.
func value(t *testing.T, families map[string]*dto.MetricFamily, name string, with map[string]string) (sum float64) {
	t.Helper()
	f := families[name]
	if f == nil {
		t.Fatalf("no metric %s", name)
	}
	for _, m := range f.Metric {
		found := 0
		for _, l := range m.Label {
			if want, ok := with[l.GetName()]; ok && want == l.GetValue() {
				found++
			}
		}
		if found == len(with) {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

// observed returns a tally with observations of three magnitudes, and their
// histogram.
func observed() (*collectors.Tally, sketch.Histogram) {
	tally, want := collectors.NewTally("p"), sketch.Histogram{}
	cell := tally.Arm(arm(haldane.Canary, "/", 1))
	for i := range 900 {
		latency := time.Duration(1+i%3*1000)*time.Millisecond + time.Duration(i)*time.Microsecond
		cell.Observe(haldane.OK, latency, "4bf92f3577b34da6a3ce929d0e0e4736")
		want.Observe(latency)
	}
	cell.ObserveRepeat(haldane.ServerError, 20*time.Second, "")
	want.Observe(20 * time.Second)
	cell.Observe(haldane.Canceled, time.Second, "")
	return tally, want
}

func TestRequestsAreCountedByClass(t *testing.T) {
	tally, _ := observed()
	families := scrape(t, tally)
	for class, want := range map[string]float64{"ok": 900, "server_error": 1, "canceled": 1, "timeout": 0} {
		with := map[string]string{"service": "shop", "rollout": "shop-1.5.0", "track": "canary", "version": "1.5.0", "route": "/", "class": class}
		if got := value(t, families, "haldane_requests_total", with); got != want {
			t.Errorf("%v of class %s, want %v", got, class, want)
		}
	}
}

func TestNativeBucketsAreSketchs(t *testing.T) {
	tally, want := observed()
	h := scrape(t, tally)["haldane_request_duration_seconds"].Metric[0].GetHistogram()
	if h.GetSchema() != sketch.Scale || h.GetSampleCount() != want.Total() {
		t.Fatalf("schema %d, %d samples; want %d, %d", h.GetSchema(), h.GetSampleCount(), sketch.Scale, want.Total())
	}
	var got sketch.Histogram
	i, count, d := int32(0), int64(0), 0
	for _, span := range h.PositiveSpan {
		i += span.GetOffset()
		for range span.GetLength() {
			count += h.PositiveDelta[d]
			got.Add(int(i)-1, uint64(count))
			i, d = i+1, d+1
		}
	}
	if d != len(h.PositiveDelta) {
		t.Errorf("spans hold %d buckets, there are %d", d, len(h.PositiveDelta))
	}
	for i := sketch.MinIndex; i <= sketch.MaxIndex; i++ {
		if got.Count(i) != want.Count(i) {
			t.Fatalf("bucket %d counts %d, want %d", i, got.Count(i), want.Count(i))
		}
	}
	if len(h.PositiveSpan) > 20 {
		t.Errorf("%d spans: gaps of a bucket or two should not make a span", len(h.PositiveSpan))
	}
}

func TestClassicBucketsAreCumulativeAndWhole(t *testing.T) {
	tally, want := observed()
	h := scrape(t, tally)["haldane_request_duration_seconds"].Metric[0].GetHistogram()
	var before uint64
	for _, b := range h.Bucket {
		if b.GetCumulativeCount() < before {
			t.Errorf("bucket up to %v counts %d, the one before %d", b.GetUpperBound(), b.GetCumulativeCount(), before)
		}
		before = b.GetCumulativeCount()
	}
	for i, c := range map[int]uint64{1: 300, 3: 300, 9: 300, 11: 900, 12: 900, 13: 901} {
		if got := h.Bucket[i].GetCumulativeCount(); got != c {
			t.Errorf("%d up to %v s, want %d", got, h.Bucket[i].GetUpperBound(), c)
		}
	}
	if last := h.Bucket[len(h.Bucket)-1]; !math.IsInf(last.GetUpperBound(), 1) || last.GetCumulativeCount() != want.Total() {
		t.Errorf("last bucket up to %v counts %d, want all %d", last.GetUpperBound(), last.GetCumulativeCount(), want.Total())
	}
	if sum := h.GetSampleSum(); math.Abs(sum-(300*(.001+1.001+2.001)+900*899/2*1e-6+20)) > 1e-3 {
		t.Errorf("sum %v s", sum)
	}
}

func TestTracedRequestsAreExemplars(t *testing.T) {
	tally, _ := observed()
	h := scrape(t, tally)["haldane_request_duration_seconds"].Metric[0].GetHistogram()
	if len(h.Exemplars) == 0 {
		t.Error("the native histogram has no exemplar")
	}
	var classic int
	for i, b := range h.Bucket {
		e := b.GetExemplar()
		if e == nil {
			continue
		}
		classic++
		if e.GetValue() > b.GetUpperBound() || (i > 0 && e.GetValue() <= h.Bucket[i-1].GetUpperBound()) {
			t.Errorf("exemplar of %v s in the bucket up to %v s", e.GetValue(), b.GetUpperBound())
		}
		if got := e.Label[0].GetName() + "=" + e.Label[0].GetValue(); got != "trace_id=4bf92f3577b34da6a3ce929d0e0e4736" {
			t.Errorf("exemplar %s", got)
		}
	}
	if classic != 3 {
		t.Errorf("%d classic buckets have an exemplar, want 3", classic)
	}
}

func TestTextFormatsParse(t *testing.T) {
	tally, _ := observed()
	body, _ := expose(t, tally, text)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("text: %v\n%s", err, body)
	}
	if got := families["haldane_request_duration_seconds"].Metric[0].GetHistogram().GetSampleCount(); got != 901 {
		t.Errorf("text: %d samples, want 901", got)
	}
	if !bytes.Contains(openMetricsOf(t, tally), []byte(`# {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"}`)) {
		t.Error("OpenMetrics has no exemplar")
	}
}

// openMetricsOf returns what a scrape of c in OpenMetrics gets.
func openMetricsOf(t *testing.T, c prometheus.Collector) []byte {
	t.Helper()
	body, _ := expose(t, c, openMetrics)
	return body
}

func TestPrometheusOwnParserTakesEveryFormat(t *testing.T) {
	tally, want := observed()
	empty := arm(haldane.Baseline, "/", 1)
	tally.Arm(empty) // a series without a single observation
	for _, accept := range []string{protobuf, text, openMetrics} {
		body, contentType := expose(t, tally, accept)
		p, err := textparse.New(body, contentType, labels.NewSymbolTable(), textparse.ParserOptions{
			KeepClassicOnClassicAndNativeHistograms: true,
		})
		if err != nil {
			t.Fatalf("%s: %v", accept, err)
		}
		samples, natives, full := 0, 0, false
		for {
			entry, err := p.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", accept, err)
			}
			switch entry {
			case textparse.EntrySeries:
				samples++
			case textparse.EntryHistogram:
				natives++
				_, _, h, _ := p.Histogram()
				if err := h.Validate(); err != nil {
					t.Errorf("%s: %v", accept, err)
				}
				full = full || h.Count == want.Total()
			case textparse.EntryInvalid, textparse.EntryType, textparse.EntryHelp, textparse.EntryComment, textparse.EntryUnit:
			}
		}
		if samples < 2*(haldane.NumClasses+16) {
			t.Errorf("%s: %d samples", accept, samples)
		}
		if native := accept == protobuf; native != (natives == 2) || native != full {
			t.Errorf("%s: %d native histograms, one of %d samples: %v", accept, natives, want.Total(), full)
		}
	}
}

// scrapeGauges returns the unlabelled values of c. Unlike scrape it needs no
// network, so that it works inside a synctest bubble.
func scrapeGauges(t *testing.T, c prometheus.Collector) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, f := range families {
		values[f.GetName()] = f.Metric[0].GetCounter().GetValue() + f.Metric[0].GetGauge().GetValue()
	}
	return values
}

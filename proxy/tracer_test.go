package proxy_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/collectors"
	"github.com/haldane-canary/haldane/proxy"
)

// untraced returns a proxy without a tracer whose canary gets every request and
// fails, and its tally.
func untraced(t testing.TB, canary http.Handler) (*proxy.Proxy, *collectors.Tally) {
	t.Helper()
	tally := collectors.NewTally("p")
	upstream := proxy.Track{Upstreams: []*url.URL{serve(t, canary)}}
	p, err := proxy.New(proxy.Config{Services: []proxy.Service{{
		Name: "shop", Match: []proxy.Match{{Prefix: "/"}}, Baseline: upstream, Canary: upstream, Rollout: "shop-1.5.0",
	}}}, tally, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	if !p.Apply(at(1, 1, haldane.FullWeight)) {
		t.Fatal("the split was refused")
	}
	return p, tally
}

func TestTraceContextPassesUntouched(t *testing.T) {
	p, _ := untraced(t, echo())
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	for name, value := range map[string]string{"Traceparent": "gar bage", "Tracestate": strings.Repeat("a=b,", 1000), "Baggage": "k=v"} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	for name := range map[string]bool{"Traceparent": true, "Tracestate": true, "Baggage": true} {
		if !strings.Contains(w.Body.String(), name+": "+r.Header.Get(name)) {
			t.Errorf("%s was not passed on as it is", name)
		}
	}
}

func TestAValidTraceparentNamesTheFailure(t *testing.T) {
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for header, want := range map[string]string{
		"00-" + trace + "-" + parent + "-01":                          trace,
		"00-" + trace + "-" + parent + "-00":                          trace,
		"cc-" + trace + "-" + parent + "-01-what-the-future-will-say": trace,
		"00-" + trace + "-" + parent + "-01-more":                     "",
		"cc-" + trace + "-" + parent + "-01.more":                     "",
		"ff-" + trace + "-" + parent + "-01":                          "",
		"0x-" + trace + "-" + parent + "-01":                          "",
		"00-" + strings.ToUpper(trace) + "-" + parent + "-01":         "",
		"00-" + strings.Repeat("0", 32) + "-" + parent + "-01":        "",
		"00-" + trace + "-" + strings.Repeat("0", 16) + "-01":         "",
		"00-" + trace + "-" + parent + "-0":                           "",
		"00-" + trace + "-" + parent + "_01":                          "",
		"00_" + trace + "-" + parent + "-01":                          "",
		"00-" + trace + "_" + parent + "-01":                          "",
		"":                                                            "",
	} {
		p, tally := untraced(t, status(500))
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Traceparent", header)
		p.ServeHTTP(httptest.NewRecorder(), r)
		if got := strings.Join(tally.Reports(time.Now())[0].Traces, " "); got != want {
			t.Errorf("traceparent %q gave trace %q, want %q", header, got, want)
		}
	}
}

func TestABrokenTracerCostsTheTraceAndNotTheRequest(t *testing.T) {
	r := newRig(t, nil, says("canary"))
	r.spans.broken = "Start"
	r.split(haldane.FullWeight)
	if resp, body := r.do("GET", "/", ""); resp.StatusCode != 200 || body != "canary" {
		t.Errorf("%s %q", resp.Status, body)
	}
	r.observed(haldane.Canary, haldane.OK)
	if got := metrics(t, r.proxy)["haldane_proxy_panics_total"]; got != 1 {
		t.Errorf("%v panics counted, want 1", got)
	}
}

func TestAPanicOfOursIsAnAnswer(t *testing.T) {
	r := newRig(t, nil, says("canary"))
	r.spans.broken = "Attempt"
	r.split(haldane.FullWeight)
	if resp, body := r.do("GET", "/", ""); resp.StatusCode != 502 || !strings.HasPrefix(body, "haldane: ") {
		t.Errorf("%s %q, want 502", resp.Status, body)
	}
	got := metrics(t, r.proxy)
	if got["haldane_proxy_panics_total"] != 1 || got["haldane_requests_in_flight"] != 0 {
		t.Errorf("metrics %v, want a panic and nothing in flight", got)
	}
	if w := r.window(haldane.Canary); w.N() != 0 {
		t.Error("our own fault is the canary's observation")
	}
}

func TestTheTracerIsToldWhatWasDecided(t *testing.T) {
	r := newRig(t, nil, says("canary"))
	r.split(haldane.FullWeight)
	r.do("GET", "/x", "")
	end := <-r.spans.ended
	want := proxy.Assignment{Service: "shop", Route: "/", Version: "1.5.0", Track: haldane.Canary, Split: r.proxy.Splits()[0]}
	if end.Assignment != want || end.status != 200 {
		t.Errorf("told %+v, want %+v", end, want)
	}
}

func FuzzTraceparent(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Add("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x")
	f.Add("")
	f.Fuzz(func(t *testing.T, header string) {
		id := proxy.TraceIDOf(header)
		if id == "" {
			return
		}
		if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || !strings.Contains(header, id) {
			t.Errorf("%q gave %q", header, id)
		}
	})
}

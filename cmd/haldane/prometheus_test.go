package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A prometheusServer is a real Prometheus server that scrapes a haldane.
type prometheusServer struct {
	url string
	log *heard
}

// findPrometheus returns where the Prometheus of this machine is. Where there is
// none the test is not run, except in CI, where there has to be one.
func findPrometheus(t *testing.T) string {
	t.Helper()
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		const how = "this test wants a real Prometheus: apt-get install prometheus (or see https://prometheus.io/download): %v"
		if os.Getenv("CI") != "" {
			t.Fatalf(how, err)
		}
		t.Skipf(how, err)
	}
	return binary
}

// scrapes starts a Prometheus that scrapes target each second, and ends it
// with the test; ctx is how long it may take to say where it listens.
func scrapes(ctx context.Context, t *testing.T, binary, target string, flags ...string) *prometheusServer {
	t.Helper()
	at, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	config := fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: haldane
    static_configs: [{targets: [%q]}]
`, at.Host)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx)) // t's own ends before the cleanups
	cmd := exec.CommandContext(life, binary, append([]string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0",
	}, flags...)...)
	p := &prometheusServer{log: hear(`msg="Listening on".* address=(\S+)\s`)}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		end()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		end()
		err := <-ended
		if t.Failed() {
			t.Logf("prometheus %s: %v\n%s", strings.Join(flags, " "), err, p.log)
		}
	})
	select {
	case address := <-p.log.found:
		p.url = "http://" + address
	case err := <-ended:
		ended <- err
		t.Fatalf("prometheus ended: %v", err)
	case <-ctx.Done():
		t.Fatal("prometheus did not say in time where it listens")
	}
	return p
}

// A sample is one series of an answer.
type sample struct {
	labels map[string]string
	value  float64
}

// ask sends a PromQL query, and returns what it gives now.
func (p *prometheusServer) ask(ctx context.Context, query string) ([]sample, error) {
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  []any // the time, and the value as text
		}
	}
	if err := p.get(ctx, "query", url.Values{"query": {query}}, &data); err != nil {
		return nil, err
	}
	var samples []sample
	for _, r := range data.Result {
		if len(r.Value) != 2 {
			return nil, fmt.Errorf("%s: a sample %v of %v, want a time and a value", query, r.Value, r.Metric)
		}
		value, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil {
			return nil, err
		}
		samples = append(samples, sample{r.Metric, value})
	}
	return samples, nil
}

// values returns the values of a label, of series that match; "__name__" is
// the label for names.
func (p *prometheusServer) values(ctx context.Context, label, match string) (values []string, err error) {
	return values, p.get(ctx, "label/"+label+"/values", url.Values{"match[]": {match}}, &values)
}

// exemplars returns the trace ids that are kept beside the series of a query.
func (p *prometheusServer) exemplars(ctx context.Context, query string) (traces []string, err error) {
	var data []struct {
		Exemplars []struct{ Labels map[string]string }
	}
	now := time.Now()
	err = p.get(ctx, "query_exemplars", url.Values{
		"query": {query},
		"start": {now.Add(-5 * time.Minute).Format(time.RFC3339)}, "end": {now.Add(time.Minute).Format(time.RFC3339)},
	}, &data)
	for _, series := range data {
		for _, e := range series.Exemplars {
			traces = append(traces, e.Labels["trace_id"])
		}
	}
	return traces, err
}

// get fetches data from the HTTP API.
func (p *prometheusServer) get(ctx context.Context, path string, query url.Values, data any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/"+path+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer := struct {
		Error string
		Data  any
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %s: %w", path, resp.Status, err)
	}
	if answer.Error != "" {
		return fmt.Errorf("%s %v: %s", path, query, answer.Error)
	}
	return nil
}

// A heard keeps what a program says, and waits for something that it says
// once.
type heard struct {
	output
	pattern *regexp.Regexp
	found   chan string // the first group of the first match
}

func hear(pattern string) *heard {
	return &heard{pattern: regexp.MustCompile(pattern), found: make(chan string, 1)}
}

// Write is called by one goroutine: that of the program.
func (h *heard) Write(b []byte) (int, error) {
	n, err := h.output.Write(b)
	if h.pattern == nil {
		return n, err
	}
	if m := h.pattern.FindStringSubmatch(h.String()); m != nil {
		h.found <- m[1]
		h.pattern = nil
	}
	return n, err
}

// eventually calls try until it returns nil. If ctx ends before, the test
// fails with the last error that came in time.
func eventually(ctx context.Context, t *testing.T, try func() error) {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	last := errors.New("there was no time to try")
	for {
		err := try()
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Errorf("in the end: %v", last)
			return
		}
	}
}

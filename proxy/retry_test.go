package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/proxy"
)

// echoBody answers with the request's body.
func echoBody() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(append([]byte("baseline "), b...))
	})
}

func TestWhatTheCanaryCannotAnswerTheBaselineDoes(t *testing.T) {
	cut := "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
	for name, c := range map[string]struct {
		canary       http.Handler
		method, body string
		class        haldane.Class
		status       int
		answer       string // its beginning
	}{
		"refused, GET":                 {nil, "GET", "", haldane.Unreachable, 200, "baseline "},
		"refused, POST with a body":    {nil, "POST", "hello", haldane.Unreachable, 200, "baseline hello"},
		"refused, DELETE":              {nil, "DELETE", "", haldane.Unreachable, 200, "baseline "},
		"reset, GET":                   {breaks(""), "GET", "", haldane.Reset, 200, "baseline "},
		"reset, OPTIONS":               {breaks(""), "OPTIONS", "", haldane.Reset, 200, "baseline "},
		"reset, POST":                  {breaks(""), "POST", "hello", haldane.Reset, 502, "haldane: "},
		"reset, POST without a body":   {breaks(""), "POST", "", haldane.Reset, 502, "haldane: "},
		"reset, GET with a body":       {breaks(""), "GET", "hello", haldane.Reset, 502, "haldane: "},
		"reset, PUT":                   {breaks(""), "PUT", "hello", haldane.Reset, 502, "haldane: "},
		"garbage, GET":                 {breaks("SSH-2.0-OpenSSH\r\n"), "GET", "", haldane.Reset, 200, "baseline "},
		"garbage, POST":                {breaks("\x00\x01\x02"), "POST", "hello", haldane.Reset, 502, "haldane: "},
		"a cut head, GET":              {breaks(cut), "GET", "", haldane.Reset, 200, "baseline "},
		"an over-long head, GET":       {breaks("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 80<<10) + "\r\n\r\n"), "GET", "", haldane.Reset, 200, "baseline "},
		"an error is an answer, GET":   {status(503), "GET", "", haldane.ServerError, 503, ""},
		"an error is an answer, POST":  {status(500), "POST", "hello", haldane.ServerError, 500, ""},
		"a switch nobody wanted, POST": {breaks("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), "POST", "hello", haldane.Reset, 502, "haldane: "},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, echoBody(), c.canary)
			r.split(haldane.FullWeight)
			resp, body := r.do(c.method, "/", c.body)
			if resp.StatusCode != c.status || !strings.HasPrefix(body, c.answer) {
				t.Errorf("client was sent %s %q, want %d %q", resp.Status, body, c.status, c.answer)
			}
			r.observed(haldane.Canary, c.class)
			retried := 0.
			if strings.HasPrefix(c.answer, "baseline") {
				retried = 1
			}
			if got := metrics(t, r.proxy)["haldane_retries_total"]; got != retried {
				t.Errorf("%v retries, want %v", got, retried)
			}
			if end := <-r.spans.ended; end.class != c.class || end.status != c.status || end.Track != haldane.Canary {
				t.Errorf("span ended as %+v, want %v, %d on the canary", end, c.class, c.status)
			}
		})
	}
}

// status returns a handler that answers with a status.
func status(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

func TestNoRequestIsExecutedTwice(t *testing.T) {
	var sold atomic.Int64
	sell := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		sold.Add(1)
		panic(http.ErrAbortHandler)
	})
	r := newRig(t, sell, sell)
	r.split(haldane.FullWeight)
	for i := range 20 {
		if resp, _ := r.do("POST", "/", "one"); resp.StatusCode != 502 {
			t.Errorf("request %d: %s, want 502", i, resp.Status)
		}
		if got := sold.Load(); got != int64(i+1) {
			t.Fatalf("after %d requests %d were executed", i+1, got)
		}
	}
}

func TestBothTriesAreTraced(t *testing.T) {
	r := newRig(t, echo(), nil)
	r.split(haldane.FullWeight)
	_, body := r.do("GET", "/", "", "Traceparent", "the client's")
	if first, second := <-r.spans.attempts, <-r.spans.attempts; first != (attempt{haldane.Canary, 0, true}) ||
		second != (attempt{haldane.Baseline, 200, false}) {
		t.Errorf("attempts %+v and %+v, want a failed canary and an answering baseline", first, second)
	}
	if !strings.Contains(body, "Traceparent: from the span") {
		t.Errorf("the span's context was not passed on:\n%s", body)
	}
}

func TestNobodyThere(t *testing.T) {
	for name, weight := range map[string]haldane.Weight{"baseline": 0, "both": haldane.FullWeight} {
		r := newRig(t, nil, nil)
		r.split(weight)
		resp, _ := r.do("GET", "/", "")
		if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s down: %s, header %v; want 503 and Retry-After", name, resp.Status, resp.Header)
		}
		track := haldane.Baseline
		if weight > 0 {
			track = haldane.Canary
		}
		r.observed(track, haldane.Unreachable)
	}
}

// An answer that breaks in its body cannot be taken back: the client must see
// that it broke.
func TestABrokenBodyBreaksTheAnswer(t *testing.T) {
	for name, raw := range map[string]string{
		"of known length":   "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
		"chunked":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
		"of broken framing": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n",
	} {
		r := newRig(t, says("baseline"), breaks(raw))
		r.split(haldane.FullWeight)
		resp, err := r.client.Get(r.url)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: the client was told that the answer is whole", name)
		}
		<-r.spans.ended
		r.observed(haldane.Canary, haldane.Reset)
	}
}

func TestUpstreamsTakeTurns(t *testing.T) {
	r := newRig(t, says("a"), nil, func(c *proxy.Config) {
		b := &c.Services[0].Baseline
		b.Upstreams = append(b.Upstreams, serve(t, says("b")), serve(t, says("c")))
	})
	count := make(map[string]int)
	for range 30 {
		_, body := r.do("GET", "/", "")
		count[body]++
	}
	if count["a"] != 10 || count["b"] != 10 || count["c"] != 10 {
		t.Errorf("answers %v, want ten of each", count)
	}
}

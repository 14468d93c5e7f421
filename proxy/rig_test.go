package proxy_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/collectors"
	"github.com/haldane-canary/haldane/proxy"
	"github.com/haldane-canary/haldane/sketch"
)

// A rig is a proxy of one service "shop" in front of two real servers.
type rig struct {
	t      testing.TB
	proxy  *proxy.Proxy
	tally  *collectors.Tally
	spans  *recorder
	url    string
	client *http.Client
	epoch  uint64
}

// newRig starts a proxy whose tracks are served by the two handlers; change
// may change its configuration. A nil handler is an upstream that cannot be
// reached.
func newRig(t testing.TB, baseline, canary http.Handler, change ...func(c *proxy.Config)) *rig {
	t.Helper()
	config := proxy.Config{Services: []proxy.Service{{
		Name:     "shop",
		Match:    []proxy.Match{{Prefix: "/"}},
		Baseline: proxy.Track{Version: "1.4.0", Upstreams: []*url.URL{serve(t, baseline)}},
		Canary:   proxy.Track{Version: "1.5.0", Upstreams: []*url.URL{serve(t, canary)}},
		Rollout:  "shop-1.5.0",
		Timeout:  20 * time.Second,
	}}}
	for _, c := range change {
		c(&config)
	}
	r := &rig{t: t, tally: collectors.NewTally("test"), spans: newRecorder()}
	var err error
	r.proxy, err = proxy.New(config, r.tally, r.spans, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(r.proxy)
	server.Config = r.proxy.Server()
	server.Start()
	r.url = server.URL
	r.client = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}}
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		_ = r.proxy.Close()
		server.Close()
	})
	return r
}

// serve starts a server of h and returns its address; of nil, an address where
// nobody listens.
func serve(t testing.TB, h http.Handler) *url.URL {
	t.Helper()
	if h == nil {
		// No test is given this port, and hardly anybody else ever was (tcpmux).
		return &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	}
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	server.Start()
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// split gives the canary a weight, in a new epoch.
func (r *rig) split(weight haldane.Weight) {
	r.t.Helper()
	r.epoch++
	if !r.proxy.Apply(haldane.Split{Service: "shop", Rollout: "shop-1.5.0", Generation: 1, Epoch: r.epoch,
		Weight: weight, Phase: haldane.Stepping, Step: 1}) {
		r.t.Fatalf("a split of %v in epoch %d was refused", weight, r.epoch)
	}
}

// do sends a request and returns its answer, its body read.
func (r *rig) do(method, path, body string, header ...string) (*http.Response, string) {
	r.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, r.url+path, reader)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatalf("%s %s: read answer: %v", method, path, err)
	}
	return resp, string(b)
}

// window returns the sum of all windows of a track.
func (r *rig) window(track haldane.Track) (sum sketch.Window) {
	for _, report := range r.tally.Reports(time.Now()) {
		for _, w := range report.Windows {
			if w.Track == track {
				sum.Merge(w)
			}
		}
	}
	return sum
}

// observed fails the test unless a track's evidence is one observation of a
// class, and the other track's is none.
func (r *rig) observed(track haldane.Track, class haldane.Class) {
	r.t.Helper()
	for t := range haldane.Track(haldane.NumTracks) {
		var want [haldane.NumClasses]uint64
		if t == track {
			want[class] = 1
		}
		if got := r.window(t).Classes; got != want {
			r.t.Errorf("%v was observed as %v, want %v (one %v of %v)", t, got, want, class, track)
		}
	}
}

// dial connects to the proxy for those who write their own requests, and sends
// text.
func (r *rig) dial(text string) *net.TCPConn {
	r.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		r.t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// says returns a handler that answers with text.
func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

// breaks returns a handler that reads the request and then breaks the
// connection, after writing raw bytes to it.
func breaks(raw string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		c, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = buffered.WriteString(raw)
		_ = buffered.Flush()
		_ = c.(*net.TCPConn).SetLinger(0)
		if raw != "" {
			_ = c.(*net.TCPConn).SetLinger(-1) // or what was written might be lost
		}
		_ = c.Close()
	})
}

// hangs returns a handler that does not answer before the request is given up.
// It sends on told when it has the request, and again when it is gone.
func hangs(told chan<- struct{}) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		told <- struct{}{}
		<-r.Context().Done()
		told <- struct{}{}
	})
}

// A recorder is a Tracer that hands out what it was told.
type recorder struct {
	ended    chan ending
	attempts chan attempt
	broken   string // the method that panics, if one does
}

// An ending is how a request ended.
type ending struct {
	proxy.Assignment
	class  haldane.Class
	status int
}

// An attempt is one try at an upstream.
type attempt struct {
	track  haldane.Track
	status int
	failed bool
}

func newRecorder() *recorder {
	return &recorder{ended: make(chan ending, 64), attempts: make(chan attempt, 64)}
}

func (r *recorder) Start(req *http.Request, a proxy.Assignment) (context.Context, proxy.Span) {
	if r.broken == "Start" {
		panic("the tracer is broken")
	}
	return req.Context(), &span{r, a}
}

// A span is one request, recorded.
type span struct {
	r *recorder
	a proxy.Assignment
}

func (s *span) TraceID() string { return "4bf92f3577b34da6a3ce929d0e0e4736" }

func (s *span) Attempt(t haldane.Track, _ *url.URL, h http.Header) func(int, error) {
	if s.r.broken == "Attempt" {
		panic("the tracer is broken")
	}
	h.Set("Traceparent", "from the span")
	return func(status int, err error) {
		select {
		case s.r.attempts <- attempt{t, status, err != nil}:
		default: // nobody looks
		}
	}
}

func (s *span) End(class haldane.Class, status int) {
	select {
	case s.r.ended <- ending{s.a, class, status}:
	default:
	}
}

package proxy_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/collectors"
	"github.com/haldane-canary/haldane/proxy"
)

// The tests of this file run under a made-up clock, over connections that are
// pipes within the process: a minute is over at once, and nothing depends on
// how busy the machine is.

// A pipeListener accepts what its dial connects.
type pipeListener chan net.Conn

func (l pipeListener) Accept() (net.Conn, error) {
	c, ok := <-l
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

// Close ends accepting. A server calls it once.
func (l pipeListener) Close() error {
	close(l)
	return nil
}

func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// dial connects to l.
func (l pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	l <- theirs
	return ours, nil
}

// serveOn serves on a new listener until the test ends, and then waits for
// whatever is still being answered.
func serveOn(t *testing.T, server *http.Server) pipeListener {
	t.Helper()
	l := make(pipeListener)
	var answering sync.WaitGroup
	handler := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answering.Add(1)
		defer answering.Done()
		handler.ServeHTTP(w, r)
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // it ends with an error, always
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
		answering.Wait()
	})
	return l
}

// inABubble returns a rig under a made-up clock whose canary gets every request
// and has ten seconds for it.
func inABubble(t *testing.T, canary http.Handler) *rig {
	t.Helper()
	upstream := proxy.Track{Upstreams: []*url.URL{{Scheme: "http", Host: "upstream"}}}
	r := &rig{t: t, tally: collectors.NewTally("test"), spans: newRecorder(), url: "http://proxy"}
	p, err := proxy.New(proxy.Config{Services: []proxy.Service{{
		Name: "shop", Match: []proxy.Match{{Prefix: "/"}}, Baseline: upstream, Canary: upstream, Rollout: "shop-1.5.0",
		Timeout: 10 * time.Second,
	}}}, r.tally, r.spans, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	r.proxy = p
	proxy.DialWith(p, serveOn(t, &http.Server{Handler: canary}).dial)
	transport := &http.Transport{DialContext: serveOn(t, p.Server()).dial}
	r.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = p.Close()
	})
	r.split(haldane.FullWeight)
	return r
}

// took fails the test unless the time since begin is want.
func took(t *testing.T, begin time.Time, want time.Duration) {
	t.Helper()
	if got := time.Since(begin); got != want {
		t.Errorf("it took %v, want %v", got, want)
	}
}

func TestACanaryThatHangsTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan struct{}, 2)
		r, begin := inABubble(t, hangs(told)), time.Now()
		if resp, body := r.do("GET", "/", ""); resp.StatusCode != 504 || !strings.HasPrefix(body, "haldane: ") {
			t.Errorf("%s %q, want 504", resp.Status, body)
		}
		took(t, begin, 10*time.Second)
		<-told
		<-told // the upstream was let go
		r.observed(haldane.Canary, haldane.Timeout)
		if got := metrics(t, r.proxy)["haldane_retries_total"]; got != 0 {
			t.Errorf("%v retries, want none: there was no time left", got)
		}
	})
}

func TestAnAnswerThatTricklesTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inABubble(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, "a")
				w.(http.Flusher).Flush()
				time.Sleep(time.Second)
			}
		}))
		begin := time.Now()
		resp, err := r.client.Get(r.url)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if err == nil {
			t.Error("the client was told that the answer is whole")
		}
		took(t, begin, 10*time.Second)
		<-r.spans.ended
		r.observed(haldane.Canary, haldane.Timeout)
	})
}

func TestAStreamOutlivesTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inABubble(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(9 * time.Second)
			w.(http.Flusher).Flush()
			time.Sleep(time.Hour)
			_, _ = io.WriteString(w, "late")
		}))
		begin := time.Now()
		if _, body := r.do("GET", "/", ""); body != "late" {
			t.Errorf("got %q, want what came after the timeout", body)
		}
		took(t, begin, time.Hour+9*time.Second)
		r.observed(haldane.Canary, haldane.OK)
	})
}

// slowly is a body that comes in parts.
type slowly struct {
	parts []string
	pause time.Duration
}

func (s *slowly) Read(p []byte) (int, error) {
	time.Sleep(s.pause)
	if len(s.parts) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.parts[0])
	s.parts = s.parts[1:]
	return n, nil
}

// post sends a body that comes slowly and returns the answer.
func post(t *testing.T, r *rig, body *slowly) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp, string(b)
}

func TestASlowClientIsNotTheCanarysFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inABubble(t, echoBody())
		if resp, _ := post(t, r, &slowly{[]string{"a", "b"}, 11 * time.Second}); resp.StatusCode != 408 {
			t.Errorf("%s, want 408", resp.Status)
		}
		<-r.spans.ended
		r.observed(haldane.Canary, haldane.Canceled)
		time.Sleep(time.Minute) // until the client, too, has noticed
	})
}

func TestALongUploadMayOutlastTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, begin := inABubble(t, echoBody()), time.Now()
		resp, body := post(t, r, &slowly{strings.Split("a long upload", ""), 9 * time.Second})
		if resp.StatusCode != 200 || body != "baseline a long upload" {
			t.Errorf("%s %q", resp.Status, body)
		}
		took(t, begin, 14*9*time.Second)
		r.observed(haldane.Canary, haldane.OK)
	})
}

func TestLatencyIsFromArrivalToTheEndOfTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := inABubble(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second)
			w.(http.Flusher).Flush()
			time.Sleep(2 * time.Second)
			_, _ = io.WriteString(w, "end")
		}))
		r.do("GET", "/", "")
		w := r.window(haldane.Canary)
		if got := w.Latency.Quantile(0.5); got < 2.96 || got > 3.04 {
			t.Errorf("latency %v s, want 3", got)
		}
	})
}

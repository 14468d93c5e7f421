package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/haldane-canary/haldane"
)

// Every line is sent only once the one before has come back: it deadlocks
// unless each is flushed at once, both ways.
func TestStreamsFlowBothWaysAtOnce(t *testing.T) {
	r := newRig(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusOK)
		for lines := bufio.NewScanner(r.Body); lines.Scan(); {
			fmt.Fprintf(w, "echo %s\n", lines.Text())
			w.(http.Flusher).Flush()
		}
	}))
	r.split(haldane.FullWeight)
	body, client := io.Pipe()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url, body)
	go func() { _, _ = io.WriteString(client, "first\n") }()
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for _, next := range []string{"second\n", "third\n", ""} {
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), "echo ") {
			t.Fatalf("got %q, %v; want an echo", lines.Text(), lines.Err())
		}
		if next == "" {
			client.Close()
			break
		}
		_, _ = io.WriteString(client, next)
	}
	if lines.Scan() || lines.Err() != nil {
		t.Errorf("after the end: %q, %v", lines.Text(), lines.Err())
	}
	r.observed(haldane.Canary, haldane.OK)
}

func TestAnEventStreamIsObservedWhenItBegins(t *testing.T) {
	end := make(chan struct{})
	r := newRig(t, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		<-end
	}))
	r.split(haldane.FullWeight)
	resp, err := r.client.Get(r.url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 9)); err != nil {
		t.Fatal(err)
	}
	r.observed(haldane.Canary, haldane.OK)
	close(end)
	_, _ = io.ReadAll(resp.Body)
	r.observed(haldane.Canary, haldane.OK)
}

func TestTrailersPassBothWays(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Announced")
		w.WriteHeader(http.StatusOK)
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
		w.Header().Set("X-Announced", r.Trailer.Get("X-Sum"))
		w.Header().Set(http.TrailerPrefix+"X-Surprise", "yes")
	}), nil)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url, io.MultiReader(strings.NewReader("body")))
	req.Trailer = http.Header{"X-Sum": {"42"}}
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "body" {
		t.Errorf("body %q, %v", b, err)
	}
	if got := resp.Trailer; got.Get("X-Announced") != "42" || got.Get("X-Surprise") != "yes" {
		t.Errorf("trailers %v, want X-Announced: 42 and X-Surprise: yes", got)
	}
	if len(resp.Header["X-Surprise"])+len(resp.Header["X-Announced"]) > 0 {
		t.Errorf("trailers in the header %v", resp.Header)
	}
}

func TestEarlyHintsPass(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "1")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		_, _ = io.WriteString(w, "ok")
	}), nil)
	var hints []textproto.MIMEHeader
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
			hints = append(hints, h)
			return nil
		},
	})
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if len(hints) != 1 || hints[0].Get("Link") == "" || hints[0].Get("X-Hop") != "" {
		t.Errorf("hints %v, want one, with Link and without X-Hop", hints)
	}
	if resp.Header.Get("Link") != "" {
		t.Errorf("the hints' fields are in the answer: %v", resp.Header)
	}
}

func TestAFloodOfInformationIsAFailure(t *testing.T) {
	r := newRig(t, says("baseline"), breaks(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 100)))
	r.split(haldane.FullWeight)
	if _, body := r.do("GET", "/", ""); body != "baseline" {
		t.Errorf("got %q, want the baseline's answer", body)
	}
	r.observed(haldane.Canary, haldane.Reset)
}

func TestABodyWaitsForContinue(t *testing.T) {
	r := newRig(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Expect") != "100-continue" {
			t.Errorf("the upstream was not asked: %v", r.Header)
		}
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	}))
	r.split(haldane.FullWeight)
	c := r.dial("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	reader := bufio.NewReader(c)
	if line, err := reader.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	_, _ = reader.ReadString('\n')
	_, _ = io.WriteString(c, "hi")
	resp, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); string(b) != "hi" {
		t.Errorf("got %q", b)
	}
}

// A client that leaves is nobody's failure, and the upstream is told.
func TestAClientThatLeavesIsNoObservation(t *testing.T) {
	told := make(chan struct{})
	r := newRig(t, says("baseline"), hangs(told))
	r.split(haldane.FullWeight)
	ctx, leave := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	done := make(chan error, 1)
	go func() {
		resp, err := r.client.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	<-told
	if got := metrics(t, r.proxy)["haldane_requests_in_flight"]; got != 1 {
		t.Errorf("%v in flight, want 1", got)
	}
	leave()
	<-told
	if err := <-done; err == nil {
		t.Error("the client was answered")
	}
	if end := <-r.spans.ended; end.class != haldane.Canceled {
		t.Errorf("ended as %v, want canceled", end.class)
	}
	r.observed(haldane.Canary, haldane.Canceled)
	if w := r.window(haldane.Canary); w.N() != 0 {
		t.Errorf("%d observations, want none", w.N())
	}
}

func TestAClientThatLeavesAnAnswerIsNoObservation(t *testing.T) {
	r := newRig(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}))
	r.split(haldane.FullWeight)
	resp, err := r.client.Get(r.url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	<-r.spans.ended
	r.observed(haldane.Canary, haldane.Canceled)
}

func TestAClientThatBreaksItsUploadOffIsNotTheCanarysFault(t *testing.T) {
	r := newRig(t, nil, echoBody())
	r.split(haldane.FullWeight)
	c := r.dial("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nnonsense\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != 400 {
		t.Errorf("%v, %v; want 400", resp, err)
	}
	<-r.spans.ended
	r.observed(haldane.Canary, haldane.Canceled)
}

package demo

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"testing/synctest"
	"time"
)

func TestTrafficKeepsItsRateWhateverTheAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		traffic := &Traffic{Rate: 800, Seed: 5}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		due := make(chan uint64)
		go func() { traffic.pace(ctx, due); close(due) }()
		var n uint64
		for got := range due {
			if got != n {
				t.Fatalf("request: got number %d, want %d", got, n)
			}
			n++
		}
		// 8,000 expected, with a standard deviation of 89.
		if n+traffic.Seen().Skipped < 7500 || n > 8500 {
			t.Errorf("requests in ten seconds: got %d, want 8000 ± 500", n)
		}
	})
}

func TestTrafficSkipsWhatNobodyIsFreeToSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		traffic := &Traffic{Rate: 100, Seed: 5}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		traffic.pace(ctx, make(chan uint64))
		near(t, "skipped", float64(traffic.Seen().Skipped), 1000, 150)
	})
}

func TestTrafficCountsWhatCameBack(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	valid := regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$`)
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tp := r.Header.Get("Traceparent"); !valid.MatchString(tp) {
			t.Errorf("traceparent: got %q, want %v", tp, valid)
		}
		w.Header().Set(VersionHeader, "1.4.0")
		switch r.URL.Path {
		case "/failed":
			w.WriteHeader(http.StatusBadGateway)
		case "/broken":
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	for path, want := range map[string]Seen{
		"/answered": {Answered: 1}, "/failed": {Failed: 1}, "/broken": {Broken: 1}, "/%zz": {Broken: 1},
	} {
		traffic := &Traffic{Target: server.URL + path, Rate: 1}
		traffic.request(ctx, server.Client(), uint64(requests))
		requests++
		got := traffic.Seen()
		if got.Answered != want.Answered || got.Failed != want.Failed || got.Broken != want.Broken {
			t.Errorf("%s: got %+v, want %+v", path, got, want)
		}
		if n := got.Versions["1.4.0"]; n != want.Answered+want.Failed {
			t.Errorf("%s: got %d answers by 1.4.0, want %d", path, n, want.Answered+want.Failed)
		}
	}
	cancel()
	cut := &Traffic{Target: server.URL, Rate: 1}
	cut.request(ctx, server.Client(), 0)
	if got := cut.Seen(); got.Broken+got.Answered+got.Failed != 0 {
		t.Errorf("request cut off by our own end: got %+v, want it not counted", got)
	}
}

func TestTrafficReachesAVersion(t *testing.T) {
	u := run(t, Behaviour{Median: time.Microsecond})
	ctx, cancel := context.WithCancel(context.Background())
	traffic := &Traffic{Target: u.URL(), Rate: 2000, Seed: 1}
	ended := make(chan error, 1)
	go func() { ended <- traffic.Run(ctx) }()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for traffic.Seen().Answered < 20 {
		<-poll.C
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("run: got %v, want nil", err)
	}
	if s := traffic.Seen(); s.Versions["1.5.0"] != s.Answered || s.Broken+s.Failed != 0 {
		t.Errorf("seen: got %+v, want answers of 1.5.0 only", s)
	}
}

func TestTrafficWithoutRateIsRefused(t *testing.T) {
	if err := (&Traffic{Target: "http://127.0.0.1"}).Run(t.Context()); err == nil {
		t.Error("run: got nil, want an error")
	}
}

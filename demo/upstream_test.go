package demo

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// run runs an upstream until the test ends.
func run(t *testing.T, b Behaviour) *Upstream {
	t.Helper()
	u, err := Listen("1.5.0", b, 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: got %v, want nil", err)
		}
	})
	return u
}

func TestUpstreamSaysWhichVersionAnswered(t *testing.T) {
	u := run(t, Behaviour{Median: time.Microsecond})
	resp, err := http.Get(u.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var order struct {
		Shop string
		OK   bool
	}
	if err := json.NewDecoder(resp.Body).Decode(&order); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || !order.OK || order.Shop != "1.5.0" || resp.Header.Get(VersionHeader) != "1.5.0" {
		t.Errorf("answer: got %s %+v %v, want 200 by 1.5.0", resp.Status, order, resp.Header)
	}
	if u.Served() != 1 {
		t.Errorf("served: got %d, want 1", u.Served())
	}
}

func TestUpstreamFailsAsItMust(t *testing.T) {
	u := run(t, Behaviour{Median: time.Microsecond, Errors: 1})
	resp, err := http.Get(u.URL())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status: got %d, want 503", resp.StatusCode)
	}
}

func TestUpstreamThatRefusesHoldsItsPort(t *testing.T) {
	u := run(t, Behaviour{Refuse: true})
	for range 3 {
		_, err := http.Get(u.URL())
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("get: got %v, want connection refused", err)
		}
	}
	if u.Served() != 0 {
		t.Errorf("served: got %d, want 0", u.Served())
	}
}

func TestUpstreamStopsWaitingForAClientThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &Upstream{behaviour: Behaviour{Median: time.Hour}} // capped at longest
		ctx, cancel := context.WithTimeout(t.Context(), longest/2)
		defer cancel()
		begun, w := time.Now(), httptest.NewRecorder()
		u.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody))
		if took := time.Since(begun); took != longest/2 || w.Body.Len() != 0 {
			t.Errorf("got %q after %v, want nothing after %v", w.Body, took, longest/2)
		}
	})
}

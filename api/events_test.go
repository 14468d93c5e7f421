package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/api/apitest"
)

func TestEventsCanBeChosen(t *testing.T) {
	w := newWorld()
	other := apitest.Decided("pay-2", 1)
	other.Service, other.At = "pay", time.Now()
	w.Decide(other)
	h := w.Handler(t)
	for _, tt := range []struct {
		query string
		want  int
	}{
		{"", 3},
		{"kind=started", 2},
		{"kind=rolledback", 0},
		{"service=shop", 2},
		{"service=shop&kind=weight", 1},
		{"rollout=pay-2", 1},
		{"rollout=nobody", 0},
		{"since=1h", 1},
		{"since=" + apitest.At().Add(-time.Minute).Format(time.RFC3339), 2},
		{"follow=false", 3},
	} {
		got := ask(h, "GET", "/api/v1/events?"+tt.query, "", nil)
		if n := strings.Count(got.Body.String(), "\n"); got.Code != http.StatusOK || n != tt.want {
			t.Errorf("?%s: %d with %d events, want %d", tt.query, got.Code, n, tt.want)
		}
		if ct := got.Header().Get("Content-Type"); ct != "application/x-ndjson" {
			t.Errorf("?%s: content type %q", tt.query, ct)
		}
	}
	if got := ask(h, "GET", "/api/v1/events?follow=perhaps", "", nil); got.Code != http.StatusBadRequest {
		t.Errorf("?follow=perhaps: %d", got.Code)
	}
}

func TestAccountsAreSummedUpTheLatestFirst(t *testing.T) {
	w := newWorld()
	later := apitest.Decided("shop-1.5.0.2", 1)
	later.At = apitest.At()
	w.Decide(later)
	as, err := newClient(t, w.Serve(t).URL, "").Accounts(t.Context())
	if err != nil || len(as) != 2 {
		t.Fatalf("Accounts: %v, %v", as, err)
	}
	if as[0].Rollout != later.Rollout || as[1].Decisions != 2 || as[1].Phase != haldane.Stepping {
		t.Errorf("Accounts: %+v", as)
	}
}

func TestStreamsEndWhenTheServerCloses(t *testing.T) {
	closing, endStreams := context.WithCancel(t.Context())
	defer endStreams()
	w := newWorld()
	server := httptest.NewServer(api.New(api.Config{
		Rollouts: w, Log: w, Tokens: apitest.Tokens(t), Logger: slog.New(slog.DiscardHandler), Closing: closing,
	}))
	defer server.Close()
	for _, path := range []string{"/api/v1/rollouts/" + rollout + "/stream", "/api/v1/events?follow=true"} {
		resp, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		ended := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, resp.Body)
			ended <- err
		}()
		endStreams()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v, want a clean end", path, err)
		}
	}
}

func TestManyFollowEachOther(t *testing.T) {
	w := newWorld()
	server := w.Serve(t)
	const followers, decisions = 10, 20
	done := make(chan error, followers)
	for range followers {
		c := newClient(t, server.URL, "")
		go func() {
			next := uint64(1)
			done <- c.Events(t.Context(), api.Filter{Service: "shop", Follow: true}, func(event []byte) error {
				if !strings.Contains(string(event), fmt.Sprintf(`"id":"%s/%d"`, rollout, next)) {
					return fmt.Errorf("wanted number %d, got %.120s", next, event)
				}
				if next++; next > decisions {
					return errEnough
				}
				return nil
			})
		}()
	}
	for n := uint64(3); n <= decisions; n++ {
		w.Decide(apitest.Decided(rollout, n))
	}
	for range followers {
		if err := <-done; !errors.Is(err, errEnough) {
			t.Error(err)
		}
	}
}

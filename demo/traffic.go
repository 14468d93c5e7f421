package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"
)

// workers is how many requests of a Traffic may be under way at once.
const workers = 64

// catchUp is how far a Traffic may fall behind its times before it gives up
// the requests it owes: after a stall there must not come a flood.
const catchUp = time.Second

// Traffic is people who use the shop: they come at random moments, Rate a
// second on average, and do not wait for one another (an open loop, so that a
// slow version gets no mercy). Set the fields, then call Run once.
type Traffic struct {
	Target string  // URL
	Rate   float64 // requests a second, more than 0
	Seed   uint64

	mu   sync.Mutex // guards seen
	seen Seen
}

// Seen is what came back to the people.
type Seen struct {
	Answered uint64            `json:"answered"` // with a status below 500
	Failed   uint64            `json:"failed"`   // with a status of 500 or more
	Broken   uint64            `json:"broken"`   // not at all
	Skipped  uint64            `json:"skipped"`  // not sent, as all workers were busy
	Versions map[string]uint64 `json:"versions"` // answers, by the version that gave them
}

// Seen returns what has come back so far.
func (t *Traffic) Seen() Seen {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.seen
	s.Versions = maps.Clone(t.seen.Versions)
	return s
}

// Run sends requests until ctx ends.
func (t *Traffic) Run(ctx context.Context) error {
	if !(t.Rate > 0) {
		return fmt.Errorf("send traffic to %s: rate %v (more than 0 requests a second)", t.Target, t.Rate)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: workers, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 2 * longest}

	due := make(chan uint64)
	var crew sync.WaitGroup
	for range workers {
		crew.Go(func() {
			for n := range due {
				t.request(ctx, client, n)
			}
		})
	}
	t.pace(ctx, due)
	close(due)
	crew.Wait()
	return nil
}

// pace hands out the numbers of requests at the moments at which they are due.
func (t *Traffic) pace(ctx context.Context, due chan<- uint64) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	next := time.Now()
	for n := uint64(0); ; n++ {
		if late := time.Since(next); late > catchUp {
			next = next.Add(late)
		} else if late < 0 {
			timer.Reset(-late)
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
		}
		select {
		case due <- n:
		case <-ctx.Done():
			return
		default:
			t.count(func(s *Seen) { s.Skipped++ })
		}
		// Exponential gaps: the arrivals of many people who know nothing of one another.
		next = next.Add(time.Duration(draw(t.Seed, n).ExpFloat64() / t.Rate * float64(time.Second)))
	}
}

// request sends the n-th request and counts what comes back.
func (t *Traffic) request(ctx context.Context, client *http.Client, n uint64) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.Target, http.NoBody)
	if err != nil {
		t.count(func(s *Seen) { s.Broken++ })
		return
	}
	req.Header.Set("Traceparent", traceparent(t.Seed, n))
	resp, err := client.Do(req)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		err = errors.Join(err, resp.Body.Close())
	}
	if ctx.Err() != nil {
		return // cut off by our own end: nobody's failure
	}
	t.count(func(s *Seen) { s.add(resp, err) })
}

// count changes what was seen.
func (t *Traffic) count(change func(*Seen)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.seen)
}

// add counts one answer, or the lack of it.
func (s *Seen) add(resp *http.Response, err error) {
	switch {
	case err != nil:
		s.Broken++
		return
	case resp.StatusCode >= http.StatusInternalServerError:
		s.Failed++
	default:
		s.Answered++
	}
	if s.Versions == nil {
		s.Versions = make(map[string]uint64)
	}
	s.Versions[resp.Header.Get(VersionHeader)]++
}

// traceparent returns the W3C trace context of the n-th request. One request
// in a hundred asks to be recorded, as a client that samples would.
func traceparent(seed, n uint64) string {
	r := draw(^seed, n)
	flags := 0
	if r.Float64() < 0.01 {
		flags = 1
	}
	return fmt.Sprintf("00-%016x%016x-%016x-%02x", r.Uint64(), r.Uint64()|1, r.Uint64()|1, flags)
}

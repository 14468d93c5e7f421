package proxy_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/haldane-canary/haldane"
)

// nowhere is a ResponseWriter that keeps nothing.
type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header         { return n.h }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}

// BenchmarkRequest is one request through the proxy to a real upstream over
// loopback, without a server in front: what a request costs the proxy, plus
// the upstream's own work.
func BenchmarkRequest(b *testing.B) {
	body := make([]byte, 1024)
	p, _ := untraced(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil)
		for pb.Next() {
			p.ServeHTTP(nowhere{make(http.Header)}, r)
		}
	})
}

// BenchmarkTransport is the same request by net/http's transport alone: what
// BenchmarkRequest is to be compared with.
func BenchmarkTransport(b *testing.B) {
	body := make([]byte, 1024)
	upstream := serve(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	b.Cleanup(transport.CloseIdleConnections)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, upstream.String(), nil)
		if err != nil {
			b.Error(err)
			return
		}
		for pb.Next() {
			resp, err := transport.RoundTrip(r)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
}

// BenchmarkApply is a change of weight.
func BenchmarkApply(b *testing.B) {
	p, tally := untraced(b, nil)
	for epoch := uint64(2); b.Loop(); epoch++ {
		p.Apply(at(1, epoch, haldane.Weight(epoch%10000)))
		if epoch%1000 == 0 {
			tally.Forget("shop-1.5.0")
		}
	}
}

package proxy_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/collectors"
	"github.com/haldane-canary/haldane/proxy"
)

func Example() {
	upstream := httptest.NewServer(http.NotFoundHandler())
	defer upstream.Close()
	address, _ := url.Parse(upstream.URL)
	tally := collectors.NewTally("proxy-1/8f2c")
	p, err := proxy.New(proxy.Config{Services: []proxy.Service{{
		Name:     "shop",
		Match:    []proxy.Match{{Prefix: "/"}},
		Baseline: proxy.Track{Version: "1.4.0", Upstreams: []*url.URL{address}},
		Canary:   proxy.Track{Version: "1.5.0", Upstreams: []*url.URL{address}},
		Rollout:  "shop-1.5.0",
	}}}, tally, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()

	p.Apply(haldane.Split{Service: "shop", Rollout: "shop-1.5.0", Generation: 1, Epoch: 1, Weight: haldane.FullWeight, Phase: haldane.Stepping})
	p.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))

	canary, total := p.Served("shop")
	fmt.Println("served", canary, "of", total)
	for _, w := range tally.Reports(time.Now())[0].Windows {
		fmt.Println(w.Track, w.N())
	}
	// Output:
	// served 1 of 1
	// baseline 0
	// canary 1
}

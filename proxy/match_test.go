package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/haldane-canary/haldane/collectors"
	"github.com/haldane-canary/haldane/proxy"
)

func TestTheMostSpecificMatchWins(t *testing.T) {
	service := func(name string, m ...proxy.Match) proxy.Service {
		upstream := serve(t, says(name))
		return proxy.Service{Name: name, Match: m, Baseline: proxy.Track{Upstreams: []*url.URL{upstream}}}
	}
	p, err := proxy.New(proxy.Config{Services: []proxy.Service{
		service("all", proxy.Match{Prefix: "/"}),
		service("pay", proxy.Match{Prefix: "/pay"}, proxy.Match{Prefix: "/pay/old/"}),
		service("refund", proxy.Match{Prefix: "/pay/refund"}),
		service("health", proxy.Match{Exact: "/pay/health"}),
		service("shop", proxy.Match{Host: "Shop.example", Prefix: "/"}, proxy.Match{Host: "::1", Prefix: "/"}),
		service("shadowed", proxy.Match{Prefix: "/pay"}),
	}}, collectors.NewTally("p"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	for target, want := range map[string]string{
		"http://x/":                     "all",
		"http://x/payments":             "all",
		"http://x/pay":                  "pay",
		"http://x/pay/":                 "pay",
		"http://x/pay/card":             "pay",
		"http://x/pay/refund":           "refund",
		"http://x/pay/refund/1":         "refund",
		"http://x/pay/refunds":          "pay",
		"http://x/pay/old/1":            "pay",
		"http://x/pay/health":           "health",
		"http://x/pay/health/1":         "pay",
		"http://shop.example/pay":       "shop",
		"http://SHOP.EXAMPLE:8443/pay":  "shop",
		"http://[::1]:80/":              "shop",
		"http://shop.example.evil/pay":  "pay",
		"http://shop.example:80:80/pay": "pay",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		u, err := url.Parse(target)
		if err != nil {
			u = &url.URL{Host: "shop.example:80:80", Path: "/pay"} // a Host field may be anything
		}
		r.Host, r.URL.Path = u.Host, u.Path
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if got := w.Body.String(); got != want {
			t.Errorf("%s goes to %s, want %s", target, got, want)
		}
	}
}

func TestRoutesAreNamedByConfiguration(t *testing.T) {
	r := newRig(t, says("baseline"), nil, func(c *proxy.Config) {
		c.Services[0].Match = []proxy.Match{{Prefix: "/"}, {Name: "pay", Prefix: "/pay"}, {Name: "pay", Exact: "/till"}, {Exact: "/health"}}
	})
	r.split(0)
	for path, want := range map[string]string{"/secret/42": "/", "/pay/42": "pay", "/till": "pay", "/health": "/health"} {
		r.do("GET", path, "")
		if got := (<-r.spans.ended).Route; got != want {
			t.Errorf("%s is route %s, want %s", path, got, want)
		}
	}
}

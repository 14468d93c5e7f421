package proxy_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/haldane-canary/haldane/collectors"
	"github.com/haldane-canary/haldane/proxy"
)

// goodConfig returns a configuration without a fault.
func goodConfig() proxy.Config {
	return proxy.Config{Services: []proxy.Service{{
		Name: "shop", Match: []proxy.Match{{Prefix: "/"}},
		Baseline: proxy.Track{Upstreams: []*url.URL{{Scheme: "http", Host: "127.0.0.1:9001"}}},
		Canary:   proxy.Track{Upstreams: []*url.URL{{Scheme: "https", Host: "[::1]:9002", Path: "/"}}},
	}}}
}

func TestEveryFaultOfAConfigIsFound(t *testing.T) {
	if err := goodConfig().Validate(); err != nil {
		t.Fatalf("a good configuration: %v", err)
	}
	upstream := func(text string) func(*proxy.Config) {
		return func(c *proxy.Config) {
			u, err := url.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			c.Services[0].Canary.Upstreams = []*url.URL{u}
		}
	}
	for name, spoil := range map[string]func(c *proxy.Config){
		"appears twice":             func(c *proxy.Config) { c.Services = append(c.Services, c.Services[0]) },
		"without a name":            func(c *proxy.Config) { c.Services[0].Name = "" },
		"matches nothing":           func(c *proxy.Config) { c.Services[0].Match = nil },
		`prefix "pay"`:              matches("", "pay"),
		`exact "", prefix ""`:       matches("x", ""),
		`exact "/a", prefix "/b"`:   func(c *proxy.Config) { c.Services[0].Match[0] = proxy.Match{Exact: "/a", Prefix: "/b"} },
		"baseline has no upstream":  func(c *proxy.Config) { c.Services[0].Baseline.Upstreams = nil },
		"ftp://x":                   upstream("ftp://x"),
		"upstream http:":            upstream("http:///x"),
		"http://x/base":             upstream("http://x/base"),
		"http://x?a=b":              upstream("http://x?a=b"),
		"upstream http://me@x":      upstream("http://me@x"),
		"upstream <nil>":            func(c *proxy.Config) { c.Services[0].Canary.Upstreams = []*url.URL{nil} },
		`by cookie "a" and by head`: assigns(proxy.Assign{Cookie: "a", Header: "b"}),
		"timeout -1s":               timesOut(-time.Second),
		"dial timeout -1s":          func(c *proxy.Config) { c.DialTimeout = -time.Second },
		`orphan policy "flee"`:      orphans(proxy.Orphan{Policy: "flee"}),
		"say after how long":        orphans(proxy.Orphan{Policy: proxy.OrphanBaseline}),
	} {
		c := goodConfig()
		spoil(&c)
		_, err := proxy.New(c, collectors.NewTally("p"), nil, nil)
		if !errors.Is(err, proxy.ErrConfig) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFaultsAreReportedTogether(t *testing.T) {
	c := goodConfig()
	c.Services[0].Name, c.Timeout, c.Orphan.Policy = "", -1, "flee"
	if err := c.Validate(); strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("%v: want three faults", err)
	}
}

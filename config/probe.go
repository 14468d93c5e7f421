package config

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"
)

// probeTimeout is how long an upstream may take to accept a connection.
const probeTimeout = 2 * time.Second

// Probe tries what c names: it listens on each address for a moment, and
// connects to each upstream. Addresses that cannot be listened on are faults;
// upstreams that do not answer are warnings, since they may come up later and
// the proxy will find them then.
func Probe(ctx context.Context, c *Config) (faults, warnings Faults) {
	k := &checker{c: c}
	var lc net.ListenConfig
	for _, l := range c.listeners() {
		ln, err := lc.Listen(ctx, "tcp", l.addr)
		if err != nil {
			k.fault(l.path, "cannot listen (is another haldane running?): %w", err)
			continue
		}
		if err := ln.Close(); err != nil {
			k.fault(l.path, "cannot stop listening: %w", err)
		}
	}
	faults, k.faults = k.faults, nil
	for i, s := range c.Services {
		at := index("services", i) + ".tracks"
		k.dial(ctx, at+".baseline.upstreams", s.Baseline.Upstreams)
		if s.Canary != nil {
			k.dial(ctx, at+".canary.upstreams", s.Canary.Upstreams)
		}
	}
	return faults, k.faults
}

// dial connects to each of the upstreams at path.
func (k *checker) dial(ctx context.Context, path string, upstreams []*url.URL) {
	for i, u := range upstreams {
		if err := dial(ctx, u); err != nil {
			k.fault(index(path, i), "does not answer yet: %w", err)
		}
	}
}

func dial(ctx context.Context, u *url.URL) error {
	port := u.Port()
	if port == "" {
		port = u.Scheme // net knows the ports of http and https by name
	}
	d := net.Dialer{Timeout: probeTimeout}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return fmt.Errorf("connect to %s: %w", u.Redacted(), err)
	}
	return conn.Close()
}

package config

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"
)

// probeTimeout is how long an upstream may take to accept a connection.
const probeTimeout = 2 * time.Second

// LoadHere is Load for whoever is about to serve here: if the file at path has
// faults, they are told together with those of the addresses in it that cannot
// be listened on, so that nobody mends the one to be told of the other.
func LoadHere(ctx context.Context, path string) (*Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration (give its path with -c): %w", err)
	}
	c, faults := read(path, b)
	if len(faults) == 0 {
		return c, nil
	}
	if c != nil {
		known := make(map[string]bool, len(faults))
		for _, f := range faults {
			known[f.Path] = true
		}
		for _, f := range c.taken(ctx) {
			if !known[f.Path] {
				faults = append(faults, f)
			}
		}
	}
	return nil, faults.OrNil()
}

// taken returns the addresses of c that cannot be listened on, as faults. It
// listens on each for a moment.
func (c *Config) taken(ctx context.Context) Faults {
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
	return k.faults
}

// Probe tries what c names: it listens on each address for a moment, and
// connects to each upstream. Addresses that cannot be listened on are faults;
// upstreams that do not answer are warnings, since they may come up later and
// the proxy will find them then.
func Probe(ctx context.Context, c *Config) (faults, warnings Faults) {
	faults = c.taken(ctx)
	k := &checker{c: c}
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

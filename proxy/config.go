package proxy

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// The defaults of a Config.
const (
	DefaultTimeout     = 30 * time.Second
	DefaultDialTimeout = 2 * time.Second // a SYN is repeated after one second: one loss is forgiven
)

// ErrConfig is returned, wrapped, for a Config that cannot be served.
var ErrConfig = errors.New("proxy configuration")

// A Config says what is served. Its zero value serves nothing.
type Config struct {
	Services    []Service
	Timeout     time.Duration // DefaultTimeout if 0; see Service.Timeout
	DialTimeout time.Duration // DefaultDialTimeout if 0: to make a connection to an upstream
	Orphan      Orphan
}

// A Service is what clients call.
type Service struct {
	Name             string
	Match            []Match
	Baseline, Canary Track
	Rollout          string // the configured name, without generation; "" if there is none
	Assign           Assign
	// Timeout is for an upstream's whole answer, counted from the end of the
	// client's request. A stream (an answer of no stated length, an upgraded
	// connection) must only begin within it. Config.Timeout if 0.
	Timeout time.Duration
}

// A Track says where a version runs. Requests go round its upstreams in turn,
// in HTTP/1.1.
type Track struct {
	Version   string
	Upstreams []*url.URL // scheme and host; paths are the client's
}

// A Match says which requests are a service's. An empty Host matches every
// host. The most specific match of all services wins: one with a Host before
// one without, an exact path before a prefix, a longer prefix before a shorter.
type Match struct {
	Name   string // the route, as metrics and windows name it; Exact or Prefix if empty
	Host   string // without port; letter case does not matter
	Prefix string // "/pay" matches /pay and /pay/x, and not /payments
	Exact  string // a whole path; excludes Prefix
}

// An Assign says what is drawn a track: each request (the zero Assign), or
// each value of a cookie or header. A request without it is drawn by itself.
type Assign struct {
	Cookie, Header string
}

// Sticky reports whether a keeps a client on its track.
func (a Assign) Sticky() bool { return a.Cookie != "" || a.Header != "" }

// The policies of an Orphan.
const (
	OrphanHold     = "hold"     // keep the last known weight, which is the default
	OrphanBaseline = "baseline" // send the canary nothing until there is contact again
)

// An Orphan says what a proxy does that hears nothing from its controller.
type Orphan struct {
	Policy string        // OrphanHold or OrphanBaseline; hold if empty
	After  time.Duration // without contact, before OrphanBaseline takes hold; must be > 0 then
}

// Validate returns every fault of c, joined, each wrapping ErrConfig.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf(format+": %w", append(args, ErrConfig)...))
	}
	names := make(map[string]bool)
	for _, s := range c.Services {
		if names[s.Name] {
			fault("service %q appears twice", s.Name)
		}
		names[s.Name] = true
		s.validate(fault)
	}
	if c.Timeout < 0 || c.DialTimeout < 0 {
		fault("timeout %v, dial timeout %v (0 means the default)", c.Timeout, c.DialTimeout)
	}
	switch c.Orphan.Policy {
	case "", OrphanHold:
	case OrphanBaseline:
		if c.Orphan.After <= 0 {
			fault("orphan policy %s after %v (say after how long)", OrphanBaseline, c.Orphan.After)
		}
	default:
		fault("orphan policy %q (%s or %s)", c.Orphan.Policy, OrphanHold, OrphanBaseline)
	}
	return errors.Join(faults...)
}

// validate tells fault of everything wrong with s.
func (s Service) validate(fault func(format string, args ...any)) {
	if s.Name == "" {
		fault("a service without a name")
	}
	if len(s.Match) == 0 {
		fault("service %q matches nothing (a prefix of / matches everything)", s.Name)
	}
	for _, m := range s.Match {
		if (m.Exact == "") == (m.Prefix == "") || (m.Exact + m.Prefix)[0] != '/' {
			fault("service %q: match of exact %q, prefix %q (one of them, beginning with /)", s.Name, m.Exact, m.Prefix)
		}
	}
	if len(s.Baseline.Upstreams) == 0 {
		fault("service %q: baseline has no upstream", s.Name)
	}
	for _, u := range append(append([]*url.URL(nil), s.Baseline.Upstreams...), s.Canary.Upstreams...) {
		if u == nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" ||
			(u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.User != nil {
			fault("service %q: upstream %v (http or https, host and port, nothing more)", s.Name, u)
		}
	}
	if s.Assign.Cookie != "" && s.Assign.Header != "" {
		fault("service %q: assigned by cookie %q and by header %q (one of them)", s.Name, s.Assign.Cookie, s.Assign.Header)
	}
	if s.Timeout < 0 {
		fault("service %q: timeout %v (0 means the default)", s.Name, s.Timeout)
	}
}

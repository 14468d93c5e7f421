package config

import (
	"net/url"
	"time"

	"github.com/haldane-canary/haldane"
)

// A Config is a whole haldane.yaml with its defaults filled in.
type Config struct {
	Dir       string // where the journal, the token and the last weights are kept
	Proxy     Proxy
	Admin     Admin
	Bus       Bus
	Telemetry Telemetry
	Services  []Service

	file string              // where it was read from, for faults
	at   map[string]Position // where each value stands in it, by path
}

// Proxy is how requests are taken in.
type Proxy struct {
	Listen  string        // host:port that clients call
	Timeout time.Duration // until an upstream's answer, unless a service says otherwise
	Orphan  Orphan
}

// Orphan says what a proxy does that has heard nothing of the control plane
// for a time: go on with the last weight, or return to the baseline.
type Orphan struct {
	Policy string // OrphanHold or OrphanBaseline
	After  time.Duration
}

// The orphan policies.
const (
	OrphanHold     = "hold"
	OrphanBaseline = "baseline"
)

// Admin is where operators, Prometheus and the command line come in.
type Admin struct {
	Listen string // host:port
}

// Bus is the NATS server that the roles talk over: an embedded one, or those
// at URLs. Exactly one of the two is set.
type Bus struct {
	Embedded    *Embedded
	URLs        []string
	Credentials string // path of a NATS credentials file, or ""
}

// Embedded is the NATS server in our own process.
type Embedded struct {
	Dir    string // where JetStream keeps its files
	Listen string // host:port, or "" to be reached from this process only
}

// Telemetry is where traces go.
type Telemetry struct {
	OTLP   string  // base URL of an OTLP/HTTP receiver, or "" for no traces
	Sample float64 // share of the requests that are traced; failed ones always are
}

// A Service is what clients call.
type Service struct {
	Name     string
	Match    []Match       // the requests that are its own
	Timeout  time.Duration // 0 means Proxy.Timeout
	Baseline Track
	Canary   *Track   // nil if there is no candidate
	Rollout  *Rollout // nil if nothing is compared
}

// A Match is one route of a service: the requests whose host is Host (any, if
// "") and whose path is Exact or begins with Prefix.
type Match struct {
	Name   string // the route's name in metrics; its prefix or path if not given
	Host   string
	Prefix string
	Exact  string
}

// A Track is one version and the servers that run it.
type Track struct {
	Version   string
	Upstreams []*url.URL
}

// A Rollout is the comparison of the two tracks and the ramp that follows it.
type Rollout struct {
	Name         string
	Auto         bool    // starts by itself, rather than by `haldane rollout start`
	Alpha        float64 // bound on the probability of ever rolling back a canary that is no worse
	AlphaPromote float64 // bound on the probability that a step passes a canary that is worse
	Assign       Assign
	Indicators   []haldane.Indicator
	Steps        []Step
	Warmup       time.Duration // latencies of the canary's first moments are no evidence
	Deadline     time.Duration // for the whole climb
	OnUndecided  string        // what happens at the deadline: UndecidedHold, …
	Watch        time.Duration // how long the full weight is watched before it is final
}

// What may happen when the deadline comes without a verdict.
const (
	UndecidedHold     = "hold"
	UndecidedPromote  = "promote"
	UndecidedRollback = "rollback"
)

// Assign is the unit that is drawn to a track: each request (both fields ""),
// or whoever bears the same cookie or the same header.
type Assign struct {
	Cookie string
	Header string
}

// A Step is one weight of the ramp.
type Step struct {
	Weight  haldane.Weight
	Bake    time.Duration             // the least time it is given
	Promote map[string]haldane.Margin // harm excluded before the next step, by indicator; complete once read
}

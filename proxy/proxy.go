package proxy

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/collectors"
)

// A Proxy serves the services of one Config. It is an http.Handler and a
// prometheus.Collector, and is safe for concurrent use.
type Proxy struct {
	services []*service
	rules    rules
	tally    *collectors.Tally
	tracer   Tracer // nil if nobody traces
	log      *slog.Logger

	life context.Context // ends with Close, and with it every upgraded connection
	end  context.CancelFunc

	mu      sync.Mutex // guards what follows, and the swapping of every service's state
	orphan  Orphan
	contact contact

	unrouted, refused, panics atomic.Uint64
}

// New returns a Proxy that sends every request to the baseline until it is
// told otherwise (Apply). It starts no goroutine. A nil tracer traces nothing.
// The error joins every fault of cfg; each is ErrConfig.
func New(cfg Config, tally *collectors.Tally, tracer Tracer, log *slog.Logger) (*Proxy, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("make proxy: %w", err)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := &Proxy{tally: tally, tracer: tracer, log: log, orphan: cfg.Orphan}
	p.life, p.end = context.WithCancel(context.Background())
	for _, c := range cfg.Services {
		c.Timeout = cmp.Or(c.Timeout, cfg.Timeout, DefaultTimeout)
		s := &service{Service: c, salt: saltOf(c.Rollout)}
		dial := cmp.Or(cfg.DialTimeout, DefaultDialTimeout)
		s.tracks[haldane.Baseline] = newTrack(c.Baseline, dial)
		s.tracks[haldane.Canary] = newTrack(c.Canary, dial)
		p.rules.add(s)
		s.enter(tally, haldane.Split{}, false)
		p.services = append(p.services, s)
	}
	p.rules.order()
	return p, nil
}

// Apply puts s in force and reports whether it did: not if s does not
// supersede the split in force, nor if it is of a service or rollout that the
// configuration does not know, nor if its weight is out of range. Requests
// under way keep the split they were drawn with.
func (p *Proxy) Apply(s haldane.Split) bool {
	if _, err := haldane.NewWeight(int(s.Weight)); err != nil {
		return false
	}
	svc := p.service(s.Service)
	if svc == nil || !svc.runs(s.Rollout) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	old := svc.state.Load().split
	if old.Rollout != "" && !s.Supersedes(old) {
		return false
	}
	svc.enter(p.tally, s, p.contact.orphaned)
	if old.Rollout != s.Rollout {
		p.tally.Forget(old.Rollout)
	}
	if s.Phase.Settled() {
		p.tally.Forget(s.Rollout)
	}
	return true
}

// Splits returns the splits in force, by service; services without one are
// left out.
func (p *Proxy) Splits() []haldane.Split {
	var splits []haldane.Split
	for _, s := range p.services {
		if split := s.state.Load().split; split.Rollout != "" {
			splits = append(splits, split)
		}
	}
	slices.SortFunc(splits, func(a, b haldane.Split) int { return cmp.Compare(a.Service, b.Service) })
	return splits
}

// Served returns how many requests of a service were given to the canary, and
// how many there were, since its weight epoch began here.
func (p *Proxy) Served(service string) (canary, total uint64) {
	s := p.service(service)
	if s == nil {
		return 0, 0
	}
	return s.state.Load().counts()
}

// counts returns the requests drawn: the canary's, and all.
func (st *state) counts() (canary, total uint64) {
	canary = st.served[haldane.Canary].Load()
	return canary, canary + st.served[haldane.Baseline].Load()
}

// service returns the service of that name, or nil.
func (p *Proxy) service(name string) *service {
	for _, s := range p.services {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Close ends upgraded connections, which an http.Server's Shutdown knows
// nothing of, and idle ones to the upstreams. Requests under way are not
// disturbed. It returns nil.
func (p *Proxy) Close() error {
	p.end()
	for _, s := range p.services {
		for _, t := range s.tracks {
			t.transport.CloseIdleConnections()
		}
	}
	return nil
}

// Server returns an http.Server that serves p with limits fit for strangers:
// 10 s for a request's head of at most 32 KiB, two minutes idle. What the
// server has to say of single connections is logged at debug level.
func (p *Proxy) Server() *http.Server {
	return &http.Server{
		Handler:           p,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
}

// ServeHTTP forwards r to the track it is drawn, and observes the outcome.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	if status, why := refusal(r); status != 0 {
		p.refused.Add(1)
		explain(w, status, why)
		return
	}
	rule := p.rules.match(r.Host, cmp.Or(r.URL.Path, "/"))
	if rule == nil {
		p.unrouted.Add(1)
		explain(w, http.StatusNotFound, "no service is configured for this host and path")
		return
	}
	x := exchange{p: p, svc: rule.service, route: rule.route, w: w, r: r, arrived: arrived}
	defer x.finish()
	x.run()
}

package config

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/haldane-canary/haldane"
)

func (k *checker) service(path string, s *Service) {
	k.name(path+".name", s.Name)
	if s.Timeout < 0 {
		k.fault(path+".timeout", "%v: must not be negative", s.Timeout)
	}
	for i, m := range s.Match {
		k.match(index(path+".match", i), m)
	}
	k.track(path+".tracks.baseline", s.Baseline)
	if s.Canary != nil {
		k.track(path+".tracks.canary", *s.Canary)
	}
	if s.Rollout == nil {
		return
	}
	if s.Canary == nil {
		k.missing(path+".tracks.canary", "a rollout needs a candidate")
	}
	k.rollout(path+".rollout", s.Rollout)
}

func (k *checker) match(path string, m Match) {
	k.name(path+".name", m.Name)
	switch {
	case m.Prefix != "" && m.Exact != "":
		k.fault(path, "has both prefix and exact: keep the one that you mean")
	case m.Prefix != "" && m.Prefix[0] != '/':
		k.fault(path+".prefix", "%q: a path begins with /", m.Prefix)
	case m.Exact != "" && m.Exact[0] != '/':
		k.fault(path+".exact", "%q: a path begins with /", m.Exact)
	}
	if strings.ContainsAny(m.Host, ":/ ") {
		k.fault(path+".host", "%q: a host name alone, without scheme and port", m.Host)
	}
}

func (k *checker) track(path string, t Track) {
	if t.Version == "" {
		k.missing(path+".version", "name what runs there, such as 1.4.0: metrics and decisions call it so")
	}
	if len(t.Upstreams) == 0 {
		k.missing(path+".upstreams", "name at least one server, such as http://127.0.0.1:9001")
	}
	for i, u := range t.Upstreams {
		k.upstream(index(path+".upstreams", i), u)
	}
}

func (k *checker) upstream(path string, u *url.URL) {
	switch {
	case !isHTTP(u):
		k.fault(path, "%q is not the URL of a server: write http://host:port", u)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		k.fault(path, "%q: a server and nothing more, the path is the client's: write http://host:port", u.Redacted())
	case u.Port() != "" && !isPort(u.Port()):
		k.fault(path, "%q: %s is not a port (1 to 65535)", u, u.Port())
	}
}

// isPort reports whether s is a port to connect to.
func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

func (k *checker) rollout(path string, r *Rollout) {
	k.name(path+".name", r.Name)
	k.probability(path+".alpha", r.Alpha)
	k.probability(path+".alpha_promote", r.AlphaPromote)
	k.assign(path+".assign", r.Assign)
	k.indicators(path+".indicators", r.Indicators)
	k.steps(path+".steps", r.Steps)
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{".warmup", r.Warmup}, {".watch", r.Watch}} {
		if d.value < 0 {
			k.fault(path+d.key, "%v: must not be negative", d.value)
		}
	}
	if r.Deadline <= 0 {
		k.fault(path+".deadline", "%v: must be more than nothing", r.Deadline)
	}
	if r.OnUndecided != UndecidedHold && r.OnUndecided != UndecidedPromote && r.OnUndecided != UndecidedRollback {
		k.fault(path+".on_undecided", "%q is not hold, promote or rollback", r.OnUndecided)
	}
}

// probability checks a bound on being wrong. More than a half would be worse
// than a coin.
func (k *checker) probability(path string, p float64) {
	if !(p > 0 && p <= 0.5) {
		k.fault(path, "%v: a probability above 0 and at most 0.5, such as 0.01", p)
	}
}

func (k *checker) assign(path string, a Assign) {
	if a.Cookie != "" && a.Header != "" {
		k.fault(path, "has both cookie and header: keep the one that you mean")
	}
	if a.Cookie != "" && (&http.Cookie{Name: a.Cookie}).Valid() != nil {
		k.fault(path+".cookie", "%q cannot be a cookie's name", a.Cookie)
	}
	if a.Header != "" && (&http.Cookie{Name: a.Header}).Valid() != nil { // both are tokens of RFC 9110
		k.fault(path+".header", "%q cannot be a header's name", a.Header)
	}
}

func (k *checker) indicators(path string, inds []haldane.Indicator) {
	if len(inds) == 0 {
		k.missing(path, "name errors, latency or both: a rollout that compares nothing can never pass")
	}
	seen := make(map[string]bool)
	for i, ind := range inds {
		at := index(path, i)
		if ind.Name != haldane.Errors && ind.Name != haldane.Latency {
			k.fault(at+".name", "%q is not errors or latency", ind.Name)
			continue
		}
		if seen[ind.Name] {
			k.fault(at+".name", "%s is compared already: keep one", ind.Name)
		}
		seen[ind.Name] = true
		k.margin(at+".margin", ind.Name, ind.Margin)
		k.margin(at+".promote", ind.Name, ind.Promote)
	}
}

func (k *checker) margin(path, name string, m haldane.Margin) {
	if err := m.Validate(); err != nil {
		k.fault(path, "%w", err)
	}
	if name == haldane.Latency && m.Floor != 0 {
		k.fault(path+".floor", "%v: latencies are compared by ratio alone: remove it", m.Floor)
	}
}

func (k *checker) steps(path string, steps []Step) {
	if len(steps) == 0 {
		k.missing(path, "name at least one weight, or remove the key for 1, 5, 25 and 50 %%")
	}
	last := haldane.Weight(0)
	for i, s := range steps {
		at := index(path, i)
		switch _, err := haldane.NewWeight(int(s.Weight)); {
		case err != nil:
			k.fault(at+".weight", "%w", err)
		case s.Weight == 0:
			k.fault(at+".weight", "nothing: a step gives the canary something, such as 1%%")
		case s.Weight <= last:
			k.fault(at+".weight", "%v does not grow from the %v before it", s.Weight, last)
		}
		last = max(last, s.Weight)
		if s.Bake < 0 {
			k.fault(at+".bake", "%v: must not be negative", s.Bake)
		}
		for name, m := range s.Promote {
			k.margin(at+".promote."+name, name, m)
		}
	}
}

// names checks that no two services share a name, and no two rollouts; nor may
// a rollout be called what another's later generation will be called.
func (k *checker) names() {
	services, rollouts := make(map[string]string), make(map[string]string)
	for i, s := range k.c.Services {
		at := index("services", i)
		k.unique(services, at+".name", s.Name)
		if s.Rollout != nil {
			k.unique(rollouts, at+".rollout.name", s.Rollout.Name)
		}
	}
	for name, path := range rollouts {
		base, generation, ok := cutLast(name, ".")
		if _, taken := rollouts[base]; !ok || !taken {
			continue
		}
		if n, err := strconv.ParseUint(generation, 10, 31); err == nil && n >= 2 {
			k.fault(path, "%q is what the %s generation of %q will be called: choose another", name, generation+".", base)
		}
	}
}

func (k *checker) unique(seen map[string]string, path, name string) {
	if name == "" {
		return
	}
	if before, ok := seen[name]; ok {
		k.fault(path, "%q is the name of %s already: names are used once", name, parent(before))
		return
	}
	seen[name] = path
}

// cutLast cuts s around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// routes checks that each request has one service and each route of a service
// one name.
func (k *checker) routes() {
	seen := make(map[Match]string)
	for i, s := range k.c.Services {
		labels := make(map[string]bool)
		for j, m := range s.Match {
			at := index(index("services", i)+".match", j)
			if labels[m.Name] {
				k.fault(at, "a second route called %q: give it a name of its own", m.Name)
			}
			labels[m.Name] = true
			what := Match{Host: m.Host, Prefix: m.Prefix, Exact: m.Exact}
			if before, ok := seen[what]; ok {
				k.fault(at, "%s takes the same requests: keep one", before)
				continue
			}
			seen[what] = at
		}
	}
}

package proxy

import (
	"cmp"
	"net"
	"slices"
	"strings"
)

// A rule is one Match, ready for use.
type rule struct {
	host    string // lower case, or "" for every host
	path    string
	exact   bool
	service *service
	route   int // index into service.routes
}

// rules are all Matches, the most specific first.
type rules []rule

// add appends the rules of s and names its routes.
func (rs *rules) add(s *service) {
	for _, m := range s.Match {
		path, exact := m.Prefix, m.Exact != ""
		if exact {
			path = m.Exact
		}
		route := s.routeNamed(cmp.Or(m.Name, path))
		*rs = append(*rs, rule{strings.ToLower(m.Host), path, exact, s, route})
	}
}

// order puts the most specific rules first; among equals the earlier stays.
func (rs rules) order() {
	slices.SortStableFunc(rs, func(a, b rule) int {
		return cmp.Or(firstIf(a.host != "", b.host != ""), firstIf(a.exact, b.exact), cmp.Compare(len(b.path), len(a.path)))
	})
}

// firstIf orders a before b if a alone is true, and after if b alone is.
func firstIf(a, b bool) int {
	switch {
	case a && !b:
		return -1
	case b && !a:
		return 1
	}
	return 0
}

// match returns the first rule that a request for host and path meets, or nil.
func (rs rules) match(host, path string) *rule {
	for i := range rs {
		r := &rs[i]
		if r.matchesPath(path) && (r.host == "" || strings.EqualFold(r.host, bareHost(host))) {
			return r
		}
	}
	return nil
}

// matchesPath reports whether path is r's, or for a prefix lies below it.
func (r *rule) matchesPath(path string) bool {
	if r.exact {
		return path == r.path
	}
	rest, ok := strings.CutPrefix(path, r.path)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(r.path, "/"))
}

// bareHost returns host without its port.
func bareHost(host string) string {
	if !strings.Contains(host, ":") {
		return host
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.Trim(host, "[]")
}

package haldane_test

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the import path of the root package.
const module = "github.com/haldane-canary/haldane"

// A rule forbids imports, for a reason.
type rule struct {
	of     []string // what may not be imported: a path or what is below it
	except []string // folders that may, and what is below them; "tests" means every test
	reason string
}

// rules are the outward boundaries of the architecture. A path that ends with
// a slash means all that is below it.
func rules() []rule {
	return []rule{
		{[]string{"github.com/nats-io/"}, []string{"events/bus"},
			"one package speaks NATS, so that guarantees of the bus are written down, and held, in one place"},
		{[]string{"go.opentelemetry.io/otel"}, []string{"telemetry"},
			"one package sets up OpenTelemetry; the others declare the few methods they call"},
		{[]string{"go.opentelemetry.io/proto/"}, []string{"telemetry", "collectors/otlp", "tests"},
			"OTLP is read where windows come from and where traces go, nowhere else"},
		{[]string{"github.com/spf13/", "charm.land/"}, []string{"cmd"},
			"the command line and the screen are the command's"},
		{[]string{"github.com/goccy/go-yaml"}, []string{"config", "tests"},
			"one package reads YAML; the others are handed typed configuration"},
		{[]string{"github.com/prometheus/prometheus"}, []string{"tests"},
			"Prometheus's parser and engine are oracles of tests; in the binary they would be most of it"},
		{[]string{"github.com/cloudevents/"}, []string{"tests"},
			"the envelope is small and our own; the SDK is the oracle of its test"},
		{[]string{"expvar", "net/http/pprof"}, nil,
			"they register themselves for whoever serves http.DefaultServeMux"},
	}
}

// between are the boundaries among our own packages, by folder: the keys may
// not import the values. A folder stands for all that is below it.
func between() map[string][]string {
	return map[string][]string{
		"analyzer":   {"rollout", "proxy", "events", "api"}, // judging knows nothing of acting …
		"rollout":    {"analyzer", "proxy", "api"},          // … nor acting of judging: verdicts are all they share
		"proxy":      {"analyzer", "rollout", "events", "api", "account"},
		"collectors": {"analyzer", "rollout", "api", "account", "proxy"},
		"sketch":     {"analyzer", "rollout", "proxy", "collectors", "events", "api", "account"},
		"events":     {"analyzer", "rollout", "proxy", "collectors", "api", "account"},
		"account":    {"rollout", "proxy", "collectors", "api"},
	}
}

func TestRootImportsTheStandardLibraryOnly(t *testing.T) {
	for _, f := range sources(t) {
		for _, path := range imports(f) {
			if f.dir == "." && !f.test && !standard(path) {
				t.Errorf("%s imports %s: the nouns that all share depend on nothing, and so can change for no reason but their own", f.path, path)
			}
		}
	}
}

func TestForbiddenImports(t *testing.T) {
	for _, f := range sources(t) {
		for _, path := range imports(f) {
			for _, r := range rules() {
				forbidden := slices.ContainsFunc(r.of, func(p string) bool { return below(path, p) })
				excepted := slices.ContainsFunc(r.except, func(dir string) bool { return below(f.dir, dir) || dir == "tests" && f.test })
				if forbidden && !excepted {
					t.Errorf("%s imports %s: %s", f.path, path, r.reason)
				}
			}
		}
	}
}

func TestPackagesThatMustNotKnowOneAnother(t *testing.T) {
	for _, f := range sources(t) {
		for _, path := range imports(f) {
			for from, to := range between() {
				crosses := below(f.dir, from) && slices.ContainsFunc(to, func(dir string) bool { return below(path, module+"/"+dir) })
				if crosses && !f.test {
					t.Errorf("%s imports %s: %s may not know it", f.path, path, from)
				}
			}
		}
	}
}

func TestOnlyCommandsWire(t *testing.T) {
	wired := []string{"cmd", "config", "api", "telemetry", "demo", "dashboards"}
	for _, f := range sources(t) {
		for _, path := range imports(f) {
			for _, dir := range wired {
				inside := below(f.dir, dir) || below(f.dir, "cmd")
				if below(path, module+"/"+dir) && !inside && !f.test {
					t.Errorf("%s imports %s: only cmd chooses and connects parts", f.path, path)
				}
			}
		}
	}
}

func TestPackagesLeanOnFewOthers(t *testing.T) {
	const most = 5
	leans := map[string]map[string]bool{}
	for _, f := range sources(t) {
		for _, path := range imports(f) {
			if f.test || below(f.dir, "cmd") || !below(path, module) {
				continue
			}
			if leans[f.dir] == nil {
				leans[f.dir] = map[string]bool{}
			}
			leans[f.dir][path] = true
		}
	}
	for dir, on := range leans {
		if len(on) > most {
			t.Errorf("%s imports %d of our packages, want at most %d: %v", dir, len(on), most, slices.Sorted(maps.Keys(on)))
		}
	}
}

func TestNoPackageIsADrawerForOddments(t *testing.T) {
	for _, f := range sources(t) {
		switch name := f.syntax.Name.Name; name {
		case "util", "utils", "common", "base", "types", "helpers", "misc", "shared":
			t.Errorf("%s: package %s says nothing of what it provides", f.path, name)
		}
	}
}

// below reports whether path is p, or is in p: "a/b" is below "a" and "a/", not "a/bc".
func below(path, p string) bool {
	p = strings.TrimSuffix(p, "/")
	return path == p || strings.HasPrefix(path, p+"/")
}

// standard reports whether a path is of the standard library: its first
// element is no host name.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// imports returns what f imports, in order.
func imports(f source) []string {
	var paths []string
	for _, spec := range f.syntax.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			path = spec.Path.Value // cannot be: it has been parsed
		}
		paths = append(paths, path)
	}
	slices.SortFunc(paths, cmp.Compare[string])
	return paths
}

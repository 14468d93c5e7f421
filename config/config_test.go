package config_test

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/config"
)

var update = flag.Bool("update", false, "write the golden files")

func load(t *testing.T, name string) *config.Config {
	t.Helper()
	c, err := config.Load(filepath.Join("testdata", name))
	if err != nil {
		t.Fatalf("Load(%s): %v", name, err)
	}
	return c
}

// unlocated compares configurations wherever they were written.
var unlocated = cmpopts.IgnoreUnexported(config.Config{})

func TestWhatIsLeftOutHasTheDocumentedDefault(t *testing.T) {
	if diff := cmp.Diff(load(t, "shop.yaml"), load(t, "least.yaml"), unlocated); diff != "" {
		t.Errorf("a file that states the defaults differs from one that leaves them out (-stated +left out):\n%s", diff)
	}
}

func TestTheDocumentedFileMeansWhatItSays(t *testing.T) {
	r := load(t, "shop.yaml").Services[0].Rollout
	want := &config.Rollout{
		Name: "shop-1.5.0", Auto: true, Alpha: 0.01, AlphaPromote: 0.05,
		Indicators:  haldane.DefaultIndicators(),
		Warmup:      time.Minute,
		Deadline:    30 * time.Minute,
		OnUndecided: config.UndecidedHold,
		Watch:       10 * time.Minute,
	}
	for _, s := range []struct {
		weight          haldane.Weight
		errors, latency haldane.Margin
	}{
		{100, haldane.Margin{Ratio: 10, Floor: 0.05}, haldane.Margin{Ratio: 2}},
		{500, haldane.Margin{Ratio: 4, Floor: 0.02}, haldane.Margin{Ratio: 1.5}},
		{2500, haldane.Margin{Ratio: 2, Floor: 0.01}, haldane.Margin{Ratio: 1.35}},
		{5000, haldane.Margin{Ratio: 1.5, Floor: 0.005}, haldane.Margin{Ratio: 1.25}},
	} {
		want.Steps = append(want.Steps, config.Step{Weight: s.weight, Bake: 10 * time.Second,
			Promote: map[string]haldane.Margin{haldane.Errors: s.errors, haldane.Latency: s.latency}})
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("rollout (-want +got):\n%s", diff)
	}
}

func TestEveryFaultIsToldAtOnceWithItsLine(t *testing.T) {
	_, err := config.Load(filepath.Join("testdata", "faults.yaml"))
	if _, ok := errors.AsType[config.Faults](err); !ok {
		t.Fatalf("Load: %v, want Faults", err)
	}
	if !errors.Is(err, haldane.ErrMargin) || !errors.Is(err, config.ErrMissing) {
		t.Errorf("the causes of the faults cannot be told by errors.Is: %v", err)
	}
	golden(t, "faults.golden", strings.ReplaceAll(err.Error(), string(filepath.Separator), "/")+"\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run the test with -update once)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// least is the beginning of a file that is valid once a rollout follows.
const least = `services:
- name: shop
  tracks:
    baseline: {version: 1.10, upstreams: ["http://127.0.0.1:1"]}
    canary: {version: "1.11", upstreams: ["http://127.0.0.1:2", "https://c.example"]}
`

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		claim string
		text  string
		check func(*config.Config) any
		want  any
	}{
		{"a version is text even where it looks like a number", least,
			func(c *config.Config) any { return c.Services[0].Baseline.Version }, "1.10"},
		{"a service without rollout compares nothing", least,
			func(c *config.Config) any { return c.Services[0].Rollout == nil }, true},
		{"a rollout is called after the service and the candidate", least + "  rollout: {alpha: 0.02}",
			func(c *config.Config) any { return c.Services[0].Rollout.Name }, "shop-1.11"},
		{"everything is routed unless routes are given", least,
			func(c *config.Config) any { return c.Services[0].Match }, []config.Match{{Name: "/", Prefix: "/"}}},
		{"a match of a host takes all its paths", least + "  match: [{host: Shop.Example}, {name: pay, exact: /pay}]",
			func(c *config.Config) any { return c.Services[0].Match },
			[]config.Match{{Name: "shop.example/", Host: "shop.example", Prefix: "/"}, {Name: "pay", Exact: "/pay"}}},
		{"dir moves the embedded bus along", "dir: /x\n" + least,
			func(c *config.Config) any { return []string{c.Dir, c.Bus.Embedded.Dir} }, []string{"/x", "/x"}},
		{"the embedded bus's dir moves the rest along", "bus: {embedded: {dir: /y}}\n" + least,
			func(c *config.Config) any { return []string{c.Dir, c.Bus.Embedded.Dir} }, []string{"/y", "/y"}},
		{"each of the two may be given", "dir: /x\nbus: {embedded: {dir: /y}}\n" + least,
			func(c *config.Config) any { return []string{c.Dir, c.Bus.Embedded.Dir} }, []string{"/x", "/y"}},
		{"urls replace the embedded bus", "bus: {urls: ['nats://a:4222', 'tls://b:4222']}\n" + least,
			func(c *config.Config) any { return c.Bus },
			config.Bus{URLs: []string{"nats://a:4222", "tls://b:4222"}}},
		{"listen \"\" keeps the embedded bus in the process", "bus: {embedded: {listen: \"\"}}\n" + least,
			func(c *config.Config) any { return c.Bus },
			config.Bus{Embedded: &config.Embedded{Dir: config.DefaultDir}}},
		{"a rollout may wait to be started", least + "  rollout: {start: manual}",
			func(c *config.Config) any { return c.Services[0].Rollout.Auto }, false},
		{"a sticky unit", least + "  rollout: {assign: {cookie: sid}}",
			func(c *config.Config) any { return c.Services[0].Rollout.Assign }, config.Assign{Cookie: "sid"}},
		{"a request as unit", least + "  rollout: {assign: request}",
			func(c *config.Config) any { return c.Services[0].Rollout.Assign }, config.Assign{}},
		{"a margin that is stated in part keeps the rest of its default",
			least + "  rollout: {indicators: [{name: errors, margin: {ratio: 2}}]}",
			func(c *config.Config) any { return c.Services[0].Rollout.Indicators[0].Margin },
			haldane.Margin{Ratio: 2, Floor: 0.001}},
		{"a step may state its own margin; the last step has the indicator's",
			least + "  rollout: {steps: [{weight: 25bp, promote: {errors: {ratio: 3}}}, {weight: 2%, bake: 0s}], indicators: [{name: errors}]}",
			func(c *config.Config) any { return c.Services[0].Rollout.Steps },
			[]config.Step{
				{Weight: 25, Bake: 10 * time.Second, Promote: map[string]haldane.Margin{haldane.Errors: {Ratio: 3}}},
				{Weight: 200, Promote: map[string]haldane.Margin{haldane.Errors: {Ratio: 1.5, Floor: 0.005}}},
			}},
		{"anchors and aliases", "dir: &d /z\nbus: {embedded: {dir: *d}}\n" + least,
			func(c *config.Config) any { return c.Bus.Embedded.Dir }, "/z"},
		{"nothing may be warmed up or watched", least + "  rollout: {warmup: 0s, watch: 0s}",
			func(c *config.Config) any { r := c.Services[0].Rollout; return r.Warmup + r.Watch }, time.Duration(0)},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			c, err := config.Parse("t.yaml", []byte(tt.text))
			if err != nil {
				t.Fatalf("Parse: %v", err)
			}
			if diff := cmp.Diff(tt.want, tt.check(c)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err := c.Validate(); err != nil {
				t.Errorf("Validate of what Parse returned: %v", err)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		claim, text, want string
	}{
		{"an empty file", "", "t.yaml:1:1: services: missing"},
		{"a second document", least + "---\n" + least, "t.yaml:6:1: more than one document"},
		{"what is not YAML, with its line", "dir: x\na: [\n", "t.yaml:2:4: not YAML: sequence end"},
		{"a list where keys belong", "- a\n- b\n", "t.yaml:1:1: is a list: must be keys and values"},
		{"a key of nothing", least + "  rollout:\n", "services[0].rollout: is empty"},
		{"an alias of nothing", "dir: *d\n" + least, "no &d before this *d"},
		{"two rollouts of one name", least + "  rollout: {name: x}\n" + strings.Replace(strings.TrimPrefix(least, "services:\n"), "shop", "b\n  match: [{prefix: /b}]", 1) + "  rollout: {name: x}\n",
			`t.yaml:12:19: services[1].rollout.name: "x" is the name of services[0].rollout already`},
		{"a name that a later generation will bear", least + "  rollout: {name: x}\n" + strings.Replace(strings.TrimPrefix(least, "services:\n"), "shop", "b\n  match: [{prefix: /b}]", 1) + "  rollout: {name: x.2}\n",
			`"x.2" is what the 2. generation of "x" will be called`},
		{"two services of one name", least + strings.TrimPrefix(least, "services:\n"), `services[1].name: "shop" is the name of services[0] already`},
		{"two services for one request", least + strings.TrimPrefix(strings.Replace(least, "shop", "b", 1), "services:\n"), "services[0].match[0] takes the same requests"},
		{"a rollout without candidate", "services: [{name: a, tracks: {baseline: {version: '1', upstreams: ['http://a']}}, rollout: {name: x}}]",
			"services[0].tracks.canary: missing: a rollout needs a candidate"},
		{"a port on all addresses and on one", "proxy: {listen: ':9900'}\n" + least, "127.0.0.1:9900 is taken by proxy.listen already"},
		{"an upstream with a password, which it does not repeat", strings.Replace(least, "http://127.0.0.1:1", "http://u:secret@h", 1), "http://u:xxxxx@h"},
		{"an upstream without host", strings.Replace(least, "http://127.0.0.1:1", "http://:9001", 1), "is not the URL of a server"},
		{"an upstream beyond the last port", strings.Replace(least, "http://127.0.0.1:1", "http://h:65536", 1), "t.yaml:4:43: services[0].tracks.baseline.upstreams[0]: \"http://h:65536\": 65536 is not a port"},
		{"an upstream on no port", strings.Replace(least, "http://127.0.0.1:1", "http://h:0", 1), "0 is not a port"},
		{"an upstream with a path", strings.Replace(least, "http://127.0.0.1:1", "http://h/api", 1), "the path is the client's"},
		{"a name that no terminal shows", strings.Replace(least, "name: shop", `name: "sh\top"`, 1), "has spaces or characters"},
		{"a step that sends nothing", least + "  rollout: {steps: [{weight: 0%}]}", "nothing: a step gives the canary something"},
		{"a rollout without steps", least + "  rollout: {steps: []}", "steps: missing"},
		{"an indicator named twice", least + "  rollout: {indicators: [{name: errors}, {name: errors}]}", "errors is compared already"},
		{"a step margin without ratio", least + "  rollout: {steps: [{weight: 1%, promote: {errors: {floor: 0.1}}}]}", "promote.errors: ratio 0"},
		{"urls that are none", "bus: {urls: []}\n" + least, "bus.urls: missing"},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			_, err := config.Parse("t.yaml", []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse: %v\nwant …%s…", err, tt.want)
			}
		})
	}
}

func TestAliasesCannotMultiplyWithoutEnd(t *testing.T) {
	many := "[" + strings.Repeat("*u,", 2000) + "*u]"
	text := "services:\n- name: a\n  tracks:\n    baseline:\n      version: &u \"1\"\n      upstreams: &l " + many +
		strings.Repeat("\n- {name: b, tracks: {baseline: {version: *u, upstreams: *l}}}", 200)
	_, err := config.Parse("t.yaml", []byte(text))
	if err == nil || !strings.Contains(err.Error(), "more than 100000 values") {
		t.Errorf("Parse: %.200v, want a bound on the values", err)
	}
}

func TestALoadedFileThatIsNotThereSaysHowToNameOne(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "-c") {
		t.Errorf("Load: %v, want ErrNotExist and the flag", err)
	}
}

func TestProbeTellsTakenPortsFromSilentUpstreams(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	up := httptest.NewServer(http.NotFoundHandler())
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	defer up.Close()
	text := "proxy: {listen: '" + taken.Addr().String() + "'}\nadmin: {listen: '127.0.0.1:0'}\nbus: {embedded: {listen: ''}}\n" +
		strings.NewReplacer("http://127.0.0.1:1", up.URL, "http://127.0.0.1:2", down.URL, `, "https://c.example"`, "").Replace(least)
	c, err := config.Parse("t.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	faults, warnings := config.Probe(t.Context(), c)
	if len(faults) != 1 || faults[0].Path != "proxy.listen" || faults[0].Line != 1 {
		t.Errorf("faults: %v, want that of proxy.listen on line 1", faults)
	}
	if len(warnings) != 1 || warnings[0].Path != "services[0].tracks.canary.upstreams[0]" {
		t.Errorf("warnings: %v, want that of the canary's upstream", warnings)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"shop.yaml", "least.yaml", "faults.yaml"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := config.Parse("fuzz.yaml", b)
		if (c == nil) == (err == nil) {
			t.Fatalf("Parse returned configuration %v with error %v", c, err)
		}
		if err == nil && c.Validate() != nil {
			t.Errorf("Parse let through what Validate refuses: %v", c.Validate())
		}
	})
}

func TestLoadHereTellsTakenPortsWithAllOtherFaults(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	path := filepath.Join(t.TempDir(), "haldane.yaml")
	text := fmt.Sprintf("proxy: {listen: %q}\nadmin: {listen: \"127.0.0.1:0\"}\ncolour: blue\nservices: []\n", l.Addr())
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = config.LoadHere(t.Context(), path)
	for _, want := range []string{":1:17: proxy.listen: cannot listen", ":3:1: colour", "services"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell %q", err, want)
		}
	}
}

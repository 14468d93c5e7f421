package main

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/haldane-canary/haldane"
)

func TestABadCanaryIsRolledBack(t *testing.T) {
	r := newRig(t)
	r.canary.failing.Store(true)
	s := r.start()
	st := s.until(haldane.RolledBack)
	if st.Weight != 0 || st.Verdict == nil || st.Verdict.Judgement != haldane.Fail {
		t.Errorf("stands at %+v, want weight 0 by a fail", st)
	}
	for range 50 {
		if who, status := s.get(); who != "one" || status != http.StatusOK {
			t.Fatalf("after the rollback %s answered with %d", who, status)
		}
	}

	s.recorded(haldane.KindRolledBack)
	code, out, _ := s.cli("events", "--json", "--kind", "rolledback")
	var event struct {
		ID, Type string
		Data     haldane.Decision
	}
	if err := json.Unmarshal([]byte(out), &event); err != nil || code != 0 {
		t.Fatalf("events: exit %d, %q, %v", code, out, err)
	}
	if event.ID != "shop-2/2" || event.Type != "dev.haldane.rollout.rolledback.v1" || len(event.Data.Evidence.Counts) == 0 {
		t.Errorf("event %+v", event)
	}
	metrics := s.scrape()
	for _, want := range []string{
		`haldane_decisions_total{kind="rolledback",service="shop"} 1`,
		`haldane_rollout_phase{phase="rolledback",rollout="shop-2",service="shop"} 1`,
		`haldane_verdict{rollout="shop-2",service="shop"} -1`,
		`haldane_weight_basis_points{rollout="shop-2",service="shop"} 0`,
		`haldane_control_connected 1`,
		`haldane_bus_connected 1`,
		`haldane_requests_total{class="server_error",rollout="shop-2",route="/",service="shop",track="canary",version="2"}`,
		`haldane_build_info{`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s among the metrics:\n%s", want, grep(metrics, "haldane_"))
		}
	}
}

// scrape returns the metrics as text.
func (r *running) scrape() string {
	r.t.Helper()
	resp, err := http.Get(r.AdminURL() + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

// grep returns the lines of s that begin with prefix.
func grep(s, prefix string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if strings.HasPrefix(line, prefix) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestAGoodCanaryClimbsToTheTop(t *testing.T) {
	r := newRig(t)
	s := r.start()
	s.until(haldane.Completed)
	if who, _ := s.get(); who != "two" {
		t.Errorf("after completion %s answers", who)
	}
	s.recorded(haldane.KindCompleted)
	var kinds []string
	code, out, _ := s.cli("events", "--json")
	for line := range strings.Lines(out) {
		var e struct{ Data haldane.Decision }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, string(e.Data.Kind))
	}
	if got := strings.Join(kinds, " "); code != 0 || got != "started weight promoted completed" {
		t.Errorf("decided %s, exit %d", got, code)
	}
}

// held is a rollout that stays where it is started, at half the requests.
const held = `{name: shop-2, steps: [{weight: 50%, bake: 1h}]}`

func TestARestartKeepsTheWeightEvenWithoutTheControlPlane(t *testing.T) {
	r := newRig(t)
	r.rollout = held
	s := r.start()
	s.inForce(5000)
	s.end()
	before := r.canary.served.Load()

	r.bus = `{urls: ["nats://127.0.0.1:1"]}` // where nobody is
	s = r.start(roles{proxy: true})
	for range 100 {
		s.get()
	}
	if n := r.canary.served.Load() - before; n < 10 {
		t.Errorf("the canary served %d of 100, want about half", n)
	}
	if resp, err := http.Get(s.AdminURL() + "/readyz"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("a proxy that serves is not ready: %v, %v", resp, err)
	}
	if code, _, stderr := s.cli("rollout", "list"); code != exitFailed || !strings.Contains(stderr, "no controller role") {
		t.Errorf("rollout list: exit %d, %s", code, stderr)
	}
	if !strings.Contains(s.scrape(), "haldane_control_connected 0") {
		t.Error("the metrics do not tell that the control plane is away")
	}
}

func TestDamageIsRefusedAndServedOnlyOnRequest(t *testing.T) {
	r := newRig(t)
	r.rollout = held
	first := r.start()
	first.inForce(5000)
	first.end()
	before := r.canary.served.Load()
	path := filepath.Join(r.dir, "journal.ndjson")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}

	code, _, stderr := cli(t, "serve", "-c", r.file())
	if code != exitFailed || !strings.Contains(stderr, "journal.ndjson") || !strings.Contains(stderr, "--serve-on-damage") {
		t.Errorf("served by a damaged folder without being told to: exit %d, %s", code, stderr)
	}

	r.serveOn = true
	s := r.start()
	for range 100 {
		s.get()
	}
	if n := r.canary.served.Load() - before; n < 10 {
		t.Errorf("the canary served %d of 100, want about half as before", n)
	}
	if log := s.log.String(); !strings.Contains(log, "journal.ndjson") || !strings.Contains(log, "nothing will advance") {
		t.Errorf("the log does not tell the damage:\n%s", log)
	}
	if code, _, stderr := s.cli("rollout", "promote", "shop-2"); code != exitFailed || !strings.Contains(stderr, "not to be had now") {
		t.Errorf("promote: exit %d, %s", code, stderr)
	}
}

func TestAFolderThatIsNotOursIsRefused(t *testing.T) {
	r := newRig(t)
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "thesis.tex"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := cli(t, "serve", "-c", r.file())
	if code != exitFailed || !strings.Contains(stderr, "thesis.tex") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// file writes the configuration and returns its path.
func (r *rig) file() string {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "haldane.yaml")
	if err := os.WriteFile(path, []byte(r.yaml()), 0o644); err != nil {
		r.t.Fatal(err)
	}
	return path
}

func TestAllPortsThatAreTakenAreToldAtOnce(t *testing.T) {
	take := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l.Addr().String()
	}
	r := newRig(t)
	r.bus = `{embedded: {listen: "` + take() + `"}}`
	text := strings.Replace(strings.Replace(r.yaml(), "127.0.0.1:0", take(), 1), "127.0.0.1:0", take(), 1)
	path := filepath.Join(t.TempDir(), "haldane.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := cli(t, "serve", "-c", path)
	if code != exitUsage {
		t.Errorf("exit %d, want %d", code, exitUsage)
	}
	for _, key := range []string{"proxy.listen", "admin.listen", "bus.embedded.listen"} {
		line := regexp.MustCompile(regexp.QuoteMeta(path) + `:\d+:\d+: ` + regexp.QuoteMeta(key) + ": cannot listen")
		if !line.MatchString(stderr) {
			t.Errorf("no word of %s and its line in %s", key, stderr)
		}
	}
	if _, err := os.Stat(r.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was begun: %s: %v", r.dir, err)
	}
}

func TestOperatorsAct(t *testing.T) {
	r := newRig(t)
	r.rollout = `{name: shop-2, start: manual, steps: [{weight: 50%, bake: 1h}]}`
	s := r.start()
	var b strings.Builder
	for _, args := range [][]string{
		{"rollout", "list"},
		{"rollout", "get", "shop-2"},
		{"rollout", "hold", "shop-2"},
		{"rollout", "start", "shop-2", "--reason", "release day"},
		{"rollout", "hold", "shop-2", "--reason", "lunch"},
		{"rollout", "resume", "shop-2"},
		{"rollout", "promote", "shop-2"},
		{"rollout", "rollback", "shop-2", "--reason", "second thoughts"},
		{"rollout", "abort", "shop-2"},
		{"rollout", "get", "shop-2"},
		{"rollout", "start", "shop-2", "--reason", "again"},
		{"rollout", "abort", "shop-2", "--reason", "enough"},
		{"rollout", "get", "shop-3"},
		{"attach", "--plain"},
		{"events", "--kind", "started"},
		{"events", "--rollout", "shop-2.2", "--since", "1h"},
	} {
		code, stdout, stderr := s.cli(args...)
		b.WriteString("$ haldane " + strings.Join(args, " ") + "\n" + stdout + stderr)
		if code != 0 {
			b.WriteString("(exit " + string(rune('0'+code)) + ")\n")
		}
		b.WriteString("\n")
	}
	golden(t, "operator.golden", timeless(b.String()))
}

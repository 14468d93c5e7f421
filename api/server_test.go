package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/api/apitest"
)

const rollout = "shop-1.5.0"

func newWorld() *apitest.World {
	w := apitest.NewWorld(apitest.Stepping(rollout))
	w.Decide(apitest.Decided(rollout, 1))
	w.Decide(apitest.Decided(rollout, 2))
	return w
}

// ask returns the answer of h to one request from this machine, changed as
// the test wants.
func ask(h http.Handler, method, target, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "127.0.0.1:9900"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func TestWhoMayDoWhat(t *testing.T) {
	elsewhere := func(r *http.Request) { r.RemoteAddr = "192.0.2.7:50000" }
	both := func(fs ...func(*http.Request)) func(*http.Request) {
		return func(r *http.Request) {
			for _, f := range fs {
				f(r)
			}
		}
	}
	set := func(key, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(key, value) }
	}
	host := func(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }
	reads := []string{"/api/v1/rollouts", "/api/v1/rollouts/" + rollout, "/api/v1/events", "/api/v1/accounts", "/api/v1/accounts/" + rollout, "/openapi.json", "/"}
	for _, tt := range []struct {
		claim       string
		change      func(*http.Request)
		read, write int
	}{
		{"this machine reads without a token", nil, 200, 401},
		{"this machine is also called localhost", host("localhost:9900"), 200, 401},
		{"this machine is also called by its IPv6 address", host("[::1]:9900"), 200, 401},
		{"an operator writes", bearer(apitest.Token), 200, 200},
		{"a viewer reads", bearer(apitest.ReadToken), 200, 403},
		{"a wrong token is no token", bearer("wrong"), 401, 401},
		{"an empty token is no token", set("Authorization", "Bearer "), 401, 401},
		{"a token is not a password", set("Authorization", "Basic "+apitest.Token), 401, 401},
		{"from elsewhere nothing goes without a token", elsewhere, 401, 401},
		{"from elsewhere an operator writes", both(elsewhere, bearer(apitest.Token)), 200, 200},
		{"a proxy on this machine speaks for others", set("X-Forwarded-For", "192.0.2.7"), 401, 401},
		{"another's name for this machine is refused (DNS rebinding)", host("evil.example:9900"), 403, 403},
		{"and also with a token", both(host("evil.example"), bearer(apitest.Token)), 403, 403},
		{"another site's page writes nothing", both(set("Origin", "https://evil.example"), bearer(apitest.Token)), 200, 403},
		{"nor does one that hides where it is", both(set("Sec-Fetch-Site", "cross-site"), bearer(apitest.Token)), 200, 403},
		{"our own page writes", both(set("Origin", "http://127.0.0.1:9900"), bearer(apitest.Token)), 200, 200},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			h := newWorld().Handler(t)
			for _, path := range reads {
				if got := ask(h, "GET", path, "", tt.change); got.Code != tt.read {
					t.Errorf("GET %s: %d %s, want %d", path, got.Code, got.Body, tt.read)
				}
			}
			got := ask(h, "POST", "/api/v1/rollouts/"+rollout+"/hold", `{"reason":"x"}`, tt.change)
			if got.Code != tt.write {
				t.Errorf("POST: %d %s, want %d", got.Code, got.Body, tt.write)
			}
			for _, path := range []string{"/healthz", "/readyz"} {
				if got := ask(h, "GET", path, "", tt.change); got.Code != 200 {
					t.Errorf("GET %s: %d, want 200 for everybody", path, got.Code)
				}
			}
		})
	}
}

func TestFaultsAreAnsweredWithAHint(t *testing.T) {
	settled := apitest.Stepping("old")
	settled.Phase = haldane.RolledBack
	w := newWorld()
	w.Set(settled)
	h := w.Handler(t)
	for _, tt := range []struct {
		claim, method, path, body string
		status                    int
		message                   string
	}{
		{"a rollout that is not there", "GET", "/api/v1/rollouts/none", "", 404, "no such rollout"},
		{"a stream of a rollout that is not there", "GET", "/api/v1/rollouts/none/stream", "", 404, "no such rollout"},
		{"an account that is not there", "GET", "/api/v1/accounts/none", "", 404, "no decision on none"},
		{"a verb on a rollout that is not there", "POST", "/api/v1/rollouts/none/hold", "", 404, "no such rollout"},
		{"a verb that is none", "POST", "/api/v1/rollouts/" + rollout + "/jump", "", 404, "no such verb"},
		{"a verb that does not fit the phase", "POST", "/api/v1/rollouts/old/hold", "", 409, "not possible now"},
		{"a body that is no JSON", "POST", "/api/v1/rollouts/" + rollout + "/hold", "reason=x", 400, "not JSON"},
		{"a body without end", "POST", "/api/v1/rollouts/" + rollout + "/hold", `{"reason":"` + strings.Repeat("x", 1<<20) + `"}`, 400, "too large"},
		{"a body with a field that is none", "POST", "/api/v1/rollouts/" + rollout + "/hold", `{"raeson":"x"}`, 400, `no such field: "raeson"`},
		{"a reason that is no text", "POST", "/api/v1/rollouts/" + rollout + "/hold", `{"reason":1}`, 400, "reason must be text"},
		{"a body that is no object", "POST", "/api/v1/rollouts/" + rollout + "/hold", `["x"]`, 400, "not an object"},
		{"a body with something after it", "POST", "/api/v1/rollouts/" + rollout + "/hold", `{"reason":"x"} {}`, 400, "goes on after its end"},
		{"a kind that is none", "GET", "/api/v1/events?kind=exploded", "", 400, "exploded"},
		{"a since that is none", "GET", "/api/v1/events?since=yesterday", "", 400, "yesterday"},
		{"a page that is not there", "GET", "/nope", "", 404, "no such page"},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			got := ask(h, tt.method, tt.path, tt.body, bearer(apitest.Token))
			var e struct{ Error, Hint string }
			if err := json.Unmarshal(got.Body.Bytes(), &e); err != nil {
				t.Fatalf("answer %q: %v", got.Body, err)
			}
			if got.Code != tt.status || !strings.Contains(e.Error, tt.message) || e.Hint == "" {
				t.Errorf("got %d %+v, want %d …%s… and a hint", got.Code, e, tt.status, tt.message)
			}
		})
	}
}

// down is a log that cannot be read.
type down struct{}

func (down) Events(context.Context, api.Filter, func([]byte) error) error { return api.ErrUnavailable }

func TestAProcessWithoutControllerSaysSo(t *testing.T) {
	h := api.New(api.Config{
		Log: down{}, Tokens: apitest.Tokens(t), Metrics: http.NotFoundHandler(),
		Ready: func() error { return errors.New("bus: not connected") }, Logger: slog.New(slog.DiscardHandler),
	})
	for _, path := range []string{"/api/v1/rollouts", "/api/v1/rollouts/x", "/api/v1/rollouts/x/stream", "/api/v1/events", "/api/v1/accounts", "/readyz"} {
		if got := ask(h, "GET", path, "", nil); got.Code != http.StatusServiceUnavailable {
			t.Errorf("GET %s: %d %s, want 503", path, got.Code, got.Body)
		}
	}
	if got := ask(h, "GET", "/", "", nil); got.Code != 200 || !strings.Contains(got.Body.String(), "no rollouts") {
		t.Errorf("GET /: %d %s", got.Code, got.Body)
	}
}

func TestTheIndexShowsEveryRollout(t *testing.T) {
	st := apitest.Stepping(`<script>alert("x")</script>/5`)
	got := ask(apitest.NewWorld(st).Handler(t), "GET", "/", "", nil)
	if body := got.Body.String(); strings.Contains(body, "<script>") || !strings.Contains(body, "&lt;script&gt;") || !strings.Contains(body, "undecided") {
		t.Errorf("page:\n%s", body)
	}
}

func TestTheDocumentDescribesWhatIsServed(t *testing.T) {
	got := ask(newWorld().Handler(t), "GET", "/openapi.json", "", nil)
	var doc struct {
		Paths      map[string]map[string]any
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(got.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var described []string
	for path, methods := range doc.Paths {
		for method := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	served := api.Patterns()
	for i := range served {
		served[i] = strings.TrimSuffix(served[i], "{$}")
	}
	slices.Sort(described)
	slices.Sort(served)
	if diff := cmp.Diff(served, described); diff != "" {
		t.Errorf("paths (-served +described):\n%s", diff)
	}
	for name, v := range map[string]any{
		"Status": haldane.Status{}, "Verdict": haldane.Verdict{}, "Evidence": haldane.Evidence{}, "Decision": haldane.Decision{},
		"Margin": haldane.Margin{}, "Needs": haldane.Needs{}, "Totals": haldane.Totals{}, "Position": haldane.Position{}, "Account": api.Account{},
	} {
		var keys, properties []string
		for field := range reflect.TypeOf(v).Fields() {
			key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			keys = append(keys, key)
		}
		for p := range doc.Components.Schemas[name].Properties {
			properties = append(properties, p)
		}
		slices.Sort(keys)
		slices.Sort(properties)
		if diff := cmp.Diff(keys, properties); diff != "" {
			t.Errorf("schema %s (-sent +described):\n%s", name, diff)
		}
	}
}

func TestAStreamBeginsWithTheStateAndGoesOn(t *testing.T) {
	w := newWorld()
	server := w.Serve(t)
	resp, err := http.Get(server.URL + "/api/v1/rollouts/" + rollout + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("content type %q", got)
	}
	in := bufio.NewScanner(resp.Body)
	in.Buffer(nil, 1<<20)
	// until reads on to a line that contains all of the words.
	until := func(words ...string) {
		t.Helper()
		for in.Scan() {
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(in.Text(), w) }) {
				return
			}
		}
		t.Fatalf("the stream ended before %q: %v", words, in.Err())
	}
	until(`data: {`, `"phase":"stepping"`)
	if _, err := w.Do(t.Context(), rollout, "hold", "alice", "lunch"); err != nil {
		t.Fatal(err)
	}
	// Status and decisions are two sources; each is in order by itself.
	until(`"phase":"held"`, `"steps"`)
	until(`"phase":"held"`, `"steps"`) // again within a second, although nothing has changed
}

func TestAVerbIsTheTokensOwners(t *testing.T) {
	w := newWorld()
	h := w.Handler(t)
	if got := ask(h, "POST", "/api/v1/rollouts/"+rollout+"/rollback", `{"reason":"p99"}`, bearer(apitest.Token)); got.Code != 200 {
		t.Fatalf("POST: %d %s", got.Code, got.Body)
	}
	var ds []haldane.Decision
	if err := json.Unmarshal(ask(h, "GET", "/api/v1/accounts/"+rollout, "", nil).Body.Bytes(), &ds); err != nil {
		t.Fatal(err)
	}
	last := ds[len(ds)-1]
	if last.Kind != haldane.KindRolledBack || last.Actor != "alice" || last.Reason != "p99" {
		t.Errorf("decided %+v, want alice's rollback for p99", last)
	}
}

func TestEventsThatAreCutShortDoNotLookWhole(t *testing.T) {
	w := newWorld()
	server := httptest.NewServer(api.New(api.Config{
		Log: breaking{w}, Tokens: apitest.Tokens(t), Logger: slog.New(slog.DiscardHandler),
	}))
	defer server.Close()
	resp, err := http.Get(server.URL + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("read %q and a clean end, want an error", b)
	}
}

// breaking is a log that breaks after its last decision.
type breaking struct{ api.Log }

func (b breaking) Events(ctx context.Context, f api.Filter, fn func([]byte) error) error {
	if err := b.Log.Events(ctx, f, fn); err != nil {
		return err
	}
	return errors.New("disk on fire")
}

package api_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/api/apitest"
)

// starting is a controller that has not come up.
type starting struct{ api.Rollouts }

func (starting) Status() ([]haldane.Status, error) { return nil, api.ErrUnavailable }

func TestNoneIsToldFromNotKnownYet(t *testing.T) {
	none := apitest.NewWorld().Handler(t)
	if got := ask(none, "GET", "/api/v1/rollouts", "", nil); got.Code != http.StatusOK || strings.TrimSpace(got.Body.String()) != "[]" {
		t.Errorf("no rollouts: %d %s, want 200 []", got.Code, got.Body)
	}
	unknown := api.New(api.Config{Rollouts: starting{}, Log: down{}, Tokens: apitest.Tokens(t), Logger: slog.New(slog.DiscardHandler)})
	if got := ask(unknown, "GET", "/api/v1/rollouts", "", nil); got.Code != http.StatusServiceUnavailable {
		t.Errorf("no controller yet: %d %s, want 503", got.Code, got.Body)
	}
	if got := ask(unknown, "GET", "/", "", nil); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "not come up yet") {
		t.Errorf("GET /: %d %s", got.Code, got.Body)
	}
}

func TestAMethodThatIsNotForAPageIsToldFromAPageThatIsNotThere(t *testing.T) {
	h := newWorld().Handler(t)
	for _, tt := range []struct{ method, path, allow string }{
		{"DELETE", "/api/v1/rollouts", "GET, HEAD"},
		{"POST", "/api/v1/rollouts/" + rollout, "GET, HEAD"},
		{"GET", "/api/v1/rollouts/" + rollout + "/hold", "POST"},
		{"PUT", "/api/v1/rollouts/" + rollout + "/stream", "GET, HEAD, POST"},
		{"DELETE", "/", "GET, HEAD"},
		{"DELETE", "/nope", ""},
	} {
		status := http.StatusMethodNotAllowed
		if tt.allow == "" {
			status = http.StatusNotFound
		}
		got := ask(h, tt.method, tt.path, "", bearer(apitest.Token))
		if allow := got.Header().Get("Allow"); got.Code != status || allow != tt.allow {
			t.Errorf("%s %s: %d, Allow %q, want %d and %q", tt.method, tt.path, got.Code, allow, status, tt.allow)
		}
	}
}

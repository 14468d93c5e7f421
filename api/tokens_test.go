package api_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haldane-canary/haldane/api"
)

func TestTheFirstStartLeavesATokenAndLaterOnesKeepIt(t *testing.T) {
	dir := t.TempDir()
	tokens, created, err := api.OpenTokens(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "operator.token"); created != want {
		t.Errorf("created %q, want %q", created, want)
	}
	info, err := os.Stat(created)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	token := api.ReadToken(dir)
	if len(token) < 26 {
		t.Errorf("token %q has fewer than 128 bits", token)
	}
	stored, err := os.ReadFile(filepath.Join(dir, "tokens.json"))
	if err != nil || strings.Contains(string(stored), token) {
		t.Errorf("tokens.json holds the token itself: %s, %v", stored, err)
	}
	// The file may be moved away; the server knows the token still.
	if err := os.Remove(created); err != nil {
		t.Fatal(err)
	}
	again, created, err := api.OpenTokens(dir, false)
	if err != nil || created != "" {
		t.Errorf("second start: created %q, %v; want nothing new", created, err)
	}
	if api.ReadToken(dir) != "" {
		t.Error("ReadToken found a token that is gone")
	}
	for start, known := range []*api.Tokens{tokens, again} {
		h := api.New(api.Config{Rollouts: newWorld(), Log: newWorld(), Tokens: known, Logger: slog.New(slog.DiscardHandler)})
		if got := ask(h, "POST", "/api/v1/rollouts/"+rollout+"/hold", "", bearer(token)); got.Code != http.StatusOK {
			t.Errorf("start %d does not take the token: %d %s", start+1, got.Code, got.Body)
		}
	}
}

func TestDamagedTokensLetNobodyIn(t *testing.T) {
	for claim, text := range map[string]string{
		"not JSON":       "{",
		"a short hash":   `[{"name":"x","role":"operator","sha256":"00"}]`,
		"a role of none": `[{"name":"x","role":"king","sha256":"` + strings.Repeat("0", 64) + `"}]`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "tokens.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := api.OpenTokens(dir, true); err == nil || !strings.Contains(err.Error(), "tokens.json") {
			t.Errorf("%s: %v, want an error that names the file", claim, err)
		}
	}
	if _, _, err := api.OpenTokens(filepath.Join(t.TempDir(), "none"), true); err == nil {
		t.Error("a folder that is not there was opened")
	}
}

func TestLostTokensAreNotMadeAnew(t *testing.T) {
	for claim, tt := range map[string]struct {
		fresh, operator bool
	}{
		"where something was decided":         {false, true},
		"nor when the operator's is gone too": {false, false},
		"nor where the operator has one":      {true, true},
	} {
		dir := t.TempDir()
		if tt.operator {
			if err := os.WriteFile(filepath.Join(dir, "operator.token"), []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := api.OpenTokens(dir, tt.fresh)
		if !errors.Is(err, api.ErrTokens) || !strings.Contains(err.Error(), "tokens.json") {
			t.Errorf("%s: %v, want ErrTokens and the name of the file", claim, err)
		}
		if tt.operator != (api.ReadToken(dir) == "mine") {
			t.Errorf("%s: the operator's token has changed", claim)
		}
	}
}

func ExampleClient() {
	client, err := api.NewClient("http://127.0.0.1:9900", os.Getenv("HALDANE_TOKEN"))
	if err != nil {
		fmt.Println(err)
		return
	}
	statuses, err := client.List(context.Background())
	if err != nil {
		fmt.Println(err) // says what to do
		return
	}
	for _, st := range statuses {
		fmt.Println(st.Name, st.Phase, st.Weight)
	}
}

package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/api"
	"github.com/haldane-canary/haldane/api/apitest"
)

func newClient(t *testing.T, url, token string) *api.Client {
	t.Helper()
	c, err := api.NewClient(url, token)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAClientReadsWhatTheServerHas(t *testing.T) {
	w := newWorld()
	other := apitest.Stepping("a/b c.2") // a name that has to be escaped
	w.Set(other)
	c := newClient(t, w.Serve(t).URL, "")
	ctx := t.Context()

	sts, err := c.List(ctx)
	if err != nil || len(sts) != 2 {
		t.Fatalf("List: %v, %v; want 2", sts, err)
	}
	st, err := c.Get(ctx, other.Name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(other, st); diff != "" {
		t.Errorf("Get (-had +got):\n%s", diff)
	}
	ds, err := c.Account(ctx, rollout)
	if err != nil || len(ds) != 2 || ds[1].Kind != haldane.KindWeight {
		t.Errorf("Account: %v, %v; want started and weight", ds, err)
	}
	as, err := c.Accounts(ctx)
	want := []api.Account{{
		Rollout: rollout, Service: "shop", Versions: ds[0].Versions, Decisions: 2, First: ds[0].At, Last: ds[1].At,
		Phase: haldane.Stepping, Reason: ds[1].Reason,
	}}
	if diff := cmp.Diff(want, as); err != nil || diff != "" {
		t.Errorf("Accounts: %v (-want +got):\n%s", err, diff)
	}
}

func TestAClientsErrorsTellWhatToDo(t *testing.T) {
	w := newWorld()
	server := w.Serve(t)
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	defer elsewhere.Close()
	ctx := t.Context()
	for _, tt := range []struct {
		claim string
		do    func() error
		is    error
		says  string
	}{
		{"an unknown name", func() error { _, err := newClient(t, server.URL, "").Get(ctx, "x"); return err }, api.ErrUnknown, "rollout list"},
		{"a write without token", func() error { _, err := newClient(t, server.URL, "").Do(ctx, rollout, "hold", ""); return err }, api.ErrToken, "HALDANE_TOKEN"},
		{"a write with a viewer's token", func() error {
			_, err := newClient(t, server.URL, apitest.ReadToken).Do(ctx, rollout, "hold", "")
			return err
		}, api.ErrToken, "HALDANE_TOKEN"},
		{"nobody there", func() error { _, err := newClient(t, gone.URL, "").List(ctx); return err }, nil, "haldane serve"},
		{"somebody else there", func() error { _, err := newClient(t, elsewhere.URL, "").List(ctx); return err }, nil, "is this a haldane server?"},
	} {
		err := tt.do()
		if err == nil || !strings.Contains(err.Error(), tt.says) || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: %v, want %v saying %q", tt.claim, err, tt.is, tt.says)
		}
	}
	for _, url := range []string{"", "127.0.0.1:9900", "nats://x"} {
		if _, err := api.NewClient(url, ""); err == nil {
			t.Errorf("NewClient(%q) succeeded", url)
		}
	}
}

func TestAClientFollowsEvents(t *testing.T) {
	w := newWorld()
	c := newClient(t, w.Serve(t).URL, apitest.Token)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var kinds []haldane.Kind
	err := c.Events(ctx, api.Filter{Service: "shop", Since: apitest.At().Add(-time.Minute), Follow: true}, func(event []byte) error {
		var e struct {
			ID   string
			Data haldane.Decision
		}
		if err := json.Unmarshal(event, &e); err != nil {
			return err
		}
		kinds = append(kinds, e.Data.Kind)
		if e.Data.Kind == haldane.KindWeight { // stored; the next comes live
			_, err := c.Do(ctx, rollout, "promote", "")
			return err
		}
		return errEnough
	})
	want := []haldane.Kind{haldane.KindWeight, haldane.KindPromoted}
	if !errors.Is(err, errEnough) || !slices.Equal(kinds, want) {
		t.Errorf("Events: %v, %v; want %v", kinds, err, want)
	}
	stored := 0
	if err := c.Events(ctx, api.Filter{Kind: "started"}, func([]byte) error { stored++; return nil }); err != nil || stored != 1 {
		t.Errorf("Events of one kind: %d, %v; want 1", stored, err)
	}
}

var errEnough = errors.New("enough")

func TestAClientStreamsStatusAndDecisions(t *testing.T) {
	w := newWorld()
	c := newClient(t, w.Serve(t).URL, apitest.Token)
	var seqs []uint64
	held := false
	err := c.Stream(t.Context(), rollout, func(u api.Update) error {
		switch {
		case u.Decision != nil:
			seqs = append(seqs, u.Decision.Seq)
			if u.Decision.Seq == 2 {
				_, err := c.Do(t.Context(), rollout, "hold", "")
				return err
			}
		case u.Status != nil:
			held = u.Status.Phase == haldane.Held
		}
		if held && len(seqs) == 3 {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) || !slices.Equal(seqs, []uint64{1, 2, 3}) {
		t.Errorf("Stream: %v, %v; want decisions 1 to 3, and held", seqs, err)
	}
}

func FuzzStream(f *testing.F) {
	f.Add("event: status\ndata: {}\n\nevent: decision\ndata: {\"data\":{\"seq\":1}}\n\n")
	f.Add("data: x\n")
	f.Add("event: status\ndata: null\n\n")
	f.Fuzz(func(t *testing.T, body string) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if _, err := w.Write([]byte(body)); err != nil {
				t.Error(err)
			}
		}))
		defer server.Close()
		// Whatever a server says, a client returns.
		_ = newClient(t, server.URL, "").Stream(t.Context(), "x", func(api.Update) error { return nil })
	})
}

package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/events"
)

var update = flag.Bool("update", false, "write the golden files anew")

// decision returns a decision of the given kind with everything in it that a
// decision can carry.
func decision(k haldane.Kind) haldane.Decision {
	e := haldane.Evidence{
		Name: haldane.Errors, Judgement: haldane.Fail, LogE: 5.1, LogEPromote: -9,
		Estimate: haldane.Estimate{Baseline: 0.005, Canary: 0.019, Ratio: 3.8, Difference: 0.014},
		Interval: haldane.Interval{Lower: 1.4, Upper: haldane.Number(math.NaN())},
		Margin:   haldane.Margin{Ratio: 1.1, Floor: 0.001}, Promote: haldane.Margin{Ratio: 1.5, Floor: 0.005},
	}
	at := time.Date(2026, 11, 22, 17, 0, 0, 123456789, time.UTC)
	v := haldane.Verdict{
		Judgement: haldane.Fail, At: at.Add(-time.Second), Service: "shop", Rollout: "shop-1.5.0", Step: 2, Epoch: 6,
		Observations: 12000, CanaryObservations: 601, Served: 498, Alpha: 0.01, AlphaPromote: 0.05,
		Reason: "errors: canary 1.9 % against baseline 0.5 %", Warnings: []string{}, Indicators: []haldane.Evidence{e},
		Baseline: haldane.Totals{N: 11399, Errors: 57}, Canary: haldane.Totals{N: 601, Errors: 11},
	}
	stands := func(p haldane.Phase, step int, w haldane.Weight) haldane.Position {
		return haldane.Position{Phase: p, Step: step, Weight: w}
	}
	pending, second := stands(haldane.Pending, 0, 0), stands(haldane.Stepping, 2, 500)
	moves := map[haldane.Kind][2]haldane.Position{
		haldane.KindProposed:   {pending, pending},
		haldane.KindApproved:   {pending, pending},
		haldane.KindStarted:    {pending, stands(haldane.Stepping, 1, 100)},
		haldane.KindWeight:     {stands(haldane.Stepping, 1, 100), second},
		haldane.KindHeld:       {second, stands(haldane.Held, 2, 500)},
		haldane.KindResumed:    {stands(haldane.Held, 2, 500), second},
		haldane.KindRolledBack: {second, stands(haldane.RolledBack, 2, 0)},
		haldane.KindPromoted:   {second, stands(haldane.Watching, 2, haldane.FullWeight)},
		haldane.KindCompleted:  {stands(haldane.Watching, 2, haldane.FullWeight), stands(haldane.Completed, 2, haldane.FullWeight)},
		haldane.KindAborted:    {second, stands(haldane.Aborted, 2, 0)},
	}
	from, to := moves[k][0], moves[k][1]
	return haldane.Decision{
		Seq: 7, Service: "shop", Rollout: "shop-1.5.0", Kind: k, Actor: haldane.ControllerActor, Reason: v.Reason,
		From: from, To: to, Weight: to.Weight, Served: 498, Versions: haldane.Versions{Baseline: "1.4.0", Canary: "1.5.0"}, Verdict: &v,
		Evidence: haldane.Basis{Baseline: v.Baseline, Canary: v.Canary, Indicators: v.Indicators, Counts: json.RawMessage(`{"epochs":[1,2]}`)},
		TraceIDs: []string{"4bf92f3577b34da6a3ce929d0e0e4736"}, At: at,
	}
}

func TestEveryKindLooksAsItDid(t *testing.T) {
	for _, k := range haldane.Kinds() {
		b, err := events.Encode(decision(k))
		if err != nil {
			t.Fatal(err)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, b, "", "  "); err != nil {
			t.Fatal(err)
		}
		pretty.WriteByte('\n')
		path := filepath.Join("testdata", string(k)+".json")
		if *update {
			if err := os.WriteFile(path, pretty.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), pretty.String()); d != "" {
			t.Errorf("%s (-golden +now; -update if this is meant):\n%s", k, d)
		}
	}
}

// TestEnvelopeIsACloudEvent reads events with the reference implementation,
// and its events with Decode.
func TestEnvelopeIsACloudEvent(t *testing.T) {
	for _, service := range []string{"shop", "a shop/with: odd?name#é"} {
		d := decision(haldane.KindRolledBack)
		d.Service = service
		b, err := events.Encode(d)
		if err != nil {
			t.Fatal(err)
		}
		var e cloudevents.Event
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatal(err)
		}
		if err := e.Validate(); err != nil {
			t.Error(err)
		}
		for what, c := range map[string][2]string{
			"specversion":     {e.SpecVersion(), "1.0"},
			"id":              {e.ID(), "shop-1.5.0/7"},
			"type":            {e.Type(), "dev.haldane.rollout.rolledback.v1"},
			"subject":         {e.Subject(), "shop-1.5.0"},
			"datacontenttype": {e.DataContentType(), "application/json"},
			"extensions":      {strings.Repeat("x", len(e.Extensions())), ""},
		} {
			if c[0] != c[1] {
				t.Errorf("%s is %q, want %q", what, c[0], c[1])
			}
		}
		if service == "shop" && e.Source() != "/haldane/shop" {
			t.Errorf("source is %q, want /haldane/shop", e.Source())
		}
		if !e.Time().Equal(d.At) {
			t.Errorf("time is %v, want %v", e.Time(), d.At)
		}
		again, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := events.Decode(again)
		if err != nil || !events.Same(back, d) {
			t.Errorf("through the reference: %+v, %v; want %+v", back, err, d)
		}
	}
}

func TestEncodeIsStable(t *testing.T) {
	d := decision(haldane.KindWeight)
	d.At = time.Now() // with a monotonic reading and a zone
	a, err := events.Encode(d)
	if err != nil {
		t.Fatal(err)
	}
	back, err := events.Decode(a)
	if err != nil {
		t.Fatal(err)
	}
	b, err := events.Encode(back)
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("encoded again: %s, %v; want %s", b, err, a)
	}
	bare := haldane.Decision{Seq: 1, Service: "s", Rollout: "r", Kind: haldane.KindStarted}
	if a, err = events.Encode(bare); err != nil || !bytes.Contains(a, []byte(`"trace_ids":[]`)) || !bytes.Contains(a, []byte(`"indicators":[]`)) {
		t.Errorf("nothing is %s, %v; want empty lists", a, err)
	}
	other := bare
	other.Reason = "x"
	if !events.Same(bare, bare) || events.Same(bare, other) || events.Same(haldane.Decision{}, haldane.Decision{}) {
		t.Error("Same does not tell decisions apart")
	}
}

func TestWhatIsNoDecisionIsRefused(t *testing.T) {
	for claim, spoil := range map[string]func(*haldane.Decision){
		"no service":       func(d *haldane.Decision) { d.Service = "" },
		"no rollout":       func(d *haldane.Decision) { d.Rollout = "" },
		"no number":        func(d *haldane.Decision) { d.Seq = 0 },
		"an unknown kind":  func(d *haldane.Decision) { d.Kind = "paused" },
		"a kind with dots": func(d *haldane.Decision) { d.Kind = "a.b" },
		"a weight too big": func(d *haldane.Decision) { d.Weight = 10001 },
		"a share below 0":  func(d *haldane.Decision) { d.Served = -1 },
		"an odd year":      func(d *haldane.Decision) { d.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"counts of no use": func(d *haldane.Decision) { d.Evidence.Counts = []byte("{") },
	} {
		d := decision(haldane.KindHeld)
		spoil(&d)
		if _, err := events.Encode(d); !errors.Is(err, events.ErrEvent) {
			t.Errorf("%s: got %v, want ErrEvent", claim, err)
		}
	}
}

func TestDecodeRefusesAnEnvelopeThatTellsAnotherStory(t *testing.T) {
	b, err := events.Encode(decision(haldane.KindHeld))
	if err != nil {
		t.Fatal(err)
	}
	for member, value := range map[string]string{
		"specversion": "0.3", "id": "shop-1.5.0/8", "source": "/haldane/till", "type": "dev.haldane.rollout.rolledback.v1",
		"subject": "shop", "datacontenttype": "text/plain", "time": "2020-01-01T00:00:00Z", "data": "held",
	} {
		var e map[string]any
		if err := json.Unmarshal(b, &e); err != nil {
			t.Fatal(err)
		}
		for _, v := range []any{value, nil} {
			e[member] = v
			spoiled, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := events.Decode(spoiled); !errors.Is(err, events.ErrEvent) {
				t.Errorf("%s = %v: got %v, want ErrEvent", member, v, err)
			}
		}
	}
	for _, text := range []string{"", "null", "[]", "{}", "{", `{"data":{"seq":-1}}`, strings.Repeat("[", 100_000)} {
		if _, err := events.Decode([]byte(text)); !errors.Is(err, events.ErrEvent) {
			t.Errorf("%.20q: got %v, want ErrEvent", text, err)
		}
	}
}

func TestDecodeLivesWithALaterVersion(t *testing.T) {
	b, err := events.Encode(decision(haldane.KindHeld))
	if err != nil {
		t.Fatal(err)
	}
	later := bytes.Replace(b, []byte(`"data":{`), []byte(`"later":1,"data":{"news":[1],`), 1)
	if d, err := events.Decode(later); err != nil || !events.Same(d, decision(haldane.KindHeld)) {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestSubjects(t *testing.T) {
	d := decision(haldane.KindRolledBack)
	for got, want := range map[string]string{
		events.Subject(d):                   "haldane.v1.shop.shop-1%2E5%2E0.rolledback",
		events.Filter("", "", "rolledback"): "haldane.v1.*.*.rolledback",
		events.Filter("shop", "a.b", ""):    "haldane.v1.shop.a%2Eb.*",
		events.WindowSubject("shop", "a b"): "haldane.window.v1.shop.a%20b",
		events.VerdictSubject("s>", "*"):    "haldane.verdict.v1.s%3E.%2A",
		events.Token("é%_-9"):               "%C3%A9%25_-9",
		events.SplitKey(haldane.Split{Service: "shop", Rollout: "shop-1.5.0", Generation: 1}):   "shop.shop-1=2E5=2E0",
		events.SplitKey(haldane.Split{Service: "shop", Rollout: "shop-1.5.0.3", Generation: 3}): "shop.shop-1=2E5=2E0",
		events.SplitKey(haldane.Split{Service: "shop", Rollout: "shop-1.5.2", Generation: 1}):   "shop.shop-1=2E5=2E2",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTokenGoesRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := string(rapid.SliceOf(rapid.Byte()).Draw(t, "name"))
		token := events.Token(name)
		if strings.ContainsAny(token, ".*> \t\r\n") {
			t.Fatalf("token %q has what NATS reads otherwise", token)
		}
		if back, err := events.Untoken(token); err != nil || back != name {
			t.Fatalf("token %q is %q again, %v; want %q", token, back, err, name)
		}
	})
	for _, token := range []string{"a.b", "%", "%2", "%2e", "%zz", "%41", "é", "%+1"} {
		if name, err := events.Untoken(token); !errors.Is(err, events.ErrToken) {
			t.Errorf("%q: got %q, %v; want ErrToken", token, name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, k := range haldane.Kinds() {
		b, err := events.Encode(decision(k))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"data":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := events.Decode(b)
		if err != nil {
			return
		}
		again, err := events.Encode(d)
		if err != nil {
			t.Fatalf("decoded, but cannot be encoded: %v", err)
		}
		if back, err := events.Decode(again); err != nil || !events.Same(back, d) {
			t.Fatalf("decoded again: %+v, %v; want %+v", back, err, d)
		}
	})
}

func FuzzUntoken(f *testing.F) {
	f.Add("shop-1%2E5%2E0")
	f.Fuzz(func(t *testing.T, token string) {
		if name, err := events.Untoken(token); err == nil && events.Token(name) != token {
			t.Errorf("token %q of %q became %q", token, name, events.Token(name))
		}
	})
}

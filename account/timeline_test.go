package account_test

import (
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haldane-canary/haldane"
	"github.com/haldane-canary/haldane/account"
)

var update = flag.Bool("update", false, "write the golden files anew")

// story returns a rollout that is held, resumed and rolled back.
func story() []haldane.Decision {
	at := time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC)
	first := haldane.Position{Phase: haldane.Stepping, Step: 1, Weight: 100}
	held := haldane.Position{Phase: haldane.Held, Step: 1, Weight: 100}
	verdict := &haldane.Verdict{
		Judgement: haldane.Fail, At: at.Add(24 * time.Second), Alpha: 0.01, AlphaPromote: 0.05,
		Warnings: []string{"the clock of one proxy is ahead"},
	}
	evidence := haldane.Basis{
		Baseline: haldane.Totals{N: 19000, Errors: 95}, Canary: haldane.Totals{N: 190, Errors: 9},
		Indicators: []haldane.Evidence{{
			Name: haldane.Errors, Judgement: haldane.Fail, LogE: 5.12, LogEPromote: -9,
			Estimate: haldane.Estimate{Baseline: 0.005, Canary: 0.0474, Ratio: 9.47, Difference: 0.0424},
			Interval: haldane.Interval{Lower: 2.1, Upper: haldane.Number(math.Inf(1))},
			Margin:   haldane.Margin{Ratio: 1.1, Floor: 0.001}, Promote: haldane.Margin{Ratio: 10, Floor: 0.05},
		}, {
			Name: haldane.Latency, Estimate: haldane.Estimate{
				Baseline: 0.0123, Canary: haldane.Number(math.NaN()), Ratio: haldane.Number(math.NaN())},
			Interval: haldane.Interval{Upper: haldane.Number(math.Inf(1))},
			Margin:   haldane.Margin{Ratio: 1.1}, Promote: haldane.Margin{Ratio: 2},
		}},
	}
	ds := []haldane.Decision{
		{Kind: haldane.KindStarted, Actor: haldane.ControllerActor, Reason: "starts by itself, as configured",
			From: haldane.Position{Phase: haldane.Pending}, To: first, At: at},
		{Kind: haldane.KindHeld, Actor: "ada", Reason: "lunch", From: first, To: held, At: at.Add(5 * time.Second)},
		{Kind: haldane.KindResumed, Actor: "ada", From: held, To: first, At: at.Add(9 * time.Second)},
		{Kind: haldane.KindRolledBack, Actor: haldane.ControllerActor, Reason: "errors: canary 4.74 % against baseline 0.5 %",
			From: first, To: haldane.Position{Phase: haldane.RolledBack, Step: 1}, At: at.Add(24 * time.Second),
			Served: 99, Verdict: verdict, Evidence: evidence, TraceIDs: []string{"0af7651916cd43dd8448eb211c80319c"}},
	}
	for i := range ds {
		ds[i].Seq, ds[i].Service, ds[i].Rollout = uint64(i+1), "shop", "shop-1.5.0"
		ds[i].Weight = ds[i].To.Weight
		ds[i].Versions = haldane.Versions{Baseline: "1.4.0", Canary: "1.5.0"}
	}
	return ds
}

func TestTimelineTellsTheWholeStory(t *testing.T) {
	for name, ds := range map[string][]haldane.Decision{"rolledback": story(), "just_started": story()[:1]} {
		var got strings.Builder
		if err := account.Timeline(&got, ds); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got.String(), want)
		}
	}
}

func TestTimelineOfNothingIsAnError(t *testing.T) {
	if err := account.Timeline(io.Discard, nil); !errors.Is(err, account.ErrEmpty) {
		t.Errorf("got %v, want ErrEmpty", err)
	}
}

// full is a writer that cannot write.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestTimelineSaysThatItCouldNotWrite(t *testing.T) {
	if err := account.Timeline(full{}, story()); err == nil {
		t.Error("got no error from a full disk")
	}
}
